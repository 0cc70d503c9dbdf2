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
  private let grid: TokenGrid
  private let imageCount: Int
  private let name: String
  /// d, the first coordinates of a token, which are predicted; all `width` of them predict others.
  private let channels: Int
  private let width: Int
  private let bound: EntropyBound
  private let means: FittedMeans
  private let mean: [Double]
  private let whitening: TokenWhitening
  /// √m·L⁻¹ of every token.
  private let transforms: [Matrix]
  /// What jitter and ridge have added to the scatter of a whitened token; nil where nothing has been added.
  private let added: [Matrix]?
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

  private func columns(
    of tokens: [Int], in features: some TokenFeatures
  ) throws -> TokenColumns<Number> {
    try TokenColumns(
      imageCount: features.imageCount, tokens: tokens, mean: mean,
      transforms: tokens.map { transforms[$0] }, rows: { try features.features(ofImages: $0) })
  }

  /// The targets and references that are in memory together: all where they fit, else a part of each.
  private func tiles(images: Int, references: [Int]) -> (references: [[Int]], targets: [[Int]]) {
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
  private func forEachPair(
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

// MARK: One fit

extension MapPass {
  /// The logarithm of the determinant of a residual scatter, as a share of the token's own, and what whitens residuals by it.
  private struct Fit {
    var logDeterminant = 0.0
    var transform: Matrix
    /// Whether the first weights gave no scatter at all.
    var isFallback = false
  }

  /// Factors a sum of products of residuals of whitened tokens.
  ///
  /// - Parameters:
  ///   - sum: Σ w·r·rᵀ, lower triangle, where Σ Z·Zᵀ is m.
  ///   - addition: What jitter and ridge have added to the residual scatter.
  ///   - inflation: What the sum is on average over the scatter of the residuals.
  /// - Returns: Nil where it is not positive definite.
  private func factored(_ sum: Matrix, addition: Matrix?, inflation: Double) -> CholeskyFactor? {
    var share = sum
    for a in 0..<channels {
      for b in 0...a {
        share[a, b] = share[a, b] / Double(imageCount) + inflation * (addition?[a, b] ?? 0)
      }
    }
    return try? CholeskyFactor(ofLowerTriangle: share)
  }

  /// The least share of a token's own variance that is told from rounding: residuals of whitened tokens are rounded by
  /// 10⁻⁷ or 10⁻¹⁶, and their variance by the square of that; below ten times the former the entropy would be off by more
  /// than 10⁻⁷ nats.
  private static var smallestShare: Double { Number.self == Double.self ? 1e-12 : 1e-7 }

  /// The fit of a residual scatter.
  ///
  /// - Throws: ``EstimationError`` for a channel of which nothing is left.
  private func fit(
    _ factor: CholeskyFactor, token: Int, given reference: Int?, isFallback: Bool = false
  ) throws -> Fit {
    for c in 0..<channels where factor.lower[c, c] * factor.lower[c, c] < Self.smallestShare {
      throw Number.self == Double.self
        ? dependence(of: token, channel: c, on: reference)
        : EstimationError.insufficientPrecision(
          source: name, cell: grid.cell(at: token), channel: c)
    }
    return Fit(
      logDeterminant: factor.logDeterminant,
      transform: factor.solveLower(Matrix.identity(channels)), isFallback: isFallback)
  }

  private func dependence(of token: Int, channel: Int, on reference: Int?) -> EstimationError {
    guard let reference else {
      return .dependentChannel(
        source: name, cell: grid.cell(at: token), channel: channel,
        context: "the token's other channels")
    }
    return whitening.dependence(of: token, channel: channel, on: grid.cell(at: reference))
  }

  /// What jitter and ridge have added to a token's residual scatter: their own part, and that of the prediction C·Z_j.
  private func addition(to token: Int, given reference: Int?, _ coefficients: Matrix?) -> Matrix? {
    guard let added else { return nil }
    var result = added[token].block(rows: 0..<channels, columns: 0..<channels)
    if let reference, let coefficients {
      let predicted = coefficients.times(added[reference]).times(coefficients, transposed: true)
      for index in result.elements.indices { result.elements[index] += predicted.elements[index] }
    }
    return result
  }

  /// Weights of every image as the passes read them.
  private struct Weights: Sendable {
    /// Those of the scatter, and those of the contributions.
    let scatter: [Number]
    let contributions: [Number]
    /// For a scatter that is not positive definite with the first.
    let fallback: [Number]
  }

  /// - Parameter squaredNorms: Of the reference's Z; nil without a reference.
  private func weights(squaredNorms: [Double]?) -> Weights {
    let leverages = MapWeights(
      means, squaredNorms: squaredNorms?.map { $0 / Double(imageCount) }, imageCount: imageCount,
      predictors: squaredNorms == nil ? 0 : width)
    let simple = PairResiduals<Number>.padded(leverages.simple)
    guard bound == .debiased else {
      let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: imageCount))
      return Weights(scatter: ones, contributions: simple, fallback: ones)
    }
    let minque = PairResiduals<Number>.padded(leverages.minque)
    return Weights(scatter: minque, contributions: minque, fallback: simple)
  }

  /// Fits the residuals that `pair` holds, whose weighted scatter is `sum`, and takes the images' contributions to the entropy
  /// ½·m·w·uᵀS⁻¹u, or ½·ν·uᵀu/(1 − h) for the closed forms.
  private func evaluate(
    _ pair: inout PairResiduals<Number>, _ sum: Matrix, addition: Matrix?, weights: Weights,
    sizes: ResidualFit, token: Int, given reference: Int?
  ) throws -> (entropy: Double, isFallback: Bool) {
    let inflation = bound == .debiased ? Double(imageCount) / sizes.degreesOfFreedom : 1
    var isFallback = false
    var factor = factored(sum, addition: addition, inflation: inflation)
    if factor == nil, bound == .debiased {
      isFallback = true
      factor = factored(
        pair.scatter(weights: weights.fallback), addition: addition, inflation: inflation)
    }
    guard let factor else {
      throw Number.self == Double.self
        ? dependence(of: token, channel: channels - 1, on: reference)
        : EstimationError.insufficientPrecision(
          source: name, cell: grid.cell(at: token), channel: channels - 1)
    }
    let fit = try fit(factor, token: token, given: reference, isFallback: isFallback)
    pair.setContributions(
      transform: fit.transform, weights: isFallback ? weights.fallback : weights.contributions,
      scale: bound == .debiased ? 0.5 : 0.5 * sizes.degreesOfFreedom / Double(imageCount))
    let logDeterminant =
      whitening.factors[token].logDeterminant(ofLeading: channels) + fit.logDeterminant
      - Double(channels) * log(inflation)
    return (bound.entropy(logDeterminant: logDeterminant, sizes), isFallback)
  }
}

