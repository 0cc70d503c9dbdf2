import LinearAlgebra
import TokenData
import TokenGrids

/// The least-squares fits of all tokens on one reference token, and the pass over images that whitens their residuals.
struct MapFit {
  /// What a token i and its residual given the reference j look like once each token is whitened by its own scatter.
  struct Residual {
    /// C, the correlation of whitened token i (rows) with the whitened reference (columns).
    let correlation: Matrix
    /// The factor of 1 − C·Cᵀ, the residual scatter of whitened token i.
    let factor: CholeskyFactor
  }

  /// The map, with Gaussian errors.
  let map: ConditionalEntropyMap
  /// The sizes of every fit.
  let fit: ResidualFit
  let whitening: TokenWhitening
  /// By raster index; nil for the reference.
  let residuals: [Residual?]

  /// Fits all tokens on each reference.
  ///
  /// - Throws: ``EstimationError`` for degenerate channels, and what reading the features throws.
  /// - Complexity: O(m·n·d²·references).
  static func fits(
    references: [GridCell], of features: some TokenFeatures, bound: EntropyBound, jitter: Double,
    channels: Int? = nil
  ) throws -> [MapFit] {
    let (grid, d) = (features.grid, features.featureDimensions)
    let scatter = try TokenScatter(
      count: features.imageCount, channels: d, references: references.map(grid.index(of:)),
      shift: features.mean(
        ofRows: try features.features(ofImages: 0..<min(features.imageCount, 64))
      )
      .map { Float($0) },
      rows: { try features.features(ofImages: $0) })
    let size = grid.cellCount * d * d
    var marginal = (0..<grid.cellCount).map { token in
      Matrix(
        rows: d, columns: d, elements: Array(scatter.marginal[token * d * d..<(token + 1) * d * d]))
    }
    let trace = marginal.reduce(0.0) { sum, block in
      (0..<d).reduce(sum) { $0 + block[$1, $1] }
    }
    for token in marginal.indices {
      for c in 0..<d { marginal[token][c, c] += jitter * trace / Double(grid.cellCount * d) }
    }
    if let channels, channels < d {
      let added = channels..<d
      let variance =
        marginal.reduce(0.0) { sum, block in added.reduce(sum) { $0 + block[$1, $1] } }
        / Double(added.count * marginal.count)
      for token in marginal.indices {
        for c in added { marginal[token][c, c] += randomFeatureRidge * variance }
      }
    }
    let whitening = try TokenWhitening(
      marginal: marginal, grid: grid, imageCount: features.imageCount, name: features.name,
      mean: scatter.mean)
    return try references.enumerated().map { index, reference in
      let cross = (0..<grid.cellCount).map { token in
        Matrix(
          rows: d, columns: d,
          elements: Array(
            scatter.cross[index * size + token * d * d..<index * size + (token + 1) * d * d]))
      }
      return try whitening.fit(
        reference: reference, cross: cross, bound: bound, channels: channels)
    }
  }

  /// Images whitened together.
  private static let imagesPerBlock = 256

  /// Calls `body` with eᵀW⁻¹e of every token, and the squared length of the whitened reference, of a block of images at a
  /// time; `tokens[i][image]`, empty for the reference.
  private func forEachBlock(
    of features: some TokenFeatures, _ body: (_ tokens: [[Double]], _ reference: [Double]) -> Void
  ) throws {
    // The reference's coordinates all predict; of the others only the channels are predicted.
    let (n, d, width) = (whitening.grid.cellCount, fit.channels, fit.predictors)
    let j = map.grid.index(of: map.reference)
    for first in stride(from: 0, to: features.imageCount, by: Self.imagesPerBlock) {
      let images = first..<min(first + Self.imagesPerBlock, features.imageCount)
      let rows = try features.features(ofImages: images)
      func whitened(_ token: Int) -> Matrix {
        var block = Matrix(rows: images.count, columns: width)
        for i in 0..<images.count {
          for c in 0..<width {
            block[i, c] =
              Double(rows[(i * n + token) * width + c]) - whitening.mean[token * width + c]
          }
        }
        return whitening.factors[token].whiten(rows: block)
      }
      let reference = whitened(j)
      var norms = [[Double]](repeating: [], count: n)
      for (token, residual) in residuals.enumerated() {
        guard let residual else { continue }
        var rest = whitened(token).block(rows: 0..<images.count, columns: 0..<d)
        let predicted = reference.times(residual.correlation, transposed: true)
        for element in rest.elements.indices {
          rest.elements[element] -= predicted.elements[element]
        }
        norms[token] = residual.factor.whiten(rows: rest).squaredRowNorms
      }
      body(norms, reference.squaredRowNorms)
    }
  }

  /// Adds the losses of images that were not fitted to, by raster index.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·n·d²).
  func addLosses(of features: some TokenFeatures, to losses: inout [RunningMoments]) throws {
    let (d, divisor) = (Double(fit.channels), fit.predictiveDivisor)
    let starts = features.startsOfGroups
    var first = 0
    try forEachBlock(of: features) { tokens, reference in
      defer { first += reference.count }
      for (token, norms) in tokens.enumerated() {
        guard let expected = map.entropy[token]?.value else { continue }
        for (i, norm) in norms.enumerated() {
          losses[token].add(
            expected + 0.5 * (divisor * norm - d), startsGroup: starts[first + i])
        }
      }
    }
  }

  /// The influence of the images fitted to, as ``OrderFactorization/influence(of:)`` has it; by raster index.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·n·d²).
  func influence(of features: some TokenFeatures) throws -> [RunningMoments] {
    let m = Double(fit.imageCount)
    let scale = 0.5 * (m * fit.degreesOfFreedom).squareRoot()
    var result = [RunningMoments](repeating: RunningMoments(), count: map.entropy.count)
    let starts = features.startsOfGroups
    var first = 0
    try forEachBlock(of: features) { tokens, reference in
      defer { first += reference.count }
      for (token, norms) in tokens.enumerated() {
        for (i, norm) in norms.enumerated() {
          result[token].add(
            scale * norm / max(1 - 1 / m - reference[i], 1e-9), startsGroup: starts[first + i])
        }
      }
    }
    return result
  }
}

extension Matrix {
  /// The squared length of each row.
  var squaredRowNorms: [Double] {
    (0..<rows).map { i in
      var sum = 0.0
      for j in i * columns..<(i + 1) * columns { sum += elements[j] * elements[j] }
      return sum
    }
  }
}
