import SystemResources
import TokenGrids

/// Why conditional entropies cannot be estimated from a set of tokens.
public enum EstimationError: Error, Equatable {
  /// There are fewer images than the largest fit needs (ν ≥ d). `predictors` is that fit's p, `channels` its d.
  case tooFewImages(
    source: String, images: Int, predictors: Int, channels: Int, largestFeatureDimensions: Int,
    largestWindow: Int?, means: Int)
  /// A ridge so small that the regressions it shrinks still use up all images.
  case ridgeTooSmall(source: String, images: Int, degreesOfFreedom: Double, channels: Int)
  /// There are fewer images than a regression on the channels and random functions of all tokens needs.
  case tooFewImagesForFeatures(
    source: String, images: Int, tokens: Int, channels: Int, functions: Int)
  /// There are fewer images than training and validation of a network need.
  case tooFewImagesToTrain(source: String, images: Int, needed: Int)
  /// A share was to be added to variances, and the network predicts without least squares, because images are too few.
  case jitterWithoutLeastSquares(source: String, images: Int)
  /// The loss of a network is no longer a number.
  case trainingDiverged(source: String, epoch: Int)
  /// Entropies given the class were asked for, of data without labels.
  case noClasses(source: String)
  /// Every image is the only one of its class, so that nothing is left within classes.
  case oneImagePerClass(source: String, images: Int)
  /// A bound or a regressor that knows no classes.
  case notGivenClass
  /// A regressor, a bound or a shrinkage for which the steps of a sequence have no costs that add up.
  case noStepCosts
  /// Gaussian errors were asked for with the debiased bound.
  case debiasedErrorsAreOfImages
  /// A bound that moments alone do not give.
  case boundNeedsImages(EntropyBound)
  /// Fits that the debiased bound cannot be computed for: those whose coefficients are shrunk.
  case shrunkFitsAreNotDebiased
  /// A window of context was asked for with a held-out bound, another regressor than the linear one, or shrunk coefficients.
  case windowIsOfLeastSquares
  /// The debiased bound and Wishart's belong to least squares.
  case networkIsNotDebiased(EntropyBound)
  /// The images that are not held out are too few for the largest fit to predict new ones (m − p − 2 > d).
  case tooFewFittedImages(
    source: String, images: Int, all: Int, predictors: Int, channels: Int,
    largestFeatureDimensions: Int)
  /// A channel of a token has the same value in every image, so that its entropy is −∞.
  case constantChannel(source: String, cell: GridCell, channel: Int, images: Int)
  /// A channel of a token is a linear function of what comes before it, so that its conditional entropy is −∞.
  case dependentChannel(source: String, cell: GridCell, channel: Int, context: String)
  /// A channel is so nearly a function of others that sums in mixed precision do not resolve what is left of it;
  /// ``TokenMoments/withSufficientPrecision(of:jitter:progress:_:)`` sums again in double precision.
  case insufficientPrecision(source: String, cell: GridCell, channel: Int)
  /// The order and the data have different grids.
  case gridMismatch(source: String, data: TokenGrid, order: String, orderGrid: TokenGrid)
  /// A reference cell outside the grid.
  case referenceOutsideGrid(source: String, cell: GridCell, grid: TokenGrid)
  /// The sums or factors of all tokens' numbers do not fit into memory; `largestFeatureDimensions` channels would, 0 if not
  /// even one does.
  case tooLittleMemory(
    source: String, InsufficientMemory, largestFeatureDimensions: Int, channels: Int)
  /// The maps of so many references do not fit into memory.
  case tooManyReferences(source: String, InsufficientMemory)
  /// More parts were asked for than there are images.
  case tooManyFolds(source: String, folds: Int, images: Int)
  /// What is left of a token's residuals is rounding in some image: it alone decides a channel of the token or of its context.
  case imageDecides(source: String, cell: GridCell)
  /// A number is so far above what is usual in its channel that single precision cannot hold both.
  case outOfRange(source: String, image: Int, cell: GridCell, channel: Int, usual: Double)
  /// Moments of different grids, channels or contents cannot be merged.
  case incompatibleMoments(first: String, second: String)
}

