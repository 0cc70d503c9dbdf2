import Foundation
import LinearAlgebra

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
  case .heldOut: preconditionFailure("this reference holds no image out")
  }
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
