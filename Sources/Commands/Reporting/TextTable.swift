/// Rows of text with aligned columns.
struct TextTable {
  /// The heading of each column; the first column is aligned left, the others right.
  var headings: [String]
  var rows: [[String]] = []

  init(_ headings: String...) { self.headings = headings }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The table, a line each, without trailing spaces.
  var text: String {
    let widths = headings.indices.map { column in
      ([headings] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([headings] + rows).map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (column == 0 ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
