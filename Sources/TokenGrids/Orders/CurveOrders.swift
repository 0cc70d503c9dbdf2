/// The orders that follow a curve of powers of two: each gives a cell its place on the curve of the smallest square
/// with a power-of-two side around the frame, and the places outside the frame are passed over.
extension GenerationOrder {
  /// The Hilbert curve from the upper left corner: `initialSteps` single cells (n unless given), then runs of n.
  ///
  /// On a square with a power-of-two side consecutive cells are neighbours; on other grids the curve of the enclosing
  /// square is followed, with jumps where it leaves the grid. Video runs frame by frame.
  ///
  /// - Throws: ``GenerationOrderError`` when n or `initialSteps` exceeds the number of cells.
  /// - Complexity: O(N log N).
  public static func hilbert(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "hilbert"
  ) throws(GenerationOrderError) -> GenerationOrder {
    try GenerationOrder(
      name: name, grid: grid, frameSequence: grid.frameCells(by: hilbertPlace),
      schedule: .runs(of: tokensPerStep, initialSteps: initialSteps))
  }

  /// The Z curve of Morton: quadrants upper left, upper right, lower left, lower right, each in the same way.
  ///
  /// `initialSteps` single cells (n unless given), then runs of n. Video runs frame by frame.
  ///
  /// - Throws: ``GenerationOrderError`` when n or `initialSteps` exceeds the number of cells.
  /// - Complexity: O(N log N).
  public static func zCurve(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "zcurve"
  ) throws(GenerationOrderError) -> GenerationOrder {
    try GenerationOrder(
      name: name, grid: grid, frameSequence: grid.frameCells(by: mortonPlace),
      schedule: .runs(of: tokensPerStep, initialSteps: initialSteps))
  }

  /// From coarse to fine: first the cells in even rows and columns, each such quarter of the cells in the same way.
  ///
  /// The quarters follow as (even, even), (even, odd), (odd, even), (odd, odd) in row and column. `initialSteps`
  /// single cells (n unless given), then runs of n. Video runs frame by frame. (The subsample order of VQGAN, Esser
  /// et al., "Taming transformers", for any grid size.)
  ///
  /// - Throws: ``GenerationOrderError`` when n or `initialSteps` exceeds the number of cells.
  /// - Complexity: O(N log N).
  public static func subsample(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "subsample"
  ) throws(GenerationOrderError) -> GenerationOrder {
    try GenerationOrder(
      name: name, grid: grid, frameSequence: grid.frameCells(by: subsamplePlace),
      schedule: .runs(of: tokensPerStep, initialSteps: initialSteps))
  }

  /// From coarse to fine in whole levels: each step halves the distance of the cells that are there.
  ///
  /// The first step is the corner; a step then takes all cells whose row and column are multiples of half the spacing
  /// before it: 1, 3, 12, 48, … cells on a square with a power-of-two side. The sequence is that of
  /// ``subsample(on:tokensPerStep:initialSteps:name:)``. Video runs frame by frame.
  ///
  /// - Complexity: O(N log N).
  public static func subsampleLevels(
    on grid: TokenGrid, name: String = "subsample"
  ) -> GenerationOrder {
    let cells = grid.rows * grid.columns
    let frame = grid.frameCells(by: subsamplePlace)
    // Row and column are both multiples of 2ˡ; a finer cell has fewer zeros at the end, and 0 has all of them.
    func zeros(_ cell: Int) -> Int {
      (cell / grid.columns | cell % grid.columns).trailingZeroBitCount
    }
    var levels: [[Int]] = []
    for cell in frame {
      if let last = levels.last, zeros(last[0]) == zeros(cell) {
        levels[levels.count - 1].append(cell)
      } else {
        levels.append([cell])
      }
    }
    return GenerationOrder(
      uncheckedName: name, grid: grid,
      steps: (0..<grid.frames).flatMap { number in
        levels.map { level in level.map { $0 + number * cells } }
      })
  }

  /// The place of a cell on the Hilbert curve of a square with side 2^`levels`.
  private static func hilbertPlace(row: Int, column: Int, levels: Int) -> Int {
    var (x, y, place) = (column, row, 0)
    for level in (0..<levels).reversed() {
      let half = 1 << level
      let (right, lower) = (x & half != 0, y & half != 0)
      // The curve visits upper left, lower left, lower right, upper right.
      place = place << 2 | (lower ? (right ? 2 : 1) : (right ? 3 : 0))
      (x, y) = (x & (half - 1), y & (half - 1))
      if !lower {
        // The first quadrant is mirrored in its diagonal, the last in its other diagonal.
        (x, y) = right ? (half - 1 - y, half - 1 - x) : (y, x)
      }
    }
    return place
  }

  /// The bits of row and column interleaved, the highest first.
  private static func mortonPlace(row: Int, column: Int, levels: Int) -> Int {
    (0..<levels).reversed().reduce(0) { place, level in
      place << 2 | (row >> level & 1) << 1 | column >> level & 1
    }
  }

  /// The bits of row and column interleaved, the lowest first.
  private static func subsamplePlace(row: Int, column: Int, levels: Int) -> Int {
    (0..<levels).reduce(0) { place, level in
      place << 2 | (row >> level & 1) << 1 | column >> level & 1
    }
  }
}

extension TokenGrid {
  /// The cells of one frame, as raster indices, sorted by their place on a curve.
  fileprivate func frameCells(
    by place: (_ row: Int, _ column: Int, _ levels: Int) -> Int
  ) -> [Int] {
    let longest = max(rows, columns)
    // The smallest number of bits that holds every coordinate.
    let levels = Int.bitWidth - (longest - 1).leadingZeroBitCount
    return (0..<(rows * columns))
      .map { (place: place($0 / columns, $0 % columns, levels), cell: $0) }
      .sorted { $0.place < $1.place }
      .map(\.cell)
  }
}
