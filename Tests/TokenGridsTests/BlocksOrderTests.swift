import Testing

@testable import TokenGrids

@Suite struct BlocksOrderTests {
  @Test func beginsWithNeighbours() throws {
    let order = try GenerationOrder.blocks(on: paperGrid, tokensPerStep: 4)
    #expect(order.sequence.prefix(8) == [0, 1, 24, 25, 2, 3, 26, 27])
    #expect(order.stepSizes.prefix(5) == [1, 1, 1, 1, 4])
    #expect(order.steps.count == 147)
    #expect(try GenerationOrder.blocks(on: paperGrid, initialSteps: 0).steps.count == 144)
  }

  /// Cells share a step exactly when they share frame, row div s and column div s.
  @Test(arguments: testGrids, [1, 2, 3, 4])
  func blocksAreClippedAtTheEdges(grid: TokenGrid, side: Int) throws {
    guard side <= min(grid.rows, grid.columns) else { return }
    let keyed = (0..<grid.cellCount).map { index -> (block: Int, index: Int) in
      let cell = grid.cell(at: index)
      return (cell.frame * 10_000 + cell.row / side * 100 + cell.column / side, index)
    }
    let expected = Dictionary(grouping: keyed, by: \.block).sorted { $0.key < $1.key }
      .map { $0.value.map(\.index) }
    let order = try GenerationOrder.blocks(on: grid, tokensPerStep: side * side, initialSteps: 0)
    #expect(order.steps == expected)
    let split = try GenerationOrder.blocks(on: grid, tokensPerStep: side * side)
    #expect(split.steps == expected[0].map { [$0] } + expected.dropFirst())
  }

  @Test func refusesABlockThatDoesNotFit() {
    let grid = TokenGrid(rows: 2, columns: 8)
    let error = #expect(throws: GenerationOrderError.self) {
      try GenerationOrder.blocks(on: grid, tokensPerStep: 9)
    }
    #expect(
      error?.description
        == "blocks: a block of 3x3 cells (n = 9) does not fit into a frame of 2x8; n is at most 4")
    #expect(throws: GenerationOrderError.notASquare(order: "blocks", tokensPerStep: 8)) {
      try GenerationOrder.blocks(on: grid, tokensPerStep: 8)
    }
    #expect(
      throws: GenerationOrderError.initialStepsNotAllOrNone(
        order: "blocks", initial: 3, tokensPerStep: 4)
    ) {
      try GenerationOrder.blocks(on: grid, tokensPerStep: 4, initialSteps: 3)
    }
  }
}
