import Testing

@testable import TokenGrids

@Suite struct TokenGridTests {
  @Test(arguments: testGrids) func indicesAndCellsAgree(grid: TokenGrid) {
    var index = 0
    for frame in 0..<grid.frames {
      for row in 0..<grid.rows {
        for column in 0..<grid.columns {
          let cell = GridCell(frame: frame, row: row, column: column)
          #expect(grid.contains(cell))
          #expect(grid.index(of: cell) == index)
          #expect(grid.cell(at: index) == cell)
          index += 1
        }
      }
    }
    #expect(index == grid.cellCount)
  }

  @Test func cellsOutsideAreNotContained() {
    for cell in [
      GridCell(row: -1, column: 0), GridCell(row: 24, column: 0), GridCell(row: 0, column: 24),
      GridCell(row: 0, column: -1), GridCell(frame: 1, row: 0, column: 0),
      GridCell(frame: -1, row: 0, column: 0),
    ] {
      #expect(!paperGrid.contains(cell))
    }
  }

  @Test(arguments: testGrids) func textRoundTrips(grid: TokenGrid) {
    #expect(TokenGrid(grid.description) == grid)
  }

  @Test(arguments: [
    "", "24", "x", "24x", "0x4", "4x-1", "4x4x4x4", "a4x4", "4 x4", "65537x1",
    "99999999999999999999x1",
  ])
  func otherTextIsNoGrid(text: String) { #expect(TokenGrid(text) == nil) }
}
