import Testing

@testable import TokenGrids

@Suite struct RasterOrderTests {
  @Test(arguments: [(4, 147), (16, 51), (1, 576), (576, 576)])
  func stepCountsOfThePaper(tokensPerStep: Int, steps: Int) throws {
    let order = try GenerationOrder.raster(on: paperGrid, tokensPerStep: tokensPerStep)
    #expect(order.steps.count == steps)
    #expect(order.sequence == Array(0..<576))
    #expect(order.name == "raster")
  }

  @Test(arguments: testGrids, [1, 2, 3, 4, 7])
  func runsFollowSingles(grid: TokenGrid, tokensPerStep: Int) throws {
    guard tokensPerStep <= grid.cellCount else { return }
    for initial in Set([0, 1, tokensPerStep, grid.cellCount - 1, grid.cellCount]) {
      let order = try GenerationOrder.raster(
        on: grid, tokensPerStep: tokensPerStep, initialSteps: initial)
      #expect(order.sequence == Array(0..<grid.cellCount))
      #expect(
        order.stepSizes
          == runSizes(of: grid.cellCount, tokensPerStep: tokensPerStep, initialSteps: initial))
    }
  }

  @Test func refusesWhatDoesNotFit() {
    let grid = TokenGrid(rows: 3, columns: 3)
    #expect(
      throws: GenerationOrderError.tokensPerStepOutsideRange(
        order: "raster", tokensPerStep: 10, grid: grid)
    ) {
      try GenerationOrder.raster(on: grid, tokensPerStep: 10)
    }
    #expect(
      throws: GenerationOrderError.tokensPerStepOutsideRange(
        order: "raster", tokensPerStep: 0, grid: grid)
    ) {
      try GenerationOrder.raster(on: grid, tokensPerStep: 0)
    }
    #expect(
      throws: GenerationOrderError.initialStepsOutsideRange(
        order: "raster", initial: 10, grid: grid)
    ) {
      try GenerationOrder.raster(on: grid, tokensPerStep: 2, initialSteps: 10)
    }
    #expect(
      throws: GenerationOrderError.initialStepsOutsideRange(
        order: "raster", initial: -1, grid: grid)
    ) {
      try GenerationOrder.raster(on: grid, tokensPerStep: 2, initialSteps: -1)
    }
  }
}
