extension GenerationOrder {
  /// ZipAR's fixed window: below the first two rows, a row starts as soon as the row above is `width` cells ahead.
  ///
  /// Counting from 0, the cell in row r and column c belongs to step c in row 0, else to step W + (r − 1)·width + c;
  /// a width of W is plain raster order. Video runs frame by frame: a frame starts when the one before it is
  /// complete. 24×24: 224 steps for a width of 8, 400 for 16. (ZipAR, "Accelerating autoregressive image generation
  /// through spatial locality".)
  ///
  /// - Throws: ``GenerationOrderError`` when `width` is not from 1 to W.
  /// - Complexity: O(N).
  public static func window(
    on grid: TokenGrid, width: Int, name: String = "window"
  ) throws(GenerationOrderError) -> GenerationOrder {
    guard (1...grid.columns).contains(width) else {
      throw .windowOutsideRange(order: name, width: width, grid: grid)
    }
    func step(_ row: Int, _ column: Int) -> Int {
      row == 0 ? column : grid.columns + (row - 1) * width + column
    }
    let stepsPerFrame = step(grid.rows - 1, grid.columns - 1) + 1
    return GenerationOrder(name: name, grid: grid, stepCount: grid.frames * stepsPerFrame) {
      $0.frame * stepsPerFrame + step($0.row, $0.column)
    }
  }
}
