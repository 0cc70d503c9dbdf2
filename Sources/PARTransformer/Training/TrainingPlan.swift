/// What a training run has besides its data and settings: the orders in which images are predicted.
protocol TrainingPlan: Codable, Hashable, Sendable {
  associatedtype Model: LearningModel

  /// What checkpoints of such runs call themselves.
  static var checkpointFormat: String { get }

  /// What has to be the same for a run of this plan to go on as one of another.
  func facts(beside other: Self) -> [RunFact]
  /// What a model's file says of the plan.
  func metadata(of model: Model) throws -> [String: String]
  /// Images as they are shown in a step, or nil for those held out, which are always shown alike.
  func images(
    _ images: [TrainingImage], step: Int?, _ random: TrainingRandomness
  ) -> [Model.Image]
}

/// Something that a run which goes on must share with the one that is asked for.
struct RunFact {
  let what: String
  let found: String
  let asked: String
  let isSame: Bool

  /// - Parameter isSame: nil where the texts tell.
  init(_ what: String, _ found: String, _ asked: String, isSame: Bool? = nil) {
    (self.what, self.found, self.asked) = (what, found, asked)
    self.isSame = isSame ?? (found == asked)
  }
}
