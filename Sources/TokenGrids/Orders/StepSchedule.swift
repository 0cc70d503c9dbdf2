#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a sequence of cells is cut into steps.
public enum StepSchedule: Hashable, Sendable {
  /// Some single cells, then runs of n cells; the last run may be shorter.
  ///
  /// `initialSteps` is the number of single cells, n when nil. A video is cut as one long sequence.
  case runs(of: Int, initialSteps: Int? = nil)
  /// S groups whose sizes differ by at most one: after step k of S, ⌊k·N/S⌋ of N cells are generated. A video is cut
  /// frame by frame, each frame in S steps.
  case equal(steps: Int)
  /// RandAR's schedule: after step k of S, ⌊(1 − cos(πk/2S))·N + 1⌋ of N cells are generated, at least one more
  /// in each step. A video is cut frame by frame, each frame in S steps.
  case cosine(steps: Int)
  /// Halton-MaskGIT's schedule: after step k of S, max(k, ⌊(1 − arccos(k/S)/(π/2))·N⌋) of N cells are generated.
  /// A video is cut frame by frame, each frame in S steps.
  case arccos(steps: Int)
  /// MAR's schedule: after step k of S, ⌊N·cos(πk/2S)⌋ of N cells are still masked, at least one fewer in each step; so
  /// it differs from ``cosine(steps:)`` only where that is a whole number. A video is cut frame by frame.
  case maskedCosine(steps: Int)
  /// ARPG's schedule: after step k of S, ⌊N·arccos(k/S)/(π/2)⌋ of N cells are still masked, at least one fewer in each
  /// step: what ``arccos(steps:)`` rounds down is rounded up. A video is cut frame by frame.
  case maskedArccos(steps: Int)

  /// The n that orders use when none is named; the paper's default.
  public static let defaultTokensPerStep = 4
}

extension StepSchedule {
  /// Cuts the sequences of cells, one for each frame, into steps.
  ///
  /// - Complexity: O(N).
  func cut(
    _ frames: [[Int]], order: String, grid: TokenGrid
  ) throws(GenerationOrderError) -> [[Int]] {
    switch self {
    case .runs(let length, let initialSteps):
      try Self.checkTokensPerStep(length, order: order, grid: grid)
      let singles = initialSteps ?? length
      guard (0...grid.cellCount).contains(singles) else {
        throw .initialStepsOutsideRange(order: order, initial: singles, grid: grid)
      }
      let sequence = frames.flatMap(\.self)
      return sequence.prefix(singles).map { [$0] }
        + stride(from: singles, to: sequence.count, by: length).map {
          Array(sequence[$0..<min($0 + length, sequence.count)])
        }
    case .equal(let steps):
      return try cut(frames, into: steps, order: order, grid: grid) { $0 * $1 }
    case .cosine(let steps):
      return try cut(frames, into: steps, order: order, grid: grid) {
        1 + (1 - cos(.pi / 2 * $0)) * $1
      }
    case .arccos(let steps):
      return try cut(frames, into: steps, order: order, grid: grid) {
        (1 - acos($0) / (.pi / 2)) * $1
      }
    case .maskedCosine(let steps):
      return try cut(frames, into: steps, order: order, grid: grid) {
        $1 - Self.wholeCells(cos(.pi / 2 * $0) * $1)
      }
    case .maskedArccos(let steps):
      return try cut(frames, into: steps, order: order, grid: grid) {
        $1 - Self.wholeCells(acos($0) / (.pi / 2) * $1)
      }
    }
  }

  /// Cuts each frame so that after the share x of its steps ⌊generated(x, N)⌋ of its N cells are generated.
  ///
  /// Where the curve is too flat or too steep for whole cells, every step still gets one.
  private func cut(
    _ frames: [[Int]], into steps: Int, order: String, grid: TokenGrid,
    generated: (_ share: Double, _ cells: Double) -> Double
  ) throws(GenerationOrderError) -> [[Int]] {
    let cells = grid.rows * grid.columns
    guard (1...cells).contains(steps) else {
      throw .stepsOutsideRange(order: order, steps: steps, grid: grid)
    }
    var ends: [Int] = []
    for step in 1..<steps {
      let curve = Self.wholeCells(generated(Double(step) / Double(steps), Double(cells)))
      ends.append(min(max((ends.last ?? 0) + 1, Int(curve)), cells - (steps - step)))
    }
    ends.append(cells)
    return frames.flatMap { frame in
      zip([0] + ends, ends).map { Array(frame[$0..<$1]) }
    }
  }

  /// The number rounded down to whole cells.
  ///
  /// Exact values such as arccos(1/2) = π/3 give whole numbers, which rounding errors must not push below themselves.
  private static func wholeCells(_ number: Double) -> Double { (number + 1e-9).rounded(.down) }

  /// Refuses a number of tokens per step that no step of the grid could hold.
  static func checkTokensPerStep(
    _ tokensPerStep: Int, order: String, grid: TokenGrid
  ) throws(GenerationOrderError) {
    guard (1...grid.cellCount).contains(tokensPerStep) else {
      throw .tokensPerStepOutsideRange(order: order, tokensPerStep: tokensPerStep, grid: grid)
    }
  }
}

extension GenerationOrder {
  /// The cells of each frame in the given sequence, frame after frame, cut into steps by a schedule.
  ///
  /// The sequences hold raster indices of the whole grid and together name every cell once.
  init(
    name: String, grid: TokenGrid, frameSequences: [[Int]], schedule: StepSchedule
  ) throws(GenerationOrderError) {
    self.init(
      uncheckedName: name, grid: grid,
      steps: try schedule.cut(frameSequences, order: name, grid: grid))
  }

  /// Every frame in the same sequence, frame after frame, cut into steps by a schedule.
  init(
    name: String, grid: TokenGrid, frameSequence: [Int], schedule: StepSchedule
  ) throws(GenerationOrderError) {
    let cells = grid.rows * grid.columns
    try self.init(
      name: name, grid: grid,
      frameSequences: (0..<grid.frames).map { frame in frameSequence.map { frame * cells + $0 } },
      schedule: schedule)
  }
}
