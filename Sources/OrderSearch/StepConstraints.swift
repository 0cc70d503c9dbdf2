/// What steps may hold.
public struct StepConstraints: Hashable, Sendable {
  /// How many steps at the start hold a single token.
  public var initialSteps: Int
  /// What the sizes of all later steps are multiples of, but for the last, which takes what is left.
  public var multiple: Int
  /// The most tokens of a step; nil for any number.
  public var largestGroup: Int?

  /// Makes constraints; without arguments there are none.
  ///
  /// - Precondition: no number is negative, and steps hold at least one token.
  public init(initialSteps: Int = 0, multiple: Int = 1, largestGroup: Int? = nil) {
    precondition(initialSteps >= 0 && multiple >= 1 && (largestGroup ?? 1) >= 1)
    self.initialSteps = initialSteps
    self.multiple = multiple
    self.largestGroup = largestGroup
  }

  /// Whether a step of a sequence of `count` places may hold the places `start` ..< `end`.
  func allow(_ start: Int, _ end: Int, of count: Int) -> Bool {
    let size = end - start
    if start < initialSteps { return size == 1 }
    if let largestGroup, size > largestGroup { return false }
    return end == count || size.isMultiple(of: multiple)
  }

  /// The fewest and the most steps of a sequence of `count` tokens.
  public func stepCounts(of count: Int) -> ClosedRange<Int> {
    let singles = min(initialSteps, count)
    let rest = count - singles
    guard rest > 0 else { return singles...max(singles, 1) }
    let largest = largestGroup ?? rest
    // Groups are as large as their multiple lets them be; the last one need not be a multiple.
    let whole = largest / multiple * multiple
    let fewest =
      rest <= largest ? 1 : (whole > 0 ? (rest - largest + whole - 1) / whole + 1 : Int.max / 2)
    let most = (rest + multiple - 1) / multiple
    return singles + min(fewest, most)...singles + most
  }
}
