import EntropyEstimation
import Statistics
import TokenData
import TokenGrids

/// The tokens of a search in three parts, and what each part is for.
public struct SearchData<Features: TokenFeatures>: Sendable {
  /// All tokens.
  public let features: Features
  /// The images of the parts.
  public let parts: SearchParts
  /// Whether everything is given the image's class.
  public let isGivenClass: Bool
  private let seed: UInt64
  /// Sums over the images that are fitted to, where these are not among ``features``.
  private let fitted: TokenMoments?

  /// The fewest images of the parts that fit and choose.
  static var fewestImages: Int { 16 }

  /// Divides images.
  ///
  /// - Parameters:
  ///   - shares: Of the first two parts; nil for those that suit the data.
  ///   - seed: Of the division.
  /// - Throws: ``OrderSearchError/tooFewImages(source:images:part:found:needed:)``.
  public init(
    _ features: Features, shares: SearchParts.Shares? = nil, seed: UInt64 = 0,
    isGivenClass: Bool = false
  ) throws {
    self.features = features
    self.isGivenClass = isGivenClass
    self.seed = seed
    fitted = nil
    parts = SearchParts(
      imageCount: features.imageCount,
      shares: shares
        ?? SearchParts.Shares(
          imageCount: features.imageCount,
          numbers: features.grid.cellCount * features.featureDimensions),
      seed: seed, groups: features.imageGroups)
    try requireImages()
  }

  /// Divides images to choose by and for the report, where sequences and sizes are fitted to others of which sums are known.
  ///
  /// - Parameters:
  ///   - features: Images that are not among those of the sums.
  ///   - moments: Sums over the others; given the class where `isGivenClass` is set.
  ///   - shares: Nil for those that suit the data; of them only how they share what is not fitted to counts.
  /// - Throws: ``OrderSearchError``.
  public init(
    _ features: Features, fittedTo moments: TokenMoments, shares: SearchParts.Shares? = nil,
    seed: UInt64 = 0, isGivenClass: Bool = false
  ) throws {
    self.features = features
    self.isGivenClass = isGivenClass
    self.seed = seed
    fitted = moments
    guard moments.grid == features.grid, moments.featureDimensions == features.featureDimensions
    else {
      throw OrderSearchError.otherTokens(
        source: features.name, grid: features.grid, channels: features.featureDimensions,
        moments: moments.name, momentsGrid: moments.grid,
        momentsChannels: moments.featureDimensions)
    }
    let numbers = features.grid.cellCount * features.featureDimensions
    let standard = SearchParts.Shares(imageCount: features.imageCount, numbers: numbers)
    let share = (shares ?? standard).selection
    let report = shares.map { 1 - $0.fit - $0.selection } ?? (1 - standard.fit - standard.selection)
    parts = SearchParts(
      imageCount: features.imageCount, choosing: share / (share + report),
      fittedTo: moments.imageCount, seed: seed, groups: features.imageGroups)
    try requireImages()
  }

  private func requireImages() throws(OrderSearchError) {
    let numbers = features.grid.cellCount * features.featureDimensions
    let means = isGivenClass ? Set(features.imageClasses ?? []).count : 1
    for (part, count, needed) in [
      (OrderSearchError.Part.fit, parts.fitCount, Self.fewestImages),
      (.selection, parts.selection.count, Self.fewestImages),
      (.report, parts.report.count, numbers + means),
    ] where count < needed {
      throw OrderSearchError.tooFewImages(
        source: features.name, images: features.imageCount, part: part, found: count,
        needed: needed)
    }
  }

  /// The covariance of the part that is fitted to.
  ///
  /// - Throws: As ``StructuredCovariance/init(of:translationShare:)``, and for unknown classes.
  public func covariance(translationShare: Double? = nil) throws -> StructuredCovariance {
    if let fitted {
      return try StructuredCovariance(
        of: fitted, judgedBy: ImageSubset(of: features, images: parts.selection),
        translationShare: translationShare, isGivenClass: isGivenClass)
    }
    let part = ImageSubset(of: features, images: parts.fit)
    return isGivenClass
      ? try StructuredCovariance(
        of: ClassCentred(part), translationShare: translationShare, seed: seed)
      : try StructuredCovariance(of: part, translationShare: translationShare, seed: seed)
  }

  /// What orders lose on the images of the second part, as a model of the first predicts their tokens: the entropies of all tokens
  /// given the earlier steps, less those given all tokens before in the first order's sequence, so that what is taken off is
  /// the same for all.
  ///
  /// - Throws: What reading the features throws.
  public func selectionLosses(
    of orders: [GenerationOrder], _ model: StructuredCovariance
  ) throws -> [Estimate] {
    let part = ImageSubset(of: features, images: parts.selection)
    return isGivenClass
      ? try selectionLosses(of: orders, model, in: ClassCentred(part))
      : try selectionLosses(of: orders, model, in: part)
  }

  private func selectionLosses(
    of orders: [GenerationOrder], _ model: StructuredCovariance, in part: some TokenFeatures
  ) throws -> [Estimate] {
    guard let first = orders.first else { return [] }
    let measure = ModelLoss(model)
    let joint = try measure.entropies(of: first.sequentialized(), in: part)
    return try orders.map { order in
      let entropies = try measure.entropies(of: order, in: part)
      return ModelLoss.mean(zip(entropies, joint).map { $0 - $1 }, in: part)
    }
  }

  /// What orders lose, estimated from the images of the third part.
  ///
  /// - Throws: As ``OrderEstimator/profiles(of:in:progress:)``.
  public func reportedProfiles(
    of orders: [GenerationOrder], settings: EstimationSettings,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    try OrderEstimator(settings).profiles(
      of: orders, in: ImageSubset(of: features, images: parts.report), progress: progress)
  }
}

/// Why there is no search.
public enum OrderSearchError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A part of the images.
  public enum Part: Sendable, Hashable {
    case fit
    case selection
    case report
  }

  /// A part has too few images.
  case tooFewImages(source: String, images: Int, part: Part, found: Int, needed: Int)
  /// The images and the sums over others are of different tokens.
  case otherTokens(
    source: String, grid: TokenGrid, channels: Int, moments: String, momentsGrid: TokenGrid,
    momentsChannels: Int)

  /// What was found and what was expected, in one sentence.
  public var description: String {
    switch self {
    case .tooFewImages(let source, let images, let part, let found, let needed):
      let use =
        switch part {
        case .fit: "to fit sequences and sizes to"
        case .selection: "to choose by"
        case .report: "for the report"
        }
      return """
        \(source): of its \(images) images \(found) are left \(use), which takes at least \(needed); use more images or \
        fewer feature dimensions
        """
    case .otherTokens(
      let source, let grid, let channels, let moments, let momentsGrid, let momentsChannels):
      return """
        \(source): has \(grid) tokens of \(channels) channels, and \(moments) has sums of \(momentsGrid) tokens of \
        \(momentsChannels)
        """
    }
  }
}
