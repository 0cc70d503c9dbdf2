import Statistics

extension GenerationOrder {
  /// A seeded random permutation of the cells, cut by a schedule. (RandAR, with the cosine schedule.)
  ///
  /// Video runs frame by frame, each frame with a permutation of its own. The same seed gives the same order
  /// everywhere and always.
  ///
  /// - Throws: ``GenerationOrderError`` when the schedule does not fit the grid.
  /// - Complexity: O(N).
  public static func random(
    on grid: TokenGrid, seed: UInt64 = 0,
    schedule: StepSchedule = .runs(of: StepSchedule.defaultTokensPerStep), name: String = "random"
  ) throws(GenerationOrderError) -> GenerationOrder {
    var generator = SeededGenerator(seed: seed)
    let cells = grid.rows * grid.columns
    let frames = (0..<grid.frames).map { frame in
      var sequence = Array((frame * cells)..<((frame + 1) * cells))
      generator.shuffle(&sequence)
      return sequence
    }
    return try GenerationOrder(name: name, grid: grid, frameSequences: frames, schedule: schedule)
  }
}
