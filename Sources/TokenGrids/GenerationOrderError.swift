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
    }
  }
}
