import LinearAlgebra
import Testing

@Suite struct NearestRowsTests {
  func random(_ rows: Int, _ columns: Int, seed: UInt64) -> FloatMatrix {
    var state = seed
    return FloatMatrix(
      rows: rows, columns: columns,
      elements: (0..<(rows * columns)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 23) - 1
      })
  }

  func squaredDistance(_ a: FloatMatrix, _ i: Int, _ b: FloatMatrix, _ j: Int) -> Double {
    (0..<a.columns).reduce(0.0) {
      let difference = Double(a[i, $1]) - Double(b[j, $1])
      return $0 + difference * difference
    }
  }

  /// Sizes below, at and above one tile of points, one panel and one run or tile of rows.
  @Test(
    arguments: [
      (1, 1, 1), (5, 3, 2), (64, 16, 8), (65, 17, 3), (130, 513, 8), (40, 1100, 5), (67, 40, 20),
    ], [NearestRows.Method.kernel, .portableKernel, .matrixProduct])
  func agreesWithBruteForce(sizes: (Int, Int, Int), method: NearestRows.Method) {
    let points = random(sizes.0, sizes.2, seed: 1)
    let rows = random(sizes.1, sizes.2, seed: 2)
    let nearest = NearestRows(rows, method: method).nearest(to: points)
    #expect(nearest.count == points.rows)
    for i in 0..<points.rows {
      let distances = (0..<rows.rows).map { squaredDistance(points, i, rows, $0) }
      // Scores are rounded to 24 bits and are at most a few units large.
      #expect(distances[Int(nearest[i])] <= (distances.min() ?? 0) + 1e-5)
    }
  }

  /// Rows that are farther apart than the rounding of a score.
  @Test(arguments: [1, 8, 40])
  func rowsFindThemselves(columns: Int) {
    var rows = random(700, columns, seed: 3)
    for row in 0..<700 { rows[row, 0] = Float(row) - 350 }
    #expect(NearestRows(rows).nearest(to: rows) == (0..<700).map { UInt32($0) })
  }

  @Test func noPoints() {
    let search = NearestRows(random(3, 2, seed: 4))
    #expect(search.nearest(to: FloatMatrix(rows: 0, columns: 2)).isEmpty)
  }
}
