import ArgumentParser
import EntropyEstimation
import Figures
import Reporting
import Statistics
import TokenData

extension EntropyBound: ExpressibleByArgument {}
extension EntropyUnit: ExpressibleByArgument {}
extension ErrorKind: ExpressibleByArgument {}
extension RandomFeatureKind: ExpressibleByArgument {}

/// What becomes of each coordinate's distribution before anything is estimated.
enum Marginals: String, CaseIterable, ExpressibleByArgument {
  /// Nothing.
  case data
  /// Every coordinate becomes standard normal by the ranks of its values: the Gaussian copula of the data.
  case gaussian
}

/// What entropies are given besides the context.
enum Condition: String, CaseIterable, ExpressibleByArgument {
  /// The image's class, on which samplers are conditioned.
  case `class`
}

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
  @Option(
    help: ArgumentHelp(
      "The regression on the context: linear; features, linear in random functions of each token too; or mlp, a trained network.",
      valueName: "regressor"))
  var regressor: RegressorName = .linear

  @Option(
    help: ArgumentHelp(
      "Random functions of each token, for --regressor features (default: 8).", valueName: "r"))
  var featuresPerToken: Int?

  @Option(
    name: .customLong("feature-kind"),
    help: ArgumentHelp(
      "What those functions are, for --regressor features: relu or fourier (default: relu).",
      valueName: "kind"))
  var featureKind: RandomFeatureKind?

  @Option(
    name: .customLong("bound"),
    help: ArgumentHelp(
      "The bound: debiased, whatever the law of the images; wishart, a closed form for jointly Gaussian data, which"
        + " photographs are not; algorithm-1 as the paper prints it (in-sample, sinks with the context); or held-out, an upper"
        + " bound on images that were not fitted to (default: debiased; held-out for mlp).",
      valueName: "bound"))
  var givenBound: EntropyBound?

  /// The bound, with its default.
  var bound: EntropyBound { givenBound ?? (regressor == .mlp ? .heldOut : .debiased) }

  @Option(
    help: ArgumentHelp(
      "The marginal distributions: data, or gaussian, by the ranks of every channel (a Gaussian copula).",
      valueName: "marginals"))
  var marginals: Marginals = .data

  @Option(help: "The unit of entropies.")
  var units: EntropyUnit = .nats

  @Option(
    help: ArgumentHelp(
      "Where standard errors come from: robust, the images themselves, clustered by photograph where several were cut from"
        + " one; or gaussian, as if the data were, for the closed forms wishart and algorithm-1, whose default it is.",
      valueName: "errors"))
  var errors: ErrorKind?

  @OptionGroup var jitterOption: JitterOption

  @Option(
    help: ArgumentHelp(
      "Entropies given this: class, the label of the image, on which samplers are conditioned.",
      valueName: "condition"))
  var given: Condition?

  @Option(
    help: ArgumentHelp(
      "Hold each of this many parts of the images out once (cross-fitting), for --bound held-out.",
      valueName: "k"))
  var folds: Int?

  @Option(
    help: ArgumentHelp(
      "The share of the images that is held out, for --bound held-out (default: 0.2).",
      valueName: "share"))
  var heldOutFraction: Double?

  @Option(help: "Hidden units of the network, for --regressor mlp (default: 256).")
  var hidden: Int?

  @Option(
    help: ArgumentHelp(
      "The most passes over the images, for --regressor mlp (default: as many as make 2,000 steps; fewer, but at least 5,"
        + " where those are long).", valueName: "epochs"))
  var epochs: Int?

  @Option(
    help: ArgumentHelp(
      "The step size at the start, for --regressor mlp (default: 0.01).",
      valueName: "rate"))
  var learningRate: Double?

  func validate() throws {
    if regressor != .mlp {
      for (name, isGiven) in [
        ("--hidden", hidden != nil), ("--epochs", epochs != nil),
        ("--learning-rate", learningRate != nil),
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
    if let hidden, !(1...65_536).contains(hidden) {
      throw ValidationError("--hidden \(hidden): expected 1 to 65536 units")
    }
    if let epochs, !(1...1_000_000).contains(epochs) {
      throw ValidationError("--epochs \(epochs): expected 1 to 1000000")
    }
    if let learningRate, !(learningRate > 0 && learningRate <= 100) {
      throw ValidationError(
        "--learning-rate \(learningRate): expected a positive number of at most 100")
    }
    if regressor != .features {
      if featuresPerToken != nil {
        throw ValidationError("--features-per-token is for --regressor features only")
      }
      if featureKind != nil {
        throw ValidationError("--feature-kind is for --regressor features only")
      }
    }
    if let featuresPerToken, !(1...65_536).contains(featuresPerToken) {
      throw ValidationError("--features-per-token \(featuresPerToken): expected 1 to 65536")
    }
    if bound != .heldOut {
      if folds != nil { throw ValidationError("--folds is for --bound held-out only") }
      if heldOutFraction != nil {
        throw ValidationError("--held-out-fraction is for --bound held-out only")
      }
    } else if errors == .gaussian {
      throw ValidationError("--bound held-out takes its errors from the images: --errors robust")
    }
    if let folds {
      guard folds >= 2 else { throw ValidationError("--folds \(folds): at least 2 are needed") }
      if heldOutFraction != nil {
        throw ValidationError("--folds and --held-out-fraction exclude each other")
      }
    }
    if let heldOutFraction, !(heldOutFraction > 0 && heldOutFraction < 1) {
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
    case .features: .features(count: featuresPerToken ?? 8, kind: featureKind ?? .relu)
    case .mlp:
      .mlp(network)
    }
  }

  /// How the network of the `mlp` regressor is trained.
  var network: NetworkSettings {
    var settings = NetworkSettings()
    if let hidden { settings.hidden = hidden }
    if let epochs { settings.epochs = epochs }
    if let learningRate { settings.learningRate = learningRate }
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
          try gaussianMarginals(of: dataset), dimensions: dataset.featureDimensions),
        labels: dataset.labels, imageIDs: dataset.imageIDs)
    }
  }

  /// Takes errors from the images, clustered by photograph, where several images were cut from one and nothing else was asked
  /// for; says so where that cannot be.
  mutating func clusterErrors(of dataset: TokenDataset, canBeRobust: Bool = true) {
    guard let groups = dataset.imageGroups, EntropyBound.closedForm.contains(bound),
      regressor != .mlp
    else { return }
    if errors == nil, canBeRobust {
      errors = .robust
    } else if errors != .robust {
      report(
        "warning: \(dataset.name) has \(groups.count.grouped) images of \(Set(groups).count.grouped) photographs, which"
          + " gaussian errors take as independent: they are too small")
    }
  }

  /// ε of ε·tr(Σ)/D added to every variance.
  var jitter: Double { jitterOption.value }

  /// The settings of the estimators.
  ///
  /// - Parameter context: What orders' contexts are and how their coefficients are shrunk; nil for least squares on all of them.
  func settings(_ tokens: TokenOptions, _ context: ContextOptions? = nil) -> EstimationSettings {
    EstimationSettings(
      regressor: chosenRegressor, bound: bound, errors: errors, folds: folds ?? 1,
      heldOutFraction: heldOutFraction ?? 0.2, jitter: jitter,
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

/// What orders' regressions see of the context, and how their coefficients are shrunk, where images are few.
///
/// A command without orders of its own lists none of this, and refuses it in a sentence.
struct ContextOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Use only context tokens at most this many rows and columns away, for few images. Tokens of a step that are farther"
        + " apart count as independent whatever the data say, so this is not for comparing orders.",
      valueName: "cells"))
  var contextWindow: Int?

  @Option(
    help: ArgumentHelp(
      "Shrink coefficients by a ridge of this times the mean variance, for few images: entropies are biased then,"
        + " held-out bounds remain upper bounds.",
      valueName: "lambda"))
  var ridge: Double?

  @Flag(
    help: ArgumentHelp(
      "Shrink coefficients by the ridge that Ledoit and Wolf's covariance amounts to; biased as --ridge is."
    ))
  var ledoitWolf = false

  func validate() throws {
    if let contextWindow, contextWindow < 1 {
      throw ValidationError("--context-window \(contextWindow): at least 1 is needed")
    }
    if let ridge, !(ridge > 0 && ridge.isFinite) {
      throw ValidationError("--ridge \(ridge): expected a positive number")
    }
    if ridge != nil && ledoitWolf {
      throw ValidationError("--ridge and --ledoit-wolf exclude each other")
    }
    if shrinkage != .none, contextWindow != nil {
      throw ValidationError("--ridge and --ledoit-wolf exclude --context-window")
    }
  }

  /// How coefficients are shrunk.
  var shrinkage: Shrinkage { ledoitWolf ? .ledoitWolf : ridge.map { .ridge($0) } ?? .none }

  /// Refuses what does not go with a bound, a regressor or errors.
  func check(with estimation: EstimationOptions) throws {
    if contextWindow != nil,
      estimation.bound == .heldOut || estimation.regressor != .linear
    {
      throw ValidationError("--context-window is for in-sample bounds of the linear regressor")
    }
    guard shrinkage != .none else { return }
    guard estimation.bound != .debiased else {
      throw ValidationError(
        "\(ledoitWolf ? "--ledoit-wolf" : "--ridge") shrinks coefficients, and the debiased bound is for least squares:"
          + " use --bound held-out, or --bound wishart, which is then biased")
    }
    guard estimation.bound == .heldOut || estimation.errors != .robust else {
      throw ValidationError(
        "--errors robust is for fits that are not shrunk: leave it out, or use --bound held-out")
    }
  }

  /// Refuses all of it for a command that has no use for it.
  ///
  /// - Parameter reason: Why, as in "a map's context is one token".
  func refuse(because reason: String) throws {
    for (name, isGiven) in [
      ("--context-window", contextWindow != nil), ("--ridge", ridge != nil),
      ("--ledoit-wolf", ledoitWolf),
    ] where isGiven {
      throw ValidationError("\(name) is for order-compare: \(reason)")
    }
  }
}

