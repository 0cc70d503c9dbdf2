import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

extension MapPass {
  /// The logarithm of the determinant of a residual scatter, as a share of the token's own, and what whitens residuals by it.
  struct Fit {
    var logDeterminant = 0.0
    var transform: Matrix
    /// Whether the first weights gave no scatter at all.
    var isFallback = false
  }

  /// Factors a sum of products of residuals of whitened tokens.
  ///
  /// - Parameters:
  ///   - sum: Σ w·r·rᵀ, lower triangle, where Σ Z·Zᵀ is m.
  ///   - addition: What jitter and ridge have added to the residual scatter.
  ///   - inflation: What the sum is on average over the scatter of the residuals.
  /// - Returns: Nil where it is not positive definite.
  func factored(_ sum: Matrix, addition: Matrix?, inflation: Double) -> CholeskyFactor? {
    var share = sum
    for a in 0..<channels {
      for b in 0...a {
        share[a, b] = share[a, b] / Double(imageCount) + inflation * (addition?[a, b] ?? 0)
      }
    }
    return try? CholeskyFactor(ofLowerTriangle: share)
  }

  /// The least share of a token's own variance that is told from rounding: residuals of whitened tokens are rounded by
  /// 10⁻⁷ or 10⁻¹⁶, and their variance by the square of that; below ten times the former the entropy would be off by more
  /// than 10⁻⁷ nats.
  private static var smallestShare: Double { Number.self == Double.self ? 1e-12 : 1e-7 }

  /// The fit of a residual scatter.
  ///
  /// - Throws: ``EstimationError`` for a channel of which nothing is left.
  func fit(
    _ factor: CholeskyFactor, token: Int, given reference: Int?, isFallback: Bool = false
  ) throws -> Fit {
    for c in 0..<channels where factor.lower[c, c] * factor.lower[c, c] < Self.smallestShare {
      throw Number.self == Double.self
        ? dependence(of: token, channel: c, on: reference)
        : EstimationError.insufficientPrecision(
          source: name, cell: grid.cell(at: token), channel: c)
    }
    return Fit(
      logDeterminant: factor.logDeterminant,
      transform: factor.solveLower(Matrix.identity(channels)), isFallback: isFallback)
  }

  func dependence(of token: Int, channel: Int, on reference: Int?) -> EstimationError {
    guard let reference else {
      return .dependentChannel(
        source: name, cell: grid.cell(at: token), channel: channel,
        context: "the token's other channels")
    }
    return whitening.dependence(of: token, channel: channel, on: grid.cell(at: reference))
  }

  /// What jitter and ridge have added to a token's residual scatter: their own part, and that of the prediction C·Z_j.
  func addition(to token: Int, given reference: Int?, _ coefficients: Matrix?) -> Matrix? {
    guard let added else { return nil }
    var result = added[token].block(rows: 0..<channels, columns: 0..<channels)
    if let reference, let coefficients {
      let predicted = coefficients.times(added[reference]).times(coefficients, transposed: true)
      for index in result.elements.indices { result.elements[index] += predicted.elements[index] }
    }
    return result
  }

  /// Weights of every image as the passes read them.
  struct Weights: Sendable {
    /// Those of the scatter, and those of the contributions.
    let scatter: [Number]
    let contributions: [Number]
    /// For a scatter that is not positive definite with the first.
    let fallback: [Number]
  }

  /// - Parameter squaredNorms: Of the reference's Z; nil without a reference.
  func weights(squaredNorms: [Double]?) -> Weights {
    let leverages = MapWeights(
      means, squaredNorms: squaredNorms?.map { $0 / Double(imageCount) }, imageCount: imageCount,
      predictors: squaredNorms == nil ? 0 : width)
    let simple = PairResiduals<Number>.padded(leverages.simple)
    guard bound == .debiased else {
      let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: imageCount))
      return Weights(scatter: ones, contributions: simple, fallback: ones)
    }
    let minque = PairResiduals<Number>.padded(leverages.minque)
    return Weights(scatter: minque, contributions: minque, fallback: simple)
  }

  /// Fits the residuals that `pair` holds, whose weighted scatter is `sum`, and takes the images' contributions to the entropy
  /// ½·m·w·uᵀS⁻¹u, or ½·ν·uᵀu/(1 − h) for the closed forms.
  func evaluate(
    _ pair: inout PairResiduals<Number>, _ sum: Matrix, addition: Matrix?, weights: Weights,
    sizes: ResidualFit, token: Int, given reference: Int?
  ) throws -> (entropy: Double, isFallback: Bool) {
    let inflation = bound == .debiased ? Double(imageCount) / sizes.degreesOfFreedom : 1
    var isFallback = false
    var factor = factored(sum, addition: addition, inflation: inflation)
    if factor == nil, bound == .debiased {
      isFallback = true
      factor = factored(
        pair.scatter(weights: weights.fallback), addition: addition, inflation: inflation)
    }
    guard let factor else {
      throw Number.self == Double.self
        ? dependence(of: token, channel: channels - 1, on: reference)
        : EstimationError.insufficientPrecision(
          source: name, cell: grid.cell(at: token), channel: channels - 1)
    }
    let fit = try fit(factor, token: token, given: reference, isFallback: isFallback)
    pair.setContributions(
      transform: fit.transform, weights: isFallback ? weights.fallback : weights.contributions,
      scale: bound == .debiased ? 0.5 : 0.5 * sizes.degreesOfFreedom / Double(imageCount))
    let logDeterminant =
      whitening.factors[token].logDeterminant(ofLeading: channels) + fit.logDeterminant
      - Double(channels) * log(inflation)
    return (bound.entropy(logDeterminant: logDeterminant, sizes), isFallback)
  }
}
