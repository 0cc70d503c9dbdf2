/// What would let an estimate succeed that failed with an ``EstimationError``.
///
/// Its description names no option of any command: a command words those remedies that it offers, with
/// ``EstimationError/sentence(_:)``.
public enum EstimationRemedy: Hashable, Sendable {
  /// At most so many feature dimensions a token, so that the images suffice.
  case featureDimensions(atMost: Int)
  /// At most so many, so that everything fits into memory.
  case fittingFeatureDimensions(atMost: Int)
  /// Principal components instead of channels of which one is constant.
  case removingChannel
  /// Fewer principal components than there are independent channels.
  case fewerFeatureDimensions
  /// A share of the mean variance added to every variance.
  case jitter
  /// A context of tokens at most so many rows and columns away.
  case contextWindow(atMost: Int)
  /// At least so many parts for cross-fitting.
  case folds(atLeast: Int)
  /// Maps of a few reference tokens only.
  case fewReferences
  /// A ridge that leaves more degrees of freedom.
  case largerRidge
  /// At most so many random functions a token.
  case functions(atMost: Int)
  /// No random functions, or fewer feature dimensions.
  case linearRegressorOrFewerDimensions
  /// Smaller steps of training.
  case smallerLearningRate
  /// An in-sample bound of a regressor by least squares.
  case inSampleLeastSquares
  /// Standard errors from the images, not from a Gaussian law.
  case errorsOfImages
  /// Another bound.
  case bound(EntropyBound)
  /// Wishart's bound in spite of its bias for shrunken fits.
  case biasedWishart
  /// A bound that a trained network has.
  case boundOfNetworks
}

extension EstimationRemedy: CustomStringConvertible {
  /// What to do, as a part of a sentence.
  public var description: String {
    switch self {
    case .featureDimensions(let most): "take at most \(most) feature dimensions a token"
    case .fittingFeatureDimensions(let most):
      "at most \(most) feature dimensions a token would fit"
    case .removingChannel: "take principal components instead of all channels"
    case .fewerFeatureDimensions: "take fewer principal components"
    case .jitter: "add a jitter to the variances"
    case .contextWindow(let most): "take a window of context of at most \(most) cells"
    case .folds(let least): "take at least \(least) folds"
    case .fewReferences: "take a few references"
    case .largerRidge: "take a larger ridge"
    case .functions(let most): "at most \(most) functions a token would do"
    case .linearRegressorOrFewerDimensions:
      "take the linear regressor or fewer feature dimensions"
    case .smallerLearningRate: "lower the learning rate"
    case .inSampleLeastSquares:
      "take the debiased, the wishart or the algorithm-1 bound of the linear or the features regressor"
    case .errorsOfImages: "take robust errors"
    case .bound(let bound): "take the \(bound.rawValue) bound"
    case .biasedWishart: "take the wishart bound, which is biased for shrunken fits"
    case .boundOfNetworks: "take the held-out or the algorithm-1 bound"
    }
  }
}
