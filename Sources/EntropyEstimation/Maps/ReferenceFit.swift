import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// Least squares of all tokens on numbers of one of them, the reference: on its channels alone, and on its channels and random
/// functions of it.
///
/// One Cholesky factorisation of the predictors serves both, since the channels come first: the whitened predictors
/// z = L⁻¹(x − x̄) are uncorrelated, the first d of them span the channels, and what an image adds to its own prediction is
/// h = 1/m + |z|² for either.
struct ReferenceFit: Sendable {
  /// j, by raster index.
  let reference: Int
  /// The raster indices of the other tokens, in whose order residuals stand.
  let cells: [Int]
  /// d.
  let channels: Int
  /// The numbers that predict: d, or more with functions.
  let predictors: Int
  /// m.
  let imageCount: Int
  /// What is added to the variance of every coordinate, times m.
  let jitter: Double
  private let predictorMean: [Double]
  private let targetMean: [Double]
  private let factor: CholeskyFactor
  /// L⁻¹·Σ(x − x̄)(y − ȳ)ᵀ: predictors × (n − 1)·d.
  private let coefficients: Matrix
  private let predict: @Sendable (FloatMatrix) -> FloatMatrix

  /// Residuals of a block of images.
  struct Block {
    /// The numbers of the images of the block.
    let images: Range<Int>
    /// z, images × predictors.
    let whitened: Matrix
    /// Of the fit on the channels, images × (n − 1)·d.
    let linear: Matrix
    /// Of the fit on all predictors; the same where there are no more.
    let full: Matrix
  }

  /// Fits.
  ///
  /// - Parameters:
  ///   - jitter: ε of ε·tr(Σ)/D added to the diagonal of the covariance, D all channels of all tokens.
  ///   - predict: Makes the predictors, rows × p, from the reference's channels, rows × d, which come first.
  /// - Throws: ``EstimationError`` for too few images and degenerate channels, and what reading the features throws.
  /// - Complexity: O(m·p·(p + n·d)).
  init(
    reference: Int, fittedTo features: some TokenFeatures, of all: Int, jitter: Double = 0,
    predict: @escaping @Sendable (FloatMatrix) -> FloatMatrix = { $0 }
  ) throws {
    let (grid, d, m) = (features.grid, features.featureDimensions, features.imageCount)
    let n = grid.cellCount
    let first = try features.features(ofImages: 0..<min(m, 64))
    let centre = features.mean(ofRows: first)
    let cells = (0..<n).filter { $0 != reference }
    let sample = FloatMatrix(
      rows: 1, columns: d,
      elements: (0..<d).map { Float(centre[reference * d + $0]) })
    let predictorShift = predict(sample).elements.map(Double.init)
    let p = predictorShift.count
    try RequiredImages(features, dimensions: p).sufficeForPrediction(of: all, contextTokens: 1)
    let targetShift = cells.flatMap { cell in (0..<d).map { centre[cell * d + $0] } }
    var sums = (predictors: [Double](repeating: 0, count: p), targets: [Double]())
    sums.targets = targetShift.map { _ in 0 }
    var scatter = Matrix(rows: p, columns: p)
    var cross = Matrix(rows: p, columns: targetShift.count)
    var squares = [Double](repeating: 0, count: targetShift.count)
    try Self.forEachBlock(
      of: features, reference: reference, shift: (predictorShift, targetShift), predict
    ) { _, x, y in
      scatter.addScatter(ofRows: x)
      let products = x.transposed().times(y)
      for index in cross.elements.indices { cross.elements[index] += products.elements[index] }
      for index in x.elements.indices { sums.predictors[index % p] += x.elements[index] }
      for i in 0..<y.rows {
        for j in 0..<y.columns {
          let value = y.elements[i * y.columns + j]
          sums.targets[j] += value
          squares[j] += value * value
        }
      }
    }
    for a in 0..<p {
      for b in 0...a { scatter[a, b] -= sums.predictors[a] * sums.predictors[b] / Double(m) }
      for b in 0..<cross.columns {
        cross[a, b] -= sums.predictors[a] * sums.targets[b] / Double(m)
      }
    }
    for j in squares.indices {
      squares[j] -= sums.targets[j] * sums.targets[j] / Double(m)
      // What rounding leaves of a constant is no variance.
      guard squares[j] > 1e-20 * Double(m) * targetShift[j] * targetShift[j] || jitter > 0 else {
        throw EstimationError.constantChannel(
          source: features.name, cell: grid.cell(at: cells[j / d]), channel: j % d, images: m)
      }
    }
    for c in 0..<d where !(scatter[c, c] > 0) && jitter == 0 {
      throw EstimationError.constantChannel(
        source: features.name, cell: grid.cell(at: reference), channel: c, images: m)
    }
    let trace = (0..<d).reduce(squares.reduce(0, +)) { $0 + scatter[$1, $1] }
    self.jitter = jitter * trace / Double(n * d)
    let functions = (d..<p).reduce(0.0) { $0 + scatter[$1, $1] } / Double(max(p - d, 1))
    for a in 0..<p { scatter[a, a] += self.jitter + (a < d ? 0 : randomFeatureRidge * functions) }
    do {
      factor = try CholeskyFactor(ofLowerTriangle: scatter)
    } catch {
      throw EstimationError.dependentChannel(
        source: features.name, cell: grid.cell(at: reference), channel: min(error.index, d - 1),
        context: "the token's other channels")
    }
    coefficients = factor.solveLower(cross)
    predictorMean = zip(predictorShift, sums.predictors).map { $0 + $1 / Double(m) }
    targetMean = zip(targetShift, sums.targets).map { $0 + $1 / Double(m) }
    self.reference = reference
    self.cells = cells
    self.channels = d
    self.predictors = p
    imageCount = m
    self.predict = predict
  }

