import Statistics

/// How two quantities go together over some cases, with the interval in which that lies when cases are drawn again.
public struct CorrelationInterval: Hashable, Sendable, Codable {
  /// The correlation of all cases.
  public let value: Double
  /// The ends of the 95% interval; nil where too few of the resamples have a correlation.
  public let lower, upper: Double?
  /// The number of cases.
  public let cases: Int

  /// Measures a correlation and resamples the cases: the percentile bootstrap (Efron, 1979).
  ///
  /// The interval is what other cases of the same kind would give; that the quantities of each case have errors of their own is in
  /// it only as far as they scatter the cases.
  ///
  /// - Parameters:
  ///   - quantities: each with a number for every case.
  ///   - resamples: how often cases are drawn with replacement.
  ///   - statistic: a correlation of the quantities, nil where there is none.
  /// - Returns: nil where the statistic of all cases is.
  /// - Precondition: all quantities have as many numbers.
  /// - Complexity: O(resamples · n log n).
  public init?(
    _ quantities: [[Double]], resamples: Int = 2000, seed: UInt64 = 0,
    statistic: ([[Double]]) -> Double?
  ) {
    let count = quantities.first?.count ?? 0
    precondition(quantities.allSatisfy { $0.count == count }, "cases have all quantities")
    guard let value = statistic(quantities) else { return nil }
    self.value = value
    cases = count
    var generator = SeededGenerator(seed: seed, stream: 21)
    var found: [Double] = []
    found.reserveCapacity(resamples)
    for _ in 0..<resamples {
      let drawn = (0..<count).map { _ in generator.nextIndex(below: count) }
      if let one = statistic(quantities.map { values in drawn.map { values[$0] } }) {
        found.append(one)
      }
    }
    guard found.count >= max(40, resamples / 2) else {
      (lower, upper) = (nil, nil)
      return
    }
    found.sort()
    let last = Double(found.count - 1)
    lower = found[Int((0.025 * last).rounded())]
    upper = found[Int((0.975 * last).rounded())]
  }
}

extension Correlation {
  /// The correlation of x and y that is left when what a third quantity says of both is taken off:
  /// (r_xy − r_xz·r_yz) / √((1 − r_xz²)(1 − r_yz²)). (Yule, 1907.)
  ///
  /// - Returns: nil for fewer than four cases, where a quantity does not vary, or where the third says all of another.
  /// - Precondition: there are as many x, y and z.
  public static func partial(_ x: [Double], _ y: [Double], given z: [Double]) -> Double? {
    guard x.count >= 4, let xy = pearson(x, y), let xz = pearson(x, z), let yz = pearson(y, z)
    else { return nil }
    let rest = (1 - xz * xz) * (1 - yz * yz)
    // What rounding leaves of 1 − 1 is nothing to divide by.
    guard rest > 1e-12 else { return nil }
    return (xy - xz * yz) / rest.squareRoot()
  }

  /// The partial correlation of the ranks.
  public static func partialSpearman(
    _ x: [Double], _ y: [Double], given z: [Double]
  ) -> Double? {
    partial(ranks(x), ranks(y), given: ranks(z))
  }
}
