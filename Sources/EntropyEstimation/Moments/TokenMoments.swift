import LinearAlgebra
import TokenData
import TokenGrids

/// The count, mean and scatter of the features of all tokens: all that a linear regressor needs to know of the data.
///
/// Coordinates are numbered token by token in raster order: token k's channel c is coordinate k·d + c. Moments of
/// disjoint sets of images merge exactly, so they may be accumulated anywhere.
public struct TokenMoments: Sendable {
  /// What the features come from, for messages.
  public let name: String
  /// The grid the tokens stand on; n = `grid.cellCount`.
  public let grid: TokenGrid
  /// d.
  public let featureDimensions: Int
  /// m, the number of images.
  public private(set) var imageCount: Int
  /// x̄, of n·d numbers.
  public private(set) var mean: [Double]
  /// Σ (x − x̄)(x − x̄)ᵀ, (n·d) × (n·d), lower triangle.
  public private(set) var scatter: Matrix
  /// ε of the `--jitter ε` that was added to the diagonal; 0 when nothing was added.
  public private(set) var jitter = 0.0
  /// C, how many means were taken off: 1, or one for each class.
  public private(set) var meanCount = 1
  /// κ of a ridge, which stands on the diagonal of the scatter; 0 without one.
  private(set) var penalty = 0.0

  /// Σ y² of each coordinate, where y is what was multiplied in single precision: sums of products are rounded by about
  /// 10⁻⁹ of it. Nil when all was double precision.
  package private(set) var roundingScale: [Double]?

  /// How products of features are summed.
  public enum Precision: Sendable {
    /// In single precision over short runs of images, and those in double precision (`ScatterSum`), of what
    /// neighbouring tokens do not predict (`BlockPrediction`): without the prediction, rounding alone moves the joint
    /// entropy of 4,608 coordinates by 2·10⁻⁵ nats; with it, by less than 10⁻⁶.
    case mixed
    /// In double precision throughout (`dsyrk`); two thirds as fast.
    case double
  }

  /// Takes over sums that were made elsewhere.
  ///
  /// - Parameters:
  ///   - meanCount: C, how many means were taken off.
  ///   - mean: n·d numbers.
  ///   - scatter: (n·d) × (n·d), lower triangle.
  ///   - roundingScale: Of sums in mixed precision; nil for those in double precision.
  package init(
    name: String, grid: TokenGrid, featureDimensions: Int, imageCount: Int, meanCount: Int = 1,
    mean: [Double], scatter: Matrix, roundingScale: [Double]?
  ) {
    let numbers = grid.cellCount * featureDimensions
    precondition(
      mean.count == numbers && scatter.rows == numbers && scatter.columns == numbers,
      "a mean and a scatter of n·d numbers")
    (self.name, self.grid, self.featureDimensions) = (name, grid, featureDimensions)
    (self.imageCount, self.meanCount) = (imageCount, meanCount)
    (self.mean, self.scatter, self.roundingScale) = (mean, scatter, roundingScale)
  }

  /// The moments of features whose channels were divided by powers of two, as those of the features themselves.
  ///
  /// - Parameter units: One for each channel.
  package mutating func multiply(byUnits units: [Double]) {
    precondition(units.count == featureDimensions, "a unit for each channel")
    for i in mean.indices {
      let unit = units[i % featureDimensions]
      mean[i] *= unit
      roundingScale?[i] *= unit * unit
      for j in 0...i { scatter[i, j] *= unit * units[j % featureDimensions] }
    }
  }

  /// Accumulates the moments of a run of images, all of them by default.
  ///
  /// - Parameters:
  ///   - features: The tokens.
  ///   - images: Which images; all by default.
  ///   - precision: How products are summed.
  ///   - progress: Told how many images have been read.
  /// - Throws: ``EstimationError/tooLittleMemory(source:_:largestFeatureDimensions:channels:)``, and what reading the features
  ///   throws.
  /// - Complexity: O(m·(n·d)²/2), on all cores; (n·d)² numbers of memory.
  public init(
    of features: some TokenFeatures, images: Range<Int>? = nil, precision: Precision = .mixed,
    progress: (Int) -> Void = { _ in }
  ) throws {
    try MomentsMemory.ofSums.require(for: features)
    let images = images ?? 0..<features.imageCount
    let sample = try features.spreadSample(of: images)
    let shift = features.mean(ofRows: sample)
    let rows: @Sendable (Range<Int>) throws -> [Float] = {
      try features.features(
        ofImages: images.lowerBound + $0.lowerBound..<images.lowerBound + $0.upperBound)
    }
    name = features.name
    grid = features.grid
    featureDimensions = features.featureDimensions
    imageCount = images.count
    meanCount = features.meanCount
    switch precision {
    case .mixed:
      let prediction = BlockPrediction(
        fittedTo: sample, shift: shift, parents: features.grid.earlierNeighbours,
        blockSize: features.featureDimensions)
      var sum = ScatterSum(shift: Array(repeating: 0, count: shift.count))
      try sum.add(
        count: images.count, rows: { prediction.residuals(ofRows: try rows($0)) },
        progress: progress)
      mean = prediction.undone(mean: sum.mean)
      // Each takes over the memory of the one before.
      let residuals = (consume sum).aboutMean()
      roundingScale = residuals.diagonal
      scatter = prediction.undone(scatter: consume residuals)
    case .double:
      var sum = DoubleScatterSum(shift: shift)
      try sum.add(count: images.count, rows: rows, progress: progress)
      mean = sum.mean
      scatter = (consume sum).aboutMean()
    }
  }

