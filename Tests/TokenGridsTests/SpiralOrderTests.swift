import Testing

@testable import TokenGrids

@Suite struct SpiralOrderTests {
  /// Walks straight on until the next cell is taken or outside, then turns right.
  private func walk(rows: Int, columns: Int) -> [Int] {
    var taken: Set<Int> = [0]
    var sequence = [0]
    var (row, column, stepDown, stepRight) = (0, 0, 0, 1)
    func isFree(_ row: Int, _ column: Int) -> Bool {
      (0..<rows).contains(row) && (0..<columns).contains(column)
        && !taken.contains(row * columns + column)
    }
    while sequence.count < rows * columns {
      if !isFree(row + stepDown, column + stepRight) {
        (stepDown, stepRight) = (stepRight, -stepDown)
        continue
      }
      (row, column) = (row + stepDown, column + stepRight)
      taken.insert(row * columns + column)
      sequence.append(row * columns + column)
    }
    return sequence
  }

  @Test(arguments: testGrids) func spiralsAreWalks(grid: TokenGrid) throws {
    let inward = walk(rows: grid.rows, columns: grid.columns)
    #expect(
      try GenerationOrder.spiral(on: grid, tokensPerStep: 1).sequence == repeated(inward, on: grid))
    #expect(
      try GenerationOrder.spiral(on: grid, direction: .outward, tokensPerStep: 1).sequence
        == repeated(inward.reversed(), on: grid))
  }

  @Test func threeByThree() throws {
    let order = try GenerationOrder.spiral(
      on: TokenGrid(rows: 3, columns: 3), tokensPerStep: 2, initialSteps: 1)
    #expect(order.steps == [[0], [1, 2], [5, 8], [7, 6], [3, 4]])
  }
}
