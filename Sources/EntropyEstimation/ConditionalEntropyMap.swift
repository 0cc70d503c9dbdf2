import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// H(v_i | v_j) for one reference token j and every token i: how much each token still surprises once the reference is
/// known. (PAR, supplement D.2, figure 11.)
public struct ConditionalEntropyMap: Sendable {
  /// The reference token j.
  public let reference: GridCell
  /// The grid.
  public let grid: TokenGrid
  /// H(v_i | v_j) in nats, by raster index; nil for the reference itself.
  public let entropy: [Estimate?]
  /// How entropies were estimated.
  public let bound: EntropyBound
  /// m.
  public let imageCount: Int
  /// d.
  public let featureDimensions: Int
  /// Mardia's kurtosis of the residuals over that of Gaussian ones, averaged over the tokens; nil where errors do not come from
  /// the images.
  public private(set) var kurtosisRatio: Double?

  /// Takes the kurtosis from what the images contribute to each token's entropy.
  ///
  /// - Parameter scale: The variance of the squared Mahalanobis norm over that of the contributions.
  mutating func setKurtosis(_ contributions: [RunningMoments], scale: Double) {
    let ratios = zip(entropy, contributions).filter { $0.0 != nil }.map {
      EntropyEstimation.kurtosisRatio(
        variance: scale * $0.1.variance, channels: featureDimensions)
    }
    kurtosisRatio = ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count)
  }

  init(
    reference: GridCell, grid: TokenGrid, entropy: [Estimate?], bound: EntropyBound,
    imageCount: Int, featureDimensions: Int
  ) {
    self.reference = reference
    self.grid = grid
    self.entropy = entropy
    self.bound = bound
    self.imageCount = imageCount
    self.featureDimensions = featureDimensions
  }

  /// Mean entropy over the tokens at each Euclidean distance from the reference, nearest first.
  ///
  /// Distances are between cell centres in one frame, rounded to whole cells; tokens of other frames are left out. The
  /// standard error takes the tokens' errors as fully dependent, since they share the images, so it does not shrink with
  /// the number of tokens at a distance.
  public var byDistance: [(distance: Int, entropy: Estimate, tokens: Int)] {
    var groups: [Int: [Estimate]] = [:]
    for (index, estimate) in entropy.enumerated() {
      guard let estimate else { continue }
      let cell = grid.cell(at: index)
      guard cell.frame == reference.frame else { continue }
      let (rows, columns) = (cell.row - reference.row, cell.column - reference.column)
      let distance = Double(rows * rows + columns * columns).squareRoot().rounded()
      groups[Int(distance), default: []].append(estimate)
    }
    return groups.sorted { $0.key < $1.key }.map { distance, estimates in
      let count = Double(estimates.count)
      return (
        distance,
        Estimate(
          value: estimates.reduce(0) { $0 + $1.value } / count,
          standardError: estimates.reduce(0) { $0 + $1.standardError } / count),
        estimates.count
      )
    }
  }
}

extension ConditionalEntropyMap {
  /// Maps for a few references, straight from the features: only the products with the references are summed.
  ///
  /// - Parameter jitter: ε of ε·tr(Σ)/D added to the diagonal of the covariance; 0 adds nothing.
  /// - Throws: ``EstimationError`` for a reference outside the grid, too few images (ν < d) and degenerate channels; and
  ///   what reading the features throws.
  /// - Complexity: O(m·n·d²·references).
  public static func maps(
    references: [GridCell], of features: some TokenFeatures, bound: EntropyBound = .wishart,
    jitter: Double = 0
  ) throws -> [ConditionalEntropyMap] {
    try maps(
      references: references, of: features,
      settings: EstimationSettings(bound: bound, jitter: jitter))
  }

