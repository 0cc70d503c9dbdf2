import TokenGrids

/// Comma-separated values whose columns are each declared once, the heading beside what a line has there.
package struct CSVTable<Line> {
  private var columns: [(heading: String, field: (Line) -> String)] = []

  package init() {}

  /// Adds a column of fields; texts are put in quotes where they need them.
  package mutating func add(_ heading: String, text field: @escaping (Line) -> String) {
    columns.append((heading, { field($0).csvField }))
  }

  /// Adds a column of numbers, empty where there is none or it is not finite.
  package mutating func add(_ heading: String, _ number: @escaping (Line) -> Double?) {
    columns.append((heading, { number($0)?.csvField ?? "" }))
  }

  /// Adds the columns of a cell's coordinates.
  package mutating func add(
    cellOn grid: TokenGrid, prefix: String = "", _ cell: @escaping (Line) -> GridCell
  ) {
    let names = grid.isVideo ? ["frame", "row", "column"] : ["row", "column"]
    for (place, name) in names.enumerated() {
      columns.append((prefix + name, { "\(grid.jsonCoordinates(of: cell($0))[place])" }))
    }
  }

  /// The headings and a line for each of `lines`.
  package func text(_ lines: some Sequence<Line>) -> String {
    let headings = columns.map(\.heading).joined(separator: ",")
    return
      ([headings]
      + lines.map { line in columns.map { $0.field(line) }.joined(separator: ",") })
      .joined(separator: "\n")
  }
}