// MARK: Maps of in-sample bounds

extension MapPass {
  /// What a pair of tokens comes to.
  private struct PairResult: Sendable {
    var entropy = 0.0
    var standardError = 0.0
    var informationError = 0.0
    /// Of the images' contributions.
    var variance = 0.0
    var isFallback = false
  }

  /// H(v_i) of a token, and what each image contributes to it.
  private struct Marginal: Sendable {
    var estimate = Estimate(value: 0, standardError: 0)
    var contributions: [Number] = []
    var isFallback = false
  }

  /// The maps of some references, with errors from the images.
  ///
  /// - Parameter features: The images fitted to.
  /// - Throws: ``EstimationError`` for dependent channels, ``EstimationError/insufficientPrecision(source:cell:channel:)`` where
  ///   the numbers do not resolve a residual, and what reading the features throws.
  /// - Complexity: O(m·n·d²·references), on all cores.
  func maps(
    references: [GridCell], of features: some TokenFeatures,
    progress: (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    let n = grid.cellCount
    let (m, places) = (imageCount, references.map(grid.index(of:)))
    let sizes = means.fit(channels: channels, predictors: width)
    let inflation = (Double(m) / sizes.degreesOfFreedom).squareRoot()
    let independence = sizes.independenceVariance
    let runs = ImageRuns(startsRun: features.startsOfGroups)
    let store = Mutex([PairResult](repeating: PairResult(), count: references.count * n))
    var marginals = [Marginal](repeating: Marginal(), count: n)
    let tiles = tiles(images: m, references: places)
    for targets in tiles.targets {
      let columns = try columns(of: targets, in: features)
      let own = try tokenMarginals(of: targets, columns, runs)
      for (token, marginal) in zip(targets, own) { marginals[token] = marginal }
      var first = 0
      for part in tiles.references {
        let others =
          tiles.targets.count == 1 ? columns : try self.columns(of: part, in: features)
        let start = first
        try forEachPair(
          references: part.count, targets: targets.count,
          progress: { done in
            if tiles.targets.count == 1 { progress(.mapping(done, of: references.count)) }
          }
        ) { reference, range in
          let j = part[reference]
          let place = tiles.targets.count == 1 ? j : reference
          let weights = weights(
            squaredNorms: others.squaredNorms(of: place))
          var pair = PairResiduals<Number>(imageCount: m, channels: channels)
          var results = [PairResult](repeating: PairResult(), count: range.count)
          for target in range where targets[target] != j {
            var coefficients = pair.products(of: target, in: columns, with: place, in: others)
            for index in coefficients.elements.indices {
              coefficients.elements[index] /= Double(m)
            }
            let sum = pair.setResiduals(
              of: target, in: columns, given: place, in: others, coefficients: coefficients,
              weights: weights.scatter)
            let value = try evaluate(
              &pair, sum, addition: addition(to: targets[target], given: j, coefficients),
              weights: weights, sizes: sizes, token: targets[target], given: j)
            let spread = pair.spread(
              about: 0.5 * Double(channels), baseline: own[target].contributions, groups: runs)
            let error = spread.difference.standardError * inflation
            results[target - range.lowerBound] = PairResult(
              entropy: value.entropy + noiseCorrection(spread.own, sizes),
              standardError: spread.own.standardError * inflation,
              // Where tokens are independent the difference is a quadratic in the fit's own error, whose spread comes
              // out twice as large as it is.
              informationError: max(error * error - independence, independence).squareRoot(),
              variance: spread.own.variance, isFallback: value.isFallback)
          }
          store.withLock { store in
            let offset = (start + reference) * n
            for (target, result) in zip(range, results) { store[offset + targets[target]] = result }
          }
        }
        first += part.count
      }
      for token in targets { marginals[token].contributions = [] }
    }
    let results = store.withLock(\.self)
    return references.enumerated().map { index, reference in
      let pairs = results[index * n..<(index + 1) * n]
      let j = places[index]
      var map = ConditionalEntropyMap(
        reference: reference, grid: grid, marginal: marginals.map(\.estimate),
        information: pairs.enumerated().map { i, pair in
          i == j
            ? nil
            : Estimate(
              value: marginals[i].estimate.value - pair.entropy,
              standardError: pair.informationError)
        }, entropyErrors: pairs.map(\.standardError), bound: bound, imageCount: m,
        featureDimensions: channels)
      map.setKurtosis(variances: pairs.map { 4 * $0.variance })
      map.fallbackCount =
        pairs.count(where: \.isFallback) + marginals.count(where: \.isFallback)
      return map
    }
  }

  /// What the noise of a weighted scatter leaves to be added to an entropy; nothing for the closed forms.
  private func noiseCorrection(_ influences: SpreadSums, _ sizes: ResidualFit) -> Double {
    guard bound == .debiased else { return 0 }
    return ScatterNoise(
      // Influences are summed about ½·d.
      meanSquare: influences.shifted(by: 0.5 * Double(channels)).meanSquare,
      runFactor: influences.runFactor,
      fit: (channels, sizes.degreesOfFreedom)
    ).correction
  }

  /// H(v_i) of some tokens.
  private func tokenMarginals(
    of tokens: [Int], _ columns: TokenColumns<Number>, _ runs: ImageRuns
  ) throws -> [Marginal] {
    let sizes = means.fit(channels: channels, predictors: 0)
    let inflation = (Double(imageCount) / sizes.degreesOfFreedom).squareRoot()
    let weights = weights(squaredNorms: nil)
    let store = Mutex([Marginal](repeating: Marginal(), count: tokens.count))
    try forEachPair(references: 1, targets: tokens.count) { _, range in
      var pair = PairResiduals<Number>(imageCount: imageCount, channels: channels)
      for target in range {
        let sum = pair.setResiduals(of: target, in: columns, weights: weights.scatter)
        let value = try evaluate(
          &pair, sum, addition: addition(to: tokens[target], given: nil, nil), weights: weights,
          sizes: sizes, token: tokens[target], given: nil)
        let spread = pair.spread(
          about: 0.5 * Double(channels), baseline: nil, groups: runs
        ).own
        let marginal = Marginal(
          estimate: Estimate(
            value: value.entropy + noiseCorrection(spread, sizes),
            standardError: spread.standardError * inflation),
          contributions: pair.paddedContributions, isFallback: value.isFallback)
        store.withLock { $0[target] = marginal }
      }
    }
    return store.withLock(\.self)
  }
}

// MARK: Losses of images that were not fitted to

/// What the losses of images come to for every token, with a reference and without.
struct MapLosses: Sendable {
  /// By raster index; those of the reference have no image.
  var conditional: [SpreadSums]
  /// The loss without the reference less that with it.
  var information: [SpreadSums]
  var marginal: [SpreadSums]