  /// Maps for references with any bound and any errors.
  ///
  /// - Parameter progress: Told how far training is.
  /// - Throws: As ``maps(references:of:bound:jitter:)``.
  /// - Complexity: O(m·n·d²·references), twice that for errors from the images; k times that for k folds.
  public static func maps(
    references: [GridCell], of features: some TokenFeatures, settings: EstimationSettings,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    try check(references, on: features.grid, name: features.name)
    if let arranged = features.arrangedByGroup {
      return try maps(
        references: references, of: arranged, settings: settings, progress: progress)
    }
    switch settings.regressor {
    case .linear:
      return try leastSquaresMaps(
        references: references, of: features, channels: features.featureDimensions, settings)
    case .features(let count, let kind):
      return try leastSquaresMaps(
        references: references,
        of: RandomFeatures(of: features, count: count, kind: kind, seed: settings.seed),
        channels: features.featureDimensions, settings)
    case .mlp(let network):
      return try networkMaps(
        references: references, of: features, network: network, settings, progress)
    }
  }

  /// Maps by least squares: in `features` a token's first `channels` coordinates are what is predicted, and all of them
  /// predict other tokens.
  private static func leastSquaresMaps(
    references: [GridCell], of features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings
  ) throws -> [ConditionalEntropyMap] {
    let (grid, d) = (features.grid, features.featureDimensions)
    switch settings.bound {
    case .algorithm1, .wishart, .debiased:
      try TokenMoments.requireImages(
        features.imageCount, contextTokens: 1, featureDimensions: d, source: features.name)
      let fits = try MapFit.fits(
        references: references, of: features, bound: settings.bound, jitter: settings.jitter,
        channels: channels)
      return try fits.map { fit in
        switch settings.errorKind {
        case .gaussian: fit.map
        case .robust:
          fit.map.with(
            errors: try fit.influence(of: features),
            scale: 4 * fit.fit.degreesOfFreedom / Double(fit.fit.imageCount))
        }
      }
    case .heldOut:
      let split = settings.split(of: features)
      var losses = references.map { _ in
        [RunningMoments](repeating: RunningMoments(), count: grid.cellCount)
      }
      for (index, part) in split.parts.enumerated() {
        let fitted = ImageSubset(of: features, images: split.fitted(besides: index))
        try TokenMoments.requireImagesForPrediction(
          fitted.imageCount, of: features.imageCount, contextTokens: 1, featureDimensions: d,
          source: features.name)
        let fits = try MapFit.fits(
          references: references, of: fitted, bound: .heldOut, jitter: settings.jitter,
          channels: channels)
        for (place, fit) in fits.enumerated() {
          try fit.addLosses(of: ImageSubset(of: features, images: part), to: &losses[place])
        }
      }
      return zip(references, losses).map { reference, losses in
        let j = grid.index(of: reference)
        var map = ConditionalEntropyMap(
          reference: reference, grid: grid,
          entropy: losses.enumerated().map { $0 == j ? nil : $1.estimate }, bound: .heldOut,
          imageCount: features.imageCount, featureDimensions: channels)
        map.setKurtosis(losses, scale: 4)
        return map
      }
    }
  }

  /// Maps for any references from moments that are already there: cheapest for all n of them.
  ///
  /// - Throws: ``EstimationError`` for a reference outside the grid, too few images (ν < d) and degenerate channels.
  /// - Complexity: O(references·n·d³).
  public static func maps(
    references: [GridCell], moments: TokenMoments, bound: EntropyBound = .wishart
  ) throws -> [ConditionalEntropyMap] {
    let grid = moments.grid
    try check(references, on: grid, name: moments.name)
    precondition(bound != .heldOut, "the held-out bound needs images that were not fitted to")
    try moments.requireImages(contextTokens: 1)
    let whitening = try TokenWhitening(
      marginal: (0..<grid.cellCount).map { moments.scatter(between: $0, and: $0) }, grid: grid,
      imageCount: moments.imageCount, name: moments.name)
    return try references.map { reference in
      let j = grid.index(of: reference)
      return try whitening.fit(
        reference: reference,
        cross: (0..<grid.cellCount).map { moments.scatter(between: j, and: $0) }, bound: bound
      ).map
    }
  }

  private static func check(
    _ references: [GridCell], on grid: TokenGrid, name: String
  ) throws(EstimationError) {
    for reference in references where !grid.contains(reference) {
      throw .referenceOutsideGrid(source: name, cell: reference, grid: grid)
    }
  }
}

