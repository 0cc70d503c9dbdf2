extension GenerationOrder {
  /// The paper's order: n = s² tokens from s × s distant regions in every step.
  ///
  /// Step j takes cell j, in raster order within the region, of every region, regions in raster order. The first
  /// step is split into n single cells, from which the regions start, unless `initialSteps` is 0. In video the
  /// regions are spatial, their cells run frame by frame, and the single cells come once, at the very start.
  /// 24×24: 147 steps for n = 4, 51 for n = 16; 5×16×16: 323 and 95. (PAR, section 3.2.)
  ///
  /// - Throws: ``GenerationOrderError`` when n is not a square s², the grid's rows or columns are not divisible by s,
  ///   or `initialSteps` is neither 0 nor n.
  /// - Complexity: O(N).
  public static func distant(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    initialSteps: Int? = nil, name: String = "distant"
  ) throws(GenerationOrderError) -> GenerationOrder {
    let side = try squareSide(of: tokensPerStep, order: name, grid: grid)
    for (count, unit) in [(grid.rows, "rows"), (grid.columns, "columns")]
    where !count.isMultiple(of: side) {
      throw .indivisibleGrid(order: name, count: count, unit: unit, regions: side, grid: grid)
    }
    let (height, width) = (grid.rows / side, grid.columns / side)
    var steps: [[Int]] = []
    for frame in 0..<grid.frames {
      for row in 0..<height {
        for column in 0..<width {
          var step: [Int] = []
          for regionRow in 0..<side {
            for regionColumn in 0..<side {
              step.append(
                grid.index(
                  of: GridCell(
                    frame: frame, row: regionRow * height + row,
                    column: regionColumn * width + column)))
            }
          }
          steps.append(step)
        }
      }
    }
    return GenerationOrder(
      uncheckedName: name, grid: grid,
      steps: try splittingFirst(of: steps, initialSteps: initialSteps, order: name))
  }

  /// s where n = s².
  static func squareSide(
    of tokensPerStep: Int, order: String, grid: TokenGrid
  ) throws(GenerationOrderError) -> Int {
    try StepSchedule.checkTokensPerStep(tokensPerStep, order: order, grid: grid)
    let side = Int(Double(tokensPerStep).squareRoot().rounded())
    guard side * side == tokensPerStep else {
      throw .notASquare(order: order, tokensPerStep: tokensPerStep)
    }
    return side
  }

  /// The steps with the first split into single cells, or as they are when `initialSteps` is 0.
  static func splittingFirst(
    of steps: [[Int]], initialSteps: Int?, order: String
  ) throws(GenerationOrderError) -> [[Int]] {
    guard let first = steps.first else { return steps }
    switch initialSteps {
    case 0: return steps
    case nil, first.count: return first.map { [$0] } + steps.dropFirst()
    case .some(let initial):
      throw .initialStepsNotAllOrNone(order: order, initial: initial, tokensPerStep: first.count)
    }
  }
}
