/// How the scale of classifier-free guidance depends on how far an image has come.
public enum GuidanceSchedule: String, CaseIterable, Sendable {
  /// The same for all tokens.
  case constant
  /// 1 + (s − 1)·t/N for token t of N, from 0: none for the first, s at the end. (LPD, section 4.1.)
  case linear
}

/// How tokens are drawn from a model.
public struct SamplingOptions: Hashable, Sendable {
  /// s, the scale of classifier-free guidance, u + s·(c − u); at most 1 means none.
  public var guidance: Float
  /// How the scale depends on the place of a token.
  public var guidanceSchedule: GuidanceSchedule
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
    guidance: Float = 1, guidanceSchedule: GuidanceSchedule = .constant,
    guidanceInterval: ClosedRange<Int>? = nil, isGreedy: Bool = false,
    filter: TokenFilter = TokenFilter(), attention: AttentionPattern = .groupwise,
    seed: UInt64 = 0, batchSize: Int = 8
  ) {
    self.guidance = guidance
    self.guidanceSchedule = guidanceSchedule
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

  /// The scales of a step, from 1, that draws these of `count` tokens; nil where it is not guided.
  func guidance(step: Int, tokens: Range<Int>, of count: Int) -> [Float]? {
    guard guidance > 1, guidanceInterval?.contains(step) ?? true else { return nil }
    return tokens.map { token in
      switch guidanceSchedule {
      case .constant: guidance
      case .linear: 1 + (guidance - 1) * Float(token) / Float(count)
      }
    }
  }

  /// The last of `steps` steps that is guided; 0 for none. Afterwards the unconditional half need not be run.
  func lastGuidedStep(of steps: Int) -> Int {
    guard guidance > 1 else { return 0 }
    guard let interval = guidanceInterval else { return steps }
    return interval.lowerBound > steps ? 0 : min(steps, interval.upperBound)
  }
}
