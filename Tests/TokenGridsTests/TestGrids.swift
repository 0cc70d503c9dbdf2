import Testing

@testable import TokenGrids

/// Grids of every shape: a single cell, single rows and columns, odd, square, powers of two, video.
let testGrids: [TokenGrid] =
  (1...9).flatMap { rows in (1...9).map { TokenGrid(rows: rows, columns: $0) } } + [
    TokenGrid(rows: 1, columns: 37), TokenGrid(rows: 41, columns: 1),
    TokenGrid(rows: 16, columns: 16), TokenGrid(rows: 17, columns: 13),
    TokenGrid(rows: 24, columns: 24), TokenGrid(frames: 2, rows: 1, columns: 1),
    TokenGrid(frames: 3, rows: 5, columns: 7), TokenGrid(frames: 5, rows: 8, columns: 8),
  ]

let paperGrid = TokenGrid(rows: 24, columns: 24)
let videoGrid = TokenGrid(frames: 5, rows: 16, columns: 16)

/// Whether the steps hold every cell of the grid once and none is empty, said in the plainest way.
func isPartition(_ order: GenerationOrder) -> Bool {
  order.steps.allSatisfy { !$0.isEmpty }
    && order.steps.flatMap(\.self).sorted() == Array(0..<order.grid.cellCount)
}

/// The frame-by-frame repetition of one frame's sequence.
func repeated(_ frame: [Int], on grid: TokenGrid) -> [Int] {
  (0..<grid.frames).flatMap { number in frame.map { $0 + number * grid.rows * grid.columns } }
}

/// The sizes of some singles followed by runs of n, counted off one at a time.
func runSizes(of cells: Int, tokensPerStep: Int, initialSteps: Int) -> [Int] {
  var sizes: [Int] = []
  for cell in 0..<cells {
    if cell < initialSteps || (cell - initialSteps).isMultiple(of: tokensPerStep) {
      sizes.append(1)
    } else {
      sizes[sizes.count - 1] += 1
    }
  }
  return sizes
}

extension GenerationOrder {
  var stepSizes: [Int] { steps.map(\.count) }
}
