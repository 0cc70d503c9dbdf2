import Testing

@testable import TokenGrids

@Suite struct GenerationOrderTests {
  static let orders: [GenerationOrder] = [
    GenerationOrder.diagonal(on: TokenGrid(rows: 4, columns: 5)),
    try? .raster(on: TokenGrid(rows: 3, columns: 5), tokensPerStep: 4),
    try? .distant(on: TokenGrid(frames: 2, rows: 4, columns: 6), tokensPerStep: 4),
    try? .distant(on: TokenGrid(rows: 6, columns: 6), tokensPerStep: 9, initialSteps: 0),
    try? .random(on: TokenGrid(rows: 5, columns: 5), seed: 3, schedule: .cosine(steps: 6)),
    try? .halton(on: TokenGrid(rows: 1, columns: 1), schedule: .runs(of: 1)),
  ].compactMap(\.self)

  @Test func allOrdersWereMade() { #expect(Self.orders.count == 6) }

  /// The definition of the supplement, cell by cell: position in the sequence, and number of the step.
  @Test(arguments: orders) func contextsFollowTheirDefinition(order: GenerationOrder) {
    var earlier: [(cell: Int, step: Int)] = []
    for (step, cells) in order.steps.enumerated() {
      for (place, cell) in cells.enumerated() {
        #expect(order.sequentialContext(of: cell) == earlier.map(\.cell))
        let parallel = earlier.filter { $0.step < step }.map(\.cell)
        #expect(order.parallelContext(of: cell) == parallel)
        #expect(order.sequence[earlier.count] == cell)
        #expect(order.stepNumbers[cell] == step + 1)
        if place == 0 {
          #expect(order.parallelContext(of: cell) == order.sequentialContext(of: cell))
        }
        earlier.append((cell, step))
      }
    }
  }

  @Test(arguments: orders) func sequentializedKeepsTheSequence(order: GenerationOrder) {
    let single = order.sequentialized()
    #expect(single.sequence == order.sequence)
    #expect(single.stepSizes.allSatisfy { $0 == 1 })
    #expect(single.tokensPerStep == 1)
    #expect(isPartition(single))
    for cell in order.sequence {
      #expect(single.parallelContext(of: cell) == order.sequentialContext(of: cell))
    }
  }

  @Test(arguments: orders) func stepsOfAnOrderAreAccepted(order: GenerationOrder) throws {
    let copy = try GenerationOrder(name: order.name, grid: order.grid, steps: order.steps)
    #expect(copy == order)
  }

  @Test func countsSinglesAndTokensPerStep() throws {
    let order = try GenerationOrder.distant(on: paperGrid, tokensPerStep: 16)
    // The single-cell steps are the sixteen of the first step.
    #expect(order.initialSingleSteps == 16)
    #expect(order.tokensPerStep == 16)
  }

  @Test func whatIsNoPartitionIsRefused() {
    let grid = TokenGrid(rows: 2, columns: 2)
    func message(_ steps: [[Int]]) -> String? {
      do {
        _ = try GenerationOrder(name: "mine", grid: grid, steps: steps)
        return nil
      } catch { return error.description }
    }
    #expect(message([[0, 1], [2, 3]]) == nil)
    #expect(
      message([[0], [], [1, 2, 3]]) == "mine: step 2 generates no cell; remove it or list its cells"
    )
    #expect(message([[0, 4]]) == "mine: cell 4 is outside the 2x2 grid, whose cells are 0 to 3")
    #expect(message([[-1]]) == "mine: cell -1 is outside the 2x2 grid, whose cells are 0 to 3")
    #expect(
      message([[0, 1], [2, 0]])
        == "mine: cell (0, 0) is generated twice, in step 1 and in step 2")
    #expect(
      message([[0, 1]]) == "mine: cell (1, 0) is never generated (2 of 4 cells are missing)")
    #expect(message([]) == "mine: cell (0, 0) is never generated (4 of 4 cells are missing)")
  }
}
