import Foundation
import LinearAlgebra
import TestSupport
import TokenGrids

@testable import EntropyEstimation

/// The slow, obvious way: one least-squares fit with intercept on the fitted images, its coefficients from the normal
/// equations, and the loss of every held-out image by itself.
func heldOutLosses(
  of target: Int, given context: [Int], fitted: Samples, heldOut: Samples
) throws -> [Double] {
  let d = fitted.featureDimensions
  let columns = fitted.grid.cellCount * d
  func coordinates(_ tokens: [Int]) -> [Int] { tokens.flatMap { t in (0..<d).map { t * d + $0 } } }
  func predictors(_ samples: Samples, _ image: Int) -> [Double] {
    [1] + coordinates(context).map { Double(samples.values[image * columns + $0]) }
  }
  func response(_ samples: Samples, _ image: Int) -> [Double] {
    coordinates([target]).map { Double(samples.values[image * columns + $0]) }
  }
  let (m, size) = (fitted.imageCount, context.count * d + 1)
  var x = Matrix(rows: m, columns: size), y = Matrix(rows: m, columns: d)
  for i in 0..<m {
    for (j, value) in predictors(fitted, i).enumerated() { x[i, j] = value }
    for (j, value) in response(fitted, i).enumerated() { y[i, j] = value }
  }
  let products = try CholeskyFactor(ofLowerTriangle: x.transposed().timesTranspose())
  let coefficients = products.solveLowerTransposed(products.solveLower(x.transposed().times(y)))
  var residuals = y
  let fit = x.times(coefficients)
  for i in residuals.elements.indices { residuals.elements[i] -= fit.elements[i] }
  let scatter = residuals.transposed().timesTranspose()
  // Σ = W/c with the c for which a new residual of Gaussian data has d as its expected squared Mahalanobis norm.
  let (p, count) = (Double(size - 1), Double(m))
  let c = (count - p - Double(d) - 2) * (count - p - 2) / ((count - 2) * (1 + 1 / count))
  let factor = try CholeskyFactor(ofLowerTriangle: scatter)
  let constant =
    0.5 * (Double(d) * log(2 * .pi) + factor.logDeterminant - Double(d) * log(c))
  return (0..<heldOut.imageCount).map { image in
    let row = Matrix(rows: 1, columns: size, elements: predictors(heldOut, image))
    var rest = Matrix(rows: d, columns: 1, elements: response(heldOut, image))
    for (j, value) in row.times(coefficients).elements.enumerated() { rest[j, 0] -= value }
    let z = factor.solveLower(rest).elements
    return constant + 0.5 * c * z.reduce(0) { $0 + $1 * $1 }
  }
}

/// The slow, obvious way to the losses of an order's token: both regressions by the normal equations, leave-one-out
/// residuals by leaving each image out and fitting again, α by trying many.
func heldOutOrderLosses(
  of target: Int, sequential: [Int], parallel: [Int], fitted: Samples, heldOut: Samples,
  penalty: Double = 0
) throws -> (sequential: [Double], parallel: [Double], share: Double) {
  let d = fitted.featureDimensions
  let columns = fitted.grid.cellCount * d
  func residuals(_ context: [Int], fit: Samples, of images: Samples) throws -> Matrix {
    func row(_ samples: Samples, _ image: Int, _ tokens: [Int]) -> [Double] {
      tokens.flatMap { t in (0..<d).map { Double(samples.values[image * columns + t * d + $0]) } }
    }
    func matrix(_ samples: Samples, _ body: (Int) -> [Double]) -> Matrix {
      let rows = (0..<samples.imageCount).map(body)
      return Matrix(rows: rows.count, columns: rows[0].count, elements: rows.flatMap { $0 })
    }
    let x = matrix(fit) { [1] + row(fit, $0, context) }
    let y = matrix(fit) { row(fit, $0, [target]) }
    var normal = x.transposed().times(x)
    for c in 1..<max(normal.rows, 1) { normal[c, c] += penalty }
    let products = try CholeskyFactor(ofLowerTriangle: normal)
    let coefficients = products.solveLowerTransposed(products.solveLower(x.transposed().times(y)))
    var result = matrix(images) { row(images, $0, [target]) }
    let prediction = matrix(images) { [1] + row(images, $0, context) }.times(coefficients)
    for index in result.elements.indices { result.elements[index] -= prediction.elements[index] }
    return result
  }
  func leftOut(_ context: [Int]) throws -> Matrix {
    let m = fitted.imageCount
    return Matrix(
      rows: m, columns: d,
      elements: try (0..<m).flatMap { i in
        try residuals(
          context, fit: fitted.chosen((0..<m).filter { $0 != i }), of: fitted.chosen([i])
        ).elements
      })
  }
  func mixed(_ share: Double, _ p: Matrix, _ s: Matrix) -> Matrix {
    Matrix(
      rows: p.rows, columns: d,
      elements: zip(p.elements, s.elements).map { $0 + share * ($1 - $0) })
  }
  func scatter(_ rows: Matrix) -> Matrix { rows.transposed().timesTranspose() }
  let (p, s) = (try leftOut(parallel), try leftOut(sequential))
  let metric = try CholeskyFactor(ofLowerTriangle: scatter(p))
  func size(_ rows: Matrix) -> Double {
    metric.whiten(rows: rows).elements.reduce(0) { $0 + $1 * $1 }
  }
  var share = 0.0
  if Set(parallel) != Set(sequential) {
    // A parabola in α.
    let (a, b, c) = (size(mixed(0, p, s)), size(mixed(0.5, p, s)), size(mixed(1, p, s)))
    let (slope, curve) = (4 * b - 3 * a - c, 2 * (a + c - 2 * b))
    share = min(max(-slope / (2 * curve), 0), 1)
  }
  func losses(_ leftOut: Matrix, _ rows: Matrix, context: [Int]) throws -> [Double] {
    let m = Double(fitted.imageCount)
    // Left-out weights h of e/(1 − h), whose sum without the mean's is what the fit uses up.
    let inSample = try residuals(context, fit: fitted, of: fitted)
    let own = context == sequential ? s : p
    var used = 0.0
    for i in 0..<fitted.imageCount {
      let c = (0..<d).max { abs(own[i, $0]) < abs(own[i, $1]) } ?? 0
      used += 1 - inSample[i, c] / own[i, c]
    }
    let freedom = m - used
    let c = m * (freedom - Double(d) - 1) / freedom
    let factor = try CholeskyFactor(ofLowerTriangle: scatter(leftOut))
    let constant = 0.5 * (Double(d) * log(2 * .pi / c) + factor.logDeterminant)
    return factor.whiten(rows: rows).squaredRowNorms.map { constant + 0.5 * c * $0 }
  }
  let alone = try residuals(parallel, fit: fitted, of: heldOut)
  let other = try residuals(sequential, fit: fitted, of: heldOut)
  let parallelLosses = try losses(p, alone, context: parallel)
  return (
    share > 0
      ? try losses(
        mixed(share, p, s), mixed(share, alone, other), context: sequential)
      : parallelLosses,
    parallelLosses, share
  )
}

extension Samples {
  /// Some of the images.
  func chosen(_ images: [Int]) -> Samples {
    let columns = grid.cellCount * featureDimensions
    return Samples(
      name: name, grid: grid, featureDimensions: featureDimensions,
      values: images.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }
}
