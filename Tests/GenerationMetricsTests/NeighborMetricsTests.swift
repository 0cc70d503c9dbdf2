import LinearAlgebra
import Statistics
import Testing
import TokenGrids

@testable import GenerationMetrics

/// The definitions, in double precision.
private func obviousMetrics(
  _ real: FloatMatrix, _ generated: FloatMatrix, k: Int
) -> [Double] {
  func distance(_ a: FloatMatrix, _ i: Int, _ b: FloatMatrix, _ j: Int) -> Double {
    (0..<a.columns).reduce(0.0) {
      let difference = Double(a[i, $1]) - Double(b[j, $1])
      return $0 + difference * difference
    }
  }
  func radii(_ a: FloatMatrix) -> [Double] {
    (0..<a.rows).map { i in
      (0..<a.rows).filter { $0 != i }.map { distance(a, i, a, $0) }.sorted()[k - 1]
    }
  }
  let (r, s) = (radii(real), radii(generated))
  let (n, m) = (real.rows, generated.rows)
  var (precision, recall, density, coverage) = (0, 0, 0, 0)
  for j in 0..<m {
    let balls = (0..<n).count { distance(real, $0, generated, j) <= r[$0] }
    precision += balls > 0 ? 1 : 0
    density += balls
  }
  for i in 0..<n {
    recall += (0..<m).contains { distance(real, i, generated, $0) <= s[$0] } ? 1 : 0
    coverage += (0..<m).contains { distance(real, i, generated, $0) <= r[i] } ? 1 : 0
  }
  return [
    Double(precision) / Double(m), Double(recall) / Double(n), Double(density) / Double(m * k),
    Double(coverage) / Double(n),
  ]
}

private func values(_ metrics: NeighborMetrics) -> [Double] {
  [metrics.precision, metrics.recall, metrics.density, metrics.coverage]
}

@Suite struct NeighborMetricsTests {
  @Test(arguments: [1, 7, 512]) func tilesAgreeWithTheDefinition(tile: Int) throws {
    let (real, generated) = (waves(25, 6, 1).single, waves(31, 6, 9).single)
    let metrics = NeighborMetrics.metrics(
      real: real, generated: generated, neighbors: [3, 5], tile: tile)
    for one in metrics {
      #expect(values(one) == obviousMetrics(real, generated, k: one.neighbors))
    }
    // The same from scipy.spatial.distance.cdist.
    let scipy: [[Double]] = [
      [0.6774193548387096, 0.96, 0.7096774193548386, 0.84],
      [0.967741935483871, 1.0, 0.864516129032258, 1.0],
    ]
    try #require(metrics.count == scipy.count)
    for (one, expected) in zip(metrics, scipy) {
      #expect(zip(values(one), expected).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  /// Few different points, far from the origin: ties everywhere, and rounding in single precision larger than distances.
  @Test func tiesAndCancellationAreExact() {
    var generator = SeededGenerator(seed: 4)
    func points(_ count: Int) -> FloatMatrix {
      FloatMatrix(
        rows: count, columns: 3,
        elements: (0..<count * 3).map { _ in 1000 + Float(generator.nextIndex(below: 3)) * 0.01 })
    }
    let (real, generated) = (points(40), points(30))
    for k in [1, 3] {
      let metrics = NeighborMetrics.metrics(real: real, generated: generated, neighbors: [k])
      #expect(values(metrics[0]) == obviousMetrics(real, generated, k: k))
    }
  }

  @Test func aSetIsLikeItself() {
    let points = normals(60, 8, seed: 6).single
    let metrics = NeighborMetrics.metrics(real: points, generated: points, neighbors: [3])[0]
    #expect(metrics.precision == 1 && metrics.recall == 1 && metrics.coverage == 1)
    // Each point lies in its own ball and, on average, in those of k others.
    #expect(abs(metrics.density - 4.0 / 3) < 1e-12)
  }

  @Test func farSetsHaveNothingInCommon() {
    let far = FloatMatrix(
      rows: 20, columns: 8, elements: normals(20, 8, seed: 7).elements.map { Float($0) + 100 })
    let metrics = NeighborMetrics.metrics(
      real: normals(30, 8, seed: 6).single, generated: far, neighbors: [5])[0]
    #expect(values(metrics) == [0, 0, 0, 0])
  }
}