extension EstimationError {
  /// Whether it is ``constantChannel(source:cell:channel:images:)``.
  var isOfConstantChannel: Bool {
    if case .constantChannel = self { true } else { false }
  }
}

extension EstimationError: CustomStringConvertible {
  /// One sentence: what was found, where, what was expected, and what to do.
  public var description: String { sentence { $0.description } }

  /// The same with the remedies in the words of who offers them, as a command has options.
  ///
  /// - Parameter wording: What to do, as a part of a sentence, or nil for a remedy that is not offered.
  public func sentence(_ wording: (EstimationRemedy) -> String?) -> String {
    let texts = remedies.compactMap(wording)
    return texts.isEmpty
      ? finding : finding + joints.before + texts.joined(separator: joints.between)
  }

  /// What stands before the remedies of a sentence, and between them.
  private var joints: (before: String, between: String) {
    switch self {
    case .tooFewImages, .tooFewFittedImages: (", or ", ", or ")
    case .notGivenClass, .debiasedErrorsAreOfImages, .shrunkFitsAreNotDebiased: (": ", ", or ")
    case .networkIsNotDebiased: (": ", " or ")
    case .tooFewImagesForFeatures: largestFunctions > 0 ? ("; ", " or ") : (": ", " or ")
    default: ("; ", " or ")
    }
  }

  /// What would help, the best first.
  public var remedies: [EstimationRemedy] {
    switch self {
    case .tooFewImages(_, _, _, _, let largest, let window, _):
      // Whether shrinking helps depends on the data: a command that offers it tries it first.
      return (largest > 0 ? [.featureDimensions(atMost: largest)] : [])
        + (window.map { [.contextWindow(atMost: $0)] } ?? [])
    case .tooFewFittedImages(_, _, let all, let predictors, let channels, let largest):
      let spare = all - (predictors + channels + 3)
      // The largest of so many parts has no more images than can be spared.
      return (spare > 0 ? [.folds(atLeast: max((all + spare - 1) / spare, 2))] : [])
        + (largest > 0 ? [.featureDimensions(atMost: largest)] : [])
    case .tooLittleMemory(_, _, let largest, let channels):
      return largest > 0 && largest < channels ? [.fittingFeatureDimensions(atMost: largest)] : []
    case .tooManyReferences: return [.fewReferences]
    case .constantChannel: return [.removingChannel, .jitter]
    case .dependentChannel: return [.fewerFeatureDimensions, .jitter]
    case .ridgeTooSmall: return [.largerRidge]
    case .tooFewImagesForFeatures:
      let most = largestFunctions
      return most > 0 ? [.functions(atMost: most)] : [.linearRegressorOrFewerDimensions]
    case .trainingDiverged: return [.smallerLearningRate]
    case .notGivenClass: return [.inSampleLeastSquares]
    case .debiasedErrorsAreOfImages: return [.errorsOfImages, .bound(.wishart)]
    case .shrunkFitsAreNotDebiased: return [.bound(.heldOut), .biasedWishart]
    case .networkIsNotDebiased: return [.boundOfNetworks]
    default: return []
    }
  }

  /// How many random functions a token these images would do for.
  private var largestFunctions: Int {
    guard case .tooFewImagesForFeatures(_, let images, let tokens, let channels, _) = self
    else { return 0 }
    return (images - 1) / tokens - channels
  }

