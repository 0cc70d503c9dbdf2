import Foundation

/// How a PAR transformer is trained: extents, schedule and regularization. (PAR, section 4.1.)
///
/// The defaults suit a small model: some minutes on two cores for a grid of 12×12 tokens.
public struct TrainingSettings: Codable, Hashable, Sendable {
  /// The number of transformer blocks.
  public var layers: Int
  /// The number of attention heads.
  public var heads: Int
  /// D, the width of the residual stream.
  public var width: Int
  /// The number of optimizer steps.
  public var steps: Int
  /// Images in each step.
  public var batchSize: Int
  /// The largest learning rate, reached after the warm-up; it then falls to 0 as a cosine.
  public var learningRate: Float
  /// AdamW's weight decay of all matrices; the scales of norms do not decay.
  public var weightDecay: Float
  /// The probability that an element of an embedding, or of what a layer adds to the residual stream, is dropped.
  public var dropout: Float
  /// The probability that an image is shown as the null class, for classifier-free guidance.
  public var labelDropout: Float
  /// The share of the steps in which the learning rate rises.
  public var warmup: Double
  /// The largest Euclidean norm of the gradient; longer ones are shortened to it.
  public var clip: Float
  /// The seed of everything random.
  public var seed: UInt64
  /// How many images are held out; nil for a twentieth of them, at most 512.
  public var validationImages: Int?
  /// Steps from one validation to the next; nil for a twentieth of all.
  public var validationInterval: Int?
  /// Seconds from one checkpoint to the next.
  public var checkpointSeconds: Double

  /// Makes settings; without arguments those of a small model.
  public init(
    layers: Int = 4, heads: Int = 4, width: Int = 128, steps: Int = 2000, batchSize: Int = 32,
    learningRate: Float = 1e-3, weightDecay: Float = 0.05, dropout: Float = 0.1,
    labelDropout: Float = 0.1, warmup: Double = 0.05, clip: Float = 1, seed: UInt64 = 0,
    validationImages: Int? = nil, validationInterval: Int? = nil, checkpointSeconds: Double = 600
  ) {
    self.layers = layers
    self.heads = heads
    self.width = width
    self.steps = steps
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.dropout = dropout
    self.labelDropout = labelDropout
    self.warmup = warmup
    self.clip = clip
    self.seed = seed
    self.validationImages = validationImages
    self.validationInterval = validationInterval
    self.checkpointSeconds = checkpointSeconds
  }

  /// Makes sure that every setting is in range.
  ///
  /// - Throws: ``TrainingError/badSetting(name:value:expected:)`` for the first that is not.
  public func validate() throws(TrainingError) {
    for (name, value) in [("steps", steps), ("validation interval", validationInterval ?? 1)]
    where value < 1 {
      throw .badSetting(name: name, value: "\(value)", expected: "at least 1")
    }
    for (name, value) in [
      ("layers", layers), ("heads", heads), ("width", width), ("batch size", batchSize),
    ] where !(1...PARConfiguration.largestExtent).contains(value) {
      throw .badSetting(
        name: name, value: "\(value)", expected: "1 to \(PARConfiguration.largestExtent)")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw .badSetting(
        name: "learning rate", value: "\(learningRate)", expected: "a number above 0")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw .badSetting(
        name: "weight decay", value: "\(weightDecay)", expected: "a number of at least 0")
    }
    for (name, value) in [("dropout", dropout), ("label dropout", labelDropout)]
    where !(value >= 0 && value < 1) {
      throw .badSetting(name: name, value: "\(value)", expected: "a number from 0 to below 1")
    }
    guard warmup >= 0, warmup <= 1 else {
      throw .badSetting(name: "warm-up", value: "\(warmup)", expected: "a share from 0 to 1")
    }
    guard clip > 0 else {
      throw .badSetting(name: "clip", value: "\(clip)", expected: "a number above 0")
    }
    guard checkpointSeconds >= 0 else {
      throw .badSetting(
        name: "checkpoint interval", value: "\(checkpointSeconds) s", expected: "at least 0 s")
    }
    if let validationImages, validationImages < 0 {
      throw .badSetting(
        name: "validation images", value: "\(validationImages)", expected: "at least 0")
    }
  }

  /// The learning rate of a step, from 0.
  public func rate(step: Int) -> Float {
    let rising = Int((warmup * Double(steps)).rounded(.up))
    if step < rising { return learningRate * Float(step + 1) / Float(rising) }
    let progress = Double(step - rising) / Double(max(1, steps - rising))
    return Float(Double(learningRate) * 0.5 * (1 + cos(.pi * progress)))
  }

  /// How many of `count` images are held out; at least one is left to train on.
  func heldOutCount(of count: Int) -> Int {
    min(validationImages ?? min(512, count / 20), count - 1)
  }

  /// Whether the model is validated after so many steps.
  func isValidated(after done: Int) -> Bool {
    done == steps || done % (validationInterval ?? max(1, steps / 20)) == 0
  }

  /// Whether losses are recorded after so many steps: some five hundred times in a run.
  func isRecorded(after done: Int) -> Bool {
    done == steps || done % max(1, steps / 500) == 0 || isValidated(after: done)
  }
}
