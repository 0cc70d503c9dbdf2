import Testing
import TokenGrids

@Test func tokenGridsExample() throws {
  // README.md:
  let grid = TokenGrid(rows: 4, columns: 4)
  let distant = try GenerationOrder.distant(on: grid, tokensPerStep: 4)
  let steps = distant.steps.count  // 7: four single tokens, then three steps of four
  let together = distant.steps[4].map { grid.cell(at: $0) }  // (0, 1), (0, 3), (2, 1), (2, 3)
  let written = try OrderSpecification("distant:n=4").order(on: grid)  // the same
  // What it says is so:
  #expect(steps == 7 && written.steps == distant.steps)
  #expect(together == [(0, 1), (0, 3), (2, 1), (2, 3)].map { GridCell(row: $0.0, column: $0.1) })
}
