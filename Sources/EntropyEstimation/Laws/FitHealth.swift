import LinearAlgebra
import TokenGrids

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

/// How well the least squares behind some orders are determined, and their ridge: what the first order says for all.
struct FitCondition: Sendable {
  let health: FitHealth
  let ridge: Double?

  /// - Returns: Nil for an order that is not the first.
  init?(
    _ factorization: OrderFactorization, of orders: [GenerationOrder], _ moments: TokenMoments
  ) {
    guard factorization.order == orders.first else { return nil }
    health = FitHealth(factorization, moments: moments)
    ridge = moments.ridge
  }
}

/// Mardia's kurtosis of residuals over what a Gaussian has, d(d + 2): 1 for Gaussian residuals, more for heavy tails.
///
/// - Parameter variance: That of the squared Mahalanobis norm, whose mean is d.
func kurtosisRatio(variance: Double, channels: Int) -> Double {
  let d = Double(channels)
  return (variance + d * d) / (d * (d + 2))
}
