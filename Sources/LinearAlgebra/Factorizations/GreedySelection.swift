/// The choice of a few variables that say most of what many say: pivoted Cholesky elimination.
public enum GreedySelection {
  /// The columns with the largest variance that those before them do not explain, one after the other.
  ///
  /// - Parameters:
  ///   - scatter: The scatter of all columns, of which the lower triangle is read.
  ///   - fixed: How many columns, the first ones, explain what they can before any is chosen; none of them is.
  ///   - count: How many to choose; of equal ones the first.
  /// - Returns: Their numbers, in the order of the choice. Where the chosen explain everything, what is left follows in its
  ///   own order.
  /// - Precondition: There are as many columns.
  /// - Complexity: O(columns · (fixed + count)²/2), and columns · (fixed + count) numbers of memory.
  public static func columns(of scatter: Matrix, after fixed: Int, count: Int) -> [Int] {
    let n = scatter.rows
    precondition(
      scatter.columns == n && fixed + count <= n, "a choice is of columns that there are")
    var rest = (0..<n).map { scatter[$0, $0] }
    let smallest = rest.map { $0 * 1e-10 }
    // Rows of the eliminated columns, each `n` long: what is left of a column's products with the pivot, over its root.
    var rows: [[Double]] = []
    var chosen: [Int] = []
    func eliminate(_ pivot: Int) {
      var row = (0..<n).map { scatter[max($0, pivot), min($0, pivot)] }
      for earlier in rows {
        let factor = earlier[pivot]
        row.withUnsafeMutableBufferPointer { row in
          earlier.withUnsafeBufferPointer { earlier in
            for j in 0..<n { row[j] -= factor * earlier[j] }
          }
        }
      }
      let root = rest[pivot].squareRoot()
      for j in 0..<n {
        row[j] /= root
        rest[j] = max(rest[j] - row[j] * row[j], 0)
      }
      rest[pivot] = 0
      rows.append(row)
    }
    for column in 0..<fixed where rest[column] > smallest[column] { eliminate(column) }
    while chosen.count < count {
      var best: Int?
      for column in fixed..<n where rest[column] > smallest[column] {
        if best.map({ rest[column] > rest[$0] }) ?? true { best = column }
      }
      guard let best else { break }
      eliminate(best)
      chosen.append(best)
    }
    let taken = Set(chosen)
    return chosen
      + (fixed..<n).filter { !taken.contains($0) }.prefix(count - chosen.count)
  }
}
