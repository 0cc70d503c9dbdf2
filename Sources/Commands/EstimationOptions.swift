import ArgumentParser
import EntropyEstimation
import Figures

extension EntropyBound: ExpressibleByArgument {}
extension EntropyUnit: ExpressibleByArgument {}

/// How entropies are estimated and in what unit they are given.
struct EstimationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The bound: debiased, or algorithm-1 as the paper prints it (in-sample, sinks with the context).",
      valueName: "bound"))
  var bound: EntropyBound = .debiased

  @Option(help: "The unit of entropies.")
  var units: EntropyUnit = .nats

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
