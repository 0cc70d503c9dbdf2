import Testing

@testable import TokenGrids

@Suite struct PublishedOrderTests {
  /// The numbers of steps that were published, on the grids that they were published for.
  @Test func publishedSteps() throws {
    let latent = TokenGrid(rows: 16, columns: 16)
    for (order, grid, steps) in [
      (PublishedOrder.par4, paperGrid, 147), (.par16, paperGrid, 51), (.randAR, latent, 88),
      (.arpg, latent, 64), (.mar, latent, 64), (.haltonMaskGIT, paperGrid, 32), (.lpd, latent, 20),
      (.lpd, TokenGrid(rows: 32, columns: 32), 48), (.nar, paperGrid, 47),
      (.zipAR8, paperGrid, 224),
      (.zipAR16, paperGrid, 400), (.checkerboard, paperGrid, 2), (.levels, latent, 5),
    ] {
      let made = try order.order(on: grid)
      #expect(made.steps.count == steps, "\(order)")
      #expect(isPartition(made))
      #expect(made.name == "\(order.method): \(order.text(on: grid))")
      #expect(try OrderSpecification(order.text(on: grid)).order(on: grid).steps == made.steps)
    }
  }

  @Test(arguments: PublishedOrder.allCases) func atEqualSteps(order: PublishedOrder) throws {
    for grid in [paperGrid, TokenGrid(frames: 2, rows: 16, columns: 16)] {
      do {
        let made = try order.order(on: grid, steps: 24)
        #expect([24, 24 * grid.frames].contains(made.steps.count))
        #expect(isPartition(made))
      } catch let error as GenerationOrderError {
        #expect([.nar, .zipAR8, .zipAR16].contains(order))
        #expect(error.description.contains("its rule fixes"))
        #expect(error.description.hasSuffix("steps, and it cannot be cut into 24"))
      }
    }
    #expect(throws: GenerationOrderError.self) { try order.order(on: paperGrid, steps: 577) }
  }

  /// Where a rule happens to have as many steps as are asked for, it takes part.
  @Test func fixedRulesOfTheRightLengthFit() throws {
    #expect(try PublishedOrder.nar.order(on: paperGrid, steps: 47).steps.count == 47)
    // PAR's sixteen tokens a step are 24 steps here, sixteen of one token first, and need no cutting.
    let order = try PublishedOrder.par16.order(on: TokenGrid(rows: 12, columns: 12), steps: 24)
    #expect(order.name == "PAR: distant:n=16")
    #expect(order.stepSizes == Array(repeating: 1, count: 16) + Array(repeating: 16, count: 8))
  }
}
