import Files
import Foundation
import LinearAlgebra

/// Tokens with all that a file says of them: in memory, or in a file that is read block by block.
public protocol DescribedTokens: TokenFeatures {
  /// The codebook, `K × d`; nil for continuous tokens.
  var codebook: FloatMatrix? { get }
  /// The class of every image, where it is known.
  var labels: TokenLabels? { get }
  /// Where the images come from and what made the tokens.
  var attributes: TokenAttributes { get }
  /// What turns the tokens back into images, where that is known.
  var decoder: TokenDecoderParameters? { get }
  /// The path of the file as the user named it, or else a name.
  var place: String { get }
  /// The images in runs that are read at once.
  var blocks: [Range<Int>] { get }

  /// The codes of a run of images, row-major `images × n`; each is a row of the codebook.
  ///
  /// - Throws: ``TokenDataError`` when a code is outside the codebook or the file is damaged.
  /// - Precondition: the tokens have a codebook.
  func checkedCodes(ofImages images: Range<Int>) throws -> [UInt32]

  /// The hash of the file that the tokens were read from; nil where they were not read from one file.
  ///
  /// - Throws: ``TokenDataError`` when the file can no longer be read.
  /// - Complexity: reads the whole file.
  func sourceHash() throws -> ContentHash?

  /// What tells these images from others, classes and channels included: equal for the same images, read again.
  ///
  /// Begins with the hash of what they were read from; after a plus sign follows that of what was said beside it.
  ///
  /// - Throws: What reading a file throws.
  /// - Complexity: reads the whole file, or all tokens.
  func identity() throws -> String
}

extension ContentHash {
  /// The hash of tokens with that of what was said beside them, such as labels in a file of their own; nothing follows where
  /// nothing was said.
  func identity(with words: [String], _ numbers: [UInt32]?) -> String {
    guard !words.isEmpty || numbers != nil else { return description }
    var bytes = Data("\(words) \(numbers?.count ?? 0):".utf8)
    numbers?.withUnsafeBytes { bytes += Data($0) }
    return "\(self)+\(ContentHash(of: bytes))"
  }
}

extension TokenDatasetFile: DescribedTokens {
  /// The path of the file.
  public var place: String { path }

  /// The codes of a run of images; see ``codes(ofImages:)``.
  public func checkedCodes(ofImages images: Range<Int>) throws -> [UInt32] {
    try codes(ofImages: images)
  }

  /// The hash of the file's bytes.
  public func sourceHash() throws -> ContentHash? { try contentHash() }

  /// The hash of the file's bytes, which hold all but the place of the channels.
  public func identity() throws -> String {
    try contentHash().identity(with: channels == .first ? ["channels first"] : [], nil)
  }
}

extension TokenDataset: DescribedTokens {
  /// The path of the file, or the name of what was made in memory.
  public var place: String { path ?? name }
  /// One run of all images.
  public var blocks: [Range<Int>] { [0..<imageCount] }

  /// The codes of a run of images, which were checked when the dataset was made.
  public func checkedCodes(ofImages images: Range<Int>) throws -> [UInt32] {
    guard let codes = codes(ofImages: images) else {
      preconditionFailure("continuous tokens have no codes")
    }
    return Array(codes)
  }

  /// The hash of the file that the tokens were read from.
  public func sourceHash() throws -> ContentHash? { try contentHash() }
  /// The hash of the tokens in memory, wherever they are from, with their classes and photographs.
  public func identity() -> String {
    var bytes =
      switch tokens {
      case .codes(let codes, _): codes.withUnsafeBytes { Data($0) }
      case .features(let features, _): features.withUnsafeBytes { Data($0) }
      }
    bytes += Data("\(imageIDs?.count ?? 0):".utf8)
    imageIDs?.withUnsafeBytes { bytes += Data($0) }
    return ContentHash(of: bytes).identity(with: [], labels?.values)
  }
}