  init(tokens: Int) {
    conditional = Array(repeating: SpreadSums(), count: tokens)
    (information, marginal) = (conditional, conditional)
  }
}

extension MapPass {
  /// c of the covariance W/c with which images are scored.
  private func divisor(_ sizes: ResidualFit) -> Double {
    bound == .heldOut ? sizes.predictiveDivisor : Double(imageCount)
  }

  /// Adds the losses ½log|2πΣ| + ½eᵀΣ⁻¹e of images, for each reference.
  ///
  /// - Parameters:
  ///   - measured: The images whose losses are wanted.
  ///   - fitted: The images fitted to.
  /// - Throws: As ``maps(references:of:progress:)``.
  /// - Complexity: O(m·n·d²·references), on all cores.
  func addLosses(
    of measured: some TokenFeatures, fittedTo fitted: some TokenFeatures, references: [GridCell],
    to losses: inout [MapLosses]
  ) throws {
    let (n, d) = (grid.cellCount, Double(channels))
    let places = references.map(grid.index(of:))
    let sizes = means.fit(channels: channels, predictors: width)
    let runs = ImageRuns(startsRun: measured.startsOfGroups)
    let empty = (conditional: SpreadSums(), information: SpreadSums())
    let store = Mutex(Array(repeating: empty, count: references.count * n))
    let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: imageCount))
    let scored = PairResiduals<Number>.padded(Array(repeating: 1, count: measured.imageCount))
    let tiles = tiles(images: imageCount + measured.imageCount, references: places)
    for targets in tiles.targets {
      let columns = try columns(of: targets, in: fitted)
      let scoredColumns = try self.columns(of: targets, in: measured)
      let own = try marginalContributions(of: targets, scoredColumns, runs)
      for (token, sums) in zip(targets, own.sums) {
        for index in losses.indices { losses[index].marginal[token].add(sums) }
      }
      var first = 0
      for part in tiles.references {
        let isWhole = tiles.targets.count == 1
        let others = isWhole ? columns : try self.columns(of: part, in: fitted)
        let scoredOthers = isWhole ? scoredColumns : try self.columns(of: part, in: measured)
        let start = first
        try forEachPair(references: part.count, targets: targets.count) { reference, range in
          let j = part[reference]
          let place = isWhole ? j : reference
          var pair = PairResiduals<Number>(imageCount: imageCount, channels: channels)
          var loss = PairResiduals<Number>(imageCount: measured.imageCount, channels: channels)
          for target in range where targets[target] != j {
            let token = targets[target]
            var coefficients = pair.products(of: target, in: columns, with: place, in: others)
            for index in coefficients.elements.indices {
              coefficients.elements[index] /= Double(imageCount)
            }
            let sum = pair.setResiduals(
              of: target, in: columns, given: place, in: others, coefficients: coefficients,
              weights: ones)
            guard
              let factor = factored(
                sum, addition: addition(to: token, given: j, coefficients), inflation: 1)
            else { throw dependence(of: token, channel: channels - 1, on: j) }
            let fit = try fit(factor, token: token, given: j)
            let expected = bound.entropy(
              logDeterminant: whitening.factors[token].logDeterminant(ofLeading: channels)
                + fit.logDeterminant, sizes)
            _ = loss.setResiduals(
              of: target, in: scoredColumns, given: place, in: scoredOthers,
              coefficients: coefficients, weights: scored)
            loss.setContributions(
              transform: fit.transform, weights: scored,
              scale: 0.5 * divisor(sizes) / Double(imageCount))
            let spread = loss.spread(
              about: 0.5 * d, baseline: own.contributions[target], groups: runs)
            let sums = (
              spread.own.shifted(by: expected),
              spread.difference.shifted(by: own.expected[target] - expected)
            )
            store.withLock { $0[(start + reference) * n + token] = sums }
          }
        }
        first += part.count
      }
    }
    let sums = store.withLock(\.self)
    for index in references.indices {
      for token in 0..<n {
        losses[index].conditional[token].add(sums[index * n + token].conditional)
        losses[index].information[token].add(sums[index * n + token].information)
      }
    }
  }

  /// What images contribute to the loss of tokens without a reference, what is expected of them, and the sums of the losses.
  private func marginalContributions(
    of tokens: [Int], _ columns: TokenColumns<Number>, _ runs: ImageRuns
  ) throws -> (contributions: [[Number]], expected: [Double], sums: [SpreadSums]) {
    let sizes = means.fit(channels: channels, predictors: 0)
    let scale = 0.5 * divisor(sizes) / Double(imageCount)
    let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: columns.imageCount))
    let expected = tokens.map {
      bound.entropy(
        logDeterminant: whitening.factors[$0].logDeterminant(ofLeading: channels), sizes)
    }
    let empty = (contributions: [Number](), sums: SpreadSums())
    let store = Mutex(Array(repeating: empty, count: tokens.count))
    try forEachPair(references: 1, targets: tokens.count) { _, range in
      var pair = PairResiduals<Number>(imageCount: columns.imageCount, channels: channels)
      for target in range {
        _ = pair.setResiduals(of: target, in: columns, weights: ones)
        // The scatter of a whitened token is the identity.
        pair.setContributions(
          transform: Matrix.identity(channels), weights: ones, scale: scale)
        let contributions = pair.paddedContributions
        let sums = pair.spread(
          about: 0.5 * Double(channels), baseline: nil, groups: runs
        ).own.shifted(by: expected[target])
        store.withLock { $0[target] = (contributions, sums) }
      }
    }
    let results = store.withLock(\.self)
    return (results.map(\.contributions), expected, results.map(\.sums))
  }

  /// The losses of images without any reference, by token and image.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·n·d²).
  func marginalLosses(of measured: some TokenFeatures) throws -> [[Double]] {
    let tokens = Array(0..<grid.cellCount)
    let own = try marginalContributions(
      of: tokens, columns(of: tokens, in: measured),
      ImageRuns(startsRun: measured.startsOfGroups))
    return zip(own.contributions, own.expected).map { contributions, expected in
      Number.widened(contributions[..<measured.imageCount]).map {
        expected - 0.5 * Double(channels) + $0
      }
    }
  }
}

