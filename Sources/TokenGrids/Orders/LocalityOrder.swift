import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension GenerationOrder {
  /// The order of locality-aware parallel decoding: cells near what is there already, and far from each other.
  ///
  /// The first step is a random cell. In every later step come first, by falling proximity to the cells of earlier steps
  /// (ties at random), those of at least `proximity` that are further than `repulsion` from every cell of the step; the
  /// rest of the step are, one by one, the cells farthest from those of the step. The proximity of a cell is Σ 1/distance
  /// over those of its eight neighbours that earlier steps have generated; `repulsion` is a Chebyshev distance, the
  /// farthest cell one of Euclidean distance. A step that takes all cells that are left takes them by falling proximity.
  ///
  /// Step k of S, from 0, has round(N·(cos(πk/2S) − cos(π(k+1)/2S))) cells, at least 1 and never so many that a later
  /// step would have none; the first has 1, the last takes the rest. Video runs frame by frame, each frame in S steps
  /// with random choices of its own. (Zhang et al., "Locality-aware parallel decoding", arXiv:2507.01957.)
  ///
  /// - Throws: ``GenerationOrderError`` when there are more steps than cells in a frame.
  /// - Complexity: O(N·(S log N + c)), c the cells of the largest step.
  public static func lpd(
    on grid: TokenGrid, steps: Int = 20, repulsion: Int = 2, proximity: Double = 1,
    seed: UInt64 = 0, name: String = "lpd"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let cells = grid.rows * grid.columns
    guard (1...cells).contains(steps) else {
      throw .stepsOutsideRange(order: name, steps: steps, grid: grid)
    }
    let sizes = localitySizes(cells: cells, steps: steps)
    var generator = SeededGenerator(seed: seed)
    var all: [[Int]] = []
    for frame in 0..<grid.frames {
      var selection = LocalitySelection(
        rows: grid.rows, columns: grid.columns, repulsion: repulsion, proximity: proximity)
      for size in sizes {
        all.append(selection.step(of: size, using: &generator).map { $0 + frame * cells })
      }
    }
    return GenerationOrder(uncheckedName: name, grid: grid, steps: all)
  }

  /// The sizes of the steps of one frame.
  static func localitySizes(cells: Int, steps: Int) -> [Int] {
    var (sizes, left) = ([Int](), cells)
    for step in 0..<steps - 1 {
      func share(_ step: Int) -> Double { cos(.pi / 2 * Double(step) / Double(steps)) }
      let exact = Double(cells) * (share(step) - share(step + 1))
      let size = step == 0 ? 1 : max(1, Int(exact.rounded(.toNearestOrEven)))
      sizes.append(min(size, left - (steps - step - 1)))
      left -= sizes[step]
    }
    return sizes + [left]
  }
}

/// One frame on its way through the steps of locality-aware parallel decoding.
private struct LocalitySelection {
  let rows: Int
  let columns: Int
  let repulsion: Int
  let proximity: Double
  private var isGenerated: [Bool]
  /// How many of the generated neighbours share a side, and how many a corner.
  private var sides: [Int]
  private var corners: [Int]

  init(rows: Int, columns: Int, repulsion: Int, proximity: Double) {
    self.rows = rows
    self.columns = columns
    self.repulsion = repulsion
    self.proximity = proximity
    isGenerated = [Bool](repeating: false, count: rows * columns)
    sides = [Int](repeating: 0, count: rows * columns)
    corners = sides
  }

  /// Chooses and generates the cells of the next step, as raster indices of the frame.
  mutating func step(of size: Int, using generator: inout SeededGenerator) -> [Int] {
    var left = isGenerated.indices.filter { !isGenerated[$0] }
    generator.shuffle(&left)
    let ranked = left.enumerated()
      .sorted { (-nearness($0.element), $0.offset) < (-nearness($1.element), $1.offset) }
      .map(\.element)
    var chosen: [Int] = []
    for cell in ranked where chosen.count < size && nearness(cell) >= proximity {
      if chosen.allSatisfy({ chebyshev($0, cell) > repulsion }) { chosen.append(cell) }
    }
    let taken = Set(chosen)
    let rest = ranked.filter { !taken.contains($0) }
    chosen += rest.count <= size - chosen.count ? rest : farthest(size, from: chosen, among: rest)
    for cell in chosen { generate(cell) }
    return chosen
  }

  /// The cells among `candidates` that farthest-point sampling adds until there are `size`.
  private func farthest(_ size: Int, from chosen: [Int], among candidates: [Int]) -> [Int] {
    // Where nothing is chosen every distance is infinite, and the first of the candidates comes first.
    var distances = candidates.map { cell in chosen.map { squaredDistance($0, cell) }.min() ?? .max
    }
    var added: [Int] = []
    while chosen.count + added.count < size {
      let place = distances.indices.max { distances[$0] < distances[$1] } ?? 0
      added.append(candidates[place])
      for other in candidates.indices {
        distances[other] = min(
          distances[other], squaredDistance(candidates[place], candidates[other]))
      }
    }
    return added
  }

  private func nearness(_ cell: Int) -> Double {
    Double(sides[cell]) + Double(corners[cell]) / 2.0.squareRoot()
  }

  private mutating func generate(_ cell: Int) {
    isGenerated[cell] = true
    let (row, column) = (cell / columns, cell % columns)
    for other in max(0, row - 1)...min(rows - 1, row + 1) {
      for neighbour in max(0, column - 1)...min(columns - 1, column + 1) {
        let index = other * columns + neighbour
        if other == row || neighbour == column {
          sides[index] += index == cell ? 0 : 1
        } else {
          corners[index] += 1
        }
      }
    }
  }

  private func chebyshev(_ a: Int, _ b: Int) -> Int {
    max(abs(a / columns - b / columns), abs(a % columns - b % columns))
  }

  private func squaredDistance(_ a: Int, _ b: Int) -> Int {
    let (down, across) = (a / columns - b / columns, a % columns - b % columns)
    return down * down + across * across
  }
}
