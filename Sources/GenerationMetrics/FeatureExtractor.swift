import Files
import LinearAlgebra
import TokenData

/// What turns tokens into the features whose distributions are compared.
///
/// These are proxies computed from the tokens themselves; none of them is the Inception network of the FID, and their values
/// compare only with values of the same extractor on the same codebook.
public protocol FeatureExtractor: Sendable {
  /// Its name on the command line.
  var name: String { get }
  /// Everything its values depend on besides the tokens, in words and numbers.
  var definition: String { get }
  /// d, the numbers of one feature.
  var dimensions: Int { get }
  /// How many features one image has.
  var samplesPerImage: Int { get }

  /// The features of a run of images, `(images · samplesPerImage) × d`.
  ///
  /// - Throws: What reading the tokens throws.
  func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix
}

extension FeatureExtractor {
  /// The hash of the definition: results with equal hashes are of equal features.
  public var definitionHash: ContentHash { ContentHash(of: .init(definition.utf8)) }
}

/// The extractors by their names on the command line.
public enum ExtractorName: String, CaseIterable, Sendable, Codable {
  /// Where things are: ``StructureExtractor``.
  case structure
  /// What neighbours are like: ``TextureExtractor``.
  case texture
  /// What decoded images look like: ``PixelExtractor``.
  case pixels

  /// The extractor for a dataset and all others of its grid and codebook.
  ///
  /// - Parameter seed: Of the random weights of `pixels`; the others have none.
  /// - Throws: ``MetricError`` when the grid is too small, or what is wrong with the decoder.
  public func extractor(for dataset: TokenDataset, seed: UInt64) throws -> any FeatureExtractor {
    switch self {
    case .structure: try StructureExtractor(for: dataset)
    case .texture: try TextureExtractor(for: dataset)
    case .pixels: try PixelExtractor(for: dataset, seed: seed)
    }
  }
}
