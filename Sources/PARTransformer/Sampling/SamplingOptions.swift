/// How tokens are drawn from a model.
public struct SamplingOptions: Hashable, Sendable {
  /// s, the scale of classifier-free guidance, u + s·(c − u); at most 1 means none.
  public var guidance: Float
  /// The steps, from 1, in which guidance is applied; nil for all.
  public var guidanceInterval: ClosedRange<Int>?
  /// Take the most probable code instead of drawing one.
  public var isGreedy: Bool
  /// Temperature, top-k and top-p.
  public var filter: TokenFilter
  /// What tokens of one step see of each other.
  public var attention: AttentionPattern
  /// The seed; image i of a run depends on it and on i alone.
  public var seed: UInt64
  /// How many images are generated together.
  public var batchSize: Int

  /// Makes options; without arguments one draw from the model's own probabilities.
  public init(
    guidance: Float = 1, guidanceInterval: ClosedRange<Int>? = nil, isGreedy: Bool = false,
    filter: TokenFilter = TokenFilter(), attention: AttentionPattern = .groupwise,
    seed: UInt64 = 0, batchSize: Int = 8
  ) {
    self.guidance = guidance
    self.guidanceInterval = guidanceInterval
    self.isGreedy = isGreedy
    self.filter = filter
    self.attention = attention
    self.seed = seed
    self.batchSize = batchSize
  }

  /// Makes sure that the options are in range.
  ///
  /// - Throws: ``PARError/badOption(name:value:expected:)`` for the first that is not.
  public func validate() throws(PARError) {
    guard guidance.isFinite, guidance >= 0 else {
      throw .badOption(name: "guidance", value: "\(guidance)", expected: "a number of at least 0")
    }
    guard batchSize >= 1 else {
      throw .badOption(name: "batch size", value: "\(batchSize)", expected: "at least 1")
    }
    if let interval = guidanceInterval, interval.lowerBound < 1 {
      throw .badOption(
        name: "guidance interval", value: "\(interval.lowerBound):\(interval.upperBound)",
        expected: "steps from 1 on")
    }
    try filter.validate()
  }

  /// Whether step `step`, from 1, is guided.
  func isGuided(step: Int) -> Bool {
    guidance > 1 && (guidanceInterval?.contains(step) ?? true)
  }

  /// The last of `steps` steps that is guided; 0 for none. Afterwards the unconditional half need not be run.
  func lastGuidedStep(of steps: Int) -> Int {
    guard guidance > 1 else { return 0 }
    guard let interval = guidanceInterval else { return steps }
    return interval.lowerBound > steps ? 0 : min(steps, interval.upperBound)
  }
}
