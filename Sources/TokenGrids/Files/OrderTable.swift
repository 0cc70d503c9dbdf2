/// An order as a table of step numbers, one row of text for each row of the grid.
///
/// Numbers are whole, from 0, separated by blanks, tabs, commas or semicolons; cells with equal numbers are one step,
/// in raster order. Only the ranking of the numbers counts: they may start anywhere and leave gaps. The frames of a
/// video are separated by blank lines. Lines that begin with `#` are comments. (The form of the paper's figure 11.)
enum OrderTable {
  /// Reads a table.
  ///
  /// - Throws: ``OrderFileError`` that names the place.
  /// - Complexity: O(bytes + N log N).
  static func steps(in text: OrderText, on grid: TokenGrid) throws(OrderFileError) -> [[Int]] {
    var text = text
    var numbers: [Int] = []
    var frames: [(line: Int, rows: Int)] = []
    var isInsideFrame = false
    while text.next != nil {
      let line = text.line
      text.advance(while: OrderText.isBlank)
      if text.next == UInt8(ascii: "#") {
        text.advance(while: { !OrderText.isLineEnd($0) })
      } else if text.next.map(OrderText.isLineEnd) ?? true {
        isInsideFrame = false
      } else {
        if !isInsideFrame { frames.append((line, 0)) }
        isInsideFrame = true
        frames[frames.count - 1].rows += 1
        let row = try row(of: &text)
        guard row.count == grid.columns else {
          throw .wrongRowLength(file: text.file, line: line, found: row.count, grid: grid)
        }
        numbers += row
      }
      endLine(of: &text)
    }
    guard !frames.isEmpty else { throw .empty(file: text.file) }
    guard frames.count == grid.frames else {
      throw .wrongFrameCount(file: text.file, found: frames.count, grid: grid)
    }
    for (index, frame) in frames.enumerated() where frame.rows != grid.rows {
      throw .wrongRowCount(
        file: text.file, frame: index + 1, line: frame.line, found: frame.rows, grid: grid)
    }
    return ranked(numbers)
  }

  /// The table that ``steps(in:on:)`` reads: step numbers from 1, columns aligned, each line ended.
  static func text(of order: GenerationOrder, separator: String = " ") -> String {
    let grid = order.grid
    let numbers = order.stepNumbers
    let width = String(order.steps.count).count
    let frames = (0..<grid.frames).map { frame in
      (0..<grid.rows).map { row in
        (0..<grid.columns).map { column in
          let number = String(
            numbers[grid.index(of: GridCell(frame: frame, row: row, column: column))])
          return String(repeating: " ", count: width - number.count) + number
        }.joined(separator: separator) + "\n"
      }.joined()
    }
    return frames.joined(separator: "\n")
  }

  /// The numbers up to the end of the line.
  private static func row(of text: inout OrderText) throws(OrderFileError) -> [Int] {
    let expected = "a step number (a whole number from 0)"
    var row: [Int] = []
    var isNumberDue = true
    while let byte = text.next, !OrderText.isLineEnd(byte) || isNumberDue {
      let (line, column) = (text.line, text.column)
      let token = text.advance(while: {
        !OrderText.isBlank($0) && !isSeparator($0) && !OrderText.isLineEnd($0)
      })
      guard !token.isEmpty else { throw text.unexpected(expected: expected) }
      guard let number = OrderText.wholeNumber(token) else {
        throw text.unexpected(token, line: line, column: column, expected: expected)
      }
      row.append(number)
      text.advance(while: OrderText.isBlank)
      isNumberDue = text.next.map(isSeparator) ?? false
      if isNumberDue {
        text.advance()
        text.advance(while: OrderText.isBlank)
      }
    }
    if isNumberDue { throw text.unexpected(expected: expected) }
    return row
  }

  private static func endLine(of text: inout OrderText) {
    let isPair = text.next == OrderText.carriageReturn && text.afterNext == OrderText.lineFeed
    if text.next != nil { text.advance() }
    if isPair { text.advance() }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
  }

  /// The cells grouped by number, the smallest number first.
  static func ranked(_ numbers: [Int]) -> [[Int]] {
    Dictionary(grouping: numbers.indices) { numbers[$0] }
      .sorted { $0.key < $1.key }
      .map(\.value)
  }
}
