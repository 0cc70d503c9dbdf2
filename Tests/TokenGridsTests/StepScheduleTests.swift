import Foundation
import Testing

@testable import TokenGrids

@Suite struct StepScheduleTests {
  /// The sizes of one frame cut by a schedule.
  private func sizes(_ schedule: StepSchedule, on grid: TokenGrid) throws -> [Int] {
    try schedule.cut([Array(0..<grid.cellCount)], order: "test", grid: grid).map(\.count)
  }

  /// Cumulative after step k of S is min(⌊(1 − cos(πk/2S))·N + 1⌋, N), at least one new each.
  @Test(arguments: [
    (4, 1), (4, 4), (16, 5), (16, 88), (16, 256), (24, 32), (24, 33), (1, 1), (7, 49),
  ])
  func cosineFollowsItsFormula(side: Int, steps: Int) throws {
    let grid = TokenGrid(rows: side, columns: side)
    let total = Double(side * side)
    var (expected, generated) = ([Int](), 0)
    for k in 1...steps {
      let curve = (1 - cos(Double.pi * Double(k) / (2 * Double(steps)))) * total + 1
      // Values that are whole numbers in exact arithmetic count as such.
      let whole = abs(curve - curve.rounded()) < 1e-7 ? Int(curve.rounded()) : Int(curve)
      let next = max(generated + 1, min(whole, side * side))
      expected.append(next - generated)
      generated = next
    }
    #expect(try sizes(.cosine(steps: steps), on: grid) == expected)
    #expect(generated == side * side)
  }

  /// Cumulative after step k (from 0) is max(k + 1, ⌊N(1 − arccos(x)/(π/2))⌋), x = (k + 1)/S; the last takes the rest.
  @Test(arguments: [(4, 1), (4, 16), (16, 32), (24, 32), (24, 31), (24, 576), (1, 1), (7, 20)])
  func arccosFollowsItsFormula(side: Int, steps: Int) throws {
    let grid = TokenGrid(rows: side, columns: side)
    let total = Double(side * side)
    var (expected, generated) = ([Int](), 0)
    for k in 0..<steps {
      let curve = total * (1 - acos(Double(k + 1) / Double(steps)) / (Double.pi / 2))
      let whole = abs(curve - curve.rounded()) < 1e-7 ? Int(curve.rounded()) : Int(curve)
      let next = k == steps - 1 ? side * side : max(k + 1, whole)
      expected.append(next - generated)
      generated = next
    }
    #expect(try sizes(.arccos(steps: steps), on: grid) == expected)
  }

  /// The sizes differ by at most one, and after step k ⌊k·N/S⌋ cells are generated.
  @Test(arguments: [(4, 1), (4, 3), (16, 20), (16, 256), (24, 32), (24, 33), (1, 1), (7, 48)])
  func equalGroupsDifferByAtMostOne(side: Int, steps: Int) throws {
    let cells = side * side
    let sizes = try sizes(.equal(steps: steps), on: TokenGrid(rows: side, columns: side))
    #expect(sizes.count == steps)
    #expect(sizes.reduce(0, +) == cells)
    #expect(sizes.max()! - sizes.min()! <= 1)
    for k in 1...steps { #expect(sizes.prefix(k).reduce(0, +) == k * cells / steps) }
  }

  @Test func arccosOn24x24InItsPaperSteps() throws {
    let sizes = try sizes(.arccos(steps: 32), on: paperGrid)
    #expect(sizes.count == 32)
    #expect(sizes.prefix(3) == [11, 11, 12])
    #expect(sizes.suffix(3) == [30, 39, 92])
    // After half of the steps arccos(1/2) = π/3 leaves exactly a third: 192 cells.
    #expect(sizes.prefix(16).reduce(0, +) == 192)
  }

  @Test(arguments: testGrids) func everyNumberOfStepsIsMet(grid: TokenGrid) throws {
    let cells = grid.rows * grid.columns
    for steps in Set([1, 2, cells / 2, cells - 1, cells]) where (1...cells).contains(steps) {
      for schedule in [
        StepSchedule.equal(steps: steps), .cosine(steps: steps), .arccos(steps: steps),
      ] {
        let order = try GenerationOrder(
          name: "test", grid: grid, frameSequence: Array(0..<cells), schedule: schedule)
        #expect(order.steps.count == grid.frames * steps)
        #expect(isPartition(order))
      }
    }
  }

  @Test(arguments: [0, -1, 577]) func otherNumbersOfStepsAreRefused(steps: Int) {
    for schedule in [
      StepSchedule.equal(steps: steps), .cosine(steps: steps), .arccos(steps: steps),
    ] {
      let error = #expect(throws: GenerationOrderError.self) {
        try sizes(schedule, on: paperGrid)
      }
      #expect(
        error?.description
          == "test: 576 cells do not fill \(steps) steps; on the 24x24 grid steps is from 1 to 576")
    }
  }
}
