/// An order as JSON: `{"grid": [H, W], "steps": [[[row, column], …], …]}`, or `[T, H, W]` with
/// `[frame, row, column]` for video.
///
/// The cells of a step keep the order in which they are listed. Other members of the object are passed over.
enum OrderJSON {
  /// Reads an order.
  ///
  /// - Throws: ``OrderFileError`` that names the place.
  /// - Complexity: O(bytes + N).
  static func steps(in text: OrderText, on grid: TokenGrid) throws(OrderFileError) -> [[Int]] {
    let opening = text.bytes.first { !OrderText.isBlank($0) && !OrderText.isLineEnd($0) }
    if opening == UInt8(ascii: "[") {
      if let ranked = try OrderArray.steps(json: text, on: grid) { return ranked }
      var scanner = JSONScanner(text: text)
      let listed = try Self.listedSteps(in: &scanner)
      try scanner.expectEnd()
      return try steps(listed, hasFrames: grid.isVideo, file: text.file, grid: grid)
    }
    var scanner = JSONScanner(text: text)
    var extents: (values: [Int], line: Int)?
    var listed: [[ListedCell]]?
    try scanner.members { name, line, scanner throws(OrderFileError) in
      switch name {
      case "grid":
        guard extents == nil else { throw scanner.repeated(name, line: line) }
        extents = (try Self.wholeNumbers(in: &scanner), line)
      case "steps":
        guard listed == nil else { throw scanner.repeated(name, line: line) }
        listed = try Self.listedSteps(in: &scanner)
      default: try scanner.skipValue()
      }
    }
    try scanner.expectEnd()
    let file = text.file
    guard let extents else { throw scanner.missing("grid") }
    guard let listed else { throw scanner.missing("steps") }
    let hasFrames = extents.values.count == 3
    let expected = (hasFrames ? [grid.frames] : []) + [grid.rows, grid.columns]
    guard extents.values == expected, hasFrames || !grid.isVideo else {
      throw .wrongGrid(file: file, line: extents.line, found: extents.values, grid: grid)
    }
    return try steps(listed, hasFrames: hasFrames, file: file, grid: grid)
  }

  /// The JSON that ``steps(in:on:)`` reads, one step to a line.
  static func text(of order: GenerationOrder) -> String {
    let grid = order.grid
    let frames = grid.isVideo ? "\(grid.frames), " : ""
    let steps = order.steps.map { step in
      let cells = step.map { index in
        let cell = grid.cell(at: index)
        return "[\(grid.isVideo ? "\(cell.frame), " : "")\(cell.row), \(cell.column)]"
      }
      return "    [\(cells.joined(separator: ", "))]"
    }
    return """
      {
        "grid": [\(frames)\(grid.rows), \(grid.columns)],
        "steps": [
      \(steps.joined(separator: ",\n"))
        ]
      }

      """
  }

  /// A cell as it stands in the file, not yet known to be one of the grid.
  private struct ListedCell {
    var coordinates: [Int]
    var line: Int
    var column: Int
  }

  private static func listedSteps(
    in scanner: inout JSONScanner
  ) throws(OrderFileError) -> [[ListedCell]] {
    var steps: [[ListedCell]] = []
    try scanner.elements(of: "an array of steps") { scanner throws(OrderFileError) in
      var cells: [ListedCell] = []
      let (line, column) = scanner.place
      try scanner.elements(of: "a step, an array of cells") { scanner throws(OrderFileError) in
        let (line, column) = scanner.place
        cells.append(
          ListedCell(
            coordinates: try Self.wholeNumbers(in: &scanner), line: line, column: column))
      }
      guard !cells.isEmpty else {
        throw .emptyStep(file: scanner.file, line: line, column: column, step: steps.count + 1)
      }
      steps.append(cells)
    }
    return steps
  }

  private static func wholeNumbers(in scanner: inout JSONScanner) throws(OrderFileError) -> [Int] {
    var numbers: [Int] = []
    try scanner.elements(of: "an array of whole numbers from 0") { scanner throws(OrderFileError) in
      numbers.append(try scanner.wholeNumber())
    }
    return numbers
  }

  private static func steps(
    _ listed: [[ListedCell]], hasFrames: Bool, file: String, grid: TokenGrid
  ) throws(OrderFileError) -> [[Int]] {
    var stepOfCell = [Int](repeating: 0, count: grid.cellCount)
    var steps: [[Int]] = []
    for (step, cells) in listed.enumerated() {
      var indices: [Int] = []
      for listed in cells {
        let numbers = listed.coordinates
        let cell = GridCell((hasFrames ? [] : [0]) + numbers)
        guard let cell, grid.contains(cell) else {
          throw .wrongCell(
            file: file, line: listed.line, column: listed.column, cell: numbers,
            coordinates: hasFrames ? 3 : 2, grid: grid)
        }
        let index = grid.index(of: cell)
        guard stepOfCell[index] == 0 else {
          throw .repeatedCell(
            file: file, line: listed.line, column: listed.column, cell: cell,
            firstStep: stepOfCell[index], step: step + 1)
        }
        stepOfCell[index] = step + 1
        indices.append(index)
      }
      steps.append(indices)
    }
    let missing = stepOfCell.indices.filter { stepOfCell[$0] == 0 }
    if let first = missing.first {
      throw .missingCell(
        file: file, cell: grid.cell(at: first), missing: missing.count, grid: grid)
    }
    return steps
  }
}

extension GridCell {
  /// The cell with these three coordinates, or nil where there are not three.
  fileprivate init?(_ coordinates: [Int]) {
    guard coordinates.count == 3 else { return nil }
    self.init(frame: coordinates[0], row: coordinates[1], column: coordinates[2])
  }
}
