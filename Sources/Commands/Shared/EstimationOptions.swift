import ArgumentParser
import EntropyEstimation
import Reporting
import Statistics
import TokenData

extension TokenDataset {
  /// How many classes have several images, and how many images are the only ones of theirs; nil without labels.
  ///
  /// - Complexity: O(m).
  var classMembership: (classes: Int, alone: Int)? {
    guard let labels else { return nil }
    var sizes: [UInt32: Int] = [:]
    for label in labels.values { sizes[label, default: 0] += 1 }
    let alone = sizes.values.count { $0 == 1 }
    return (sizes.count - alone, alone)
  }
}

/// How entropies are estimated and in what unit they are given.
struct EstimationOptions: ParsableArguments {
  @OptionGroup private var regression: RegressionOptions
  @OptionGroup private var bounds: BoundOptions<AnyBound>

  init() {}

  /// The options of a command that lists only those of its bounds.
  init(_ bounds: BoundOptions<InSampleBound>, _ regression: RegressionOptions) {
    self.regression = regression
    self.bounds = BoundOptions(bounds)
  }

  var regressor: RegressorName { regression.regressor }
  var marginals: Marginals { regression.marginals }
  var units: EntropyUnit { bounds.units }
  var given: Condition? { bounds.given }
  var errors: ErrorKind? {
    get { bounds.errors }
    set { bounds.errors = newValue }
  }

  /// The bound, with its default.
  var bound: EntropyBound { bounds.bound?.bound ?? (regressor == .mlp ? .heldOut : .debiased) }

  func validate() throws {
    if regressor != .mlp {
      for (name, isGiven) in [
        ("--hidden", regression.hidden != nil), ("--epochs", regression.epochs != nil),
        ("--learning-rate", regression.learningRate != nil),
      ] where isGiven {
        throw ValidationError("\(name) is for --regressor mlp only")
      }
    } else if bound == .debiased || bound == .wishart {
      throw ValidationError(
        "a trained network has no \(bound.rawValue) bound: use --bound held-out or algorithm-1")
    } else if errors == .gaussian, bound == .algorithm1 {
      throw ValidationError(
        "--errors gaussian is for least squares: a trained network takes its errors from the images"
      )
    }
    if given != nil, regressor == .mlp || bound == .heldOut {
      throw ValidationError(
        "--given class is for in-sample bounds of the linear and the features regressor")
    }
    if bound == .debiased, errors == .gaussian {
      throw ValidationError(
        "--errors gaussian is for --bound wishart or algorithm-1: the debiased bound takes its errors from the images"
      )
    }
    if marginals == .gaussian, bound == .heldOut {
      throw ValidationError(
        "--marginals gaussian ranks all images together, so none is held out: use another --bound")
    }
    if let hidden = regression.hidden, !(1...65_536).contains(hidden) {
      throw ValidationError("--hidden \(hidden): expected 1 to 65536 units")
    }
    if let epochs = regression.epochs, !(1...1_000_000).contains(epochs) {
      throw ValidationError("--epochs \(epochs): expected 1 to 1000000")
    }
    if let learningRate = regression.learningRate, !(learningRate > 0 && learningRate <= 100) {
      throw ValidationError(
        "--learning-rate \(learningRate): expected a positive number of at most 100")
    }
    if regressor != .features {
      if regression.featuresPerToken != nil {
        throw ValidationError("--features-per-token is for --regressor features only")
      }
      if regression.featureKind != nil {
        throw ValidationError("--feature-kind is for --regressor features only")
      }
    }
    if let featuresPerToken = regression.featuresPerToken, !(1...65_536).contains(featuresPerToken)
    {
      throw ValidationError(
        "--features-per-token \(featuresPerToken): expected 1 to 65536")
    }
    if bound != .heldOut {
      if regression.folds != nil { throw ValidationError("--folds is for --bound held-out only") }
      if regression.heldOutFraction != nil {
        throw ValidationError("--held-out-fraction is for --bound held-out only")
      }
    } else if errors == .gaussian {
      throw ValidationError("--bound held-out takes its errors from the images: --errors robust")
    }
    if let folds = regression.folds {
      guard folds >= 2 else {
        throw ValidationError("--folds \(folds): at least 2 are needed")
      }
      if regression.heldOutFraction != nil {
        throw ValidationError("--folds and --held-out-fraction exclude each other")
      }
    }
    if let heldOutFraction = regression.heldOutFraction,
      !(heldOutFraction > 0 && heldOutFraction < 1)
    {
      throw ValidationError(
        "--held-out-fraction \(heldOutFraction): expected a share between 0 and 1")
    }
  }

