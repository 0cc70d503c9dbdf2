import Foundation
import LinearAlgebra
import Statistics
import SystemResources
import TokenData
import TokenGrids

/// Estimates what single tokens tell of others: the door to maps, whatever the regressor, the bound and the errors.
public struct MapEstimator: Sendable {
  /// How to estimate.
  public let settings: EstimationSettings

  /// Makes an estimator; without settings that of the commands.
  public init(_ settings: EstimationSettings = EstimationSettings()) { self.settings = settings }

  /// Maps for references straight from the features.
  ///
  /// - Parameter progress: Told how far the work is; called from several threads.
  /// - Throws: ``EstimationError`` for a reference outside the grid, too few images (ν < d), degenerate channels, and settings
  ///   that exclude each other; what reading the features throws.
  /// - Complexity: O(m·n·d²·references), k times that for k folds.
  public func maps(
    references: [GridCell], in features: some TokenFeatures,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    try Self.maps(references: references, of: features, settings: settings, progress: progress)
  }
}

extension MapEstimator {
  /// The engine: features are rescaled and arranged first, then handed to the regressor.
  private static func maps(
    references: [GridCell], of features: some TokenFeatures, settings: EstimationSettings,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    try check(references, on: features.grid, name: features.name)
    try requireMemory(references: references.count, on: features.grid, name: features.name)
    if let rescaled = try RescaledFeatures(
      features, keepsProportions: settings.keepsProportions)
    {
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
    guard settings.bound != .heldOut else {
      return try heldOutMaps(
        references: references, of: features, channels: channels, settings, progress)
    }
    try RequiredImages(features).suffice(contextTokens: 1)
    let means = FittedMeans(imageCount: features.imageCount, centredBy: features.centredBy)
    guard settings.errorKind == .robust else {
      do {
        return try closedFormMaps(
          references: references, of: features, channels: channels, settings, means)
      } catch let constant as EstimationError where constant.isOfConstantChannel {
        // Squares of single precision vanish or overflow where numbers are far apart; of a channel that does not vary, sums in
        // double precision say the same, and where they do not fit it is said at once.
        guard features.featureDimensions == channels else { throw constant }
        do {
          var moments = try TokenMoments(of: features, precision: .double)
          if settings.jitter > 0 { moments.addJitter(settings.jitter) }
          return try maps(references: references, moments: moments, bound: settings.bound)
        } catch EstimationError.tooLittleMemory {
          throw constant
        }
      }
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
      try RequiredImages(fitted).sufficeForPrediction(of: features.imageCount, contextTokens: 1)
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
    try requireMemory(references: references.count, on: grid, name: moments.name)
    guard EntropyBound.closedForm.contains(bound) else {
      throw EstimationError.boundNeedsImages(bound)
    }
    try RequiredImages(moments).suffice(contextTokens: 1)
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

  /// What a token has for each reference at the least: two estimates that may be missing, one that may not, and the sums
  /// of images that they come from.
  private static let bytesPerPair = 100.0

  /// Refuses more maps than memory holds.
  ///
  /// Whoever sums moments for them first asks before, since the sums may take a minute.
  ///
  /// - Throws: ``EstimationError/tooManyReferences(source:_:)``.
  package static func requireMemory(
    references: Int, on grid: TokenGrid, name: String, available: AvailableMemory? = .now
  ) throws(EstimationError) {
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        bytesPerPair * Double(references) * Double(grid.cellCount),
        for: "maps of \(references) references on \(grid) tokens", available: available)
    } catch {
      throw .tooManyReferences(source: name, error)
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
