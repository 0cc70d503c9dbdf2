import Foundation
import LinearAlgebra
import TestSupport

@testable import EntropyEstimation

func naturalLogarithm(_ x: Double) -> Double { log(x) }
func exponential(_ x: Double) -> Double { exp(x) }

/// The slow, obvious way: Algorithm 1 of the paper, one least-squares fit with intercept for each token and context, by
/// Householder reflections on the data itself.
func leastSquaresEntropy(
  of target: Int, given context: [Int], in samples: Samples, bound: EntropyBound
) -> Double {
  let (m, d) = (samples.imageCount, samples.featureDimensions)
  let columns = samples.grid.cellCount * d
  func values(_ token: Int, _ channel: Int) -> [Double] {
    (0..<m).map { Double(samples.values[$0 * columns + token * d + channel]) }
  }
  var predictors = [[Double](repeating: 1, count: m)]
  for token in context {
    for channel in 0..<d { predictors.append(values(token, channel)) }
  }
  var residuals = (0..<d).map { values(target, $0) }
  // Twice over, modified Gram–Schmidt keeps residuals orthogonal to the predictors to working precision.
  var basis: [[Double]] = []
  for predictor in predictors {
    var q = predictor
    for _ in 0..<2 { for b in basis { subtract(b, from: &q) } }
    let norm = dot(q, q).squareRoot()
    basis.append(q.map { $0 / norm })
  }
  for c in 0..<d {
    for _ in 0..<2 { for b in basis { subtract(b, from: &residuals[c]) } }
  }
  // log|RᵀR| by the same orthogonalisation.
  var logDeterminant = 0.0
  var previous: [[Double]] = []
  for c in 0..<d {
    var r = residuals[c]
    for _ in 0..<2 { for b in previous { subtract(b, from: &r) } }
    let norm = dot(r, r).squareRoot()
    logDeterminant += 2 * log(norm)
    previous.append(r.map { $0 / norm })
  }
  let p = context.count * d
  let constant = Double(d) * log(2 * .pi * exp(1.0))
  switch bound {
  case .algorithm1: return 0.5 * (constant + logDeterminant - Double(d) * log(Double(m)))
  case .wishart:
    let freedom = Double(m - 1 - p)
    let correction =
      (1...d).reduce(0.0) { $0 + digamma((freedom - Double($1) + 1) / 2) }
      + Double(d) * log(2 / freedom)
    return 0.5 * (constant + logDeterminant - Double(d) * log(freedom) - correction)
  case .debiased:
    return weightedEntropy(residuals: residuals, hat: basis)
  case .heldOut: preconditionFailure("this reference holds no image out")
  }
}

/// The leverage-weighted entropy of a response given predictors, which hold the intercept.
func weightedEntropy(of response: [[Double]], given predictors: [[Double]]) -> Double {
  var basis: [[Double]] = []
  func rest(_ vector: [Double]) -> [Double] {
    var result = vector
    for _ in 0..<2 { for b in basis { subtract(b, from: &result) } }
    return result
  }
  for predictor in predictors {
    let q = rest(predictor)
    let norm = dot(q, q).squareRoot()
    basis.append(q.map { $0 / norm })
  }
  return weightedEntropy(residuals: response.map(rest), hat: basis)
}

/// The leverage-weighted entropy, word for word: an explicit hat matrix H = Σ b·bᵀ over an orthonormal basis of the intercept and
/// the predictors, leverages from its diagonal, residuals whitened by their scatter with a matrix inverse.
func weightedEntropy(residuals: [[Double]], hat basis: [[Double]]) -> Double {
  let (d, m) = (residuals.count, residuals[0].count)
  let leverages = (0..<m).map { i in basis.reduce(0.0) { $0 + $1[i] * $1[i] } }
  let kappa = leverages.reduce(0.0) { $0 + $1 / (1 - $1) } / Double(basis.count)
  let weights = leverages.map { 1 / ((1 - $0) * (1 - $0)) - kappa * $0 / (1 - $0) }
  func scatter(_ weights: [Double]) -> Matrix {
    var result = Matrix(rows: d, columns: d)
    for a in 0..<d {
      for b in 0..<d {
        for i in 0..<m { result[a, b] += weights[i] * residuals[a][i] * residuals[b][i] }
      }
    }
    return result
  }
  // |W|·|S| is the determinant of the weighted scatter of the residuals as they are.
  let weighted = scatter(weights)
  guard let factor = try? CholeskyFactor(ofLowerTriangle: weighted) else { return .nan }
  let freedom = Double(m - basis.count)
  let expected =
    (1...d).reduce(0.0) { $0 + digamma((freedom - Double($1) + 1) / 2) }
    + Double(d) * (log(2) - log(freedom))
  // M = m·w·uᵀS⁻¹u, image by image; its mean square is d(d + 2) where residuals are Gaussian and of one size.
  var rows = Matrix(rows: m, columns: d)
  for i in 0..<m { for a in 0..<d { rows[i, a] = residuals[a][i] } }
  let norms = factor.whiten(rows: rows).squaredRowNorms
  let square =
    zip(weights, norms).reduce(0.0) { sum, pair in
      let value = Double(m) * pair.0 * pair.1
      return sum + value * value
    } / Double(m)
  return 0.5
    * (Double(d) * log(2 * .pi * exp(1.0)) + factor.logDeterminant - Double(d) * log(Double(m))
      - expected)
    + Double(d) / 4
    * (log(1 + (square - Double(d)) / (freedom * Double(d))) - log(1 + Double(d + 1) / freedom))
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}

private func subtract(_ unit: [Double], from vector: inout [Double]) {
  let factor = dot(unit, vector)
  for i in vector.indices { vector[i] -= factor * unit[i] }
}
