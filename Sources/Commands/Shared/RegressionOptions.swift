import ArgumentParser
import EntropyEstimation

extension RandomFeatureKind: ExpressibleByArgument {}

/// The regressors f_θ by their names on the command line.
enum RegressorName: String, CaseIterable, ExpressibleByArgument {
  /// Ordinary least squares, through one Cholesky factorisation.
  case linear
  /// The same with random functions of each token.
  case features
  /// A network with one hidden layer, trained by gradient descent.
  case mlp
}

/// What becomes of each coordinate's distribution before anything is estimated.
enum Marginals: String, CaseIterable, ExpressibleByArgument {
  /// Nothing.
  case data
  /// Every coordinate becomes standard normal by the ranks of its values: the Gaussian copula of the data.
  case gaussian
}

/// What predicts the tokens, and which images it is fitted to.
///
/// A command that fits least squares on all images lists none of this, and refuses it in a sentence.
struct RegressionOptions: ParsableArguments {
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
    help: ArgumentHelp(
      "The marginal distributions: data, or gaussian, by the ranks of every channel (a Gaussian copula).",
      valueName: "marginals"))
  var marginals: Marginals = .data

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
}
