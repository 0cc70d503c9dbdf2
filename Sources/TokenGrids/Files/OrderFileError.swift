/// Why a file is not an order; lines and columns count from 1.
public enum OrderFileError: Error, Hashable {
  /// A file that cannot be opened or written, and the reason.
  case unusable(file: String, reason: String)
  /// Bytes that are not UTF-8 text.
  case notUTF8(file: String, line: Int, column: Int)
  /// A file with nothing in it.
  case empty(file: String)
  /// Something other than what has to stand at this place.
  case unexpected(file: String, line: Int, column: Int, found: String, expected: String)
  /// A row of a table with too few or too many step numbers.
  case wrongRowLength(file: String, line: Int, found: Int, grid: TokenGrid)
  /// A frame of a table with too few or too many rows; frames count from 1.
  case wrongRowCount(file: String, frame: Int, line: Int, found: Int, grid: TokenGrid)
  /// A table with too few or too many frames.
  case wrongFrameCount(file: String, found: Int, grid: TokenGrid)
  /// A file that says it is for another grid, by its extents.
  case wrongGrid(file: String, line: Int, found: [Int], grid: TokenGrid)
  /// A JSON object without a member it needs, or with the member twice.
  case wrongMember(file: String, line: Int, member: String, isRepeated: Bool)
  /// A step that lists no cell; steps count from 1.
  case emptyStep(file: String, line: Int, column: Int, step: Int)
  /// A cell outside the grid, or with other than the 2 or 3 coordinates that the file's `grid` asks for.
  case wrongCell(
    file: String, line: Int, column: Int, cell: [Int], coordinates: Int, grid: TokenGrid)
  /// A cell that two steps, or one step twice, list; steps count from 1.
  case repeatedCell(
    file: String, line: Int, column: Int, cell: GridCell, firstStep: Int, step: Int)
  /// A raster index that stands twice in a sequence; places count from 1.
  case repeatedIndex(
    file: String, line: Int, column: Int, index: Int, firstPlace: Int, place: Int)
  /// Group sizes that together are more or fewer cells than the grid has.
  case wrongGroupSizes(file: String, line: Int, total: Int, grid: TokenGrid)
  /// A cell that no step lists, and how many there are in all.
  case missingCell(file: String, cell: GridCell, missing: Int, grid: TokenGrid)
}

extension OrderFileError: CustomStringConvertible {
  /// One sentence for the user: the file, the place in it, what was found and what was expected.
  public var description: String {
    switch self {
    case .unusable(let file, let reason):
      return "\(file): \(reason)"
    case .notUTF8(let file, let line, let column):
      return "\(file), line \(line), column \(column): not UTF-8 text; save the file as UTF-8"
    case .empty(let file):
      return "\(file): the file is empty; expected a table of step numbers or JSON"
    case .unexpected(let file, let line, let column, let found, let expected):
      return "\(file), line \(line), column \(column): found \(found), expected \(expected)"
    case .wrongRowLength(let file, let line, let found, let grid):
      return """
        \(file), line \(line): \(Self.count(found, "step number")), but a row of the \(grid) grid \
        has \(Self.count(grid.columns, "cell"))
        """
    case .wrongRowCount(let file, let frame, let line, let found, let grid):
      let place =
        grid.isVideo ? "frame \(frame), which begins in line \(line), has" : "the table has"
      return """
        \(file): \(place) \(Self.count(found, "row")), but the \(grid) grid has \
        \(Self.count(grid.rows, "row"))
        """
    case .wrongFrameCount(let file, let found, let grid):
      return """
        \(file): \(Self.count(found, "frame")) (separated by blank lines), but the \(grid) grid has \
        \(Self.count(grid.frames, "frame"))
        """
    case .wrongGrid(let file, let line, let found, let grid):
      let extents = (grid.isVideo ? [grid.frames] : []) + [grid.rows, grid.columns]
      return "\(file), line \(line): \"grid\" is \(found), but the grid here is \(grid), \(extents)"
    case .wrongMember(let file, let line, let member, let isRepeated):
      return isRepeated
        ? "\(file), line \(line): \"\(member)\" is given twice"
        : "\(file), line \(line): the object ends without \"\(member)\""
    case .emptyStep(let file, let line, let column, let step):
      return """
        \(file), line \(line), column \(column): step \(step) lists no cell; remove it or list \
        its cells
        """
    case .wrongCell(let file, let line, let column, let cell, let coordinates, let grid):
      let last = [grid.frames - 1, grid.rows - 1, grid.columns - 1]
      let expected =
        coordinates == 3
        ? "[frame, row, column] from [0, 0, 0] to \(last)"
        : "[row, column] from [0, 0] to \(Array(last.dropFirst()))"
      return """
        \(file), line \(line), column \(column): found \(cell), expected a cell \(expected) of the \
        \(grid) grid
        """
    case .repeatedCell(let file, let line, let column, let cell, let firstStep, let step):
      return """
        \(file), line \(line), column \(column): cell \(cell) stands in step \(step), but already \
        in step \(firstStep)
        """
    case .repeatedIndex(let file, let line, let column, let index, let firstPlace, let place):
      return """
        \(file), line \(line), column \(column): raster index \(index) stands at place \(place), \
        but already at place \(firstPlace)
        """
    case .wrongGroupSizes(let file, let line, let total, let grid):
      return """
        \(file), line \(line): the group sizes add up to \(total), but the \(grid) grid has \
        \(Self.count(grid.cellCount, "cell"))
        """
    case .missingCell(let file, let cell, let missing, let grid):
      return """
        \(file): no step lists cell \(cell) (\(missing) of the \(grid.cellCount) cells of the \
        \(grid) grid are missing)
        """
    }
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
