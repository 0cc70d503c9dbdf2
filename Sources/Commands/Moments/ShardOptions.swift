import ArgumentParser
import EntropyEstimation
import Files
import Reporting
import Shards
import Statistics
import TokenData

extension TokenMoments.Precision: ExpressibleByArgument {
  /// Reads a precision by its name.
  public init?(argument: String) { self.init(name: argument) }
  /// The names.
  public static var allValueStrings: [String] { ["mixed", "double"] }
  /// The name.
  public var defaultValueDescription: String { name }
}

/// A shard: a dataset, or a share of one.
struct ShardOptions: ParsableArguments {
  @OptionGroup var source: DatasetOption<AnyTokens>
  @OptionGroup var channels: ChannelsOption

  @Option(
    name: .customLong("images"),
    help: ArgumentHelp(
      "A share of the images: 3/32 is the third of 32. Images of a photograph stay together. (default: all)",
      valueName: "i/N"))
  var imagesText: String?

  func validate() throws {
    _ = try share
    if source.given == nil { throw ValidationError("Missing expected option '--tokens <file>'") }
  }

  private var share: NumberedPart {
    get throws {
      try imagesText.map { try numberedPart($0, option: "--images") } ?? NumberedPart(1, of: 1)
    }
  }

  /// Opens the shard; a file is read block by block.
  func load() throws -> ShardImages {
    try ShardImages(
      of: source.dataset.described(channels: channels.channels),
      share: share,
      name: source.dataset.displayName)
  }
}

/// `--output`, a file of sums.
struct SumsOutput: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String
}

/// What made a file of sums.
let createdByText = "token-entropy \(packageVersion)"

/// Tells what sums in mixed precision do not resolve as what to do about it.
func advisingPrecision<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch EstimationError.insufficientPrecision(
    let source, let cell, let channel)
  {
    throw AdvisedError(
      description:
        "\(source): sums in mixed precision do not resolve channel \(channel) of token \(cell), which others all but determine;"
        + " accumulate them with --precision double")
  }
}
