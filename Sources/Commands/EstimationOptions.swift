import ArgumentParser
import EntropyEstimation
import Figures

extension EntropyBound: ExpressibleByArgument {}
extension EntropyUnit: ExpressibleByArgument {}
extension ErrorKind: ExpressibleByArgument {}

/// How entropies are estimated and in what unit they are given.
struct EstimationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The bound: debiased; algorithm-1 as the paper prints it (in-sample, sinks with the context);"
        + " or held-out, an upper bound on images that were not fitted to.",
      valueName: "bound"))
  var bound: EntropyBound = .debiased

  @Option(help: "The unit of entropies.")
  var units: EntropyUnit = .nats

  @Option(
    help: ArgumentHelp(
      "Where standard errors come from: gaussian data, or robust, from the images themselves by a second"
        + " pass over them; held-out bounds always take the images.",
      valueName: "errors"))
  var errors: ErrorKind?

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

  func validate() throws {
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
  var usesSeed: Bool { bound == .heldOut }

  /// The settings of the estimators.
  func settings(_ tokens: TokenOptions) -> EstimationSettings {
    EstimationSettings(
      bound: bound, errors: errors ?? .gaussian, folds: folds ?? 1,
      heldOutFraction: heldOutFraction ?? 0.2, jitter: tokens.jitter, seed: tokens.seed)
  }

  /// A value in nats in the unit asked for.
  func value(_ nats: Double) -> Double { nats * units.perNat }

  /// An estimate in nats in the unit asked for.
  func estimate(_ nats: Estimate) -> Estimate {
    Estimate(value: value(nats.value), standardError: value(nats.standardError))
  }
}

/// The regressors f_θ by their names on the command line.
enum RegressorName {
  /// Ordinary least squares, through one Cholesky factorisation.
  static let linear = "linear"
}

/// Progress of an estimation on standard error, a line for each stage.
final class EstimationProgress: Sendable {
  private let summing: Progress
  private let factoring: Progress

  init(images: Int, orders: Int) {
    summing = Progress("summing products", total: images, unit: "images")
    factoring = Progress("factoring orders", total: orders, unit: "orders")
  }

  func update(_ stage: EstimationStage) {
    switch stage {
    case .summing(let done, _): summing.update(done)
    case .factoring(let done, _):
      summing.finish()
      factoring.update(done)
    }
  }

  func finish() {
    summing.finish()
    factoring.finish()
  }
}
