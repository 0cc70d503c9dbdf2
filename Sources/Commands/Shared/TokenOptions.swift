import ArgumentParser
import EntropyEstimation
import Foundation
import TokenData

/// Which tokens a command measures.
struct TokenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("\(DatasetArgument.help)", valueName: "file"))
  var tokens = DatasetArgument(argument: "scenes")

  @Option(help: DatasetArgument.channelsHelp)
  var channels: ChannelPlacement?

  @Option(help: ArgumentHelp("Use only this many images, drawn at random.", valueName: "images"))
  var limit: Int?

  @Option(
    help: ArgumentHelp("The seed of everything that is drawn at random.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Keep only this many principal components of the features.", valueName: "r"))
  var featureDimensions: Int?

  @Option(
    help: ArgumentHelp(
      "Add this share of the mean variance to every variance, for degenerate data; the result says so.",
      valueName: "share"))
  var jitter: Double = 0

  func validate() throws {
    if let limit, limit < 2 {
      throw ValidationError("--limit \(limit): at least 2 images are needed")
    }
    if let featureDimensions, featureDimensions < 1 {
      throw ValidationError("--feature-dimensions \(featureDimensions): at least 1 is needed")
    }
    guard jitter >= 0, jitter.isFinite else {
      throw ValidationError("--jitter \(jitter): expected a number that is not negative")
    }
  }

  /// Reads the dataset.
  ///
  /// - Throws: What is wrong with the file, in one sentence.
  func load() throws -> TokenDataset {
    // Entropies do not depend on the place of the origin.
    let dataset = try tokens.load(
      sampling: limit, seed: seed, centred: true, channels: channels)
    guard let featureDimensions else { return dataset }
    return try dataset.reduced(toFeatureDimensions: featureDimensions)
  }

  /// Computes something from the moments of all tokens, with progress on standard error.
  func withMoments<Result>(
    of dataset: some TokenFeatures, _ body: (TokenMoments) throws -> Result
  ) throws -> Result {
    let progress = Progress("summing products", total: dataset.imageCount, unit: "images")
    return try TokenMoments.withSufficientPrecision(
      of: dataset, jitter: jitter, progress: { progress.update($0) },
      { moments in
        progress.finish()
        return try body(moments)
      })
  }
}
