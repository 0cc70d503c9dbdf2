import LinearAlgebra

/// How well the largest fit of a measurement is determined.
public struct FitHealth: Hashable, Sendable {
  /// ν of the fit with the largest context.
  public let degreesOfFreedom: Int
  /// ν/d of that fit: what is left over for each channel.
  public let degreesOfFreedomPerChannel: Double
  /// The condition number of Σ in the 1-norm, estimated from its factor (LAPACK's `dpocon`).
  public let conditionNumber: Double
  /// (tr Σ)²/‖Σ‖²: the number of equal variances that would spread as Σ's do.
  public let effectiveRank: Double

  init(_ factorization: OrderFactorization, moments: TokenMoments) {
    let last =
      factorization.steps.last?.sequentialFits.last
      ?? ResidualFit(
        imageCount: moments.imageCount, channels: factorization.channels, predictors: 0)
    degreesOfFreedom = Int(last.degreesOfFreedom.rounded(.down))
    degreesOfFreedomPerChannel = last.degreesOfFreedom / Double(last.channels)
    let sums = moments.scatter.symmetricNorms
    conditionNumber = factorization.factor.conditionNumber(norm: sums.largestColumnSum)
    effectiveRank = sums.trace * sums.trace / sums.squares
  }
}

/// Mardia's kurtosis of residuals over what a Gaussian has, d(d + 2): 1 for Gaussian residuals, more for heavy tails.
///
/// - Parameter variance: That of the squared Mahalanobis norm, whose mean is d.
func kurtosisRatio(variance: Double, channels: Int) -> Double {
  let d = Double(channels)
  return (variance + d * d) / (d * (d + 2))
}
