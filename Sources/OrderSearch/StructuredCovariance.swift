import EntropyEstimation
import LinearAlgebra
import TokenData
import TokenGrids

/// A covariance of all tokens that few images suffice for: that of the images, shrunk towards its average over translations.
///
/// The covariance of two tokens of photographs depends on where they lie from each other more than on where they lie.
/// A search that knew only the images' own covariance would find the steps whose dependence the images happen to hide; the
/// average over all pairs of tokens that lie the same way has hardly any noise. How much of it is taken is Ledoit and Wolf's
/// choice (2004): the noise of the images' covariance over its squared distance from the average, which is its projection.
public struct StructuredCovariance: Sendable {
  /// The grid.
  public let grid: TokenGrid
  /// d.
  public let featureDimensions: Int
  /// m.
  public let imageCount: Int
  /// The mean of n·d numbers, token by token in raster order.
  public let mean: [Double]
  /// (n·d) × (n·d), lower triangle.
  public let covariance: Matrix
  /// The share of the average over translations, 0 … 1.
  public let translationShare: Double
  /// The share of the mean variance that was added to the variances, because the rest was not positive definite; 0 else.
  public let ridge: Double

  /// Estimates it.
  ///
  /// - Parameters:
  ///   - features: The tokens.
  ///   - translationShare: The share of the average; nil for Ledoit and Wolf's choice.
  /// - Throws: ``EstimationError`` for too little memory and channels without variance; what reading the features throws.
  /// - Complexity: O(m·(n·d)²/2), and a factorisation of (n·d)³/3.
  public init(of features: some TokenFeatures, translationShare: Double? = nil) throws {
    let moments = try TokenMoments(of: features)
    try moments.requireVaryingChannels()
    let (d, m) = (moments.featureDimensions, Double(moments.imageCount))
    var sample = moments.scatter
    for i in sample.elements.indices { sample.elements[i] /= m }
    let average = Self.translationAverage(of: sample, grid: moments.grid, featureDimensions: d)
    var share = translationShare ?? 0
    if translationShare == nil {
      let fourth = try Self.fourthMoment(of: features, mean: moments.mean)
      let squares = sample.symmetricNorms.squares
      let noise = (fourth - squares) / m
      let distance = squares - average.symmetricNorms.squares
      share = distance > 0 ? min(max(noise / distance, 0), 1) : 1
    }
    var covariance = sample
    for i in 0..<covariance.rows {
      for j in 0...i {
        covariance[i, j] = (1 - share) * sample[i, j] + share * average[i, j]
      }
    }
    // Averages over as many pairs as there are need not be positive definite.
    let variance = covariance.symmetricNorms.trace / Double(covariance.rows)
    var ridge = 0.0
    while (try? CholeskyFactor(ofLowerTriangle: covariance, relativePivot: 1e-6)) == nil {
      let more = ridge == 0 ? 1e-3 : ridge
      for i in 0..<covariance.rows { covariance[i, i] += more * variance }
      ridge += more
    }
    grid = moments.grid
    featureDimensions = d
    imageCount = moments.imageCount
    mean = moments.mean
    self.covariance = covariance
    self.translationShare = share
    self.ridge = ridge
  }

  /// The mean over the images of |x − x̄|⁴: E‖xxᵀ‖².
  private static func fourthMoment(of features: some TokenFeatures, mean: [Double]) throws
    -> Double
  {
    var sum = 0.0
    for first in stride(from: 0, to: features.imageCount, by: 256) {
      let images = first..<min(first + 256, features.imageCount)
      let rows = try features.features(ofImages: images)
      rows.withUnsafeBufferPointer { rows in
        mean.withUnsafeBufferPointer { mean in
          for i in 0..<images.count {
            var square = 0.0
            for j in mean.indices {
              let centred = Double(rows[i * mean.count + j]) - mean[j]
              square += centred * centred
            }
            sum += square * square
          }
        }
      }
    }
    return sum / Double(features.imageCount)
  }

  /// The average of the covariances of all pairs of tokens that lie the same way from each other, lower triangle.
  ///
  /// - Complexity: O((n·d)²).
  static func translationAverage(
    of covariance: Matrix, grid: TokenGrid, featureDimensions d: Int
  ) -> Matrix {
    let (rows, columns) = (2 * grid.rows - 1, 2 * grid.columns - 1)
    let cells = (0..<grid.cellCount).map(grid.cell(at:))
    /// Of a token from an earlier one.
    func offset(_ k: Int, _ j: Int) -> Int {
      let (a, b) = (cells[k], cells[j])
      return ((a.frame - b.frame) * rows + a.row - b.row + grid.rows - 1) * columns
        + a.column - b.column + grid.columns - 1
    }
    let offsets = grid.frames * rows * columns
    var sums = [Double](repeating: 0, count: offsets * d * d)
    var counts = [Double](repeating: 0, count: offsets)
    var result = Matrix(rows: covariance.rows, columns: covariance.columns)
    covariance.elements.withUnsafeBufferPointer { elements in
      sums.withUnsafeMutableBufferPointer { sums in
        for k in cells.indices {
          for j in 0...k {
            let o = offset(k, j)
            counts[o] += 1
            for r in 0..<d {
              let from = (k * d + r) * covariance.columns + j * d
              for c in 0..<(j == k ? r + 1 : d) { sums[(o * d + r) * d + c] += elements[from + c] }
            }
          }
        }
      }
    }
    result.elements.withUnsafeMutableBufferPointer { elements in
      sums.withUnsafeBufferPointer { sums in
        for k in cells.indices {
          for j in 0...k {
            let o = offset(k, j)
            for r in 0..<d {
              let to = (k * d + r) * covariance.columns + j * d
              for c in 0..<(j == k ? r + 1 : d) {
                elements[to + c] = sums[(o * d + r) * d + c] / counts[o]
              }
            }
          }
        }
      }
    }
    return result
  }

  /// What every step of a sequence costs with this covariance.
  ///
  /// - Complexity: (n·d)³/3 and O(n²·d³), on all cores.
  public func costs(of sequence: [Int]) -> StepCosts {
    guard let costs = try? StepCosts(of: sequence, covariance: covariance) else {
      preconditionFailure("a covariance that was factored can be factored in another sequence")
    }
    return costs
  }
}