  /// What was found, where, and what was expected, without what to do.
  public var finding: String {
    switch self {
    case .tooFewImages(let source, let images, let predictors, let channels, _, _, let means):
      """
      \(source): \(images) \(images == 1 ? "image is" : "images are") too few for a regression on \(predictors) numbers; at least \
      \(predictors + channels + means) images are needed\(means > 1 ? " for \(means) classes" : "")
      """
    case .ridgeTooSmall(let source, let images, let freedom, let channels):
      """
      \(source): with this ridge a regression on all tokens leaves \(Int(freedom)) degrees of freedom of \(images) images for \
      \(channels) channels
      """
    case .tooFewImagesForFeatures(let source, let images, let tokens, let channels, let functions):
      """
      \(source): \(images) images are too few for a regression on \(tokens) tokens of \(channels) channels and \
      \(functions) random functions each; at least \(tokens * (channels + functions) + 1) are needed\
      \(largestFunctions > 0 ? "" : ", and none would do")
      """
    case .tooFewImagesToTrain(let source, let images, let needed):
      "\(source): \(images) images are too few to train and validate a network; at least \(needed) are needed"
    case .jitterWithoutLeastSquares(let source, let images):
      "\(source): \(images) fitted images are too few for least squares, and a network that predicts without them has no"
        + " variances to add a jitter to"
    case .trainingDiverged(let source, let epoch):
      "\(source): the loss of the network is not a number after epoch \(epoch)"
    case .tooLittleMemory(let source, let lack, _, _), .tooManyReferences(let source, let lack):
      "\(source): \(lack)"
    case .tooManyFolds(let source, let folds, let images):
      "\(source): \(images) images cannot be held out in \(folds) parts; at most \(images) are possible"
    case .noClasses(let source):
      "\(source): entropies given the class need labels, and it has none"
    case .oneImagePerClass(let source, let images):
      """
      \(source): its \(images) images have \(images) classes, and entropies given the class need several images of one
      """
    case .notGivenClass:
      "entropies given the class are in-sample"
    case .noStepCosts:
      "group sizes are fitted with the linear regressor and an in-sample bound, without a ridge and a window of contexts"
    case .debiasedErrorsAreOfImages:
      "the debiased bound takes its errors from the images"
    case .boundNeedsImages(let bound):
      "the \(bound.rawValue) bound takes the images, and moments hold none: use wishart or algorithm-1"
    case .shrunkFitsAreNotDebiased:
      "the debiased bound is for least squares, and what a ridge leaves of the coefficients it does not know"
    case .windowIsOfLeastSquares:
      "a window of context is for in-sample bounds of the linear regressor, whose coefficients are not shrunk"
    case .networkIsNotDebiased(let bound):
      "a trained network has no \(bound.rawValue) bound"
    case .tooFewFittedImages(
      let source, let images, let all, let predictors, let channels, _):
      """
      \(source): \(images) of \(all) images are too few to fit a regression on \(predictors) numbers that predicts the \
      others; at least \(predictors + channels + 3) are needed
      """
    case .constantChannel(let source, let cell, let channel, let images):
      """
      \(source): channel \(channel) of token \(cell) has the same value in all \(images) images, so its entropy is minus \
      infinity
      """
    case .dependentChannel(let source, let cell, let channel, let context):
      """
      \(source): channel \(channel) of token \(cell) is a linear function of \(context), so its conditional entropy is \
      minus infinity
      """
    case .insufficientPrecision(let source, let cell, let channel):
      """
      \(source): channel \(channel) of token \(cell) is all but determined by other channels, more than sums in mixed \
      precision resolve; sum in double precision
      """
    case .gridMismatch(let source, let data, let order, let orderGrid):
      "\(order) is an order of a \(orderGrid) grid, but \(source) has a \(data) grid"
    case .referenceOutsideGrid(let source, let cell, let grid):
      """
      reference \(cell) is outside the \(grid) grid of \(source): rows are 0 to \(grid.rows - 1), columns 0 to \
      \(grid.columns - 1)\(grid.isVideo ? ", frames 0 to \(grid.frames - 1)" : "")
      """
    case .imageDecides(let source, let cell):
      """
      \(source): one image alone decides a channel of token \(cell), or of the tokens it is predicted from, so that no \
      residual of it is left to weigh; remove the image or the channel, or add a jitter
      """
    case .outOfRange(let source, let image, let cell, let channel, let usual):
      """
      \(source): channel \(channel) of token \(cell) of image \(image) is more than 2^127 times as large as is usual in that \
      channel, about \(usual), which is more than single precision holds; remove the image or the channel
      """
    case .incompatibleMoments(let first, let second):
      "the moments of \(first) and of \(second) cannot be merged: their grids or feature dimensions differ"
    }
  }
}
