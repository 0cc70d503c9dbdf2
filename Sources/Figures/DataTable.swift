import Foundation

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
      let largest = Self.largest(block.rows)
      for row in block.rows {
        text += zip(row, largest).map { Self.rounded($0, largest: $1) }.joined(separator: " ")
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

  /// `value` to the fifth digit, or another, of `largest`, which is its own where none is given: what another processor, or another number of
  /// threads, gives again. `--json` has all digits.
  static func rounded(_ value: Double, largest: Double? = nil, digits: Int = 5) -> String {
    let largest = abs(largest ?? value)
    guard value.isFinite, largest > 0 else { return number(value) }
    let decimals = digits - 1 - Int(log10(largest).rounded(.down))
    // Whole numbers keep all their digits; powers of ten that are no numbers round nothing.
    guard (1...300).contains(decimals) else {
      return number(decimals < 1 ? value.rounded() : value)
    }
    let scale = pow(10, Double(decimals))
    let rounded = (value * scale).rounded() / scale
    return rounded == 0 ? "0" : number(rounded)
  }

  /// The largest finite magnitude of each column of a block.
  static func largest(_ rows: [[Double]]) -> [Double] {
    rows.reduce(into: [Double](repeating: 0, count: rows.first?.count ?? 0)) { largest, row in
      for (column, value) in row.enumerated() where value.isFinite {
        largest[column] = max(largest[column], abs(value))
      }
    }
  }
}
