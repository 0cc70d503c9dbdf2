import Statistics
import TokenData

/// Where standard errors come from.
public enum ErrorKind: String, CaseIterable, Sendable, Codable {
  /// From the sizes of the fits and the correlations, as if the data were Gaussian.
  case gaussian
  /// From the images: the spread of their influences on the estimate, whatever the law of the data, clustered by photograph.
  /// They come with the pass over the images that the debiased bound takes, and cost the closed forms such a pass.
  case robust
}

/// The regressor f_θ that predicts a token from its context.
public enum Regressor: Hashable, Sendable {
  /// Ordinary least squares, through one Cholesky factorisation of a whole order.
  case linear
  /// Ordinary least squares on the channels and `count` random functions of each context token.
  case features(count: Int, kind: RandomFeatureKind)
  /// A network with one hidden layer, conditioned on which tokens it sees, trained by gradient descent.
  case mlp(NetworkSettings)

  /// Its name on the command line.
  public var name: String {
    switch self {
    case .linear: "linear"
    case .features: "features"
    case .mlp: "mlp"
    }
  }

  /// The random functions added to each token; nil where there are none.
  public var functionsPerToken: Int? {
    if case .features(let count, _) = self { count } else { nil }
  }
}

/// How the coefficients of least squares are shrunk where images are few. The entropies of shrunken fits are biased, and
/// whoever prints them must say so; held-out bounds remain upper bounds.
public enum Shrinkage: Hashable, Sendable {
  /// Not at all.
  case none
  /// By a ridge of λ times the mean variance.
  case ridge(Double)
  /// By the ridge whose coefficients are those of Ledoit and Wolf's covariance.
  case ledoitWolf
}

/// How entropies are estimated from images.
public struct EstimationSettings: Hashable, Sendable {
  /// f_θ.
  public var regressor: Regressor
  /// The bound.
  public var bound: EntropyBound
  /// Where the standard errors of in-sample bounds come from; nil for the images with ``EntropyBound/debiased`` and as if the
  /// data were Gaussian with the closed forms. Those of the held-out bound always come from the images.
  public var errors: ErrorKind?
  /// Where errors come from, with the default.
  public var errorKind: ErrorKind {
    errors ?? (EntropyBound.closedForm.contains(bound) ? .gaussian : .robust)
  }
  /// 1 to hold out one part of the images, k ≥ 2 for cross-fitting in k folds.
  public var folds: Int
  /// The share of the images that is held out when there is one part.
  public var heldOutFraction: Double
  /// ε of ε·tr(Σ)/D added to the diagonal of the covariance; 0 adds nothing.
  public var jitter: Double
  /// How coefficients of orders' regressions are shrunk.
  public var shrinkage: Shrinkage
  /// How far from its target a token of a context may be, in rows, columns and frames; nil for any distance. For orders, with
  /// the linear regressor and in-sample bounds.
  public var contextWindow: Int?
  /// Whether entropies are given the image's class: every image is centred by the mean of its class, as suits samplers that are
  /// conditioned on it. For in-sample bounds of the linear and the features regressor.
  public var isGivenClass: Bool
  /// The seed of every random choice.
  public var seed: UInt64

  /// Makes settings; without arguments those of the commands.
  public init(
    regressor: Regressor = .linear, bound: EntropyBound = .debiased, errors: ErrorKind? = nil,
    folds: Int = 1,
    heldOutFraction: Double = 0.2, jitter: Double = 0, shrinkage: Shrinkage = .none,
    contextWindow: Int? = nil, isGivenClass: Bool = false, seed: UInt64 = 0
  ) {
    self.isGivenClass = isGivenClass
    self.regressor = regressor
    self.bound = bound
    self.errors = errors
    self.folds = folds
    self.heldOutFraction = heldOutFraction
    self.jitter = jitter
    self.shrinkage = shrinkage
    self.contextWindow = contextWindow
    self.seed = seed
  }

  /// Whether results depend on how large channels are beside each other: what is added to variances, or penalised, is a share
  /// of the variance of all.
  var keepsProportions: Bool { jitter > 0 || shrinkage != .none }

  /// Refuses what excludes each other.
  ///
  /// - Throws: ``EstimationError``, in one sentence.
  func validate() throws(EstimationError) {
    if isGivenClass {
      guard bound != .heldOut else { throw .notGivenClass }
      if case .mlp = regressor { throw .notGivenClass }
    }
    if bound == .debiased {
      guard errors != .gaussian else { throw .debiasedErrorsAreOfImages }
      guard shrinkage == .none else { throw .shrunkFitsAreNotDebiased }
    }
  }

  /// The parts of the images that are held out; images of one photograph stay together.
  ///
  /// - Throws: ``EstimationError/tooManyFolds(source:folds:images:)``.
  public func split(of features: some TokenFeatures) throws(EstimationError) -> ImageSplit {
    guard folds <= features.imageCount else {
      throw .tooManyFolds(source: features.name, folds: folds, images: features.imageCount)
    }
    return ImageSplit(
      imageCount: features.imageCount, folds: folds, fraction: heldOutFraction, seed: seed,
      groups: features.imageGroups)
  }
}

/// What a long estimation is doing.
public enum EstimationStage: Sendable, Hashable {
  /// Products of features are summed: images read of all.
  case summing(Int, of: Int)
  /// Orders are factored: done of all.
  case factoring(Int, of: Int)
  /// Every token is fitted on reference tokens: references done of all.
  case mapping(Int, of: Int)
  /// A network is trained: epochs done of all, and the validation loss a token, in nats above that of standardised data.
  case training(Int, of: Int, loss: Double)
}
