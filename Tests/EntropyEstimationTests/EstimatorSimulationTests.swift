import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

/// Independent images of independent numbers. Least squares does not care how predictors are mixed or how targets depend on
/// them linearly, so this stands for every Gaussian law of the same sizes.
private func samples(
  _ count: Int, tokens: Int, channels: Int, seed: UInt64, heavyTails: Bool = false
) -> Samples {
  var normal = NormalStream(seed: seed)
  let values = (0..<count * tokens * channels).map { _ in
    let x = normal.next()
    guard heavyTails else { return Float(x) }
    var square = 0.0
    for _ in 0..<3 { square -= 2 * log(1 - normal.uniform()) }
    return Float(x / (square / 6).squareRoot())
  }
  return Samples(
    grid: TokenGrid(rows: 1, columns: tokens), featureDimensions: channels, values: values)
}

/// The mean error of Wishart's estimate is within three standard errors of zero at the sizes of real questions: m images,
/// p predictors (62 tokens of 8 channels for p near 500), d channels; the seeds are fixed, so nothing is left to chance.
@Test(arguments: [(1000, 25, 8, 10), (1000, 62, 8, 6), (500, 1, 64, 16)])
func wishartErrorsAverageToZero(images: Int, context: Int, channels: Int, repetitions: Int) throws {
  let truth = 0.5 * Double(channels) * log(2 * .pi * exp(1.0))
  let grid = TokenGrid(rows: 1, columns: context + 1)
  let order = try GenerationOrder(name: "last", grid: grid, steps: [Array(0..<context), [context]])
  var errors = [Double](), said = [Double]()
  for seed in 0..<repetitions {
    let data = samples(
      images, tokens: context + 1, channels: channels, seed: UInt64(seed) &+ 500)
    let estimate = try OrderProfile(of: order, moments: TokenMoments(of: data, precision: .double))
      .sequential[context]
    errors.append(estimate.value - truth)
    said.append(estimate.standardError)
  }
  // The error that the estimate says it has is exact for Gaussian data, so it stands for the spread of a few repetitions.
  let standardError = Moments(said).mean / Double(repetitions).squareRoot()
  #expect(
    abs(Moments(errors).mean) < 3 * standardError, "\(Moments(errors).mean) ± \(standardError)")
}

/// 95% intervals cover the truth in 93–97% of 1,600 Gaussian repetitions (a standard error of 0.5%), with Gaussian errors;
/// the law of the estimate depends on m, p and d alone, so small sizes show what large ones do.
@Test func gaussianIntervalsCoverGaussianData() throws {
  let truth = 0.5 * 2 * log(2 * .pi * exp(1.0))
  let order = try GenerationOrder(
    name: "last", grid: TokenGrid(rows: 1, columns: 4), steps: [[0, 1, 2], [3]])
  var covered = 0
  for seed in 0..<1600 {
    let data = samples(80, tokens: 4, channels: 2, seed: UInt64(seed) &* 31 &+ 7)
    let estimate = try OrderProfile(of: order, moments: TokenMoments(of: data, precision: .double))
      .sequential[3]
    if estimate.confidenceInterval.contains(truth) { covered += 1 }
  }
  #expect((0.93...0.97).contains(Double(covered) / 1600), "\(covered) of 1600")
}

/// On t₆ data, whose fourth moment is twice a Gaussian's, robust intervals cover in at least 90% of repetitions and the
/// Gaussian ones do not, with few predictors and with a fifth as many as images. The truth is the entropy of a Gaussian of the
/// same covariance, 1.5 a channel.
@Test(arguments: [2, 40])
func robustIntervalsCoverHeavyTails(context: Int) throws {
  let truth = 0.5 * 2 * log(2 * .pi * exp(1.0) * 1.5)
  let order = try GenerationOrder(
    name: "last", grid: TokenGrid(rows: 1, columns: context + 1),
    steps: [Array(0..<context), [context]])
  var (robust, gaussian) = (0, 0)
  let repetitions = 300
  for seed in 0..<repetitions {
    let data = samples(
      400, tokens: context + 1, channels: 2, seed: UInt64(seed) &* 97 &+ 5,
      heavyTails: true)
    func covers(_ errors: ErrorKind) throws -> Bool {
      try OrderEstimator(EstimationSettings(bound: .wishart, errors: errors)).profiles(
        of: [order], in: data)[
          0
        ]
        .sequential[context].confidenceInterval.contains(truth)
    }
    if try covers(.robust) { robust += 1 }
    if try covers(.gaussian) { gaussian += 1 }
  }
  #expect(Double(robust) / Double(repetitions) >= 0.9, "\(robust)")
  #expect(Double(gaussian) / Double(repetitions) < 0.88, "\(gaussian)")
}
