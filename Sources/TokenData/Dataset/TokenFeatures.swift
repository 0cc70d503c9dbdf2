import TokenGrids

/// What the estimators read: m images, each a grid of n tokens, each token a feature v ∈ R^d.
///
/// A ``TokenDataset`` looks its features up in the codebook; tests and simulations supply their own.
public protocol TokenFeatures: Sendable {
  /// What the features come from, for messages: a file name.
  var name: String { get }
  /// The grid the tokens stand on; n = `grid.cellCount`.
  var grid: TokenGrid { get }
  /// m, the number of images.
  var imageCount: Int { get }
  /// d, the number of channels of one token's feature.
  var featureDimensions: Int { get }

  /// For each image the number of the photograph it was cut from, where several images share one: such images are not
  /// independent. Nil where every image is a photograph of its own.
  var imageGroups: [UInt32]? { get }

  /// For each image the number of its class; nil where that is not known.
  var imageClasses: [UInt32]? { get }

  /// For each image the number of the group, such as its class, whose mean over its images has been taken off it; nil where
  /// nothing has been, so that one mean of all images is fitted.
  var centredBy: [Int]? { get }

  /// The features of a run of images, row-major `images × n × d`.
  ///
  /// Must be safe to call from several threads at once; estimators read blocks concurrently.
  ///
  /// - Throws: an error that names the image and token when a feature is not finite.
  func features(ofImages images: Range<Int>) throws -> [Float]
}

extension TokenFeatures {
  /// Every image is a photograph of its own.
  public var imageGroups: [UInt32]? { nil }
  /// Classes are not known.
  public var imageClasses: [UInt32]? { nil }
  /// Nothing has been taken off.
  public var centredBy: [Int]? { nil }
}