extension ConditionalEntropyMap {
  /// The same map with other standard errors.
  ///
  /// - Parameter scale: As ``setKurtosis(_:scale:)`` has it.
  func with(errors: [RunningMoments], scale: Double) -> ConditionalEntropyMap {
    var map = ConditionalEntropyMap(
      reference: reference, grid: grid,
      entropy: zip(entropy, errors).map { estimate, error in
        estimate.map { Estimate(value: $0.value, standardError: error.estimate.standardError) }
      }, bound: bound, imageCount: imageCount, featureDimensions: featureDimensions)
    map.setKurtosis(errors, scale: scale)
    return map
  }
}

/// The Cholesky factors of the tokens' own scatters, which whiten one token at a time.
struct TokenWhitening {
  let factors: [CholeskyFactor]
  let grid: TokenGrid
  let imageCount: Int
  let name: String
  /// x̄; empty where no images are whitened.
  let mean: [Double]

  init(
    marginal: [Matrix], grid: TokenGrid, imageCount: Int, name: String, mean: [Double] = []
  ) throws(EstimationError) {
    var factors: [CholeskyFactor] = []
    for (token, scatter) in marginal.enumerated() {
      let cell = grid.cell(at: token)
      for c in 0..<scatter.rows where !(scatter[c, c] > 0) {
        throw .constantChannel(source: name, cell: cell, channel: c, images: imageCount)
      }
      do throws(NotPositiveDefinite) {
        factors.append(try CholeskyFactor(ofLowerTriangle: scatter))
      } catch {
        throw .dependentChannel(
          source: name, cell: cell, channel: error.index, context: "the token's other channels")
      }
    }
    self.factors = factors
    self.grid = grid
    self.imageCount = imageCount
    self.name = name
    self.mean = mean
  }

  /// The fit of all tokens on reference j, from the scatters between it and every token i, d × d each.
  ///
  /// With C the cross-covariance of the whitened tokens, the residual scatter of i given j is L_i(1 − CᵀC)L_iᵀ.
  ///
  /// - Parameter channels: d where tokens have more coordinates than channels; nil for as many.
  func fit(
    reference: GridCell, cross: [Matrix], bound: EntropyBound, channels: Int? = nil
  ) throws(EstimationError) -> MapFit {
    let j = grid.index(of: reference)
    let width = factors[j].order
    let d = channels ?? width
    let fit = ResidualFit(imageCount: imageCount, channels: d, predictors: width)
    let standardError = fit.gaussianStandardError
    var entropy: [Estimate?] = []
    var residuals: [MapFit.Residual?] = []
    for (token, products) in cross.enumerated() {
      guard token != j else {
        entropy.append(nil)
        residuals.append(nil)
        continue
      }
      // L_j⁻¹ W_ji, transposed, then whitened by token i: Cᵀ.
      let half = factors[j].solveLower(products).transposed()
      let correlation = factors[token].solveLower(half).block(rows: 0..<d, columns: 0..<width)
      var residual = correlation.timesTranspose()
      for a in 0..<d {
        for b in 0...a { residual[a, b] = (a == b ? 1 : 0) - residual[a, b] }
      }
      let factor: CholeskyFactor
      do throws(NotPositiveDefinite) {
        factor = try CholeskyFactor(ofLowerTriangle: residual)
      } catch {
        throw .dependentChannel(
          source: name, cell: grid.cell(at: token), channel: error.index,
          context: "token \(reference) and the token's other channels")
      }
      let logDeterminant =
        factors[token].logDeterminant(ofLeading: d) + factor.logDeterminant
      entropy.append(
        Estimate(
          value: bound.entropy(logDeterminant: logDeterminant, fit), standardError: standardError))
      residuals.append(MapFit.Residual(correlation: correlation, factor: factor))
    }
    return MapFit(
      map: ConditionalEntropyMap(
        reference: reference, grid: grid, entropy: entropy, bound: bound, imageCount: imageCount,
        featureDimensions: d),
      fit: fit, whitening: self, residuals: residuals)
  }
}

extension TokenMoments {
  /// The scatter between two tokens, rows for `first`'s channels: d × d.
  func scatter(between first: Int, and second: Int) -> Matrix {
    let d = featureDimensions
    var result = Matrix(rows: d, columns: d)
    for a in 0..<d {
      for b in 0..<d {
        let (i, j) = (first * d + a, second * d + b)
        result[a, b] = i >= j ? scatter[i, j] : scatter[j, i]
      }
    }
    return result
  }
}
