import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// H(v_i | v_j) and I(v_i; v_j) for one reference token j and every token i. (PAR, supplement D.2, figure 11.)
///
/// The conditional entropy, which the paper draws, is how much a token still surprises once the reference is known. It is no
/// picture of dependence: on photographs it is low mostly where H(v_i) itself is low. The mutual information
/// H(v_i) − H(v_i | v_j) is what the reference tells of the token.
public struct ConditionalEntropyMap: Sendable {
  /// The reference token j.
  public let reference: GridCell
  /// The grid.
  public let grid: TokenGrid
  /// H(v_i | v_j) in nats, by raster index; nil for the reference itself. Exactly the difference of ``marginal`` and
  /// ``information``.
  public let entropy: [Estimate?]
  /// I(v_i; v_j) in nats, by raster index; nil for the reference itself. Below zero where the estimates' errors make it so.
  public let information: [Estimate?]
  /// H(v_i) in nats, by raster index, that of the reference included; the same for every reference.
  public let marginal: [Estimate]
  /// How entropies were estimated.
  public let bound: EntropyBound
  /// m.
  public let imageCount: Int
  /// d.
  public let featureDimensions: Int
  /// Mardia's kurtosis of the residuals over that of Gaussian ones, averaged over the tokens; nil where errors do not come from
  /// the images.
  public private(set) var kurtosisRatio: Double?
  /// How many entropies of this map ``EntropyBound/debiased`` would not have given with its own weights, whose scatter was not
  /// positive definite, so that residuals were weighted by 1/(1 − h) instead; 0 but for very few images.
  public internal(set) var fallbackCount = 0

  /// Takes the kurtosis and the fallbacks of another map of the same data.
  mutating func takeFacts(of other: ConditionalEntropyMap) {
    (kurtosisRatio, fallbackCount) = (other.kurtosisRatio, other.fallbackCount)
  }

  /// Takes the kurtosis from the variances of each token's squared Mahalanobis norm.
  mutating func setKurtosis(variances: [Double]) {
    let ratios = zip(information, variances).filter { $0.0 != nil }.map {
      EntropyEstimation.kurtosisRatio(variance: $0.1, channels: featureDimensions)
    }
    kurtosisRatio = ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count)
  }

  /// - Parameter entropyErrors: The standard errors of H(v_i | v_j).
  init(
    reference: GridCell, grid: TokenGrid, marginal: [Estimate], information: [Estimate?],
    entropyErrors: [Double], bound: EntropyBound, imageCount: Int, featureDimensions: Int
  ) {
    self.reference = reference
    self.grid = grid
    self.marginal = marginal
    self.information = information
    entropy = information.indices.map { i in
      information[i].map {
        Estimate(value: marginal[i].value - $0.value, standardError: entropyErrors[i])
      }
    }
    self.bound = bound
    self.imageCount = imageCount
    self.featureDimensions = featureDimensions
  }

  /// The means over the tokens at one distance from the reference.
  public struct AtDistance: Hashable, Sendable {
    /// The Euclidean distance in cells, rounded.
    public let distance: Int
    /// H(v_i | v_j) in nats.
    public let entropy: Estimate
    /// I(v_i; v_j) in nats.
    public let information: Estimate
    /// How many tokens there are at that distance.
    public let tokens: Int
  }

  /// Mean entropy and information over the tokens at each Euclidean distance from the reference, nearest first.
  ///
  /// Distances are between cell centres in one frame, rounded to whole cells; tokens of other frames are left out. The
  /// standard error takes the tokens' errors as fully dependent, since they share the images, so it does not shrink with
  /// the number of tokens at a distance.
  public var byDistance: [AtDistance] {
    var groups: [Int: [(entropy: Estimate, information: Estimate)]] = [:]
    for (index, pair) in zip(entropy, information).enumerated() {
      guard case (let entropy?, let information?) = pair else { continue }
      let cell = grid.cell(at: index)
      guard cell.frame == reference.frame else { continue }
      let (rows, columns) = (cell.row - reference.row, cell.column - reference.column)
      let distance = Double(rows * rows + columns * columns).squareRoot().rounded()
      groups[Int(distance), default: []].append((entropy, information))
    }
    func mean(_ estimates: [Estimate]) -> Estimate {
      let count = Double(estimates.count)
      return Estimate(
        value: estimates.reduce(0) { $0 + $1.value } / count,
        standardError: estimates.reduce(0) { $0 + $1.standardError } / count)
    }
    return groups.sorted { $0.key < $1.key }.map { distance, pairs in
      AtDistance(
        distance: distance, entropy: mean(pairs.map(\.entropy)),
        information: mean(pairs.map(\.information)), tokens: pairs.count)
    }
  }
}

