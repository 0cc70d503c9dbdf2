import Foundation

/// How the entropy of Gaussian residuals is estimated from their scatter W = RᵀR, where f_θ is linear.
///
/// d is the number of channels of the target, p the number of predictors (without the intercept), m the number of
/// images, ν = m − 1 − p the residual degrees of freedom.
public enum EntropyBound: String, CaseIterable, Sendable, Codable {
  /// As Algorithm 1 of the paper prints it: ½ log((2πe)^d |W/m|), on the very data f_θ was fitted to. It sinks as the
  /// context grows, even for noise: by about ½·d·log(1 − p/m).
  case algorithm1 = "algorithm-1"
  /// ½[d·log(2πe) + log|W| + log|S| − d·log m − c(ν, d)] with c(ν, d) = Σ_{i=1…d} ψ((ν − i + 1)/2) + d·log(2/ν), where S is the
  /// sum over the images of w·u·uᵀ, u the residual whitened by W. With h the leverage of an image, w = 1/(1 − h)² − κ·h/(1 − h):
  /// the first term makes residuals what they would be had the image been left out, and the second takes off again what
  /// the fit's own error adds, κ = Σ h/(1 − h) / (p + 1). A closed-form MINQUE (C. R. Rao, 1970) of the residual
  /// scatter: S is (m/ν)·1 on average where all images have residuals of one size, whatever their leverages, so that the
  /// value is then that of ``wishart``; where images with large residuals have large leverages, as photographs do, the fit
  /// hides more of them than (m − p)/m, and S restores it. What c(ν, d) takes off for the noise of a scatter is that of Gaussian
  /// residuals; the rest, which the images' influences tell, is taken off besides (`ScatterNoise`).
  case debiased
  /// ½[d·log(2πe) + log|W/ν| − c(ν, d)]: exactly unbiased where all tokens are jointly Gaussian (W is then Wishart distributed
  /// with ν degrees of freedom), and free. Not for photographs, whose smooth and textured images have residuals of
  /// different size.
  case wishart
  /// The mean over images that f_θ and Σ were not fitted to of ½log|2πΣ| + ½eᵀΣ⁻¹e: an upper bound on the conditional
  /// entropy in expectation, for any f_θ and any law of the data.
  case heldOut = "held-out"

  /// The bounds that follow from moments alone.
  public static let closedForm: [EntropyBound] = [.algorithm1, .wishart]

  /// The entropy bound in nats; for `debiased` without ½·log|S·ν/m|, which takes the images; for `held-out` what the fit expects of new images if residuals are Gaussian, from which the
  /// loss of an image differs by ½(eᵀΣ⁻¹e − d).
  ///
  /// - Parameters:
  ///   - logDeterminant: log|W|.
  ///   - freedom: The m, d and p of the fit.
  func entropy(logDeterminant: Double, _ fit: ResidualFit) -> Double {
    let d = Double(fit.channels)
    let constant = d * log(2 * .pi * M_E)
    switch self {
    case .algorithm1:
      return 0.5 * (constant + logDeterminant - d * log(Double(fit.imageCount)))
    case .debiased, .wishart:
      return 0.5 * (constant + logDeterminant - fit.expectedLogDeterminant)
    case .heldOut:
      return 0.5 * (constant + logDeterminant - d * log(fit.predictiveDivisor))
    }
  }
}

/// The sizes of one least-squares fit of a token on its context, and what the Wishart distribution makes of them.
struct ResidualFit: Hashable {
  /// m.
  let imageCount: Int
  /// d, the channels of the target.
  let channels: Int
  /// p, the numbers in the context, without the intercept.
  let predictors: Int
  /// The degrees of freedom that the prediction uses up: p, or less where coefficients are shrunk.
  let effectivePredictors: Double
  /// C, how many means are taken off: 1, or one for each class.
  let means: Int

  init(
    imageCount: Int, channels: Int, predictors: Int, effectivePredictors: Double? = nil,
    means: Int = 1
  ) {
    self.means = means
    self.imageCount = imageCount
    self.channels = channels
    self.predictors = predictors
    self.effectivePredictors = effectivePredictors ?? Double(predictors)
  }

  /// ν = m − C − p, p the effective number.
  var degreesOfFreedom: Double { Double(imageCount - means) - effectivePredictors }

  /// c of the covariance Σ = W/c with which new images are scored.
  ///
  /// For Gaussian data a new residual has the covariance Σ₀(1 + 1/m)(m − 2)/(m − p − 2) and E W⁻¹ = Σ₀⁻¹/(ν − d − 1), so that
  /// this c makes the expected squared Mahalanobis norm of a new residual d, and the expected loss least. Any c gives an
  /// upper bound; this one depends on the sizes of the fit alone.
  var predictiveDivisor: Double {
    let (m, p, d) = (Double(imageCount), effectivePredictors, Double(channels))
    return (m - p - d - 2) * (m - p - 2) / ((m - 2) * (1 + 1 / m))
  }

  /// c of the covariance Σ = W/c with which new images are scored, W the scatter of leave-one-out residuals.
  ///
  /// They have the covariance of new residuals, and as many degrees of freedom as the fit leaves: E W⁻¹ = Σ⁻¹·ν/(m(ν − d − 1))
  /// for Gaussian data, so that this c makes the expected squared Mahalanobis norm of a new residual d.
  var leaveOneOutDivisor: Double {
    let (m, freedom, d) = (Double(imageCount), degreesOfFreedom, Double(channels))
    return m * (freedom - d - 1) / freedom
  }

  /// E log|W| when the residual covariance is the identity: Σ ψ((ν − i + 1)/2) + d·log 2.
  var expectedLogDeterminant: Double {
    (0..<channels).reduce(Double(channels) * log(2)) {
      $0 + digamma((degreesOfFreedom - Double($1)) / 2)
    }
  }

  /// The standard error of the entropy when the residuals are Gaussian: ½·√(Σ ψ₁((ν − i + 1)/2)).
  var gaussianStandardError: Double {
    0.5
      * (0..<channels).reduce(0.0) { $0 + trigamma((degreesOfFreedom - Double($1)) / 2) }
      .squareRoot()
  }
}
