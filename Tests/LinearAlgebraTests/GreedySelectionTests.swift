import LinearAlgebra
import Testing

/// The slow way: before every choice, each column's variance given all that were taken, by a Cholesky factorisation of its own.
@Test func selectionTakesWhatIsLeastExplained() throws {
  var state: UInt64 = 7
  func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53 - 0.5
  }
  let (n, fixed) = (12, 2)
  let rows = Matrix(
    rows: 40, columns: n, elements: (0..<40 * n).map { Double($0 % n % 5 + 1) * uniform() })
  var scatter = Matrix(rows: n, columns: n)
  scatter.addScatter(ofRows: rows)
  var taken = Array(0..<fixed)
  for _ in 0..<6 {
    func rest(_ column: Int) throws -> Double {
      let all = taken + [column]
      var products = Matrix(rows: all.count, columns: all.count)
      for (a, i) in all.enumerated() {
        for (b, j) in all.enumerated() { products[a, b] = scatter[max(i, j), min(i, j)] }
      }
      let pivot = try CholeskyFactor(ofLowerTriangle: products).lower[all.count - 1, all.count - 1]
      return pivot * pivot
    }
    let rests = try (fixed..<n).map { taken.contains($0) ? 0 : try rest($0) }
    let best = try #require(rests.indices.max { rests[$0] < rests[$1] })
    taken.append(fixed + best)
  }
  #expect(
    GreedySelection.columns(of: scatter, after: fixed, count: 6) == Array(taken.dropFirst(fixed)))
}

/// Copies and constants explain nothing: they come last, in their own order.
@Test func selectionEndsWithWhatIsExplained() {
  var scatter = Matrix(rows: 5, columns: 5)
  // 1 is twice 0, 2 is constant, 3 and 4 are new.
  for (i, j, value) in [(0, 0, 1.0), (1, 0, 2), (1, 1, 4), (3, 3, 1), (4, 4, 2)] {
    scatter[i, j] = value
  }
  #expect(GreedySelection.columns(of: scatter, after: 1, count: 4) == [4, 3, 1, 2])
}