extension ConditionalEntropyMap {
  /// Maps for references with errors from the images, or as if the data were Gaussian for the closed forms.
  ///
  /// - Parameter jitter: ε of ε·tr(Σ)/D added to the diagonal of the covariance; 0 adds nothing.
  /// - Throws: ``EstimationError`` for a reference outside the grid, too few images (ν < d) and degenerate channels; and
  ///   what reading the features throws.
  /// - Complexity: O(m·n·d²·references).
  public static func maps(
    references: [GridCell], of features: some TokenFeatures, bound: EntropyBound = .debiased,
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
  /// - Complexity: O(m·n·d²·references), k times that for k folds.
  public static func maps(
    references: [GridCell], of features: some TokenFeatures, settings: EstimationSettings,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    try check(references, on: features.grid, name: features.name)
    if let rescaled = try RescaledFeatures(features) {
      return try maps(
        references: references, of: rescaled, settings: settings, progress: progress
      ).map { $0.shifted(by: rescaled.entropyShift) }
    }
    if let arranged = features.arrangedByGroup {
      return try maps(
        references: references, of: arranged, settings: settings, progress: progress)
    }
    try settings.validate()
    let channels = features.featureDimensions
    func leastSquares(_ features: some TokenFeatures) throws -> [ConditionalEntropyMap] {
      settings.isGivenClass
        ? try leastSquaresMaps(
          references: references, of: ClassCentred(features), channels: channels, settings, progress
        )
        : try leastSquaresMaps(
          references: references, of: features, channels: channels, settings, progress)
    }
    switch settings.regressor {
    case .linear: return try leastSquares(features)
    case .features(let count, let kind):
      let functions = try RandomFeatures(
        of: features, count: count, kind: kind, seed: settings.seed)
      if settings.bound == .heldOut {
        return try functionMaps(references: references, of: functions, settings)
      }
      return try leastSquares(functions)
    case .mlp(let network):
      return try networkMaps(
        references: references, of: features, network: network, settings, progress)
    }
  }

  /// Maps by least squares: in `features` a token's first `channels` coordinates are what is predicted, and all of them
  /// predict other tokens.
  private static func leastSquaresMaps(
    references: [GridCell], of features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [ConditionalEntropyMap] {
    let width = features.featureDimensions
    guard settings.bound != .heldOut else {
      return try heldOutMaps(
        references: references, of: features, channels: channels, settings, progress)
    }
    try TokenMoments.requireImages(
      features.imageCount, contextTokens: 1, featureDimensions: width, source: features.name,
      means: features.meanCount)
    let means = FittedMeans(imageCount: features.imageCount, centredBy: features.centredBy)
    guard settings.errorKind == .robust else {
      return try closedFormMaps(
        references: references, of: features, channels: channels, settings, means)
    }
    func passed<Number: PairNumber>(_: Number.Type) throws -> [ConditionalEntropyMap] {
      try MapPass<Number>(
        fittedTo: features, channels: channels, bound: settings.bound, jitter: settings.jitter,
        means: means
      ).maps(references: references, of: features, progress: progress)
    }
    do {
      return try passed(Float.self)
    } catch EstimationError.insufficientPrecision {
      return try passed(Double.self)
    }
  }

  /// Maps with Gaussian errors, for a few references straight from the features: only the products with the references are
  /// summed.
  private static func closedFormMaps(
    references: [GridCell], of features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings, _ means: FittedMeans
  ) throws -> [ConditionalEntropyMap] {
    let (grid, width) = (features.grid, features.featureDimensions)
    let scatter = try TokenScatter(
      count: features.imageCount, channels: width, references: references.map(grid.index(of:)),
      shift: features.mean(
        ofRows: try features.features(ofImages: 0..<min(features.imageCount, 64))
      )
      .map { Float($0) },
      rows: { try features.features(ofImages: $0) })
    let square = width * width
    func blocks(_ elements: [Double], _ first: Int) -> [Matrix] {
      (0..<grid.cellCount).map { token in
        Matrix(
          rows: width, columns: width,
          elements: Array(elements[first + token * square..<first + (token + 1) * square]))
      }
    }
    var marginal = blocks(scatter.marginal, 0)
    let variances = addedVariances(to: marginal, channels: channels, jitter: settings.jitter)
    for token in marginal.indices {
      for c in 0..<width { marginal[token][c, c] += variances[c] }
    }
    let whitening = try TokenWhitening(
      marginal: marginal, grid: grid, imageCount: features.imageCount, name: features.name)
    return try references.enumerated().map { index, reference in
      try whitening.map(
        reference: reference, cross: blocks(scatter.cross, index * grid.cellCount * square),
        bound: settings.bound, channels: channels, means: means)
    }
  }

  /// Maps from the losses of images that were not fitted to.
  private static func heldOutMaps(
    references: [GridCell], of features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [ConditionalEntropyMap] {
    let grid = features.grid
    let split = try settings.split(of: features)
    var losses = Array(repeating: MapLosses(tokens: grid.cellCount), count: references.count)
    for (index, part) in split.parts.enumerated() {
      let fitted = ImageSubset(of: features, images: split.fitted(besides: index))
      try TokenMoments.requireImagesForPrediction(
        fitted.imageCount, of: features.imageCount, contextTokens: 1,
        featureDimensions: features.featureDimensions, source: features.name)
      try MapPass<Double>(
        fittedTo: fitted, channels: channels, bound: .heldOut, jitter: settings.jitter,
        means: FittedMeans(imageCount: fitted.imageCount)
      ).addLosses(
        of: ImageSubset(of: features, images: part), fittedTo: fitted, references: references,
        to: &losses)
    }
    return zip(references, losses).map { reference, losses in
      ConditionalEntropyMap(
        reference: reference, grid: grid, losses: losses, bound: .heldOut,
        imageCount: features.imageCount, featureDimensions: channels)
    }
  }

  /// A map of mean losses.
  init(
    reference: GridCell, grid: TokenGrid, losses: MapLosses, bound: EntropyBound, imageCount: Int,
    featureDimensions: Int
  ) {
    let j = grid.index(of: reference)
    self.init(
      reference: reference, grid: grid, marginal: losses.marginal.map(\.estimate),
      information: losses.information.enumerated().map { $0 == j ? nil : $1.estimate },
      entropyErrors: losses.conditional.map(\.standardError), bound: bound,
      imageCount: imageCount, featureDimensions: featureDimensions)
    setKurtosis(variances: losses.conditional.map { 4 * $0.variance })
  }

  /// Maps for any references from moments that are already there, with Gaussian errors: cheapest for all n of them.
  ///
  /// - Parameter bound: One of those that follow from moments alone.
  /// - Throws: ``EstimationError`` for a reference outside the grid, too few images (ν < d) and degenerate channels.
  /// - Complexity: O(references·n·d³).
  public static func maps(
    references: [GridCell], moments: TokenMoments, bound: EntropyBound = .wishart
  ) throws -> [ConditionalEntropyMap] {
    let grid = moments.grid
    try check(references, on: grid, name: moments.name)
    guard EntropyBound.closedForm.contains(bound) else {
      throw EstimationError.boundNeedsImages(bound)
    }
    try moments.requireImages(contextTokens: 1)
    let whitening = try TokenWhitening(
      marginal: (0..<grid.cellCount).map { moments.scatter(between: $0, and: $0) }, grid: grid,
      imageCount: moments.imageCount, name: moments.name)
    return try references.map { reference in
      let j = grid.index(of: reference)
      return try whitening.map(
        reference: reference,
        cross: (0..<grid.cellCount).map { moments.scatter(between: j, and: $0) }, bound: bound,
        means: FittedMeans(of: moments))
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

extension SpreadSums {
  /// The mean and its standard error.
  var estimate: Estimate { Estimate(value: mean, standardError: standardError) }
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
