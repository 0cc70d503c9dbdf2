import Testing

@testable import TokenGrids

@Suite struct HaltonOrderTests {
  /// The digits of `index` mirrored behind the point, as a whole number over a power of the base.
  private func mirrored(_ index: Int, base: Int) -> (numerator: Int, denominator: Int) {
    let digits = String(index, radix: base)
    let denominator = digits.reduce(1) { scale, _ in scale * base }
    return (Int(String(digits.reversed()), radix: base) ?? 0, denominator)
  }

  @Test(arguments: testGrids) func cellsComeWhereThePointsFirstFall(grid: TokenGrid) throws {
    var expected: [Int] = []
    var seen: Set<Int> = []
    var point = 1
    while seen.count < grid.rows * grid.columns {
      let (two, three) = (mirrored(point, base: 2), mirrored(point, base: 3))
      let row = grid.rows * two.numerator / two.denominator
      let column = grid.columns * three.numerator / three.denominator
      if seen.insert(row * grid.columns + column).inserted {
        expected.append(row * grid.columns + column)
      }
      point += 1
    }
    let order = try GenerationOrder.halton(on: grid, schedule: .runs(of: 1))
    #expect(order.sequence == repeated(expected, on: grid))
  }

  @Test func beginsAsKnown() throws {
    let order = try GenerationOrder.halton(on: paperGrid, schedule: .arccos(steps: 32))
    let cells = order.sequence.prefix(4).map(paperGrid.cell(at:))
    #expect(
      cells == [
        GridCell(row: 12, column: 8), GridCell(row: 6, column: 16), GridCell(row: 18, column: 2),
        GridCell(row: 3, column: 10),
      ])
    #expect(order.steps.count == 32)
    #expect(order.stepSizes.last == 92)
    #expect(try GenerationOrder.halton(on: paperGrid).steps.count == 147)
  }
}
