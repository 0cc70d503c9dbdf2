import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// The Cholesky factors of the tokens' own scatters, which whiten one token at a time.
struct TokenWhitening {
  let factors: [CholeskyFactor]
  let grid: TokenGrid
  let imageCount: Int
  let name: String

  init(
    marginal: [Matrix], grid: TokenGrid, imageCount: Int, name: String
  ) throws(EstimationError) {
    var factors: [CholeskyFactor] = []
    for (token, scatter) in marginal.enumerated() {
      let cell = grid.cell(at: token)
      for c in 0..<scatter.rows where !(scatter[c, c] > 0) || scatter[c, c].isInfinite {
        throw .constantChannel(source: name, cell: cell, channel: c, images: imageCount)
      }
      do throws(NotPositiveDefinite) {
        factors.append(try CholeskyFactor(ofLowerTriangle: scatter))
      } catch {
        throw .dependentChannel(
          source: name, cell: cell, channel: error.index, context: "the token's other channels")
      }
    }
    self.factors = factors
    self.grid = grid
    self.imageCount = imageCount
    self.name = name
  }

  /// The map of reference j with Gaussian errors, from the scatters between it and every token i, width × width each.
  ///
  /// With C the cross-covariance of the whitened tokens, the residual scatter of i given j is L_i(1 − CᵀC)L_iᵀ.
  ///
  /// - Parameters:
  ///   - channels: d where tokens have more coordinates than channels; nil for as many.
  ///   - means: What has been taken off the images.
  func map(
    reference: GridCell, cross: [Matrix], bound: EntropyBound, channels: Int? = nil,
    means: FittedMeans
  ) throws(EstimationError) -> ConditionalEntropyMap {
    let j = grid.index(of: reference)
    let width = factors[j].order
    let d = channels ?? width
    let fit = means.fit(channels: d, predictors: width)
    let alone = means.fit(channels: d, predictors: 0)
    let marginal = factors.map {
      Estimate(
        value: bound.entropy(logDeterminant: $0.logDeterminant(ofLeading: d), alone),
        standardError: alone.gaussianStandardError)
    }
    let standardError = fit.gaussianStandardError
    var information: [Estimate?] = []
    for (token, products) in cross.enumerated() {
      guard token != j else {
        information.append(nil)
        continue
      }
      // L_j⁻¹ W_ji, transposed, then whitened by token i: Cᵀ.
      let half = factors[j].solveLower(products).transposed()
      let correlation = factors[token].solveLower(half).block(rows: 0..<d, columns: 0..<width)
      var residual = correlation.timesTranspose()
      var squaredCorrelations = 0.0
      for a in 0..<d {
        squaredCorrelations += residual[a, a]
        for b in 0...a { residual[a, b] = (a == b ? 1 : 0) - residual[a, b] }
      }
      let factor: CholeskyFactor
      do throws(NotPositiveDefinite) {
        factor = try CholeskyFactor(ofLowerTriangle: residual)
      } catch {
        throw dependence(of: token, channel: error.index, on: reference)
      }
      let logDeterminant = factors[token].logDeterminant(ofLeading: d) + factor.logDeterminant
      information.append(
        Estimate(
          value: marginal[token].value - bound.entropy(logDeterminant: logDeterminant, fit),
          standardError: fit.informationError(squaredCorrelations: squaredCorrelations)))
    }
    return ConditionalEntropyMap(
      reference: reference, grid: grid, marginal: marginal, information: information,
      entropyErrors: Array(repeating: standardError, count: grid.cellCount), bound: bound,
      imageCount: imageCount, featureDimensions: d)
  }

  /// The error for a token that the reference determines.
  func dependence(of token: Int, channel: Int, on reference: GridCell) -> EstimationError {
    .dependentChannel(
      source: name, cell: grid.cell(at: token), channel: channel,
      context: "token \(reference) and the token's other channels")
  }
}

extension ResidualFit {
  /// The variance that the mutual information of independent Gaussian tokens has: 2ν·I is χ² with d·p degrees of freedom.
  var independenceVariance: Double {
    Double(channels * predictors) / (2 * degreesOfFreedom * degreesOfFreedom)
  }

  /// The standard error of a mutual information of Gaussian tokens.
  ///
  /// To first order in 1/ν its variance is the sum S of the squared canonical correlations over ν (the delta method), to
  /// which ``independenceVariance`` adds. The sample's S is too large by about d·p/ν, which is taken off.
  func informationError(squaredCorrelations: Double) -> Double {
    let excess = Double(channels * predictors) / degreesOfFreedom
    let squared = max(squaredCorrelations - excess, 0)
    return (squared / degreesOfFreedom + independenceVariance).squareRoot()
  }
}
