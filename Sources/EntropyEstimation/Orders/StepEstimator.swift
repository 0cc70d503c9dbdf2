import Foundation
import LinearAlgebra
import Statistics

/// Reads the entropies of one step after another off the Cholesky factor of a whole order.
struct StepEstimator {
  /// L, with the tokens in the order's sequence.
  let lower: Matrix
  /// m.
  let imageCount: Int
  /// C, how many means were taken off.
  let means: Int
  /// The coordinates of a token: its channels, and after them what a regressor has added to them.
  let coordinates: Int
  /// d, the channels whose entropy is estimated.
  let channels: Int
  let bound: EntropyBound
  /// κ, which was added to the diagonal of the scatter: ridge regressions then stand in the factor, and κ comes off again
  /// from the scatter of what is predicted.
  private let penalty: Double
  /// The degrees of freedom that a prediction from the coordinates before each one uses up: tr(S(S + κ)⁻¹) = p − κ·‖L⁻¹‖².
  private var effectivePredictors: [Double] = []

  /// - Parameter penaltyShares: The squared length of each row of L⁻¹; empty without a penalty.
  init(
    lower: Matrix, imageCount: Int, means: Int = 1, coordinates: Int, channels: Int,
    bound: EntropyBound, penalty: Double = 0, penaltyShares: [Double] = []
  ) {
    self.means = means
    self.lower = lower
    self.imageCount = imageCount
    self.coordinates = coordinates
    self.channels = channels
    self.bound = bound
    self.penalty = penalty
    guard penalty > 0 else { return }
    var sum = 0.0
    effectivePredictors = penaltyShares.enumerated().map { index, share in
      defer { sum += share }
      return Double(index) - penalty * sum
    }
  }

  /// ν of the last token's fit where coefficients are shrunk.
  var leastDegreesOfFreedom: Double? {
    guard penalty > 0, lower.rows >= coordinates else { return nil }
    return fit(predictors: lower.rows - coordinates).degreesOfFreedom
  }

  private func fit(predictors: Int) -> ResidualFit {
    ResidualFit(
      imageCount: imageCount, channels: channels, predictors: predictors,
      effectivePredictors: penalty > 0 ? effectivePredictors[predictors] : nil, means: means)
  }

  /// log|W|, W the residual scatter in a product of rows of the factor.
  private func logDeterminant(ofScatter products: Matrix) -> Double {
    var scatter = products
    for c in 0..<scatter.rows { scatter[c, c] -= penalty }
    // The scatter of residuals and κ times that of the coefficients.
    guard let factor = try? CholeskyFactor(ofLowerTriangle: scatter, relativePivot: 0) else {
      return -.infinity
    }
    return factor.logDeterminant
  }

  struct Step {
    /// The fit of each token on all tokens before it, and its log|W|.
    var sequentialFits: [ResidualFit] = []
    var sequentialLogDeterminants: [Double] = []
    /// The fit of any of the tokens on the earlier steps, and each token's log|W|.
    var parallelFit: ResidualFit
    var parallelLogDeterminants: [Double] = []
    /// log|L_g[k]·L_g[k]ᵀ|, which is more where a penalty stands on the diagonal.
    var parallelScales: [Double] = []
    /// Whether coefficients are shrunk by a penalty.
    var isShrunk = false
    var sequential: [Estimate] = []
    var parallel: [Estimate] = []
    var increase: [Estimate] = []
    var totalCorrelation = Estimate(value: 0, standardError: 0)
    /// A: maps the step's part of a whitened image to its parallel residuals, each token's whitened by its own scatter;
    /// (tokens · d) × (tokens · coordinates). Empty for a single token, whose residual is the part itself.
    var whitening = Matrix(rows: 0, columns: 0)
  }

