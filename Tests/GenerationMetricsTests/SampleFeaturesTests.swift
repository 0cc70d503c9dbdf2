import LinearAlgebra
import Statistics
import Testing

@testable import GenerationMetrics

private func normal(_ count: Int, _ dimensions: Int, seed: UInt64) -> FloatMatrix {
  normals(count, dimensions, seed: seed).single
}

/// Features that another program extracted.
struct SampleFeaturesTests {
  @Test func samplesAreDealtAndKept() throws {
    let samples = normal(50, 3, seed: 1)
    let set = try FeatureSet(samples: samples, source: "x", seed: 7)
    func sorted(_ matrix: FloatMatrix) -> [[Float]] {
      (0..<matrix.rows).map { i in (0..<3).map { matrix[i, $0] } }
        .sorted { $0.lexicographicallyPrecedes($1) }
    }
    #expect(sorted(set.rows) == sorted(samples) && set.rows != samples)
    #expect(set.imageCount == 50 && set.source == "x")
    #expect(set.rows(withoutGroup: 3).rows == 45)
    #expect(
      throws: MetricError.tooFewImages(
        source: "x", extractor: "a comparison of features", images: 19, needed: 20)
    ) { try FeatureSet(samples: normal(19, 3, seed: 1), source: "x", seed: 7) }
    var wrong = samples
    wrong[4, 1] = .infinity
    #expect(throws: MetricError.notFinite(source: "x", extractor: "the network", image: 4)) {
      try FeatureSet(samples: wrong, source: "x", seed: 7)
    }
  }

  @Test func ranksAreThoseOfTheCovariance() throws {
    #expect(
      try FeatureSet(samples: normal(50, 3, seed: 1), source: "x", seed: 0).gaussian.rank() == 3)
    // Fewer images than features: one dimension is lost to the mean.
    #expect(
      try FeatureSet(samples: normal(30, 40, seed: 2), source: "x", seed: 0).gaussian.rank() == 29)
    // The third feature is the sum of the others; in single precision of numbers that have it exactly.
    var dependent = normal(60, 3, seed: 3)
    for i in 0..<60 {
      for j in 0..<2 { dependent[i, j] = (dependent[i, j] * 64).rounded() }
      dependent[i, 2] = dependent[i, 0] + dependent[i, 1]
    }
    #expect(try FeatureSet(samples: dependent, source: "x", seed: 0).gaussian.rank() == 2)
  }

  /// The jackknife's errors against the spread of 60 independent pairs of sets.
  ///
  /// Of 60 the spread is known to 9%; the kinks of nearest neighbours leave the jackknife within a factor of two.
  @Test func errorsOfNeighboursAreTheirSpread() throws {
    var (values, errors): ([[Double]], [[Double]]) = ([], [])
    for run in 0..<60 {
      let real = try FeatureSet(
        samples: normal(200, 3, seed: UInt64(2 * run + 10)), source: "x", seed: 0)
      let generated = try FeatureSet(
        samples: normal(200, 3, seed: UInt64(2 * run + 11)), source: "y", seed: 1)
      let metrics = NeighborMetrics.metrics(
        real: real.rows, generated: generated.rows, neighbors: [3])[0]
      let error = NeighborErrors.errors(real: real, generated: generated, neighbors: [3])[0]
      values.append([metrics.precision, metrics.recall, metrics.density, metrics.coverage])
      errors.append([error.precision, error.recall, error.density, error.coverage])
    }
    for index in 0..<4 {
      let of = values.map { $0[index] }
      let mean = of.reduce(0, +) / 60
      let spread = (of.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 59).squareRoot()
      let told = (errors.reduce(0) { $0 + $1[index] * $1[index] } / 60).squareRoot()
      #expect(told > spread / 2 && told < spread * 2, "\(index): \(told) for \(spread)")
    }
  }
}
