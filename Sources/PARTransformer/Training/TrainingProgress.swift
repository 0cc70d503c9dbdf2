/// How far a training run has come.
public struct TrainingProgress: Sendable {
  /// Steps made.
  public let step: Int
  /// Steps in all.
  public let steps: Int
  /// The mean loss of the steps since the last record, in nats a token.
  public let loss: Double
  /// The last validation loss, in nats a token; nil before the first.
  public let validationLoss: Double?
  /// The norm of the last gradient before it was clipped.
  public let gradientNorm: Double
  /// Tokens learnt from in a second, of this call.
  public let tokensPerSecond: Double
  /// Seconds that the remaining steps will take at this speed.
  public let secondsLeft: Double
}

/// The losses of some steps.
public struct TrainingRecord: Codable, Hashable, Sendable {
  /// Steps made.
  public let step: Int
  /// The mean training loss since the record before, with dropout, in nats a token.
  public let loss: Double
  /// The loss of the held-out images after this step, without dropout, where it was measured.
  public let validationLoss: Double?
  /// The learning rate of this step.
  public let rate: Float
}

/// What a training run left.
public struct TrainingOutcome: Sendable {
  /// The path of the final model; it is there when ``finished``.
  public let model: String
  /// Whether all steps have been made.
  public let finished: Bool
  /// Steps made.
  public let step: Int
  /// The last validation loss, in nats a token.
  public let validationLoss: Double?
  /// All records, from the first step on.
  public let history: [TrainingRecord]
  /// The number of parameters.
  public let parameterCount: Int
  /// Seconds of this call.
  public let seconds: Double
  /// Tokens learnt from in a second, of this call.
  public let tokensPerSecond: Double
}
