import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

@Test func pValuesAreAdjustedAsBenjaminiAndHochbergDo() {
  let tests = [0.01, nil, 0.04, 0.03, 0.005].map { $0.map { StepTest(pValue: $0) } }
  let adjusted = StepTest.adjusted(tests).map { $0?.adjustedPValue }
  let expected = [0.02, nil, 0.04, 0.04, 0.02]
  #expect(adjusted.count == expected.count)
  for (a, b) in zip(adjusted, expected) {
    #expect((a == nil) == (b == nil) && abs((a ?? 0) - (b ?? 0)) < 1e-15)
  }
}

/// Under independence the test rejects at 0.05 in 5% of 2,000 repetitions, ±0.02 being four of their standard errors; the
/// share is exact but for the seed, which is fixed. Steps of three tokens with two channels, after one token, 40 images.
@Test func gaussianStepTestHasItsSize() throws {
  let grid = TokenGrid(rows: 1, columns: 4)
  let order = try GenerationOrder(name: "three", grid: grid, steps: [[0], [1, 2, 3]])
  var normal = NormalStream(seed: 20)
  var rejected = 0
  let repetitions = 2000
  for _ in 0..<repetitions {
    let samples = Samples(
      grid: grid, featureDimensions: 2, values: (0..<40 * 8).map { _ in Float(normal.next()) })
    let profile = try OrderProfile(
      of: order, moments: TokenMoments(of: samples, precision: .double))
    #expect(profile.stepTests[0] == nil)
    if let test = profile.stepTests[1], test.pValue <= 0.05 { rejected += 1 }
  }
  let share = Double(rejected) / Double(repetitions)
  #expect(abs(share - 0.05) < 0.02, "\(share)")
}

/// Neighbours depend on each other for certain; the test says so, and the step of a single token has none.
@Test func dependentStepsAreDistinguished() throws {
  let grid = TokenGrid(rows: 1, columns: 4)
  let samples = try GaussianField(grid: grid, channels: 2).samples(300, seed: 2)
  let order = try GenerationOrder(name: "pairs", grid: grid, steps: [[0], [1, 2], [3]])
  for bound in EntropyBound.allCases {
    let profile = try OrderEstimator(EstimationSettings(bound: bound)).profiles(
      of: [order], in: samples)[0]
    #expect(profile.stepTests.map { $0?.isDistinguishable } == [nil, true, nil])
  }
}
