/// Rows of text with aligned columns.
package struct TextTable {
  /// The heading of each column; the first column is aligned left, the others right.
  package var headings: [String]
  package var rows: [[String]] = []

  package init(_ headings: String...) { self.headings = headings }

  package mutating func add(_ row: [String]) { rows.append(row) }

  /// The table, a line each, without trailing spaces.
  package var text: String {
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