  private static let imagesPerBlock = 256

  /// Calls `body` with the predictors and the targets of a block of images at a time, less `shift`.
  private static func forEachBlock(
    of features: some TokenFeatures, reference: Int, shift: ([Double], [Double]),
    _ predict: (FloatMatrix) -> FloatMatrix, _ body: (Range<Int>, Matrix, Matrix) throws -> Void
  ) throws {
    let (n, d) = (features.grid.cellCount, features.featureDimensions)
    let (predictorShift, targetShift) = shift
    for start in stride(from: 0, to: features.imageCount, by: imagesPerBlock) {
      let images = start..<min(start + imagesPerBlock, features.imageCount)
      let values = try features.features(ofImages: images)
      var own = FloatMatrix(rows: images.count, columns: d)
      var targets = Matrix(rows: images.count, columns: targetShift.count)
      let before = reference * d
      for i in 0..<images.count {
        let row = i * n * d
        for c in 0..<d { own.elements[i * d + c] = values[row + before + c] }
        for j in targetShift.indices {
          targets.elements[i * targetShift.count + j] =
            Double(values[row + (j < before ? j : j + d)]) - targetShift[j]
        }
      }
      let predictors = predict(own)
      var rows = Matrix(rows: images.count, columns: predictors.columns)
      for index in rows.elements.indices {
        rows.elements[index] =
          Double(predictors.elements[index]) - predictorShift[index % predictors.columns]
      }
      try body(images, rows, targets)
    }
  }

  /// Calls `body` with the residuals of a block of images at a time.
  ///
  /// - Parameter leavingOut: Whether these are images that were fitted to, whose residuals are wanted as if each had been left
  ///   out: e/(1 − h).
  /// - Throws: What reading the features or `body` throws.
  /// - Complexity: O(images·p·n·d).
  func forEachBlock(
    of features: some TokenFeatures, leavingOut: Bool, _ body: (Block) throws -> Void
  ) throws {
    let (d, p) = (channels, predictors)
    try Self.forEachBlock(
      of: features, reference: reference, shift: (predictorMean, targetMean), predict
    ) { images, x, y in
      let z = factor.whiten(rows: x)
      func residuals(_ target: Matrix, _ columns: Range<Int>) -> Matrix {
        let predicted = z.block(rows: 0..<z.rows, columns: columns).times(
          coefficients.block(rows: columns, columns: 0..<coefficients.columns))
        var rest = target
        for index in rest.elements.indices { rest.elements[index] -= predicted.elements[index] }
        return rest
      }
      func leftOut(_ rest: Matrix, _ size: Int) -> Matrix {
        guard leavingOut else { return rest }
        var result = rest
        for i in 0..<rest.rows {
          let own = (0..<size).reduce(1 / Double(imageCount)) { $0 + z[i, $1] * z[i, $1] }
          let factor = 1 / max(1 - own, 1e-9)
          for j in i * rest.columns..<(i + 1) * rest.columns { result.elements[j] *= factor }
        }
        return result
      }
      let linear = residuals(y, 0..<d)
      let full = p > d ? residuals(linear, d..<p) : linear
      let alone = leftOut(linear, d)
      try body(
        Block(
          images: images, whitened: z, linear: alone, full: p > d ? leftOut(full, p) : alone))
    }
  }

