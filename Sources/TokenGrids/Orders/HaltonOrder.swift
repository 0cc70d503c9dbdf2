extension GenerationOrder {
  /// The cells that the Halton points of bases 2 and 3 fall in, cut by a schedule.
  ///
  /// Point i = 1, 2, … lies in row ⌊H·h₂(i)⌋ and column ⌊W·h₃(i)⌋; a cell counts where it is first hit. Every stretch
  /// of the sequence is spread evenly over the grid. 24×24 begins (12, 8), (6, 16), (18, 2), (3, 10). Video runs
  /// frame by frame. (Besnier et al., "Halton scheduler for masked generative image transformer", with the arccos
  /// schedule in 32 steps.)
  ///
  /// - Throws: ``GenerationOrderError`` when the schedule does not fit the grid.
  /// - Complexity: O(N log N), a few points for each cell.
  public static func halton(
    on grid: TokenGrid, schedule: StepSchedule = .runs(of: StepSchedule.defaultTokensPerStep),
    name: String = "halton"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let cells = grid.rows * grid.columns
    var isTaken = [Bool](repeating: false, count: cells)
    var sequence: [Int] = []
    sequence.reserveCapacity(cells)
    var point = 1
    // Any 2ᵃ·3ᵇ consecutive points visit every box of 2⁻ᵃ × 3⁻ᵇ once, so every cell is hit in the end.
    while sequence.count < cells {
      let row = scaledRadicalInverse(of: point, base: 2, extent: grid.rows)
      let column = scaledRadicalInverse(of: point, base: 3, extent: grid.columns)
      let cell = row * grid.columns + column
      if !isTaken[cell] {
        isTaken[cell] = true
        sequence.append(cell)
      }
      point += 1
    }
    return try GenerationOrder(
      name: name, grid: grid, frameSequence: sequence, schedule: schedule)
  }

  /// ⌊extent · h⌋, where h is `index` with its digits mirrored behind the point; in whole numbers, so that it is
  /// exact where extent · h is whole.
  private static func scaledRadicalInverse(of index: Int, base: Int, extent: Int) -> Int {
    var (digits, mirrored, scale) = (index, 0, 1)
    while digits > 0 {
      mirrored = mirrored * base + digits % base
      scale *= base
      digits /= base
    }
    return extent * mirrored / scale
  }
}
