import Foundation

extension DataTable {
  /// Whether two data files say the same: equal comments, and numbers that differ by no more than another processor or another
  /// number of threads makes them.
  ///
  /// Rounding alone cannot do this: of a thousand numbers a few lie so near the middle between two roundings that they fall to
  /// either side. So much is let pass: one unit of the digit that a block is rounded to, and a millionth of a column's largest
  /// number, which is ten times what was seen between processors.
  static func agree(_ text: String, _ other: String) -> Bool {
    let (lines, others) = (text.split(separator: "\n"), other.split(separator: "\n"))
    guard lines.count == others.count else { return false }
    var rows: [(block: Int, one: [Double], other: [Double])] = []
    var block = 0
    for (line, second) in zip(lines, others) {
      guard !line.hasPrefix("#") else {
        guard line == second else { return false }
        block += 1
        continue
      }
      let (one, two) = (numbers(line), numbers(second))
      guard let one, let two, one.count == two.count,
        one.count == rows.first?.one.count ?? one.count
      else { return false }
      rows.append((block, one, two))
    }
    let whole = largest(rows.map(\.one))
    let blocks = Dictionary(grouping: rows, by: \.block).mapValues { largest($0.map(\.one)) }
    return rows.allSatisfy { row in
      row.one.indices.allSatisfy { column in
        let (a, b) = (row.one[column], row.other[column])
        guard a.isFinite, b.isFinite, a != b else { return a == b || a.isNaN && b.isNaN }
        let largest = blocks[row.block]?[column] ?? 0
        let unit = largest > 0 ? pow(10, log10(largest).rounded(.down) - 4) : 0
        return abs(a - b) <= 1.01 * unit + 1e-6 * whole[column]
      }
    }
  }

  /// The numbers of a row, or nil where something else stands there.
  private static func numbers(_ line: Substring) -> [Double]? {
    let words = line.split(separator: " ")
    let numbers = words.compactMap { $0 == "NaN" ? .nan : Double($0) }
    return numbers.count == words.count ? numbers : nil
  }
}
