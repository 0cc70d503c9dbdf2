import Foundation
import LinearAlgebra
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

extension Samples {
  /// Some of the images.
  func chosen(_ images: [Int]) -> Samples {
    let columns = grid.cellCount * featureDimensions
    return Samples(
      name: name, grid: grid, featureDimensions: featureDimensions,
      values: images.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }
}
