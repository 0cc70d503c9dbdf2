extension GenerationOrder {
  /// Cells at equal distance frame + row + column from the first cell together, in raster order within the step.
  ///
  /// An image takes H + W − 1 steps, a video T + H + W − 2. (NAR, "Neighboring Autoregressive Modeling".)
  ///
  /// - Complexity: O(N).
  public static func diagonal(on grid: TokenGrid, name: String = "diagonal") -> GenerationOrder {
    GenerationOrder(name: name, grid: grid, stepCount: grid.frames + grid.rows + grid.columns - 2) {
      $0.frame + $0.row + $0.column
    }
  }

  /// The order whose step each cell names itself, from 0; raster order within a step, and no step may stay empty.
  init(
    name: String, grid: TokenGrid, stepCount: Int, stepOfCell: (GridCell) -> Int
  ) {
    var steps = [[Int]](repeating: [], count: stepCount)
    for index in 0..<grid.cellCount { steps[stepOfCell(grid.cell(at: index))].append(index) }
    self.init(uncheckedName: name, grid: grid, steps: steps)
  }
}
