import Files
import Foundation
import LinearAlgebra
import TokenGrids

/// Images as grids of tokens: codes into a codebook, or features without one; with labels.
///
/// The value is complete and valid: every code is a row of the codebook, every number is finite.
public struct TokenDataset: TokenFeatures, Hashable {
  /// The tokens of all images.
  public enum Tokens: Hashable, Sendable {
    /// Codes, row-major `m × n`, and the codebook they index, `K × d`.
    case codes([UInt32], codebook: FloatMatrix)
    /// Features of continuous tokens, row-major `m × n × d`.
    case features([Float], dimensions: Int)
  }

  /// The file's name without its folders, or what the tokens come from; for messages.
  public let name: String
  /// The grid the tokens stand on.
  public let grid: TokenGrid
  /// m, the number of images.
  public let imageCount: Int
  /// The tokens, row-major over images and then the raster order of cells.
  public let tokens: Tokens
  /// The class of every image, where it is known.
  public let labels: TokenLabels?
  /// Which photograph every image was cut from, where that is known.
  ///
  /// Images of one number are crops or mirror images of one photograph: they are not independent of
  /// each other, and standard errors have to be clustered by this number.
  public let imageIDs: [UInt32]?
  /// Where the images come from and what made the tokens.
  public var attributes: TokenAttributes
  /// What turns the tokens back into images, where that is known.
  public let decoder: TokenDecoderParameters?
  /// The file the tokens were read from, as the user named it.
  public let path: String?

  /// Checks and collects tokens.
  ///
  /// - Throws: ``TokenDataError`` when there is no whole number of images, a code is outside the
  ///   codebook, a number is not finite, or the labels do not fit the images.
  /// - Complexity: O(m·n + K·d) for codes, O(m·n·d) for features.
  public init(
    name: String, grid: TokenGrid, tokens: Tokens, labels: TokenLabels? = nil,
    imageIDs: [UInt32]? = nil,
    attributes: TokenAttributes = TokenAttributes(), decoder: TokenDecoderParameters? = nil
  ) throws {
    let check = TokenCheck(file: name, grid: grid)
    let elementsPerImage: Int
    let elementCount: Int
    switch tokens {
    case .codes(let codes, let codebook):
      (elementsPerImage, elementCount) = (grid.cellCount, codes.count)
      try check.codebook(codebook)
      try check.codes(codes, firstImage: 0, codebookSize: codebook.rows)
    case .features(let features, let dimensions):
      guard dimensions > 0 else {
        throw TokenDataError.wrongShape(
          name, dataset: "features", found: [0], expected: "at least one channel")
      }
      (elementsPerImage, elementCount) = (grid.cellCount * dimensions, features.count)
      try check.features(features, dimensions: dimensions, firstImage: 0)
    }
    guard elementCount.isMultiple(of: elementsPerImage) else {
      throw TokenDataError.wrongShape(
        name, dataset: "tokens", found: [elementCount],
        expected: "a multiple of \(elementsPerImage), the numbers of one image,")
    }
    guard elementCount > 0 else { throw TokenDataError.noImages(name) }
    if let labels {
      try check.labels(labels, images: elementCount / elementsPerImage)
    }
    if let imageIDs {
      try check.imageIDs(count: imageIDs.count, images: elementCount / elementsPerImage)
    }
    self.init(
      validated: name, grid: grid, imageCount: elementCount / elementsPerImage, tokens: tokens,
      labels: labels, imageIDs: imageIDs, attributes: attributes, decoder: decoder, path: nil)
  }

  /// Collects what was checked before.
  init(
    validated name: String, grid: TokenGrid, imageCount: Int, tokens: Tokens,
    labels: TokenLabels?, imageIDs: [UInt32]? = nil, attributes: TokenAttributes,
    decoder: TokenDecoderParameters?, path: String?
  ) {
    self.name = name
    self.grid = grid
    self.imageCount = imageCount
    self.tokens = tokens
    self.labels = labels
    self.imageIDs = imageIDs
    self.attributes = attributes
    self.decoder = decoder
    self.path = path
  }

  /// ``imageIDs`` where at least one photograph has several images.
  ///
  /// - Complexity: O(m).
  public var imageGroups: [UInt32]? {
    imageIDs.flatMap { Set($0).count < $0.count ? $0 : nil }
  }

  /// The numbers of ``labels``.
  public var imageClasses: [UInt32]? { labels?.values }

  /// d, the number of channels of one token's feature.
  public var featureDimensions: Int {
    switch tokens {
    case .codes(_, let codebook): codebook.columns
    case .features(_, let dimensions): dimensions
    }
  }

  /// The codebook `K × d`; nil for continuous tokens.
  public var codebook: FloatMatrix? {
    if case .codes(_, let codebook) = tokens { codebook } else { nil }
  }

  /// The codes of all images, row-major `m × n`; nil for continuous tokens.
  public var codes: [UInt32]? {
    if case .codes(let codes, _) = tokens { codes } else { nil }
  }

  /// The codes of a run of images, row-major `images × n`; nil for continuous tokens.
  public func codes(ofImages images: Range<Int>) -> ArraySlice<UInt32>? {
    guard case .codes(let codes, _) = tokens else { return nil }
    return codes[(images.lowerBound * grid.cellCount)..<(images.upperBound * grid.cellCount)]
  }

  /// The features of a run of images, row-major `images × n × d`.
  ///
  /// Safe to call from several threads at once.
  ///
  /// - Complexity: O(images·n·d), at the speed of memory.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    precondition(images.lowerBound >= 0 && images.upperBound <= imageCount, "the images exist")
    let n = grid.cellCount
    switch tokens {
    case .codes(let codes, let codebook):
      return codebook.gatherRows(codes[(images.lowerBound * n)..<(images.upperBound * n)])
    case .features(let features, let d):
      return Array(features[(images.lowerBound * n * d)..<(images.upperBound * n * d)])
    }
  }

  /// The hash of the file the tokens were read from; nil for tokens made in memory.
  ///
  /// - Throws: ``TokenDataError`` when the file can no longer be read.
  /// - Complexity: reads the whole file.
  public func contentHash() throws -> ContentHash? {
    try path.map { try ContentHash(ofFileAt: $0) }
  }
}
