extension GenerationOrder {
  /// Adjacent s × s blocks, n = s², in raster order: the spatial worst case, all tokens of a step being neighbours.
  ///
  /// Where s does not divide the grid, the blocks at its right and lower edge are clipped and hold fewer cells.
  /// The first block is split into n single cells unless `initialSteps` is 0. Video runs frame by frame.
  ///
  /// - Throws: ``GenerationOrderError`` when n is not a square s², a frame is smaller than one block, or
  ///   `initialSteps` is neither 0 nor n.
  /// - Complexity: O(N).
  public static func blocks(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "blocks"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let side = try squareSide(of: tokensPerStep, order: name, grid: grid)
    guard side <= min(grid.rows, grid.columns) else {
      throw .blockLargerThanGrid(order: name, side: side, grid: grid)
    }
    var steps: [[Int]] = []
    for frame in 0..<grid.frames {
      for top in stride(from: 0, to: grid.rows, by: side) {
        for left in stride(from: 0, to: grid.columns, by: side) {
          steps.append(
            (top..<min(top + side, grid.rows)).flatMap { row in
              (left..<min(left + side, grid.columns)).map { column in
                grid.index(of: GridCell(frame: frame, row: row, column: column))
              }
            })
        }
      }
    }
    return GenerationOrder(
      uncheckedName: name, grid: grid,
      steps: try splittingFirst(of: steps, initialSteps: initialSteps, order: name))
  }
}
