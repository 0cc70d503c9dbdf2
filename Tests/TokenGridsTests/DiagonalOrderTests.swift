import Testing

@testable import TokenGrids

@Suite struct DiagonalOrderTests {
  @Test(arguments: testGrids) func stepsAreDistancesFromTheFirstCell(grid: TokenGrid) {
    let order = GenerationOrder.diagonal(on: grid)
    #expect(order.steps.count == grid.frames + grid.rows + grid.columns - 2)
    for (step, cells) in order.steps.enumerated() {
      let expected = (0..<grid.cellCount).filter {
        let cell = grid.cell(at: $0)
        return cell.frame + cell.row + cell.column == step
      }
      #expect(cells == expected)
    }
  }

  @Test func imagesTakeRowsPlusColumnsLessOne() {
    #expect(GenerationOrder.diagonal(on: paperGrid).steps.count == 47)
    #expect(GenerationOrder.diagonal(on: paperGrid).steps[2] == [2, 25, 48])
  }
}
