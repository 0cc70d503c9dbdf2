/// Why something is not an order of generation.
public enum GenerationOrderError: Error, Equatable {
  /// A step that generates nothing.
  case emptyStep(order: String, step: Int)
  /// A raster index that is not a cell of the grid.
  case indexOutsideGrid(order: String, index: Int, grid: TokenGrid)
  /// A cell that stands in the order twice.
  case repeatedCell(order: String, cell: GridCell, steps: (Int, Int))
  /// A cell that the order never generates, and how many there are in all.
  case missingCell(order: String, cell: GridCell, missing: Int, grid: TokenGrid)
  /// A number of tokens per step below 1 or above the number of cells.
  case tokensPerStepOutsideRange(order: String, tokensPerStep: Int, grid: TokenGrid)
  /// A number of leading single-cell steps below 0 or above the number of cells.
  case initialStepsOutsideRange(order: String, initial: Int, grid: TokenGrid)
  /// A number of leading single-cell steps other than 0 and n, where the first step is split whole or not at all.
  case initialStepsNotAllOrNone(order: String, initial: Int, tokensPerStep: Int)
  /// A number of tokens per step that is not s × s.
  case notASquare(order: String, tokensPerStep: Int)
  /// Rows or columns that the regions do not divide.
  case indivisibleGrid(order: String, count: Int, unit: String, regions: Int, grid: TokenGrid)
  /// A block that is taller or wider than the grid.
  case blockLargerThanGrid(order: String, side: Int, grid: TokenGrid)
  /// A window that is empty or wider than a row.
  case windowOutsideRange(order: String, width: Int, grid: TokenGrid)
  /// A number of steps below 1 or above the number of cells in a frame.
  case stepsOutsideRange(order: String, steps: Int, grid: TokenGrid)
  /// A number of optimal steps below 1 or above the number of cells of the whole grid.
  case optimalStepsOutsideRange(order: String, steps: Int, grid: TokenGrid)
  /// A number of steps that a checkerboard cannot have, and the most it can; nil where the grid has one colour only.
  case checkerboardOutsideRange(order: String, steps: Int, most: Int?, grid: TokenGrid)
  /// An order whose rule fixes another number of steps than was asked for.
  case fixedSteps(order: String, steps: Int, asked: Int)
  /// Several orders, one for each seed, where one is needed.
  case severalSeeds(order: String, seeds: Int, example: String)
  /// Steps whose sizes are still to be fitted to tokens.
  case unfittedGroupSizes(order: String)
  /// A group of less than one cell; groups count from 1.
  case groupSizeOutsideRange(order: String, group: Int, size: Int)
  /// Groups that together hold more or fewer cells than the grid.
  case groupSizesDoNotAddUp(order: String, groups: Int, total: Int, grid: TokenGrid)

  /// Two errors are equal when they say the same.
  public static func == (left: Self, right: Self) -> Bool { left.description == right.description }
}

extension GenerationOrderError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .emptyStep(let order, let step):
      "\(order): step \(step) generates no cell; remove it or list its cells"
    case .indexOutsideGrid(let order, let index, let grid):
      "\(order): cell \(index) is outside the \(grid) grid, whose cells are 0 to \(grid.cellCount - 1)"
    case .repeatedCell(let order, let cell, let steps):
      "\(order): cell \(cell) is generated twice, in step \(steps.0) and in step \(steps.1)"
    case .missingCell(let order, let cell, let missing, let grid):
      "\(order): cell \(cell) is never generated (\(missing) of \(grid.cellCount) cells are missing)"
    case .tokensPerStepOutsideRange(let order, let tokensPerStep, let grid):
      "\(order): n = \(tokensPerStep) tokens per step do not fit the \(grid) grid; n is from 1 to its \(grid.cellCount) cells"
    case .initialStepsOutsideRange(let order, let initial, let grid):
      "\(order): initial = \(initial) single steps do not fit the \(grid) grid; initial is from 0 to its \(grid.cellCount) cells"
    case .initialStepsNotAllOrNone(let order, let initial, let tokensPerStep):
      "\(order): initial = \(initial) is neither 0 (the first step in parallel) nor n = \(tokensPerStep) (its cells one by one)"
    case .notASquare(let order, let tokensPerStep):
      "\(order): n = \(tokensPerStep) is not a square, but a step holds s × s tokens; take \(Self.nearestSquares(tokensPerStep))"
    case .indivisibleGrid(let order, let count, let unit, let regions, let grid):
      "\(order): \(count) \(unit) are not divisible into \(regions) regions (n = \(regions * regions)); on the \(grid) grid n can be \(Self.fittingSquares(grid))"
    case .blockLargerThanGrid(let order, let side, let grid):
      "\(order): a block of \(side)x\(side) cells (n = \(side * side)) does not fit into a frame of \(grid.rows)x\(grid.columns); n is at most \(Self.largestBlock(grid))"
    case .windowOutsideRange(let order, let width, let grid):
      "\(order): w = \(width) is no window on the \(grid) grid; w is from 1 to its \(grid.columns) columns"
    case .stepsOutsideRange(let order, let steps, let grid):
      "\(order): \(grid.rows * grid.columns) cells do not fill \(steps) steps; on the \(grid) grid steps is from 1 to \(grid.rows * grid.columns)"
    case .optimalStepsOutsideRange(let order, let steps, let grid):
      "\(order): \(grid.cellCount) cells do not fill \(steps) steps; on the \(grid) grid optimal steps are from 1 to \(grid.cellCount)"
    case .checkerboardOutsideRange(let order, let steps, let most, let grid):
      most.map {
        "\(order): steps=\(steps) is no checkerboard; on the \(grid) grid steps is from 2 to \($0)"
      } ?? "\(order): a frame of the \(grid) grid is a single cell and no checkerboard"
    case .fixedSteps(let order, let steps, let asked):
      "\(order): its rule fixes \(steps) steps, and it cannot be cut into \(asked)"
    case .severalSeeds(let order, let seeds, let example):
      "\(order): these are \(seeds) orders, and one is needed, as in \(example)"
    case .unfittedGroupSizes(let order):
      "\(order): the group sizes of schedule=optimal must be fitted to tokens first; constant, cosine and arccos need none"
    case .groupSizeOutsideRange(let order, let group, let size):
      "\(order): group \(group) has size \(size); every group size is at least 1"
    case .groupSizesDoNotAddUp(let order, let groups, let total, let grid):
      "\(order): \(groups) group sizes add up to \(total), but the \(grid) grid has \(grid.cellCount) cells"
    }
  }
}

extension GenerationOrderError {
  /// The squares around a number, as in `4 or 9`.
  private static func nearestSquares(_ number: Int) -> String {
    let side = Int(Double(number).squareRoot())
    return "\(side * side) or \((side + 1) * (side + 1))"
  }

  /// Every n = s² whose s divides both rows and columns, as in `1, 4, 9 or 16`.
  private static func fittingSquares(_ grid: TokenGrid) -> String {
    let squares = (1...min(grid.rows, grid.columns))
      .filter { grid.rows.isMultiple(of: $0) && grid.columns.isMultiple(of: $0) }
      .map { "\($0 * $0)" }
    guard let last = squares.last, squares.count > 1 else { return "only 1" }
    return squares.dropLast().joined(separator: ", ") + " or \(last)"
  }

  /// The area of the largest block that fits into a frame.
  private static func largestBlock(_ grid: TokenGrid) -> Int {
    let side = min(grid.rows, grid.columns)
    return side * side
  }
}
