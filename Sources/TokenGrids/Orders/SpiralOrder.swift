/// Which way a spiral runs.
public enum SpiralDirection: String, CaseIterable, Hashable, Sendable {
  /// Clockwise from the upper left corner to the centre.
  case inward = "in"
  /// From the centre to the upper left corner: the inward spiral backwards.
  case outward = "out"
}

extension GenerationOrder {
  /// A spiral around the frame: `initialSteps` single cells (n unless given), then runs of n.
  ///
  /// Video runs frame by frame.
  ///
  /// - Throws: ``GenerationOrderError`` when n or `initialSteps` exceeds the number of cells.
  /// - Complexity: O(N).
  public static func spiral(
    on grid: TokenGrid, direction: SpiralDirection = .inward,
    tokensPerStep: Int = StepSchedule.defaultTokensPerStep, initialSteps: Int? = nil,
    name: String = "spiral"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let sequence = inwardSpiral(rows: grid.rows, columns: grid.columns)
    return try GenerationOrder(
      name: name, grid: grid,
      frameSequence: direction == .inward ? sequence : sequence.reversed(),
      schedule: .runs(of: tokensPerStep, initialSteps: initialSteps))
  }

  /// The cells ring by ring, each ring clockwise from its upper left corner.
  private static func inwardSpiral(rows: Int, columns: Int) -> [Int] {
    var sequence: [Int] = []
    var (top, left, bottom, right) = (0, 0, rows - 1, columns - 1)
    while top <= bottom && left <= right {
      sequence += (left...right).map { top * columns + $0 }
      sequence += (top...bottom).dropFirst().map { $0 * columns + right }
      if top < bottom {
        sequence += (left...right).dropLast().reversed().map { bottom * columns + $0 }
      }
      if left < right {
        sequence += (top...bottom).dropFirst().dropLast().reversed().map { $0 * columns + left }
      }
      (top, left, bottom, right) = (top + 1, left + 1, bottom - 1, right - 1)
    }
    return sequence
  }
}
