import GenerationMetrics
import LinearAlgebra
import Testing

@Test func generationMetricsExample() throws {
  // README.md:
  let real = FeatureGaussian(samples: Matrix(rows: 3, columns: 1, elements: [-1, 0, 1]))
  let generated = FeatureGaussian(samples: Matrix(rows: 3, columns: 1, elements: [0, 2, 4]))
  let distance = try FrechetDistance(real, generated)
  // 2² of the means and (2 − 1)² of the deviations.
  let squares = (distance.meanTerm, distance.covarianceTerm)
  // What it says is so:
  #expect(abs(squares.0 - 4) < 1e-9 && abs(squares.1 - 1) < 1e-9)
  #expect(abs(distance.value - 5) < 1e-9)
}
