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
    precondition(features.grid == model.grid, "the model is of such tokens")
    let prepared = PreparedOrder(order, model)
    var losses: [Double] = []
    for first in stride(from: 0, to: features.imageCount, by: 256) {
      let images = first..<min(first + 256, features.imageCount)
      losses += prepared.losses(of: try features.features(ofImages: images), count: images.count)
    }
    return losses
  }

  /// The losses of images of which each has an order of its own, as an adaptive sampler gives them.
  ///
  /// - Parameter orders: One for each image.
  /// - Throws: What reading the features throws.
  /// - Complexity: (n·d)³/3 an image, but for neighbours with the same order.
  public func losses(
    ofOwn orders: [GenerationOrder], in features: some TokenFeatures,
    progress: (Int) -> Void = { _ in }
  ) throws -> [Double] {
    precondition(
      features.grid == model.grid && orders.count == features.imageCount,
      "every image has an order on the model's grid")
    var prepared: PreparedOrder?
    return try orders.enumerated().map { image, order in
      if prepared?.order != order { prepared = PreparedOrder(order, model) }
      defer { progress(image + 1) }
      let rows = try features.features(ofImages: image..<image + 1)
      return prepared?.losses(of: rows, count: 1)[0] ?? .nan
    }
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

/// What the losses of an order take of a model.
private struct PreparedOrder {
  let order: GenerationOrder
  private let model: StructuredCovariance
  private let factor: CholeskyFactor
  /// The steps of several tokens.
  private let parts: [Part]

  /// A step of several tokens: its first place, its rows of the factor in its own columns, the factors of its tokens' own scatters
  /// and what comes to the loss of every image.
  private struct Part {
    let start, count: Int
    let rows: Matrix
    let own: [CholeskyFactor]
    let constant: Double
  }

  init(_ order: GenerationOrder, _ model: StructuredCovariance) {
    precondition(order.grid == model.grid, "the model is of such tokens")
    self.order = order
    self.model = model
    let d = model.featureDimensions
    guard
      let factor = try? CholeskyFactor(
        ofLowerTriangle: model.covariance.symmetricPermutation(
          ofBlocks: order.sequence, blockSize: d))
    else { preconditionFailure("a covariance is positive definite in any sequence") }
    self.factor = factor
    var parts: [Part] = []
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
      parts.append(
        Part(start: start, count: step.count, rows: rows, own: own, constant: constant))
    }
    self.parts = parts
  }

  /// The losses of some images' features, row-major in raster order.
  func losses(of values: [Float], count: Int) -> [Double] {
    let (d, width) = (model.featureDimensions, factor.order)
    var centred = Matrix(rows: count, columns: width)
    for (place, cell) in order.sequence.enumerated() {
      for c in 0..<d {
        let mean = model.mean[cell * d + c]
        for i in 0..<count {
          centred.elements[i * width + place * d + c] =
            Double(values[i * width + cell * d + c]) - mean
        }
      }
    }
    let whitened = factor.whiten(rows: centred)
    var sums = [Double](repeating: 0, count: count)
    for part in parts {
      let z = whitened.block(
        rows: 0..<count, columns: part.start * d..<(part.start + part.count) * d)
      let residuals = z.times(part.rows, transposed: true)
      for (i, norm) in z.squaredRowNorms.enumerated() { sums[i] += part.constant - 0.5 * norm }
      for (k, own) in part.own.enumerated() {
        let rows = residuals.block(rows: 0..<count, columns: k * d..<(k + 1) * d)
        for (i, norm) in own.whiten(rows: rows).squaredRowNorms.enumerated() {
          sums[i] += 0.5 * norm
        }
      }
    }
    return sums
  }
}
