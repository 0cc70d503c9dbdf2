extension GenerationOrder {
  /// Row by row, from the left: `initialSteps` single cells (n unless given), then runs of n consecutive cells.
  ///
  /// Video runs frame by frame; a run may span two rows or frames. 24×24: 147 steps for n = 4, 51 for n = 16.
  /// (PAR, table 3(d) and supplement D.2.)
  ///
  /// - Throws: ``GenerationOrderError`` when n or `initialSteps` exceeds the number of cells.
  /// - Complexity: O(N).
  public static func raster(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "raster"
  ) throws(GenerationOrderError) -> GenerationOrder {
    try GenerationOrder(
      name: name, grid: grid, frameSequence: Array(0..<(grid.rows * grid.columns)),
      schedule: .runs(of: tokensPerStep, initialSteps: initialSteps))
  }
}