/// The regressors f_θ by their names on the command line.
enum RegressorName: String, CaseIterable, ExpressibleByArgument {
  /// Ordinary least squares, through one Cholesky factorisation.
  case linear
  /// The same with random functions of each token.
  case features
  /// A network with one hidden layer, trained by gradient descent.
  case mlp
}

/// Progress of an estimation on standard error, a line for each stage.
final class EstimationProgress: Sendable {
  private let summing: ProgressLine
  private let factoring: ProgressLine
  private let mapping: ProgressLine
  private let training: ProgressLine

  init(images: Int, orders: Int) {
    training = ProgressLine("training", total: 0, unit: "epochs")
    summing = ProgressLine("summing products", total: images, unit: "images")
    factoring = ProgressLine("factoring orders", total: orders, unit: "orders")
    mapping = ProgressLine("fitting on references", total: orders, unit: "references")
  }

  func update(_ stage: EstimationStage) {
    switch stage {
    case .summing(let done, _): summing.update(done)
    case .factoring(let done, _):
      summing.finish()
      factoring.update(done)
    case .mapping(let done, _): mapping.update(done)
    case .training(let done, let total, let loss):
      training.update(done, of: total, "loss \(loss.fixed(3)) nats a token")
    }
  }

  func finish() {
    summing.finish()
    factoring.finish()
    mapping.finish()
    training.finish()
  }
}
