import TokenData
import TokenGrids

/// The images there are to fit to. Fits that they do not suffice for are refused here, before anything expensive is done.
struct RequiredImages {
  private let source: String
  private let images: Int
  /// C, the means that are fitted too.
  private let means: Int
  private let dimensions: Int
  private let grid: TokenGrid

  /// The images of features, or `images` of them; a context token has `dimensions` numbers, or as many as features have.
  init(_ features: some TokenFeatures, images: Int? = nil, dimensions: Int? = nil) {
    (source, grid, means) = (features.name, features.grid, features.meanCount)
    self.images = images ?? features.imageCount
    self.dimensions = dimensions ?? features.featureDimensions
  }

  /// The images that moments were summed of.
  init(_ moments: TokenMoments) {
    (source, grid, means) = (moments.name, moments.grid, moments.meanCount)
    (images, dimensions) = (moments.imageCount, moments.featureDimensions)
  }

  /// Refuses fits on `tokens` context tokens of d numbers when m images do not suffice: ν = m − C − p must be at least d.
  ///
  /// - Throws: ``EstimationError/tooFewImages(source:images:predictors:channels:largestFeatureDimensions:largestWindow:means:)``.
  func suffice(contextTokens tokens: Int) throws(EstimationError) {
    let d = dimensions
    guard images - means - tokens * d >= d else {
      throw .tooFewImages(
        source: source, images: images, predictors: tokens * d, channels: d,
        largestFeatureDimensions: max(images - means, 0) / (tokens + 1),
        // A window is no help to a single token.
        largestWindow: tokens > 1 ? grid.largestWindow(tokens: (images - means - d) / d) : nil,
        means: means)
    }
  }

  /// Refuses fits of every order's last token, whose first `channels` coordinates are predicted and whose other ones are
  /// functions of them.
  func sufficeForOrders(channels: Int) throws(EstimationError) {
    let n = grid.cellCount
    guard dimensions > channels else { return try suffice(contextTokens: n - 1) }
    guard images - means >= n * dimensions else {
      throw .tooFewImagesForFeatures(
        source: source, images: images, tokens: n, channels: channels,
        functions: dimensions - channels)
    }
  }

  /// Refuses fits whose images do not suffice to predict new ones: the expected squared Mahalanobis norm of a new residual
  /// is finite for m − p − 2 > d only.
  ///
  /// - Parameter all: How many images there are with those that are predicted.
  func sufficeForPrediction(of all: Int, contextTokens tokens: Int) throws(EstimationError) {
    let d = dimensions
    guard images - tokens * d - 2 > d else {
      throw .tooFewFittedImages(
        source: source, images: images, all: all, predictors: tokens * d, channels: d,
        largestFeatureDimensions: max(images - 3, 0) / (tokens + 1))
    }
  }
}
