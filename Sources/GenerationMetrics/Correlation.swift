/// How two quantities go together over a few cases.
public enum Correlation {
  /// Pearson's correlation; nil for fewer than three cases or where one quantity does not vary.
  ///
  /// - Precondition: there are as many x as y.
  public static func pearson(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "cases have both quantities")
    guard x.count >= 3 else { return nil }
    let count = Double(x.count)
    let (a, b) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    var (cross, p, q) = (0.0, 0.0, 0.0)
    for (u, v) in zip(x, y) {
      cross += (u - a) * (v - b)
      p += (u - a) * (u - a)
      q += (v - b) * (v - b)
    }
    guard p > 0, q > 0 else { return nil }
    return cross / (p * q).squareRoot()
  }

  /// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank.
  public static func spearman(_ x: [Double], _ y: [Double]) -> Double? {
    pearson(ranks(x), ranks(y))
  }

  /// The rank of every value from 1, equal values sharing their mean rank.
  ///
  /// - Complexity: O(n log n).
  public static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
      start = end
    }
    return ranks
  }
}