  /// Whether anything is drawn at random besides the choice of images.
  var usesSeed: Bool { bound == .heldOut || regressor != .linear }

  /// The regressor with its options.
  var chosenRegressor: Regressor {
    switch regressor {
    case .linear: .linear
    case .features:
      .features(count: regression.featuresPerToken ?? 8, kind: regression.featureKind ?? .relu)
    case .mlp:
      .mlp(network)
    }
  }

  /// How the network of the `mlp` regressor is trained.
  var network: NetworkSettings {
    var settings = NetworkSettings()
    if let hidden = regression.hidden { settings.hidden = hidden }
    if let epochs = regression.epochs { settings.epochs = epochs }
    if let learningRate = regression.learningRate { settings.learningRate = learningRate }
    return settings
  }

  /// The features that are measured: the data's own, or with Gaussian marginals.
  func features(of dataset: TokenDataset) throws -> TokenDataset {
    switch marginals {
    case .data: dataset
    case .gaussian:
      try TokenDataset(
        name: dataset.name, grid: dataset.grid,
        tokens: .features(
          try AdvisedError.advisingFewerImages { try gaussianMarginals(of: dataset) },
          dimensions: dataset.featureDimensions),
        labels: dataset.labels, imageIDs: dataset.imageIDs)
    }
  }

  /// Takes errors from the images, clustered by photograph, where several images were cut from one and nothing else was asked
  /// for; says so where that cannot be.
  mutating func clusterErrors(of dataset: some MeasuredData, canBeRobust: Bool = true) {
    guard let photographs = dataset.clusterCount, EntropyBound.closedForm.contains(bound),
      regressor != .mlp
    else { return }
    if errors == nil, canBeRobust {
      errors = .robust
    } else if errors != .robust {
      report(
        "warning: \(dataset.name) has \(dataset.imageCount.grouped) images of \(photographs.grouped) photographs, which"
          + " gaussian errors take as independent: they are too small")
    }
  }

  /// ε of ε·tr(Σ)/D added to every variance.
  var jitter: Double { bounds.jitterOption.value }

  /// The settings of the estimators.
  ///
  /// - Parameter context: What orders' contexts are and how their coefficients are shrunk; nil for least squares on all of them.
  func settings(_ tokens: TokenOptions, _ context: ContextOptions? = nil) -> EstimationSettings {
    EstimationSettings(
      regressor: chosenRegressor, bound: bound, errors: errors, folds: regression.folds ?? 1,
      heldOutFraction: regression.heldOutFraction ?? 0.2, jitter: jitter,
      shrinkage: context?.shrinkage ?? .none, contextWindow: context?.contextWindow,
      isGivenClass: given != nil, seed: tokens.seed)
  }

  /// Where errors of least squares come from.
  var errorKind: ErrorKind { EstimationSettings(bound: bound, errors: errors).errorKind }

  /// A value in nats in the unit asked for.
  func value(_ nats: Double) -> Double { nats * units.perNat }

  /// An estimate in nats in the unit asked for.
  func estimate(_ nats: Estimate) -> Estimate {
    Estimate(value: value(nats.value), standardError: value(nats.standardError))
  }
}