  /// The products of (linear, full) residuals of every token with themselves, 2d × 2d, lower triangle.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·n·d·(p + d)).
  func products(of features: some TokenFeatures, leavingOut: Bool) throws -> [Matrix] {
    let d = channels
    var products = cells.map { _ in Matrix(rows: 2 * d, columns: 2 * d) }
    try forEachBlock(of: features, leavingOut: leavingOut) { block in
      for place in cells.indices {
        var rows = Matrix(rows: block.images.count, columns: 2 * d)
        for i in 0..<block.images.count {
          let first = i * block.linear.columns + place * d
          for c in 0..<d {
            rows.elements[i * 2 * d + c] = block.linear.elements[first + c]
            rows.elements[i * 2 * d + d + c] = block.full.elements[first + c]
          }
        }
        products[place].addScatter(ofRows: rows)
      }
    }
    for place in cells.indices {
      for c in 0..<d {
        for (a, b) in [(c, c), (d + c, c), (d + c, d + c)] { products[place][a, b] += jitter }
      }
    }
    return products
  }
}

/// The laws by which a held-out map with random functions scores new images.
///
/// Functions that explain little cost more by the errors of their coefficients than they gain: on photographs 64 of them
/// predict new images worse than a line does. As ``HeldOutLaw`` does for orders, each token therefore keeps the share α of
/// what they add that makes its leave-one-out residuals smallest, 0 ≤ α ≤ 1; only images fitted to have a say in it, so that
/// the bound remains an upper bound.
struct FunctionMap {
  private let fit: ReferenceFit
  /// α of each token besides the reference.
  let shares: [Double]
  private let laws: [HeldOutLaw.Law]

  /// Fits and takes the laws.
  ///
  /// - Throws: ``EstimationError`` for too few images and degenerate channels, and what reading the features throws.
  /// - Complexity: O(m·p·(p + n·d)).
  init(_ fit: ReferenceFit, fittedTo features: some TokenFeatures) throws {
    let d = fit.channels
    var (shares, laws) = ([Double](), [HeldOutLaw.Law]())
    for (place, own) in try fit.products(of: features, leavingOut: true).enumerated() {
      let (share, mixed) = HeldOutLaw.bestShare(own, channels: d)
      do {
        let factor = try CholeskyFactor(ofLowerTriangle: mixed)
        let divisor =
          ResidualFit(
            imageCount: fit.imageCount, channels: d, predictors: fit.predictors,
            effectivePredictors: Double(d) + share * Double(fit.predictors - d)
          ).leaveOneOutDivisor
        let constant = Double(d) * log(2 * .pi * M_E / divisor)
        laws.append(
          HeldOutLaw.Law(
            entropy: 0.5 * (constant + factor.logDeterminant), factor: factor, divisor: divisor))
        shares.append(share)
      } catch {
        let grid = features.grid
        throw EstimationError.dependentChannel(
          source: features.name, cell: grid.cell(at: fit.cells[place]), channel: error.index,
          context: "token \(grid.cell(at: fit.reference)) and the token's other channels")
      }
    }
    self.fit = fit
    self.shares = shares
    self.laws = laws
  }

