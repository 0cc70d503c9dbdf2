import Testing

@testable import TokenGrids

@Suite struct GridCellTests {
  @Test func readsTwoOrThreeCoordinates() {
    #expect(GridCell("12,3") == GridCell(row: 12, column: 3))
    #expect(GridCell("12, 3") == GridCell(row: 12, column: 3))
    #expect(GridCell("4,12,3") == GridCell(frame: 4, row: 12, column: 3))
  }

  @Test(arguments: ["", "12", "12,", ",3", "a,b", "1,2,3,4", "1.5,2"])
  func otherTextIsNoCell(text: String) { #expect(GridCell(text) == nil) }

  @Test func describesTheFrameOfVideoOnly() {
    #expect(GridCell(row: 1, column: 2).description == "(1, 2)")
    #expect(GridCell(frame: 3, row: 1, column: 2).description == "(3, 1, 2)")
  }
}
