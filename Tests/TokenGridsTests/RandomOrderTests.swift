import Testing

@testable import TokenGrids

@Suite struct RandomOrderTests {
  @Test(arguments: testGrids) func everyFrameIsAPermutationOfItsOwn(grid: TokenGrid) throws {
    let order = try GenerationOrder.random(on: grid, seed: 5, schedule: .runs(of: 1))
    let cells = grid.rows * grid.columns
    for frame in 0..<grid.frames {
      let part = order.sequence[(frame * cells)..<((frame + 1) * cells)]
      #expect(part.sorted() == Array((frame * cells)..<((frame + 1) * cells)))
    }
    if grid.isVideo && cells > 20 {
      let frames = (0..<2).map { frame in
        order.sequence[(frame * cells)..<((frame + 1) * cells)].map { $0 - frame * cells }
      }
      #expect(frames[0] != frames[1])
    }
  }

  @Test func seedsRepeatAndDiffer() throws {
    let orders = try (UInt64(0)..<10).map { try GenerationOrder.random(on: paperGrid, seed: $0) }
    #expect(Set(orders).count == 10)
    #expect(try GenerationOrder.random(on: paperGrid, seed: 3) == orders[3])
    #expect(try GenerationOrder.random(on: paperGrid) == orders[0])
    #expect(orders[0].steps.count == 147)
  }

  @Test func cosineScheduleHasItsSteps() throws {
    let order = try GenerationOrder.random(
      on: TokenGrid(rows: 16, columns: 16), seed: 1, schedule: .cosine(steps: 88))
    #expect(order.steps.count == 88)
    #expect(isPartition(order))
  }
}