  /// The losses ½log|2πΣ| + ½eᵀΣ⁻¹e of images that were not fitted to, by raster index and image; none of the reference.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·p·n·d).
  func losses(of features: some TokenFeatures) throws -> [[Double]] {
    let d = fit.channels
    var losses = [[Double]](repeating: [], count: features.grid.cellCount)
    try fit.forEachBlock(of: features, leavingOut: false) { block in
      for (place, law) in laws.enumerated() {
        var rows = Matrix(rows: block.images.count, columns: d)
        for i in 0..<block.images.count {
          for c in 0..<d {
            let index = i * block.linear.columns + place * d + c
            let linear = block.linear.elements[index]
            rows.elements[i * d + c] =
              linear + shares[place] * (block.full.elements[index] - linear)
          }
        }
        losses[fit.cells[place]] += law.factor.whiten(rows: rows).squaredRowNorms.map {
          law.entropy + 0.5 * (law.divisor * $0 - Double(d))
        }
      }
    }
    return losses
  }
}

/// The losses of images that a map is measured on, with the reference and without.
struct MeasuredLosses {
  private var conditional: [RunningMoments]
  private var marginal: [RunningMoments]
  private var information: [RunningMoments]

  init(cells: Int) {
    conditional = Array(repeating: RunningMoments(), count: cells)
    (marginal, information) = (conditional, conditional)
  }

  /// Adds an image's loss of a token given the reference, nil for the reference itself, and without it.
  mutating func add(_ loss: Double?, alone: Double, cell: Int, startsGroup: Bool) {
    marginal[cell].add(alone, startsGroup: startsGroup)
    guard let loss else { return }
    conditional[cell].add(loss, startsGroup: startsGroup)
    information[cell].add(alone - loss, startsGroup: startsGroup)
  }

  /// The map of the mean losses.
  func map(
    reference: GridCell, grid: TokenGrid, imageCount: Int, featureDimensions: Int,
    bound: EntropyBound
  ) -> ConditionalEntropyMap {
    let j = grid.index(of: reference)
    var map = ConditionalEntropyMap(
      reference: reference, grid: grid, marginal: marginal.map(\.estimate),
      information: information.enumerated().map { $0 == j ? nil : $1.estimate },
      entropyErrors: conditional.map(\.estimate.standardError), bound: bound,
      imageCount: imageCount, featureDimensions: featureDimensions)
    map.setKurtosis(variances: conditional.map { 4 * $0.variance })
    return map
  }
}

extension MapEstimator {
  /// The losses of images without any reference, by token and image: there is nothing to learn from, and the law of a token is
  /// that of least squares without predictors.
  static func marginalLosses(
    of measured: some TokenFeatures, fittedTo fitted: some TokenFeatures,
    _ settings: EstimationSettings
  ) throws -> [[Double]] {
    try MapPass<Double>(
      fittedTo: fitted, channels: fitted.featureDimensions, bound: settings.bound,
      jitter: settings.jitter, means: FittedMeans(imageCount: fitted.imageCount)
    ).marginalLosses(of: measured)
  }

  /// Held-out maps by least squares on the channels and random functions of each reference.
  static func functionMaps<Features: TokenFeatures>(
    references: [GridCell], of functions: RandomFeatures<Features>,
    _ settings: EstimationSettings
  ) throws -> [ConditionalEntropyMap] {
    let features = functions.base
    let grid = features.grid
    let split = try settings.split(of: features)
    var measured = references.map { _ in MeasuredLosses(cells: grid.cellCount) }
    for (index, part) in split.parts.enumerated() {
      let fitted = ImageSubset(of: features, images: split.fitted(besides: index))
      let heldOut = ImageSubset(of: features, images: part)
      let starts = heldOut.startsOfGroups
      let alone = try marginalLosses(of: heldOut, fittedTo: fitted, settings)
      for (place, reference) in references.enumerated() {
        let fit = try ReferenceFit(
          reference: grid.index(of: reference), fittedTo: fitted, of: features.imageCount,
          jitter: settings.jitter, predict: { functions.appended(to: $0) })
        let losses = try FunctionMap(fit, fittedTo: fitted).losses(of: heldOut)
        for cell in 0..<grid.cellCount {
          for image in alone[cell].indices {
            measured[place].add(
              losses[cell].isEmpty ? nil : losses[cell][image], alone: alone[cell][image],
              cell: cell, startsGroup: starts[image])
          }
        }
      }
    }
    return zip(references, measured).map { reference, losses in
      losses.map(
        reference: reference, grid: grid, imageCount: features.imageCount,
        featureDimensions: features.featureDimensions, bound: .heldOut)
    }
  }
}
