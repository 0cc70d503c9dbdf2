import ArgumentParser
import EntropyEstimation
import Files
import Shards

/// Merged sums over shards, in place of tokens.
struct SumsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Estimate from merged moments of shards in place of tokens: closed forms need no more. See moments --help.",
      valueName: "file.h5"))
  var moments: String?

  @Option(
    help: ArgumentHelp(
      "With --moments, merged influences of the orders, for the debiased bound. (default orders: all of them)",
      valueName: "file.h5"))
  var influences: String?

  func validate() throws {
    if influences != nil, moments == nil {
      throw ValidationError("--influences needs --moments, the moments that they were made with")
    }
  }
}

/// Options that images are needed for, and whether they were given.
struct ImageDemands {
  private let given: [String]

  init(
    _ source: DatasetArgument?, _ tokens: TokenOptions, _ estimation: EstimationOptions,
    others: [(String, Bool)] = []
  ) {
    given =
      ([
        ("--tokens", source != nil), ("--limit", tokens.limit != nil),
        ("--seed", tokens.isSeedGiven), ("--channels", tokens.channels != nil),
        ("--feature-dimensions", tokens.featureDimensions != nil),
        ("--regressor \(estimation.regressor.rawValue)", estimation.regressor != .linear),
        ("--marginals gaussian", estimation.marginals != .data),
        ("--bound held-out", estimation.bound == .heldOut),
      ] + others).filter(\.1).map(\.0)
  }

  /// Refuses them beside moments.
  func refuse() throws {
    if let first = given.first {
      throw ValidationError("\(first) needs images, and --moments are sums over them")
    }
  }
}
