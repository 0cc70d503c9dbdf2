/// The plain data file of a figure: blocks of rows that gnuplot selects with `index`.
struct DataTable {
  /// One block: a comment that says what it is, and rows of numbers.
  struct Block {
    let comment: String
    let rows: [[Double]]
  }

  /// What the columns of every block are.
  let columns: [String]
  let blocks: [Block]

  /// The file: provenance, column names, then the blocks, two blank lines apart.
  func text(provenance: [String]) -> String {
    var text = provenance.map { GnuplotText.comment($0) + "\n" }.joined()
    text += GnuplotText.comment("columns: " + columns.joined(separator: " ")) + "\n"
    for (index, block) in blocks.enumerated() {
      if index > 0 { text += "\n\n" }
      text += GnuplotText.comment("index \(index): \(block.comment)") + "\n"
      for row in block.rows {
        text += row.map(Self.number).joined(separator: " ")
        text += "\n"
      }
    }
    return text
  }

  /// `value` with all its digits; `NaN`, which gnuplot skips, when it is not finite.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "NaN" }
    return Int(exactly: value).map(String.init) ?? "\(value)"
  }
}
