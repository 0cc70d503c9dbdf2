import Testing
import TokenGrids

@testable import Figures

@Test func framesStandSideBySide() {
  let panel = GridPanel(grid: TokenGrid(frames: 5, rows: 16, columns: 16), cell: 2)
  #expect(panel.width == 2 * (5 * 16 + 4))
  #expect(panel.height == 32)
  #expect(panel.coordinates(of: 256 + 17) == [1, 1, 1])
  #expect(panel.placement == "place(frame, column) = frame * 17 + column")
}

@Test(arguments: [9, 99, 576, 1280, 16_384])
func numbersFitTheirCells(largest: Int) {
  let panel = GridPanel(grid: TokenGrid(rows: 24, columns: 24), cell: 13)
  let size = panel.numberSize(largest: largest)
  let digits = Double(String(largest).count)
  #expect(size * digits * GridPanel.digitWidth <= 13 * 0.9)
  #expect(size <= 13 * 0.6)
}

@Test func cellSizesStayInBounds() {
  let grid = TokenGrid(rows: 24, columns: 24)
  #expect(GridPanel.cellSize(grid: grid, side: 240, atLeast: 2, atMost: 30) == 10)
  #expect(GridPanel.cellSize(grid: grid, side: 24, atLeast: 2, atMost: 30) == 2)
  #expect(
    GridPanel.cellSize(grid: TokenGrid(rows: 1, columns: 1), side: 240, atLeast: 2, atMost: 30)
      == 30)
}
