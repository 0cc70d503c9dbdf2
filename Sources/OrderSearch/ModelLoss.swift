import EntropyEstimation
import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// What drawing in parallel loses to a Gaussian model of the tokens on images that it has not seen: for each image
/// Σ [−log q(token | earlier steps) + log q(token | all tokens before)], in nats.
///
/// To first order the mean does not depend on the errors of the model's covariance, and differences of orders on the same
/// images have little noise: with a few hundred images it chooses between orders for which estimates from as many
/// images would have no value.
public struct ModelLoss: Sendable {
  private let model: StructuredCovariance

  /// Makes the measure for a model.
  public init(_ model: StructuredCovariance) { self.model = model }

  /// The losses of the images, in the order of the data.
  ///
  /// - Throws: What reading the features throws.
  /// - Precondition: the features stand on the model's grid.
  /// - Complexity: (n·d)³/3 and O(m·(n·d)²/2).
  public func losses(of order: GenerationOrder, in features: some TokenFeatures) throws -> [Double]
  {
    let d = model.featureDimensions
    precondition(
      features.grid == model.grid && order.grid == model.grid && features.featureDimensions == d,
      "the model is of such tokens")
    let sequence = order.sequence
    guard
      let factor = try? CholeskyFactor(
        ofLowerTriangle: model.covariance.symmetricPermutation(ofBlocks: sequence, blockSize: d))
    else { preconditionFailure("a covariance is positive definite in any sequence") }
    // By step of several tokens: its first place, its rows of the factor in its own columns, and its tokens' own factors.
    var parts: [(start: Int, count: Int, rows: Matrix, own: [CholeskyFactor], constant: Double)] =
      []
    var start = 0
    for step in order.steps {
      defer { start += step.count }
      guard step.count > 1 else { continue }
      let range = start * d..<(start + step.count) * d
      var rows = factor.lower.block(rows: range, columns: range)
      var constant = 0.0
      for i in 0..<rows.rows {
        constant -= log(rows[i, i])
        for j in i + 1..<max(rows.columns, i + 1) { rows[i, j] = 0 }
      }
      var own: [CholeskyFactor] = []
      for k in 0..<step.count {
        let products = rows.block(rows: k * d..<(k + 1) * d, columns: 0..<rows.columns)
          .timesTranspose()
        guard let root = try? CholeskyFactor(ofLowerTriangle: products) else {
          preconditionFailure("a product of rows of a factor is definite")
        }
        constant += 0.5 * root.logDeterminant
        own.append(root)
      }
      parts.append((start, step.count, rows, own, constant))
    }
    var losses: [Double] = []
    for first in stride(from: 0, to: features.imageCount, by: 256) {
      let images = first..<min(first + 256, features.imageCount)
      let values = try features.features(ofImages: images)
      var centred = Matrix(rows: images.count, columns: factor.order)
      let width = factor.order
      for (place, cell) in sequence.enumerated() {
        for c in 0..<d {
          let mean = model.mean[cell * d + c]
          for i in 0..<images.count {
            centred.elements[i * width + place * d + c] =
              Double(values[i * width + cell * d + c]) - mean
          }
        }
      }
      let whitened = factor.whiten(rows: centred)
      var sums = [Double](repeating: 0, count: images.count)
      for part in parts {
        let z = whitened.block(
          rows: 0..<images.count, columns: part.start * d..<(part.start + part.count) * d)
        let residuals = z.times(part.rows, transposed: true)
        for i in sums.indices { sums[i] += part.constant }
        for (i, norm) in z.squaredRowNorms.enumerated() { sums[i] -= 0.5 * norm }
        for (k, own) in part.own.enumerated() {
          let rows = residuals.block(rows: 0..<images.count, columns: k * d..<(k + 1) * d)
          for (i, norm) in own.whiten(rows: rows).squaredRowNorms.enumerated() {
            sums[i] += 0.5 * norm
          }
        }
      }
      losses += sums
    }
    return losses
  }

  /// The mean of losses, or of differences of losses, with its standard error, clustered by photograph.
  public static func mean(_ losses: [Double], in features: some TokenFeatures) -> Estimate {
    let photographs = Photographs(features.imageGroups, imageCount: losses.count)
    var moments = RunningMoments()
    for images in photographs.images {
      for (i, image) in images.enumerated() { moments.add(losses[image], startsGroup: i == 0) }
    }
    return moments.estimate
  }
}
