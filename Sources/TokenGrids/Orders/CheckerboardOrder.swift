import Statistics

extension GenerationOrder {
  /// A checkerboard: the cells with even row + column in `steps` − 1 groups of equal size, then all others at once.
  ///
  /// The first colour comes in a seeded random sequence, which two steps have no use for; the cells of the second have
  /// all their neighbours before them. Video runs frame by frame. (The context of checkerboard models, He et al. 2021,
  /// and GtR, "Generation then reconstruction".)
  ///
  /// - Throws: ``GenerationOrderError`` when `steps` is not from 2 to 1 more than the cells of the first colour.
  /// - Complexity: O(N).
  public static func checkerboard(
    on grid: TokenGrid, steps: Int = 2, seed: UInt64 = 0, name: String = "checkerboard"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let frame = grid.rows * grid.columns
    let isFirst = (0..<frame).map { ($0 / grid.columns + $0 % grid.columns).isMultiple(of: 2) }
    let (first, second) = ((0..<frame).filter { isFirst[$0] }, (0..<frame).filter { !isFirst[$0] })
    guard steps >= 2, steps - 1 <= first.count, !second.isEmpty else {
      throw .checkerboardOutsideRange(
        order: name, steps: steps, most: second.isEmpty ? nil : first.count + 1, grid: grid)
    }
    var generator = SeededGenerator(seed: seed)
    var all: [[Int]] = []
    for number in 0..<grid.frames {
      var sequence = first
      if steps > 2 { generator.shuffle(&sequence) }
      let ends = (0...steps - 1).map { $0 * sequence.count / (steps - 1) }
      all += zip(ends, ends.dropFirst()).map { start, end in
        sequence[start..<end].map { $0 + number * frame }
      }
      all.append(second.map { $0 + number * frame })
    }
    return GenerationOrder(uncheckedName: name, grid: grid, steps: all)
  }
}
