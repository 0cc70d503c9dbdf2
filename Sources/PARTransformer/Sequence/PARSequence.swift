import TokenGrids

/// What an attention layer lets the tokens of one parallel step see of each other.
public enum AttentionPattern: String, CaseIterable, Sendable {
  /// All tokens of a step see all of that step: the paper's attention (section 3.3).
  case groupwise
  /// Every token sees only what precedes it in the sequence: the paper's ablation (table 5).
  case causal
}

/// The sequence that a PAR transformer reads, and the steps it is generated in, for one order of generation.
///
/// `[class][t_0 … t_{s−1}][M_1 … M_{n−1}][t_s …]`, with t in the order's flattened sequence and M the learned
/// transition tokens. The model's output at position p predicts token p: the class predicts t_0, t_{s−1} predicts
/// t_s, M_j predicts t_{s+j}, and from there on the token n positions earlier does. Mask, rotary table and forward
/// passes all derive from this one value. (PAR, section 3.3 and figure 4.)
///
/// The paper has s = n initial single steps; s = 0 is its ablation without them, where the class takes the place of
/// t_{s−1}. The last step may be shorter than n; its inputs are then still the n tokens before it.
public struct PARSequence: Hashable, Sendable {
  /// What stands at a position of the input.
  public enum Input: Hashable, Sendable {
    /// The class embedding.
    case classLabel
    /// The token with this number in the flattened order.
    case token(Int)
    /// The learned transition token with this number, from 1.
    case transition(Int)
  }

  /// One run of the model.
  public struct Pass: Hashable, Sendable {
    /// The positions fed in.
    public let positions: Range<Int>
    /// The tokens predicted: the outputs at the first of those positions.
    public let tokens: Range<Int>
  }

  /// The order of generation.
  public let order: GenerationOrder
  /// n, the number of tokens generated at once.
  public let tokensPerStep: Int
  /// s, the number of single steps at the start.
  public let singleSteps: Int
  /// The raster index of every token's cell, in the order of the sequence.
  public let cells: [Int]

  /// Derives the sequence of a model with `tokensPerStep` transition tokens plus one.
  ///
  /// - Throws: ``PARError/unsuitableOrder(order:tokensPerStep:step:found:expected:)`` when the order's steps are not
  ///   n single cells (or none) followed by groups of n, the last of them possibly shorter.
  public init(order: GenerationOrder, tokensPerStep n: Int) throws(PARError) {
    let sizes = order.steps.map(\.count)
    let singles = n == 1 || sizes.first != n ? n : 0
    for (step, size) in sizes.enumerated() {
      let isLast = step + 1 == sizes.count
      let (fits, expected): (Bool, String) =
        if step < singles {
          (size == 1, "one token in each of the first \(singles) steps")
        } else if isLast {
          (size <= n, "at most \(n) in the last")
        } else {
          (size == n, "\(n) in each step after the first \(singles)")
        }
      guard fits else {
        throw .unsuitableOrder(
          order: order.name, tokensPerStep: n, step: step + 1, found: size, expected: expected)
      }
    }
    self.order = order
    tokensPerStep = n
    singleSteps = min(singles, sizes.count)
    cells = order.sequence
  }

  /// N, the number of tokens.
  public var tokenCount: Int { cells.count }

  /// The number of input positions; the last group is never fed back.
  public var positionCount: Int { passes.last?.positions.upperBound ?? 0 }

  /// What stands at an input position.
  public func input(at position: Int) -> Input {
    if position == 0 { return .classLabel }
    if position <= singleSteps { return .token(position - 1) }
    if position < singleSteps + tokensPerStep { return .transition(position - singleSteps) }
    return .token(position - tokensPerStep)
  }

  /// The forward passes, one for each step of the order.
  public var passes: [Pass] {
    let singles = (0..<singleSteps).map { Pass(positions: $0..<$0 + 1, tokens: $0..<$0 + 1) }
    let groups = stride(from: singleSteps, to: tokenCount, by: tokensPerStep).map {
      Pass(
        positions: $0..<$0 + tokensPerStep, tokens: $0..<min($0 + tokensPerStep, tokenCount))
    }
    return singles + groups
  }

  /// The mask: for each input position, how many positions from the start it sees.
  ///
  /// Every row of the mask is a prefix, because a step sees nothing of what comes after it.
  public func visiblePositions(_ pattern: AttentionPattern) -> [Int] {
    switch pattern {
    case .causal: (0..<positionCount).map { $0 + 1 }
    case .groupwise:
      passes.flatMap { pass in pass.positions.map { _ in pass.positions.upperBound } }
    }
  }
}