  /// The entropies of the tokens at the positions `tokens` of the sequence, which make up one step.
  func step(tokens: Range<Int>) -> Step {
    let (d, width) = (channels, coordinates)
    let past = tokens.lowerBound
    let parallelFit = fit(predictors: past * width)
    let parallelError = parallelFit.gaussianStandardError
    let parallelFreedom = parallelFit.degreesOfFreedom
    var result = Step(parallelFit: parallelFit, isShrunk: penalty > 0)
    // The rows of token k of the step, whitened by its parallel residual covariance: their products are the canonical
    // cross-correlations of the step's residuals.
    if tokens.count > 1 {
      result.whitening = Matrix(rows: tokens.count * d, columns: tokens.count * width)
    }
    var correlations = 0.0
    for position in tokens {
      let rows = position * width..<position * width + d
      let fit = fit(predictors: position * width)
      let scale = logDeterminant(ofDiagonalBlock: rows)
      let sequentialLogDeterminant =
        penalty > 0
        ? logDeterminant(
          ofScatter: lower.block(rows: rows, columns: position * width..<position * width + d)
            .lowerTrapezoid(d).timesTranspose()) : scale
      let sequential = Estimate(
        value: bound.entropy(logDeterminant: sequentialLogDeterminant, fit),
        standardError: fit.gaussianStandardError)
      result.sequentialFits.append(fit)
      result.sequentialLogDeterminants.append(sequentialLogDeterminant)
      result.sequential.append(sequential)
      guard position > tokens.lowerBound else {
        // The first token of a step sees the same either way.
        result.parallelLogDeterminants.append(sequentialLogDeterminant)
        result.parallelScales.append(scale)
        result.parallel.append(sequential)
        result.increase.append(Estimate(value: 0, standardError: 0))
        if tokens.count > 1 { result.whitening.setLowerIdentity(at: 0, size: d) }
        continue
      }
      let own = lower.block(rows: rows, columns: past * width..<position * width + d)
        .lowerTrapezoid(d)
      let products = own.timesTranspose()
      guard let factor = try? CholeskyFactor(ofLowerTriangle: products) else {
        // L·Lᵀ of rows whose last block is a non-singular triangle.
        preconditionFailure("a product of a non-singular factor with its transpose is definite")
      }
      let residual = factor.solveLower(own)
      result.whitening.setRows(from: (position - past) * d, to: residual)
      let parallelLogDeterminant =
        penalty > 0 ? logDeterminant(ofScatter: products) : factor.logDeterminant
      let parallel = Estimate(
        value: bound.entropy(logDeterminant: parallelLogDeterminant, parallelFit),
        standardError: parallelError)
      result.parallelLogDeterminants.append(parallelLogDeterminant)
      result.parallelScales.append(factor.logDeterminant)
      result.parallel.append(parallel)
      // Σρ² is what of the whitened residual lies in the columns of the other tokens.
      let shared = Double(d) - residual.squaredNorm(columns: own.columns - d..<own.columns)
      correlations += shared
      result.increase.append(
        Estimate(
          value: parallel.value - sequential.value,
          standardError: Self.standardError(
            squaredCorrelations: shared, pairs: (position - past) * width * d,
            freedom: parallelFreedom)))
    }
    let total = result.increase.reduce(0) { $0 + $1.value }
    if tokens.count > 1, width == d {
      correlations = result.whitening.timesTranspose().squaredNormBelowBlocks(ofSize: d)
    }
    result.totalCorrelation = Estimate(
      value: total,
      standardError: tokens.count < 2
        ? 0
        : Self.standardError(
          squaredCorrelations: correlations,
          pairs: tokens.count * (tokens.count - 1) / 2 * width * d, freedom: parallelFreedom))
    return result
  }

  private func logDeterminant(ofDiagonalBlock rows: Range<Int>) -> Double {
    2 * rows.reduce(0) { $0 + log(lower[$1, $1]) }
  }

  /// The standard error of a mutual information or total correlation of Gaussian variables.
  ///
  /// To first order in 1/ν its variance is the sum S of the squared canonical correlations over ν (the delta method), to
  /// which independent variables, whose 2ν·I is χ² with as many degrees of freedom as there are `pairs` of numbers, add
  /// pairs/(2ν²). The sample's S is too large by about pairs/ν, which is taken off.
  private static func standardError(
    squaredCorrelations: Double, pairs: Int, freedom: Double
  ) -> Double {
    let squared = max(squaredCorrelations - Double(pairs) / freedom, 0)
    return (squared / freedom + Double(pairs) / (2 * freedom * freedom)).squareRoot()
  }
}

extension Matrix {
  /// The same rows with what stands above the diagonal of the last `size` columns set to zero: rows of a factor carry
  /// leftovers there.
  fileprivate consuming func lowerTrapezoid(_ size: Int) -> Matrix {
    let first = columns - size
    for i in 0..<rows {
      for j in (i + 1)..<max(size, i + 1) { self[i, first + j] = 0 }
    }
    return self
  }

  fileprivate mutating func setRows(from first: Int, to rows: Matrix) {
    for i in 0..<rows.rows {
      for j in 0..<rows.columns { self[first + i, j] = rows[i, j] }
    }
  }

  fileprivate mutating func setLowerIdentity(at first: Int, size: Int) {
    for i in first..<first + size { self[i, i] = 1 }
  }

  fileprivate func squaredNorm(columns range: Range<Int>) -> Double {
    var sum = 0.0
    for i in 0..<rows {
      for j in range { sum += self[i, j] * self[i, j] }
    }
    return sum
  }

  /// The sum of squares below the diagonal blocks of `size`.
  fileprivate func squaredNormBelowBlocks(ofSize size: Int) -> Double {
    var sum = 0.0
    for i in 0..<rows {
      for j in 0..<i / size * size { sum += self[i, j] * self[i, j] }
    }
    return sum
  }
}
