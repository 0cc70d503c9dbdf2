import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

@Test func quantilesInvertTheNormalDistribution() {
  #expect(abs(normalQuantile(0.5)) < 1e-11)
  #expect(abs(normalQuantile(0.975) - 1.959_963_984_540) < 1e-10)
  #expect(abs(normalQuantile(0.001) + 3.090_232_306_168) < 1e-10)
}

/// Ranks 1…4 of 4 images and a tie of ranks 2 and 3.
@Test func ranksBecomeQuantilesAndTiesShareTheirMean() throws {
  let samples = Samples(
    grid: TokenGrid(rows: 1, columns: 1), featureDimensions: 2,
    values: [5, 1, -2, 3, 100, 3, 7, 9])
  let result = try gaussianMarginals(of: samples)
  let q = [1.0, 2, 2.5, 3, 4].map { Float(normalQuantile($0 / 5)) }
  #expect(result == [q[1], q[0], q[0], q[2], q[4], q[2], q[3], q[4]])
}

/// Increases depend on the copula alone: a monotone distortion of every channel leaves the transformed features as they are.
@Test func monotoneDistortionsAreUndone() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  let samples = try GaussianField(grid: grid, channels: 2).samples(100, seed: 3)
  var bent = samples
  for i in bent.values.indices { bent.values[i] = exp(0.3 * samples.values[i]) }
  #expect(try gaussianMarginals(of: samples) == gaussianMarginals(of: bent))
}
