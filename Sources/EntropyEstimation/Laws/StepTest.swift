import Foundation
import LinearAlgebra
import Statistics

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

  /// The one-sided test of a debiased total correlation against zero, from its own standard error: Wald's, which keeps its
  /// size where images have residuals of different size. (Box's, 1949, whose size is that of Gaussian data, does not: it
  /// rejects at 5% nine of ten steps of uncorrelated tokens with log-normal scales.)
  ///
  /// Without dependence a total correlation is like (χ²_f − f)/(2ν), f the `pairs` of numbers in different tokens; the tail
  /// is that of χ²_f, centred and scaled, which for many pairs is the normal one.
  init(ofTotalCorrelation estimate: Estimate, pairs: Int) {
    let freedom = Double(pairs)
    guard estimate.standardError > 0, pairs <= 100_000 else {
      self.init(ofMean: estimate)
      return
    }
    let deviations = estimate.value / estimate.standardError
    let statistic = freedom + deviations * (2 * freedom).squareRoot()
    self.init(pValue: statistic > 0 ? chiSquaredTail(statistic, freedom: freedom) : 1)
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
  /// How many pairs of numbers are in different tokens: d·q summed over the tokens, q the numbers of the step that come to a
  /// token's context.
  var pairsOfNumbers: Int {
    sequentialFits.reduce(0) { $0 + $1.channels * ($1.predictors - parallelFit.predictors) }
  }

  /// The test of the step with the errors of Gaussian data, of the total correlation without bias whatever the bound; nil for
  /// a single token, and where coefficients are shrunk, for which none holds.
  var gaussianTest: StepTest? {
    guard sequentialFits.count > 1, !isShrunk else { return nil }
    let fits = zip(sequentialFits, zip(parallelLogDeterminants, sequentialLogDeterminants))
    let value = fits.reduce(0.0) { sum, pair in
      let (fit, (parallel, sequential)) = pair
      return sum + EntropyBound.wishart.entropy(logDeterminant: parallel, parallelFit)
        - EntropyBound.wishart.entropy(logDeterminant: sequential, fit)
    }
    // The error without dependence: that of the estimate also grows with what it finds by chance.
    let variance = sequentialFits.reduce(0.0) { sum, fit in
      let added = fit.channels * (fit.predictors - parallelFit.predictors)
      return sum + Double(added) / (2 * fit.degreesOfFreedom * parallelFit.degreesOfFreedom)
    }
    return StepTest(
      ofTotalCorrelation: Estimate(value: value, standardError: variance.squareRoot()),
      pairs: pairsOfNumbers)
  }
}
