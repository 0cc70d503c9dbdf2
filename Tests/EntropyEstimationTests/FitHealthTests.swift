import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

private let grid = TokenGrid(rows: 2, columns: 2)

/// The estimate of the condition number lies between a third of the exact one and that one, which comes from the inverse
/// column by column; the effective rank is that of the eigenvalues.
@Test func healthDescribesTheCovariance() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(120, seed: 3)
  let moments = try TokenMoments(of: samples, precision: .double)
  let order = try GenerationOrder(name: "pairs", grid: grid, steps: [[0, 1], [2, 3]])
  let health = FitHealth(
    try OrderFactorization(of: order, moments: moments, bound: .wishart), moments: moments)
  #expect(health.degreesOfFreedom == 113 && health.degreesOfFreedomPerChannel == 56.5)
  var full = moments.scatter
  for i in 0..<8 { for j in 0..<i { full[j, i] = full[i, j] } }
  let factor = try CholeskyFactor(ofLowerTriangle: full)
  let inverse = factor.solveLowerTransposed(factor.solveLower(.identity(8)))
  func norm(_ m: Matrix) -> Double {
    (0..<8).map { j in (0..<8).reduce(0) { $0 + abs(m[$1, j]) } }.max() ?? 0
  }
  let exact = norm(full) * norm(inverse)
  #expect(health.conditionNumber <= exact * (1 + 1e-9) && health.conditionNumber > exact / 3)
  let values = try SymmetricEigen(full).values
  let sum = values.reduce(0, +)
  let rank = sum * sum / values.reduce(0) { $0 + $1 * $1 }
  #expect(abs(health.effectiveRank - rank) < 1e-9 * rank)
}

/// Gaussian residuals have a ratio near 1, within six standard errors at 2,000 images, and a mixture of two scales more.
@Test func kurtosisTellsHeavyTails() throws {
  var samples = try GaussianField(grid: grid, channels: 1).samples(1000, seed: 4)
  let order = try GenerationOrder(name: "pairs", grid: grid, steps: [[0, 1], [2, 3]])
  func ratio(_ bound: EntropyBound) throws -> Double {
    try #require(
      try OrderEstimator(EstimationSettings(bound: bound, errors: .robust)).profiles(
        of: [order], in: samples)[0].kurtosisRatio)
  }
  for bound in [EntropyBound.wishart, .heldOut] { #expect(abs(try ratio(bound) - 1) < 0.3) }
  for i in samples.values.indices where i / 4 % 10 == 0 { samples.values[i] *= 4 }
  for bound in [EntropyBound.wishart, .heldOut] { #expect(try ratio(bound) > 1.5) }
}
