import EntropyEstimation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// A covariance of all tokens that few images suffice for: that of the images, shrunk towards its average over translations.
///
/// The covariance of two tokens of photographs depends on where they lie from each other more than on where they lie.
/// A search that knew only the images' own covariance would find the steps whose dependence the images happen to hide; the
/// average over all pairs of tokens that lie the same way has hardly any noise. The most of it is taken that the images allow: a
/// Gaussian law fitted to four fifths of them gives the others a likelihood that is not less than with any other share by more than
/// its standard error.
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
  ///   - translationShare: The share of the average; nil for the most that the images allow.
  ///   - seed: Of the images that tell the likelihood.
  /// - Throws: ``EstimationError`` for too little memory and channels without variance; what reading the features throws.
  /// - Complexity: O(m·(n·d)²/2), and some factorisations of (n·d)³/3.
  public init(of features: some TokenFeatures, translationShare: Double? = nil, seed: UInt64 = 0)
    throws
  {
    try Self.memory.require(for: features)
    let share =
      try translationShare
      ?? Self.largestShare(of: features, seed: seed)
    let sums = try Sums(features)
    (covariance, ridge) = sums.mixed(share)
    grid = features.grid
    featureDimensions = features.featureDimensions
    imageCount = features.imageCount
    mean = sums.mean
    self.translationShare = share
  }

  /// Estimates it from sums over images.
  ///
  /// - Parameters:
  ///   - moments: Sums of the images that are fitted to.
  ///   - others: Images that are not among them, which tell the share of the average; given the class, with the means of their
  ///     classes taken off.
  ///   - translationShare: The share of the average; nil for the most that the others allow.
  /// - Throws: `EstimationError` for channels without variance; what reading the images throws.
  /// - Complexity: some factorisations of (n·d)³/3.
  init(
    of moments: TokenMoments, judgedBy others: some TokenFeatures, translationShare: Double?,
    isGivenClass: Bool
  ) throws {
    let sums = try Sums(moments)
    func judged(_ others: some TokenFeatures) throws -> Double {
      // Some hundred images tell shares apart.
      try Self.largestShare(
        sums,
        ImageSubset(of: others, images: Array(0..<min(others.imageCount, Self.judgeCount))))
    }
    let share =
      try translationShare ?? (isGivenClass ? judged(ClassCentred(others)) : judged(others))
    (covariance, ridge) = sums.mixed(share)
    grid = moments.grid
    featureDimensions = moments.featureDimensions
    imageCount = moments.imageCount
    mean = sums.mean
    self.translationShare = share
  }

  /// How many images tell the share at most.
  private static let judgeCount = 1000

  /// The images' covariance, its average, a mixture of them and that one's factor.
  static let memory = MomentsMemory(copies: 4)

  /// The shares that are tried.
  static let shares = [1, 0.98, 0.95, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02]

  /// The largest share of the average with which four fifths of the images do not give the others less likelihood than with the
  /// best share, by more than its standard error.
  private static func largestShare(of features: some TokenFeatures, seed: UInt64) throws
    -> Double
  {
    let split = ImageSplit(
      imageCount: features.imageCount, fraction: 0.2, seed: seed, groups: features.imageGroups)
    let fitted = try Sums(ImageSubset(of: features, images: split.fitted(besides: 0)))
    // Some hundred images tell shares apart.
    return try largestShare(
      fitted, ImageSubset(of: features, images: Array(split.parts[0].prefix(judgeCount))))
  }

  /// The same, of sums and of other images.
  private static func largestShare(
    _ fitted: Sums, _ others: some TokenFeatures
  ) throws -> Double {
    var tried: [(share: Double, losses: [Double], mean: Double)] = []
    for share in shares {
      // Averages over as many pairs as there are need not be positive definite.
      guard let factor = fitted.factor(share) else { continue }
      var losses: [Double] = []
      for first in stride(from: 0, to: others.imageCount, by: 256) {
        let images = first..<min(first + 256, others.imageCount)
        let rows = try others.features(ofImages: images)
        let centred = Matrix(
          rows: images.count, columns: fitted.mean.count,
          elements: rows.indices.map { Double(rows[$0]) - fitted.mean[$0 % fitted.mean.count] })
        losses += factor.whiten(rows: centred).squaredRowNorms.map {
          0.5 * (factor.logDeterminant + $0)
        }
      }
      let mean = losses.reduce(0, +) / Double(losses.count)
      tried.append((share, losses, mean))
      // From the whole average down to the first share that is worse: where the likelihood has several peaks, searches
      // want the one with least of the images' own noise.
      if mean > tried.map(\.mean).min() ?? mean { break }
    }
    guard let best = tried.min(by: { $0.mean < $1.mean }) else { return 1 }
    let photographs = Photographs(others.imageGroups, imageCount: others.imageCount)
    for one in tried where one.share > best.share {
      var difference = RunningMoments()
      for images in photographs.images {
        for (i, image) in images.enumerated() {
          difference.add(one.losses[image] - best.losses[image], startsGroup: i == 0)
        }
      }
      let estimate = difference.estimate
      if estimate.value <= estimate.standardError { return one.share }
    }
    return best.share
  }

  /// The covariance of some images and its average.
  private struct Sums {
    let mean: [Double]
    private let sample: Matrix
    private let average: Matrix

    init(_ features: some TokenFeatures) throws { try self.init(TokenMoments(of: features)) }

    init(_ moments: consuming TokenMoments) throws {
      try moments.requireVaryingChannels()
      mean = moments.mean
      let (grid, d) = (moments.grid, moments.featureDimensions)
      let freedom = Double(max(moments.imageCount - moments.meanCount, 1))
      // Taken out of the moments, so that it is not copied.
      var sample = (consume moments).scatter
      for i in sample.elements.indices { sample.elements[i] /= freedom }
      self.sample = sample
      average = StructuredCovariance.translationAverage(
        of: sample, grid: grid, featureDimensions: d)
    }

    /// The mixture's factor; nil where it is not positive definite.
    func factor(_ share: Double) -> CholeskyFactor? {
      try? CholeskyFactor(ofLowerTriangle: mixture(share), relativePivot: smallestPivot)
    }

    /// The mixture, and the share of the mean variance that was added to make it positive definite.
    func mixed(_ share: Double) -> (Matrix, ridge: Double) {
      var covariance = mixture(share)
      let variance = covariance.symmetricNorms.trace / Double(covariance.rows)
      var ridge = 0.0
      while true {
        // What is barely positive definite would make of noise the surest of predictions.
        let pivot = ridge > 0 ? 100 * smallestPivot : smallestPivot
        if (try? CholeskyFactor(ofLowerTriangle: covariance, relativePivot: pivot)) != nil {
          return (covariance, ridge)
        }
        let more = ridge == 0 ? 1e-3 : ridge
        for i in 0..<covariance.rows { covariance[i, i] += more * variance }
        ridge += more
      }
    }

    private func mixture(_ share: Double) -> Matrix {
      var covariance = sample
      for i in covariance.elements.indices {
        covariance.elements[i] =
          (1 - share) * sample.elements[i] + share * average.elements[i]
      }
      return covariance
    }

    /// The least share of a number's variance that those before it may leave.
    private var smallestPivot: Double { 1e-5 }
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