/// What `--jitter` and the ridge on random functions add to the scatter of a token's coordinates, the same for all tokens.
///
/// - Parameters:
///   - marginal: Each token's scatter with itself.
///   - channels: d; the coordinates after them are random functions.
func addedVariances(to marginal: [Matrix], channels: Int, jitter: Double) -> [Double] {
  let width = marginal.first?.rows ?? 0
  func sum(_ coordinates: Range<Int>) -> Double {
    marginal.reduce(0.0) { sum, block in coordinates.reduce(sum) { $0 + block[$1, $1] } }
  }
  let jitter = jitter * sum(0..<width) / Double(marginal.count * width)
  var result = [Double](repeating: jitter, count: width)
  if channels < width {
    let added = channels..<width
    let variance = sum(added) / Double(added.count * marginal.count) + jitter
    for c in added { result[c] += randomFeatureRidge * variance }
  }
  return result
}

extension Matrix {
  /// The squared length of each row.
  package var squaredRowNorms: [Double] {
    (0..<rows).map { i in
      var sum = 0.0
      for j in i * columns..<(i + 1) * columns { sum += elements[j] * elements[j] }
      return sum
    }
  }

  /// The symmetric matrix whose lower triangle this is.
  fileprivate consuming func symmetricFromLower() -> Matrix {
    for i in 0..<rows {
      for j in 0..<i { self[j, i] = self[i, j] }
    }
    return self
  }
}
