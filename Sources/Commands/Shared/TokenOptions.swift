import ArgumentParser
import EntropyEstimation
import Foundation
import Reporting
import TokenData

/// Which tokens of its dataset a command measures.
///
/// The dataset itself is a group of its own: it may stand without a name but where orders do.
struct TokenOptions: ParsableArguments {
  @OptionGroup private var channelsOption: ChannelsOption

  @OptionGroup private var limitOption: LimitOption
  @OptionGroup private var seedOption: SeedOption

  @Option(
    help: ArgumentHelp(
      "Keep only this many principal components of the features.", valueName: "r"))
  var featureDimensions: Int?

  /// Where features have their channels; nil where that need not be said.
  var channels: ChannelPlacement? { channelsOption.channels }
  /// How many images are used; nil for all.
  var limit: Int? { limitOption.limit }
  /// The seed of every draw.
  var seed: UInt64 { seedOption.value }
  /// Whether a seed was named.
  var isSeedGiven: Bool { seedOption.given != nil }

  func validate() throws {
    if let featureDimensions, featureDimensions < 1 {
      throw ValidationError("--feature-dimensions \(featureDimensions): at least 1 is needed")
    }
  }

  /// Reads the dataset.
  ///
  /// - Parameter takesMoments: Whether the command takes sums of products in place of tokens, which images may be added to in
  ///   parts.
  /// - Throws: What is wrong with the file, in one sentence; where the images do not fit into memory, with what to do.
  func load(_ argument: DatasetArgument, takesMoments: Bool = true) throws -> TokenDataset {
    try AdvisedError.advisingFewerImages(
      otherwise: takesMoments
        ? ", or add the sums of all images up in parts with `token-entropy moments` and give them with --moments"
        : ""
    ) {
      // Entropies do not depend on the place of the origin.
      let dataset = try argument.load(
        sampling: limit, seed: seed, centred: true, channels: channels)
      // Of a sample images have other numbers than in the file.
      if dataset.codebook == nil {
        try warnOfDominantNumbers(in: dataset) { limit == nil ? "image \($0)" : "one image" }
      }
      guard let featureDimensions else { return dataset }
      return try dataset.reduced(toFeatureDimensions: featureDimensions)
    }
  }

  /// Computes something from the moments of all tokens, with progress on standard error.
  ///
  /// - Parameter jitter: The share of the mean variance that is added to every variance.
  func withMoments<Result>(
    of dataset: some TokenFeatures, jitter: Double, _ body: (TokenMoments) throws -> Result
  ) throws -> Result {
    let progress = ProgressLine("summing products", total: dataset.imageCount, unit: "images")
    return try TokenMoments.withSufficientPrecision(
      of: dataset, jitter: jitter, progress: { progress.update($0) },
      { moments in
        progress.finish()
        return try body(moments)
      })
  }
}
