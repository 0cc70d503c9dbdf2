import TokenGrids

/// The forward passes in which an any-order transformer generates a grid: one for each step.
///
/// The pass of a step feeds in the tokens of the step before, or the class, whose keys and values stay, and a mask token
/// for every cell of the step, whose keys and values do not. (LPD, section 3.2.)
public struct AnyOrderPasses: Hashable, Sendable {
  /// One run of the model. Positions are those of the cache: 0 the class, 1 + k token k of the sequence.
  public struct Pass: Hashable, Sendable {
    /// The positions whose input is known: the class, or tokens.
    public let known: Range<Int>
    /// The places in the sequence of the tokens that are predicted.
    public let tokens: Range<Int>

    /// The rows of one sequence.
    var rowCount: Int { known.count + tokens.count }
  }

  /// The passes, one for each step.
  public let passes: [Pass]

  /// Derives the passes from the sizes of the steps.
  public init(groupSizes: [Int]) {
    var passes: [Pass] = []
    var (known, first) = (0..<1, 0)
    for size in groupSizes {
      passes.append(Pass(known: known, tokens: first..<first + size))
      known = first + 1..<first + size + 1
      first += size
    }
    self.passes = passes
  }

  /// The rows of the longest pass of one sequence.
  var longest: Int { passes.map(\.rowCount).max() ?? 0 }

  /// The positions there must be room for.
  var positionCount: Int { (passes.last?.tokens.upperBound ?? 0) + 1 }
}
