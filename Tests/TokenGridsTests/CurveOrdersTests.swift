import Testing

@testable import TokenGrids

@Suite struct CurveOrdersTests {
  /// The Hilbert curve as an L-system on a square of side 2^levels, from the upper left corner, first downwards.
  private func hilbertWalk(levels: Int) -> [(row: Int, column: Int)] {
    var word = "A"
    for _ in 0..<levels {
      word = word.map { letter in
        letter == "A" ? "+BF-AFA-FB+" : letter == "B" ? "-AF+BFB+FA-" : String(letter)
      }.joined()
    }
    var (row, column, down, right) = (0, 0, 0, 1)
    var cells = [(row, column)]
    for letter in word {
      switch letter {
      case "F":
        (row, column) = (row + down, column + right)
        cells.append((row, column))
      case "+": (down, right) = (right, -down)
      case "-": (down, right) = (-right, down)
      default: break
      }
    }
    return cells
  }

  /// The cells of the enclosing power-of-two square that lie on the frame, in the square's own sequence.
  private func restricted(_ square: [(row: Int, column: Int)], to grid: TokenGrid) -> [Int] {
    repeated(
      square.filter { $0.row < grid.rows && $0.column < grid.columns }
        .map { $0.row * grid.columns + $0.column }, on: grid)
  }

  private func levels(_ grid: TokenGrid) -> Int {
    (0...).first { 1 << $0 >= max(grid.rows, grid.columns) } ?? 0
  }

  @Test(arguments: testGrids) func hilbertFollowsTheLSystem(grid: TokenGrid) throws {
    let order = try GenerationOrder.hilbert(on: grid, tokensPerStep: 1)
    #expect(order.sequence == restricted(hilbertWalk(levels: levels(grid)), to: grid))
  }

  @Test(arguments: [1, 2, 4, 8, 16, 32]) func hilbertStepsToNeighbours(side: Int) throws {
    let grid = TokenGrid(rows: side, columns: side)
    let cells = try GenerationOrder.hilbert(on: grid, tokensPerStep: 1).sequence.map(grid.cell(at:))
    #expect(cells.first == GridCell(row: 0, column: 0))
    #expect(cells.last == GridCell(row: 0, column: side - 1))
    for (cell, next) in zip(cells, cells.dropFirst()) {
      #expect(abs(cell.row - next.row) + abs(cell.column - next.column) == 1)
    }
  }

  /// The quadrants one after the other, each by the same rule.
  private func zWalk(row: Int, column: Int, side: Int) -> [(row: Int, column: Int)] {
    guard side > 1 else { return [(row, column)] }
    let half = side / 2
    return [(0, 0), (0, 1), (1, 0), (1, 1)].flatMap {
      zWalk(row: row + $0.0 * half, column: column + $0.1 * half, side: half)
    }
  }

  @Test(arguments: testGrids) func zCurveTakesQuadrantsInTurn(grid: TokenGrid) throws {
    let square = zWalk(row: 0, column: 0, side: 1 << levels(grid))
    let order = try GenerationOrder.zCurve(on: grid, tokensPerStep: 1)
    #expect(order.sequence == restricted(square, to: grid))
  }

  /// Every stride-th row and column from an offset, the four finer offsets in turn.
  private func coarseToFine(row: Int, column: Int, stride: Int, side: Int) -> [(
    row: Int, column: Int
  )] {
    guard stride < side else { return [(row, column)] }
    return [(0, 0), (0, 1), (1, 0), (1, 1)].flatMap {
      coarseToFine(
        row: row + $0.0 * stride, column: column + $0.1 * stride, stride: stride * 2, side: side)
    }
  }

  @Test(arguments: testGrids) func subsampleTakesEveryOtherCellFirst(grid: TokenGrid) throws {
    let square = coarseToFine(row: 0, column: 0, stride: 1, side: 1 << levels(grid))
    let order = try GenerationOrder.subsample(on: grid, tokensPerStep: 1)
    #expect(order.sequence == restricted(square, to: grid))
    let evenCells = (0..<(grid.rows * grid.columns)).count {
      ($0 / grid.columns).isMultiple(of: 2) && ($0 % grid.columns).isMultiple(of: 2)
    }
    #expect(
      order.sequence.prefix(evenCells).allSatisfy {
        ($0 / grid.columns).isMultiple(of: 2) && ($0 % grid.columns).isMultiple(of: 2)
      })
  }

  @Test func fourByFour() throws {
    let grid = TokenGrid(rows: 4, columns: 4)
    #expect(
      try GenerationOrder.zCurve(on: grid).sequence
        == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
    #expect(
      try GenerationOrder.hilbert(on: grid).sequence
        == [0, 1, 5, 4, 8, 12, 13, 9, 10, 14, 15, 11, 7, 6, 2, 3])
    #expect(
      try GenerationOrder.subsample(on: grid).sequence
        == [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15])
  }
}
