import Testing
import TokenGrids

@testable import Figures

@Test func theStepsOfAnOrderAreDrawn() throws {
  let order = try GenerationOrder(
    name: hostileText, grid: TokenGrid(rows: 2, columns: 2), steps: [[3], [0, 2], [1]])
  let (script, data) = try files(of: OrderFigure(name: "order", order: order))
  // Frame, row, column, step and place in the sequence of every cell.
  #expect(
    blocks(of: data) == [[[0, 0, 0, 2, 2], [0, 0, 1, 3, 4], [0, 1, 0, 2, 3], [0, 1, 1, 1, 1]]])
  #expect(script.contains("set cbrange [1:3]"))
  #expect(script.contains("3 steps of 1 to 2"))
}

@Test(.enabled(if: installedGnuplot != nil), arguments: [TokenGrid(frames: 3, rows: 4, columns: 5)])
func gnuplotDrawsTheStepsOfAnOrder(grid: TokenGrid) throws {
  try withTemporaryFolder { folder in
    let written = try FigureWriter(directory: folder, provenance: []).write(
      OrderFigure(name: "order", order: GenerationOrder.diagonal(on: grid)), formats: [.png])
    guard case .drawn(let images) = written.drawing else {
      Issue.record("nothing was drawn")
      return
    }
    #expect(images.map(\.lastPathComponent) == ["order.png"])
    #expect(try names(in: folder) == ["order.dat", "order.gp", "order.png"])
  }
}
