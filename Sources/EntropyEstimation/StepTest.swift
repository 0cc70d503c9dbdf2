import Foundation
import LinearAlgebra

/// A test of whether the tokens of a step depend on each other at all, given the earlier steps.
public struct StepTest: Hashable, Sendable {
  /// The probability of a total correlation at least as large if the tokens were conditionally independent.
  public var pValue: Double
  /// The same after Benjamini and Hochberg's correction for testing every step: the share of false discoveries among the
  /// steps whose adjusted value is no larger.
  public var adjustedPValue: Double

  /// The share of false discoveries that is accepted when steps are called distinguishable from zero.
  public static let falseDiscoveryRate = 0.05

  /// Whether the step's total correlation is distinguishable from zero.
  public var isDistinguishable: Bool { adjustedPValue <= Self.falseDiscoveryRate }

  init(pValue: Double) {
    self.pValue = pValue
    adjustedPValue = pValue
  }

  /// Box's test of k blocks of d Gaussian variables, from the *uncorrected* total correlation (G. E. P. Box, 1949).
  ///
  /// 2M·TC is χ² with f = ½(D² − kd²) degrees of freedom, D = kd and M = ν + 1 − 3/2 − (D³ − kd³)/(3(D² − kd²)). Where M is
  /// not positive the approximation has no meaning and the result is nil.
  init?(totalCorrelation: Double, tokens k: Int, channels d: Int, degreesOfFreedom: Double) {
    let (total, size) = (Double(k * d), Double(d))
    let squares = total * total - Double(k) * size * size
    let cubes = total * total * total - Double(k) * size * size * size
    let multiplier = degreesOfFreedom - 0.5 - cubes / (3 * squares)
    guard multiplier > 0 else { return nil }
    self.init(pValue: chiSquaredTail(2 * multiplier * totalCorrelation, freedom: squares / 2))
  }

  /// The one-sided test of a mean over held-out images against zero, the mean of many images being Gaussian.
  init(ofMean estimate: Estimate) {
    self.init(
      pValue: estimate.standardError > 0
        ? 0.5 * erfc(estimate.value / estimate.standardError / 2.0.squareRoot())
        : estimate.value > 0 ? 0 : 1)
  }

  /// The tests with adjusted p-values: step up from the largest, p·N/rank (Benjamini and Hochberg, 1995).
  static func adjusted(_ tests: [StepTest?]) -> [StepTest?] {
    var result = tests
    let ranked = tests.indices.compactMap { index in tests[index].map { (index, $0.pValue) } }
      .sorted { $0.1 < $1.1 }
    var smallest = 1.0
    for (rank, (index, pValue)) in ranked.enumerated().reversed() {
      smallest = min(smallest, pValue * Double(ranked.count) / Double(rank + 1))
      result[index]?.adjustedPValue = smallest
    }
    return result
  }
}

extension StepEstimator.Step {
  /// Box's test of the step; with predictors added to the channels, Bartlett's approximation for each token's
  /// likelihood ratio, −(ν − ½(d + q + 1))·log Λ ~ χ² with d·q degrees of freedom, q the numbers that come to its context.
  /// Nil for a single token, and where coefficients are shrunk, for which neither holds.
  var test: StepTest? {
    guard sequentialFits.count > 1, !isShrunk else { return nil }
    let d = parallelFit.channels
    let logRatios = zip(parallelLogDeterminants, sequentialLogDeterminants).map { $0 - $1 }
    let added = sequentialFits.map { $0.predictors - parallelFit.predictors }
    if added[1] == d {
      return StepTest(
        totalCorrelation: 0.5 * logRatios.reduce(0, +), tokens: sequentialFits.count, channels: d,
        degreesOfFreedom: parallelFit.degreesOfFreedom)
    }
    var (statistic, freedom) = (0.0, 0.0)
    for (ratio, q) in zip(logRatios, added).dropFirst() {
      let multiplier = parallelFit.degreesOfFreedom - 0.5 * Double(d + q + 1)
      guard multiplier > 0 else { return nil }
      statistic += multiplier * ratio
      freedom += Double(d * q)
    }
    return StepTest(pValue: chiSquaredTail(statistic, freedom: freedom))
  }
}
