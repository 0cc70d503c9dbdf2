import EntropyEstimation
import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// What drawing in parallel loses to a Gaussian model of the tokens on images that it has not seen: for each image
/// Σ [−log q(token | earlier steps) + log q(token | all tokens before)], in nats.
///
/// A model takes one image with a partition, where an estimate of entropies takes very many. It is a measure for partitions that
/// resemble each other: densities of a model whose conditional variances are not those of the images make long contexts look bad. Orders are
/// chosen by ``entropies(of:in:)``.
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

  /// What each image contributes to the entropy of all tokens given the earlier steps, as the model predicts them: to
  /// Σ_k ½log|Σ_k|, Σ_k the covariance of the residuals of token k on these very images.
  ///
  /// The mean is that sum, and its standard error that of the mean: ½(eᵀΣ_k⁻¹e − d) is the influence of an image with the
  /// residual e. Only how a token is predicted is the model's; what the prediction leaves is the images'. With a few hundred images
  /// it tells orders apart for which estimates from as many would have no value.
  ///
  /// - Throws: What reading the features throws.
  /// - Precondition: the features stand on the model's grid.
  /// - Complexity: (n·d)³/3 and O(m·(n·d)²/2), and m·n·d numbers of memory.
  public func entropies(of order: GenerationOrder, in features: some TokenFeatures) throws
    -> [Double]
  {
    precondition(features.grid == model.grid, "the model is of such tokens")
    let prepared = PreparedOrder(order, model)
    let (m, d) = (features.imageCount, model.featureDimensions)
    var residuals = Matrix(rows: m, columns: order.grid.cellCount * d)
    for first in stride(from: 0, to: m, by: 256) {
      let images = first..<min(first + 256, m)
      let rows = prepared.residuals(
        of: try features.features(ofImages: images), count: images.count)
      residuals.elements.replaceSubrange(
        first * residuals.columns..<images.upperBound * residuals.columns, with: rows.elements)
    }
    var sums = [Double](repeating: 0, count: m)
    for k in 0..<order.grid.cellCount {
      let rows = residuals.block(rows: 0..<m, columns: k * d..<(k + 1) * d)
      var scatter = Matrix(rows: d, columns: d)
      scatter.addScatter(ofRows: rows)
      for i in scatter.elements.indices { scatter.elements[i] /= Double(m) }
      // Fewer images than channels leave nothing to tell orders apart.
      guard let factor = try? CholeskyFactor(ofLowerTriangle: scatter) else { continue }
      let constant = 0.5 * (factor.logDeterminant - Double(d))
      for (i, norm) in factor.whiten(rows: rows).squaredRowNorms.enumerated() {
        sums[i] += constant + 0.5 * norm
      }
    }
    return sums
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

  /// The residuals of some images' features given the earlier steps, by place in the sequence.
  func residuals(of values: [Float], count: Int) -> Matrix {
    let d = model.featureDimensions
    let whitened = whitened(values, count: count)
    var result = Matrix(rows: count, columns: factor.order)
    var start = 0
    for step in order.steps {
      let range = start * d..<(start + step.count) * d
      start += step.count
      var rows = factor.lower.block(rows: range, columns: range)
      for i in 0..<rows.rows { for j in i + 1..<max(rows.columns, i + 1) { rows[i, j] = 0 } }
      let own = whitened.block(rows: 0..<count, columns: range).times(rows, transposed: true)
      for i in 0..<count {
        for j in 0..<range.count { result[i, range.lowerBound + j] = own[i, j] }
      }
    }
    return result
  }

  /// The losses of some images' features, row-major in raster order.
  func losses(of values: [Float], count: Int) -> [Double] {
    let d = model.featureDimensions
    let whitened = whitened(values, count: count)
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

  /// L⁻¹(x − x̄) with the tokens in sequence.
  private func whitened(_ values: [Float], count: Int) -> Matrix {
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
    return factor.whiten(rows: centred)
  }
}