  /// Adds the moments of other images: δ = x̄_b − x̄_a, W = W_a + W_b + δδᵀ·m_a·m_b/(m_a + m_b) (Chan, Golub and LeVeque,
  /// 1983).
  ///
  /// - Throws: ``EstimationError/incompatibleMoments(first:second:)`` if grids or feature dimensions differ.
  /// - Complexity: O((n·d)²).
  public mutating func merge(_ other: TokenMoments) throws(EstimationError) {
    guard grid == other.grid, featureDimensions == other.featureDimensions else {
      throw .incompatibleMoments(first: name, second: other.name)
    }
    guard other.imageCount > 0 else { return }
    let total = Double(imageCount + other.imageCount)
    let weight = Double(imageCount) * Double(other.imageCount) / total
    let delta = zip(other.mean, mean).map { $0 - $1 }
    for i in delta.indices {
      for j in 0...i { scatter[i, j] += other.scatter[i, j] + weight * delta[i] * delta[j] }
      mean[i] += delta[i] * Double(other.imageCount) / total
    }
    imageCount += other.imageCount
    meanCount = max(meanCount, other.meanCount)
    if let scale = other.roundingScale {
      roundingScale = roundingScale.map { zip($0, scale).map(+) } ?? scale
    }
  }

  /// Computes something from mixed-precision moments of `features`, and again from double-precision ones if the first turn
  /// out not to resolve it: if a channel is all but determined by others, or its squares vanish.
  ///
  /// - Parameters:
  ///   - jitter: ε of ``addJitter(_:)``; 0 adds nothing.
  ///   - progress: Told how many images have been read.
  ///   - body: What to compute. It may change the moments, of which there is then still no second copy.
  /// - Throws: What reading the features or `body` throws.
  public static func withSufficientPrecision<Result>(
    of features: some TokenFeatures, jitter: Double = 0, progress: (Int) -> Void = { _ in },
    _ body: (inout TokenMoments) throws -> Result
  ) throws -> Result {
    func compute(_ precision: Precision) throws -> Result {
      var moments = try TokenMoments(of: features, precision: precision, progress: progress)
      if jitter > 0 { moments.addJitter(jitter) }
      return try body(&moments)
    }
    do {
      return try compute(.mixed)
    } catch EstimationError.insufficientPrecision, EstimationError.constantChannel {
      // Squares of single precision may have vanished; of a channel that is the same in all images those of double say so too.
      return try compute(.double)
    }
  }

  /// Adds ε·tr(Σ)/D to the diagonal of the covariance Σ of D numbers, so that degenerate data can be factored.
  ///
  /// The result says so in ``jitter``; whoever prints a number must print it too.
  /// - Complexity: O(n·d).
  public mutating func addJitter(_ epsilon: Double) {
    let trace = mean.indices.reduce(0.0) { $0 + scatter[$1, $1] }
    for i in mean.indices { scatter[i, i] += epsilon * trace / Double(mean.count) }
    jitter += epsilon
  }

  /// Makes the regressions that are read off a factor ridge regressions, with the penalty λ·tr(Σ)/D for the squares of the
  /// coefficients.
  ///
  /// - Complexity: O(n·d).
  mutating func addPenalty(_ share: Double) {
    let trace = mean.indices.reduce(0.0) { $0 + scatter[$1, $1] }
    penalty = share * trace / Double(mean.count)
    for i in mean.indices { scatter[i, i] += penalty }
  }

  /// λ of the penalty that was added; nil without one.
  var ridge: Double? {
    guard penalty > 0 else { return nil }
    let trace = mean.indices.reduce(0.0) { $0 + scatter[$1, $1] - penalty }
    return penalty * Double(mean.count) / trace
  }

