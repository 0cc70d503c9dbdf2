import Foundation
import LinearAlgebra
import Statistics
import Synchronization
import TokenData
import TokenGrids

/// The least-squares fits of tokens on reference tokens, with what each image contributes to them: whatever maps need beyond
/// moments.
///
/// Tokens are whitened once, Z = √m·L⁻¹(x − x̄), and stay in memory as far as that is cheap. A pair of tokens then takes
/// three short passes over its images: C = Σ Z_i·Z_jᵀ/m, the residuals Z_i − C·Z_j with their weighted scatter, and the
/// images' contributions. Numbers are single precision where residuals allow it, sums double.
struct MapPass<Number: PairNumber> {
  let grid: TokenGrid
  let imageCount: Int
  let name: String
  /// d, the first coordinates of a token, which are predicted; all `width` of them predict others.
  let channels: Int
  let width: Int
  let bound: EntropyBound
  let means: FittedMeans
  private let mean: [Double]
  let whitening: TokenWhitening
  /// √m·L⁻¹ of every token.
  private let transforms: [Matrix]
  /// What jitter and ridge have added to the scatter of a whitened token; nil where nothing has been added.
  let added: [Matrix]?
  private let largestTile: Int

  /// Whitens the tokens.
  ///
  /// - Parameters:
  ///   - features: The images fitted to.
  ///   - channels: d where tokens have more coordinates than channels.
  ///   - largestTile: The bytes that whitened tokens may take.
  /// - Throws: ``EstimationError`` for degenerate channels, and what reading the features throws.
  /// - Complexity: O(m·n·width²).
  init(
    fittedTo features: some TokenFeatures, channels: Int, bound: EntropyBound, jitter: Double,
    means: FittedMeans, largestTile: Int = 1 << 29
  ) throws {
    self.largestTile = largestTile
    let (n, width) = (features.grid.cellCount, features.featureDimensions)
    let marginals = try TokenMarginals(
      count: features.imageCount, width: width,
      shift: features.mean(
        ofRows: try features.features(ofImages: 0..<min(features.imageCount, 64))),
      rows: { try features.features(ofImages: $0) })
    let variances = addedVariances(
      to: marginals.scatter, channels: channels, jitter: jitter)
    var scatter = marginals.scatter
    for token in scatter.indices {
      for c in 0..<width { scatter[token][c, c] += variances[c] }
    }
    whitening = try TokenWhitening(
      marginal: scatter, grid: features.grid, imageCount: features.imageCount, name: features.name)
    let inverses = whitening.factors.map { factor -> Matrix in
      var inverse = factor.solveLower(Matrix.identity(width))
      for a in 0..<width {
        for b in a + 1..<max(width, a + 1) { inverse[a, b] = 0 }
      }
      return inverse
    }
    let scale = Double(features.imageCount).squareRoot()
    transforms = inverses.map { inverse in
      Matrix(rows: width, columns: width, elements: inverse.elements.map { scale * $0 })
    }
    if variances.contains(where: { $0 > 0 }) {
      let roots = variances.map { $0.squareRoot() }
      added = (0..<n).map { token in
        var scaled = inverses[token]
        for a in 0..<width {
          for b in 0..<width { scaled[a, b] *= roots[b] }
        }
        return scaled.timesTranspose().symmetricFromLower()
      }
    } else {
      added = nil
    }
    grid = features.grid
    imageCount = features.imageCount
    name = features.name
    self.channels = channels
    self.width = width
    self.bound = bound
    self.means = means
    mean = marginals.mean
  }

  func columns(
    of tokens: [Int], in features: some TokenFeatures
  ) throws -> TokenColumns<Number> {
    try TokenColumns(
      imageCount: features.imageCount, tokens: tokens, mean: mean,
      transforms: tokens.map { transforms[$0] }, rows: { try features.features(ofImages: $0) })
  }

  /// The targets and references that are in memory together: all where they fit, else a part of each.
  func tiles(images: Int, references: [Int]) -> (references: [[Int]], targets: [[Int]]) {
    let tokens = Array(0..<grid.cellCount)
    let bytes = TokenColumns<Number>.bytesPerToken(imageCount: images, width: width)
    if tokens.count * bytes <= largestTile { return ([references], [tokens]) }
    let size = max(largestTile / 2 / bytes, 1)
    func parts(_ all: [Int]) -> [[Int]] {
      stride(from: 0, to: all.count, by: size).map { Array(all[$0..<min($0 + size, all.count)]) }
    }
    return (parts(references), parts(tokens))
  }

  /// Calls `body` for every pair of a reference and a token, on all cores, with room of its own for each call's thread.
  func forEachPair(
    references: Int, targets: Int,
    progress: (Int) -> Void = { _ in },
    _ body: @Sendable (_ reference: Int, _ targets: Range<Int>) throws -> Void
  ) throws {
    // Enough pieces for all cores to end together, each long enough for its weights not to matter.
    let size = 32
    let pieces = (targets + size - 1) / size
    // A few references at a time, so that progress can be told.
    let together = max(256 / pieces, 1)
    try BLAS.onCallingThread {
      for first in stride(from: 0, to: references, by: together) {
        let count = min(together, references - first)
        try parallelFor(count * pieces) { piece in
          // A few tokens with all of these references, which together stay in the last-level cache.
          let start = piece / count * size
          try body(first + piece % count, start..<min(start + size, targets))
        }
        progress(first + count)
      }
    }
  }
}

extension Matrix {
  /// The symmetric matrix whose lower triangle this is.
  fileprivate consuming func symmetricFromLower() -> Matrix {
    for i in 0..<rows {
      for j in 0..<i { self[j, i] = self[i, j] }
    }
    return self
  }
}
