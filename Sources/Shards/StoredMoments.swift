import EntropyEstimation
import LinearAlgebra
import SystemResources
import TokenData
import TokenGrids

/// Moments of shards of images, with all that must agree before they are added to others: what a moments file holds.
///
/// Moments add up exactly (Chan, Golub and LeVeque, 1983), in any order and grouping, but for the rounding of double precision.
public struct StoredMoments: Sendable {
  /// Count, mean and scatter of all images.
  public private(set) var moments: TokenMoments
  /// Those of the classes; nil where classes are not known or were left out.
  public private(set) var classes: ClassMeans?
  /// The hash of the codebook; nil for continuous tokens.
  public let codebookHash: String?
  /// How many photographs the images were cut from.
  public private(set) var photographCount: Int
  /// The images.
  public private(set) var parts: ShardParts

  /// The grid the tokens stand on.
  public var grid: TokenGrid { moments.grid }
  /// d.
  public var featureDimensions: Int { moments.featureDimensions }
  /// m.
  public var imageCount: Int { moments.imageCount }
  /// How products were summed.
  public var precision: TokenMoments.Precision { moments.roundingScale == nil ? .double : .mixed }
  /// The file, or the source of the images, for messages.
  public var name: String { moments.name }

  init(
    moments: TokenMoments, classes: ClassMeans?, codebookHash: String?, photographCount: Int,
    parts: ShardParts
  ) {
    (self.moments, self.classes, self.codebookHash) = (moments, classes, codebookHash)
    (self.photographCount, self.parts) = (photographCount, parts)
  }

  /// Accumulates the moments of a share of a source.
  ///
  /// - Parameters:
  ///   - images: The share.
  ///   - precision: How products are summed; sums in double precision do not depend on how images are divided, but for
  ///     10⁻¹³ or so.
  ///   - withClasses: Whether to sum by class, too, where images have labels.
  ///   - progress: Told how many images have been read.
  /// - Throws: What reading the images throws; `EstimationError` for too little memory.
  /// - Complexity: O(m·(n·d)²/2), on all cores, and memory that does not depend on m but for a few bytes an image.
  public init(
    of images: ShardImages, precision: TokenMoments.Precision = .double, withClasses: Bool = true,
    progress: (Int) -> Void = { _ in }
  ) throws {
    func summed(_ features: some TokenFeatures) throws -> TokenMoments {
      try TokenMoments(of: features, precision: precision, progress: progress)
    }
    if let rescaled = try RescaledFeatures(images) {
      moments = try summed(rescaled)
      moments.multiply(byUnits: rescaled.units)
    } else {
      moments = try summed(images)
    }
    classes =
      withClasses
      ? try images.imageClasses.map {
        try ClassMeans(of: images, labels: $0, names: images.classNames ?? [])
      } : nil
    codebookHash = images.codebookHash
    photographCount = images.photographCount
    parts = try ShardParts([images.part], file: images.name)
  }

  /// Adds the moments of other images.
  ///
  /// - Throws: ``ShardError`` for another grid, other channels, another codebook, other class names, classes in one of the two only,
  ///   another precision, and images that are in both.
  /// - Complexity: O((n·d)²).
  public mutating func merge(_ other: StoredMoments) throws {
    func require(_ what: String, _ a: String, _ b: String) throws(ShardError) {
      guard a == b else {
        throw .different(
          what: what, first: name, firstValue: a, second: other.name, secondValue: b)
      }
    }
    try require("grid", "\(grid)", "\(other.grid)")
    try require("number of channels", "\(featureDimensions)", "\(other.featureDimensions)")
    try require("codebook", codebookHash ?? "none", other.codebookHash ?? "none")
    try require("precision", precision.name, other.precision.name)
    try require("list of classes", classText, other.classText)
    parts = try parts.merged(with: other.parts, file: other.name)
    try moments.merge(other.moments)
    if let others = other.classes { classes?.merge(others) }
    photographCount += other.photographCount
  }

  private var classText: String {
    guard let classes else { return "none (no labels, or --no-classes)" }
    return classes.names.isEmpty ? "by number" : classes.names.joined(separator: ", ")
  }

  /// Refuses moments of a source of which images are missing.
  ///
  /// - Throws: ``ShardError/incomplete(_:missing:)``.
  public func requireComplete() throws(ShardError) {
    let missing = parts.missing
    guard missing.isEmpty else { throw .incomplete(name, missing: missing) }
  }

  /// Refuses images that the moments may hold, or whose codes mean something else.
  ///
  /// - Throws: ``ShardError``.
  public func requireOthers(than source: any DescribedTokens) throws {
    let images = try ShardImages(of: source)
    if let part = parts.parts.first(where: { $0.isOfTheFile(of: images.part) }) {
      throw ShardError.sameImages(source.place, moments: name, part: part)
    }
    if codebookHash != images.codebookHash {
      throw ShardError.different(
        what: "codebook", first: name, firstValue: codebookHash ?? "none", second: source.place,
        secondValue: images.codebookHash ?? "none")
    }
  }

  /// Moments for estimation.
  ///
  /// - Parameter isGivenClass: Whether the means of classes are taken off: the pooled scatter within classes, without images that
  ///   are alone in theirs.
  /// - Throws: ``ShardError/noClasses(_:)``, ``ShardError/oneImagePerClass(_:images:)``.
  /// - Complexity: O(C·(n·d)²) for classes.
  public func moments(givenClass isGivenClass: Bool) throws(ShardError) -> TokenMoments {
    guard isGivenClass else { return moments }
    guard let classes else { throw .noClasses(name) }
    let means = classes.counts.count { $0 > 1 }
    guard means > 0 else { throw .oneImagePerClass(name, images: imageCount) }
    let numbers = moments.mean.count
    var between = Matrix(rows: classes.labels.count, columns: numbers)
    for (place, count) in classes.counts.enumerated() {
      let root = Double(count).squareRoot()
      for (j, value) in classes.mean(place).enumerated() {
        between[place, j] = root * (value - moments.mean[j])
      }
    }
    // An image alone in its class is its own mean, and adds nothing to what is left.
    let images = imageCount - classes.aloneCount
    let (name, grid, channels) = (moments.name, moments.grid, moments.featureDimensions)
    let scale = moments.roundingScale
    var scatter = moments.scatter
    scatter.addScatter(ofRows: between, times: -1)
    return TokenMoments(
      name: name, grid: grid, featureDimensions: channels, imageCount: images, meanCount: means,
      mean: Array(repeating: 0, count: numbers), scatter: scatter, roundingScale: scale)
  }
}

extension TokenMoments.Precision {
  /// Its name in files and on the command line.
  public var name: String {
    switch self {
    case .mixed: "mixed"
    case .double: "double"
    }
  }

  /// The precision of a name.
  public init?(name: String) {
    switch name {
    case "mixed": self = .mixed
    case "double": self = .double
    default: return nil
    }
  }
}
