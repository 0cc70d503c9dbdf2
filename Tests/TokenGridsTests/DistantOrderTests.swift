import Testing

@testable import TokenGrids

@Suite struct DistantOrderTests {
  @Test(arguments: [
    (4, nil, 147), (16, nil, 51), (4, 0, 144), (16, 0, 36), (4, 4, 147), (1, nil, 576),
  ])
  func stepCountsOfThePaper(tokensPerStep: Int, initialSteps: Int?, steps: Int) throws {
    let order = try GenerationOrder.distant(
      on: paperGrid, tokensPerStep: tokensPerStep, initialSteps: initialSteps)
    #expect(order.steps.count == steps)
    #expect(isPartition(order))
  }

  @Test(arguments: [(4, 323), (16, 95)])
  func stepCountsOfVideo(tokensPerStep: Int, steps: Int) throws {
    let order = try GenerationOrder.distant(on: videoGrid, tokensPerStep: tokensPerStep)
    #expect(order.steps.count == steps)
    #expect(isPartition(order))
  }

  @Test func beginsAsKnown() throws {
    let four = try GenerationOrder.distant(on: paperGrid, tokensPerStep: 4)
    #expect(four.sequence.prefix(10) == [0, 12, 288, 300, 1, 13, 289, 301, 2, 14])
    #expect(four.stepSizes.prefix(6) == [1, 1, 1, 1, 4, 4])
    let sixteen = try GenerationOrder.distant(on: paperGrid, tokensPerStep: 16)
    #expect(sixteen.sequence.prefix(9) == [0, 6, 12, 18, 144, 150, 156, 162, 288])
    #expect(sixteen.sequence[15...17] == [450, 1, 7])
  }

  /// Position t → p = t div n, r = t mod n, (a, b) = (p div q, p mod q), (i, j) = (r div s, r mod s),
  /// cell (i·q + a, j·q + b), with q = W/s.
  @Test(arguments: [(24, 2), (24, 4), (24, 1), (24, 3), (24, 24), (16, 4), (15, 5), (1, 1)])
  func followsTheClosedForm(width: Int, s: Int) throws {
    let n = s * s
    let q = width / s
    let order = try GenerationOrder.distant(
      on: TokenGrid(rows: width, columns: width), tokensPerStep: n)
    let sequence = order.sequence
    for t in 0..<(width * width) {
      let (p, r) = (t / n, t % n)
      let (a, b, i, j) = (p / q, p % q, r / s, r % s)
      #expect(sequence[t] == (i * q + a) * width + j * q + b)
    }
  }

  /// Every cell says itself when it comes: frame and place within the region choose the step, the region the rank.
  @Test(arguments: testGrids, [1, 2, 3, 4])
  func cellsComeWhenTheirPlaceInTheRegionSays(grid: TokenGrid, side: Int) throws {
    guard grid.rows.isMultiple(of: side), grid.columns.isMultiple(of: side) else { return }
    let (height, width) = (grid.rows / side, grid.columns / side)
    let keyed = (0..<grid.cellCount).map { index -> (step: Int, region: Int, index: Int) in
      let cell = grid.cell(at: index)
      return (
        (cell.frame * height + cell.row % height) * width + cell.column % width,
        cell.row / height * side + cell.column / width, index
      )
    }
    let expected = keyed.sorted { ($0.step, $0.region) < ($1.step, $1.region) }
    let order = try GenerationOrder.distant(
      on: grid, tokensPerStep: side * side, initialSteps: 0)
    #expect(order.sequence == expected.map(\.index))
    #expect(order.stepSizes.allSatisfy { $0 == side * side })
    let split = try GenerationOrder.distant(on: grid, tokensPerStep: side * side)
    #expect(split.sequence == order.sequence)
    #expect(split.initialSingleSteps >= side * side)
    #expect(split.steps.count == order.steps.count + side * side - 1)
  }

  @Test func refusalsSayWhatWouldFit() {
    func message(_ grid: TokenGrid, _ n: Int, _ initial: Int? = nil) -> String? {
      do {
        _ = try GenerationOrder.distant(on: grid, tokensPerStep: n, initialSteps: initial)
        return nil
      } catch { return error.description }
    }
    #expect(
      message(paperGrid, 25) == """
        distant: 24 rows are not divisible into 5 regions (n = 25); \
        on the 24x24 grid n can be 1, 4, 9, 16, 36, 64, 144 or 576
        """)
    #expect(
      message(TokenGrid(rows: 24, columns: 9), 4) == """
        distant: 9 columns are not divisible into 2 regions (n = 4); on the 24x9 grid n can be 1 or 9
        """)
    #expect(
      message(TokenGrid(rows: 5, columns: 7), 4) == """
        distant: 5 rows are not divisible into 2 regions (n = 4); on the 5x7 grid n can be only 1
        """)
    #expect(
      message(paperGrid, 5)
        == "distant: n = 5 is not a square, but a step holds s × s tokens; take 4 or 9")
    #expect(
      message(paperGrid, 0)
        == "distant: n = 0 tokens per step do not fit the 24x24 grid; n is from 1 to its 576 cells")
    #expect(
      message(paperGrid, 4, 2)
        == "distant: initial = 2 is neither 0 (the first step in parallel) nor n = 4 (its cells one by one)"
    )
    #expect(message(paperGrid, 4, 4) == nil)
  }
}
