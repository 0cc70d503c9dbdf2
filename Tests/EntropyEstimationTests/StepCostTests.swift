import Foundation
import LinearAlgebra
import TokenData
import TokenGrids
import TestSupport
import Testing

@testable import EntropyEstimation

private let grid = TokenGrid(rows: 3, columns: 4)
private let sequence = [5, 0, 11, 3, 8, 6, 1, 10, 2, 4, 9, 7]
/// Partitions with large and small steps everywhere; together they use steps of every size.
private let partitions = [
  [12], [1, 11], [2, 3, 7], [1, 1, 4, 6], [5, 5, 2], [3, 3, 3, 3], [8, 4],
  Array(repeating: 1, count: 12), [9, 2, 1], [10, 2],
]

/// Images of a Gaussian field, each multiplied by a number of its own, so that leverages and residuals go together.
private func samples(
  _ count: Int, channels: Int = 2, sigma: Double = 0.5, seed: UInt64 = 3
) throws -> Samples {
  var result = try GaussianField(grid: grid, channels: channels).samples(count, seed: seed)
  var normal = NormalStream(seed: seed + 1)
  let columns = grid.cellCount * channels
  for image in 0..<count {
    let size = exp(sigma * normal.next())
    for j in 0..<columns {
      result.values[image * columns + j] = Float(
        size * (Double(result.values[image * columns + j]) - Double(j % 5)))
    }
  }
  return result
}

/// The losses that the costs give the partitions are the totals of the orders.
private func expectTotals(
  _ samples: Samples, _ settings: EstimationSettings, tolerance: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> StepCosts {
  let costs = try #require(
    try StepCostEstimator(settings).costs(
      of: [.init(name: "sequence", cells: sequence)], in: samples
    ).first)
  for sizes in partitions {
    let order = try GenerationOrder(
      name: "order", grid: grid, sequence: sequence, groupSizes: sizes)
    let profile = try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
    #expect(
      abs(costs.loss(ofGroupSizes: sizes) - profile.totalIncrease.value) < tolerance,
      sourceLocation: sourceLocation)
  }
  return costs
}

@Test(arguments: [EntropyBound.wishart, .algorithm1])
func costsAreTotalsOfOrdersByClosedForms(bound: EntropyBound) throws {
  let costs = try expectTotals(
    samples(150), EstimationSettings(bound: bound), tolerance: 1e-9)
  #expect(costs.bound == bound && costs[3, 4] == 0 && costs[0, 12] > 0.5)
}

/// Sums in single precision are rounded by some 10⁻⁷ of a nat a token.
@Test(arguments: [1, 2, 3, 5]) func costsAreDebiasedTotalsOfOrders(channels: Int) throws {
  let costs = try expectTotals(
    samples(300, channels: channels), EstimationSettings(), tolerance: 1e-6)
  #expect(costs.bound == .debiased && costs.fallbackCount == 0)
}

/// With as few images some weights leave scatters that are not to be trusted.
@Test func costsFallBackAsOrdersDo() throws {
  let costs = try expectTotals(
    samples(40, sigma: 0.9, seed: 8), EstimationSettings(), tolerance: 1e-5)
  #expect(costs.fallbackCount > 0)
}

@Test func costsKnowPhotographsAndClasses() throws {
  var samples = try samples(240)
  let count = samples.imageCount
  // Photographs of one to four images, not next to each other.
  samples.imageGroups = (0..<count).map { UInt32(($0 * 7) % 90) }
  samples.imageClasses = (0..<count).map { UInt32($0 % 3) }
  _ = try expectTotals(samples, EstimationSettings(), tolerance: 1e-6)
  _ = try expectTotals(samples, EstimationSettings(isGivenClass: true), tolerance: 1e-6)
}

@Test func costsKnowJitter() throws {
  _ = try expectTotals(samples(200), EstimationSettings(jitter: 0.05), tolerance: 1e-6)
}

/// A pass in double precision does not differ from one in single precision by more than rounding.
@Test func bothPrecisionsAgree() throws {
  let samples = try samples(200)
  let factorization = try SequenceFactorization(
    of: sequence, on: grid, name: "sequence", moments: TokenMoments(of: samples))
  let single = try SequencePass<Float>(factorization, over: samples).increases()
  let double = try SequencePass<Double>(factorization, over: samples).increases()
  #expect(zip(single.0.numbers, double.0.numbers).allSatisfy { abs($0 - $1) < 1e-6 })
  #expect(double.0.numbers.contains { abs($0) > 0.1 })
}

/// With a known covariance costs are total correlations, to rounding.
@Test func costsOfAKnownCovarianceAreTotalCorrelations() throws {
  let field = try GaussianField(grid: grid, channels: 2)
  let costs = try StepCosts(of: sequence, covariance: field.covariance)
  for sizes in partitions {
    var (expected, start) = (0.0, 0)
    for size in sizes {
      for k in start..<start + size {
        expected += try field.entropy(of: sequence[k], given: Array(sequence[..<start]))
        expected -= try field.entropy(of: sequence[k], given: Array(sequence[..<k]))
      }
      start += size
    }
    #expect(abs(costs.loss(ofGroupSizes: sizes) - expected) < 1e-9)
  }
}

@Test func settingsWithoutCostsAreRefused() throws {
  let samples = try samples(60)
  for settings in [
    EstimationSettings(bound: .heldOut), EstimationSettings(regressor: .mlp(NetworkSettings())),
    EstimationSettings(bound: .wishart, shrinkage: .ledoitWolf),
    EstimationSettings(bound: .wishart, contextWindow: 1),
  ] {
    #expect(throws: EstimationError.noStepCosts) {
      try StepCostEstimator(settings).costs(
        of: [.init(name: "sequence", cells: sequence)], in: samples)
    }
  }
}
