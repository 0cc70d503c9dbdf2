import Testing

@testable import TokenGrids

@Suite struct WindowOrderTests {
  @Test(arguments: [(8, 224), (16, 400), (24, 576)])
  func stepCountsOfZipAR(width: Int, steps: Int) throws {
    #expect(try GenerationOrder.window(on: paperGrid, width: width).steps.count == steps)
  }

  @Test(arguments: testGrids) func cellsComeInTheStepOfTheFormula(grid: TokenGrid) throws {
    for width in 1...grid.columns {
      let order = try GenerationOrder.window(on: grid, width: width)
      #expect(isPartition(order))
      let numbers = order.stepNumbers
      let perFrame = order.steps.count / grid.frames
      for (index, number) in numbers.enumerated() {
        let cell = grid.cell(at: index)
        let step = cell.row == 0 ? cell.column : grid.columns + (cell.row - 1) * width + cell.column
        #expect(number == cell.frame * perFrame + step + 1)
      }
      #expect(order.steps.allSatisfy { $0 == $0.sorted() })
    }
  }

  @Test func fullWidthIsRaster() throws {
    let grid = TokenGrid(frames: 2, rows: 5, columns: 6)
    let window = try GenerationOrder.window(on: grid, width: 6)
    #expect(try window.steps == GenerationOrder.raster(on: grid, tokensPerStep: 1).steps)
  }

  @Test(arguments: [0, 25, -3]) func refusesOtherWidths(width: Int) {
    let error = #expect(throws: GenerationOrderError.self) {
      try GenerationOrder.window(on: paperGrid, width: width)
    }
    #expect(
      error?.description
        == "window: w = \(width) is no window on the 24x24 grid; w is from 1 to its 24 columns")
  }
}