  /// λ of the ridge whose regressions have the coefficients of Ledoit and Wolf's shrunken covariance (1 − ρ)Σ + ρ·tr(Σ)/D,
  /// λ = ρ/(1 − ρ), with ρ = min(1, Σᵢ‖xᵢxᵢᵀ − Σ‖²/(m²·‖Σ − tr(Σ)/D‖²)), which estimates the ρ nearest to the true covariance
  /// (Ledoit and Wolf, 2004).
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·n·d).
  func ledoitWolfRidge(of features: some TokenFeatures) throws -> Double {
    let (m, size) = (Double(imageCount), Double(mean.count))
    var fourth = 0.0
    for start in stride(from: 0, to: features.imageCount, by: 256) {
      let rows = try features.features(
        ofImages: start..<min(start + 256, features.imageCount))
      var square = 0.0
      for (index, value) in rows.enumerated() {
        let centred = Double(value) - mean[index % mean.count]
        square += centred * centred
        if index % mean.count == mean.count - 1 {
          fourth += square * square
          square = 0
        }
      }
    }
    let norms = scatter.symmetricNorms
    let (squares, average) = (norms.squares / (m * m), norms.trace / (m * size))
    let noise = (fourth / m - squares) / m
    let spread = squares - size * average * average
    // All of it would leave nothing to regress on.
    let intensity = min(max(spread > 0 ? noise / spread : 1, 0), 0.999)
    return intensity / (1 - intensity)
  }

  /// Adds a share of their mean variance to the variances of the coordinates that a regressor has added to the channels, as
  /// independent noise on them would: functions that are constant or coincide at a token can then be factored. Noise on a
  /// predictor can only weaken it, so entropies are raised by it if anything.
  mutating func addRidge(_ share: Double, toCoordinatesFrom channels: Int) {
    let added = mean.indices.filter { $0 % featureDimensions >= channels }
    guard !added.isEmpty else { return }
    let variance = added.reduce(0.0) { $0 + scatter[$1, $1] } / Double(added.count)
    for i in added { scatter[i, i] += share * variance }
  }

  /// The cell and channel of a coordinate.
  func place(ofCoordinate index: Int) -> (cell: GridCell, channel: Int) {
    (grid.cell(at: index / featureDimensions), index % featureDimensions)
  }

  /// Refuses channels that are the same in all images.
  package func requireVaryingChannels() throws(EstimationError) {
    for i in mean.indices where !(scatter[i, i] > 0) || scatter[i, i].isInfinite {
      let (cell, channel) = place(ofCoordinate: i)
      // Where channels are far apart, squares of single precision overflow.
      if roundingScale != nil, !scatter[i, i].isFinite {
        throw .insufficientPrecision(source: name, cell: cell, channel: channel)
      }
      throw .constantChannel(source: name, cell: cell, channel: channel, images: imageCount)
    }
  }
}

extension TokenFeatures {
  /// The features of some images spread evenly over `images`, row-major; enough to predict a token from its neighbours.
  ///
  /// Files are sorted by class as often as not, so the first images are no fair sample.
  func spreadSample(of images: Range<Int>) throws -> [Float] {
    let runLength = 16
    let wanted = max(1024, 16 * featureDimensions)
    guard images.count > wanted else { return try features(ofImages: images) }
    let runs = wanted / runLength
    return try (0..<runs).flatMap { run in
      let first = images.lowerBound + run * (images.count - runLength) / max(runs - 1, 1)
      return try features(ofImages: first..<first + runLength)
    }
  }

  /// The mean of some rows of features, n·d numbers.
  func mean(ofRows rows: [Float]) -> [Double] {
    let columns = grid.cellCount * featureDimensions
    let count = rows.count / columns
    var sums = [Double](repeating: 0, count: columns)
    rows.withUnsafeBufferPointer { rows in
      sums.withUnsafeMutableBufferPointer { sums in
        for i in 0..<count {
          for j in 0..<columns { sums[j] += Double(rows[i * columns + j]) }
        }
      }
    }
    return sums.map { $0 / Double(max(count, 1)) }
  }
}

extension TokenGrid {
  /// For each cell its neighbours in the frame before, the row above and the column to the left, as far as they exist:
  /// all have lower raster indices.
  var earlierNeighbours: [[Int]] {
    rasterCells.map { cell in
      var neighbours: [Int] = []
      if cell.frame > 0 { neighbours.append(index(of: cell) - rows * columns) }
      if cell.row > 0 { neighbours.append(index(of: cell) - columns) }
      if cell.column > 0 { neighbours.append(index(of: cell) - 1) }
      return neighbours
    }
  }
}

extension TokenGrid {
  /// The largest w for which the tokens within w rows, columns and frames of any target, the target not counted, are at most
  /// so many; nil if there is none, or if all tokens are as many.
  func largestWindow(tokens: Int) -> Int? {
    func size(_ window: Int) -> Int {
      let side = 2 * window + 1
      return min(side, rows) * min(side, columns) * min(side, frames) - 1
    }
    guard size(1) <= tokens, cellCount - 1 > tokens else { return nil }
    var window = 1
    while size(window + 1) <= tokens { window += 1 }
    return window
  }
}
