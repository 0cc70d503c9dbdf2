import ArgumentParser
import FileFormats
import Files
import Foundation
import GenerationMetrics
import Reporting
import Statistics
import TokenData
import VisualTokenizers

/// `fid-compare statistics TOKENS --extractor structure --output FILE.npz`: mean and covariance of features.
struct FidCompareStatistics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "statistics",
    abstract: "Write the mean and covariance of an extractor's features as .npz (mu, sigma).",
    usage: """
      fid-compare statistics <tokens> --extractor <extractor> [options]
                             --output <file.npz>
      """,
    discussion: """
      EXAMPLES
        fid-compare statistics --tokens real.h5 --extractor structure -o real.npz
        fid-compare statistics real.h5 --extractor texture --images 3/8 -o part-3.npz
            One of eight parts, which as many machines compute;
        fid-compare merge-statistics part-*.npz -o real.npz
            adds them, or those of several files, to the statistics of all.

      Parts keep together the images of one photograph: images are arranged
      photograph by photograph, and part i of N of m images begins at place
      (i - 1)*m/N, moved up to the next photograph. Beside mu and sigma the file
      says of how many samples they are, of which images, and by which extractor.
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<AnyTokens>
  @OptionGroup(title: "Tokens") var channels: ChannelsOption
  @OptionGroup(title: "Tokens") var limit: LimitOption

  @Option(
    name: .customLong("images"),
    help: ArgumentHelp(
      "Only the i-th of N parts of the images, for merge-statistics. (default: all of them)",
      valueName: "i/N"))
  var imagesText: String?

  @OptionGroup(title: "Tokens") var seed: SeedOption

  @Option(help: "structure, texture or pixels.")
  var extractor: ExtractorName

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file.npz"))
  var output: String

  func validate() throws {
    guard let imagesText else { return }
    _ = try numberedPart(imagesText, option: "--images")
    if limit.limit != nil {
      throw ValidationError("--images takes a part of all images; leave --limit out")
    }
  }

  func run() throws {
    _ = try tokens.dataset.path
    try checkOutput(output, inputs: [])
    let source: any DescribedTokens =
      if let limit = limit.limit {
        try tokens.dataset.load(
          sampling: limit, seed: seed.value, channels: channels.channels)
      } else {
        try tokens.dataset.described(channels: channels.channels)
      }
    let (images, places) = try chosenImages(of: source)
    let progress = ProgressLine(
      "\(extractor.rawValue) features", total: images.count, unit: "images")
    let (statistics, samples, made) = try FeatureStatistics.of(
      source, images: images,
      by: { try extractor.extractor(for: $0, seed: seed.value) },
      progress: { progress.update($0) })
    progress.finish()
    var parts: [StatisticsOrigin.Part] = []
    if limit.limit == nil, let hash = try source.sourceHash() {
      parts = [
        StatisticsOrigin.Part(
          source: hash.value, images: places, imagesInAll: source.imageCount)
      ]
    }
    try CountedStatistics(
      statistics,
      origin: StatisticsOrigin(
        samples: samples, images: images.count, extractor: extractor.rawValue,
        definition: made.definitionHash.value,
        codebook: source.codebook.map { TokenDataset.hash(ofCodebook: $0).value } ?? 0,
        parts: parts)
    ).write(npz: output)
    let which =
      imagesText.map {
        ", part \($0): \(places.lowerBound) to \(places.upperBound - 1) of \(source.imageCount.grouped),"
      } ?? ""
    try printText(
      "\(output): \(made.dimensions) features of \(images.count.grouped) images\(which) by \(extractor.rawValue) (\(made.definitionHash))"
    )
  }

  /// The numbers of the images, and their places photograph by photograph.
  private func chosenImages(
    of source: any DescribedTokens
  ) throws -> (images: [Int], places: Range<Int>) {
    guard let part = imagesText.flatMap({ NumberedPart($0) }) else {
      return (Array(0..<source.imageCount), 0..<source.imageCount)
    }
    let (images, places) = Photographs(source.imageGroups, imageCount: source.imageCount)
      .part(part)
    guard !images.isEmpty else {
      throw ValidationError(
        "--images \(part): no photograph of \(source.place) begins in this part of its \(source.imageCount) images; take fewer parts"
      )
    }
    return (images.sorted(), places)
  }
}

/// The features of a file, and the hash of the extractor's definition.
func featureSet(
  of tokens: DatasetArgument, _ name: ExtractorName, limit: Int?, seed: UInt64,
  channels: ChannelPlacement?
) throws -> (set: FeatureSet, definitionHash: ContentHash) {
  let dataset = try AdvisedError.advisingFewerImages {
    try tokens.load(sampling: limit, seed: seed, channels: channels)
  }
  let extractor = try name.extractor(for: dataset, seed: seed)
  let progress = ProgressLine(
    "\(name.rawValue) features", total: dataset.imageCount, unit: "images")
  defer { progress.finish() }
  return (
    try FeatureSet(of: dataset, by: extractor, seed: seed) { progress.update($0) },
    extractor.definitionHash
  )
}

/// The Fréchet distance where at least one side is known by its statistics only.
struct StatisticsComparison {
  let real: String
  let generated: String
  let extractors: [ExtractorName]
  let limit: Int?
  /// Nil where none was given.
  let givenSeed: UInt64?
  let channels: ChannelPlacement?
  private var seed: UInt64 { givenSeed ?? 0 }

  /// Whether a file holds statistics instead of tokens, by its name.
  static func isStatistics(_ path: String) -> Bool { path.hasSuffix(".npz") }

  private struct Result: Encodable {
    let command = "fid-compare proxies"
    let real, generated: String
    let extractor: String?
    let definitionHash: String?
    let dimensions: Int
    let frechetDistance, meanTerm, covarianceTerm: JSONNumber
    let provenance: Provenance
  }

  /// Computes and prints the distance.
  ///
  /// - Throws: What is wrong with a file, or `ValidationError` when it is not clear which features are meant.
  func print(_ format: TextFormatOptions, clock: Stopwatch) throws {
    let bothAreStatistics = Self.isStatistics(real) && Self.isStatistics(generated)
    guard extractors.count == (bothAreStatistics ? 0 : 1) else {
      throw ValidationError(
        bothAreStatistics
          ? "--extractor is for tokens; both files hold statistics"
          : "name with --extractor the one extractor whose statistics the .npz file holds")
    }
    for (name, isGiven) in [
      ("--channels", channels != nil), ("--limit", limit != nil), ("--seed", givenSeed != nil),
    ] where bothAreStatistics && isGiven {
      throw ValidationError("\(name) is for tokens; both files hold statistics")
    }
    var definitionHash: ContentHash?
    var origins: [(file: String, origin: StatisticsOrigin)] = []
    func gaussian(_ path: String) throws -> FeatureGaussian {
      if Self.isStatistics(path) {
        let archive = try NpzArchive(path: path)
        if archive.arrayNames.contains(ImageSet.arrayName), !archive.arrayNames.contains("mu") {
          throw ValidationError(
            "\(path): holds images (\(ImageSet.arrayName)), and proxies compare tokens; `fid-compare frechet --extractor pixels` compares images"
          )
        }
        if let origin = try CountedStatistics.origin(in: archive) { origins.append((path, origin)) }
        return FeatureGaussian(try FeatureStatistics(archive))
      }
      let (set, hash) = try featureSet(
        of: DatasetArgument(argument: path), extractors[0], limit: limit, seed: seed,
        channels: channels)
      definitionHash = hash
      return set.gaussian
    }
    let (a, b) = (try gaussian(real), try gaussian(generated))
    try refuseOtherFeatures(origins, definitionHash)
    let distance = try FrechetDistance(a, b)
    let result = Result(
      real: real, generated: generated, extractor: extractors.first?.rawValue,
      definitionHash: definitionHash?.description, dimensions: a.dimensions,
      frechetDistance: JSONNumber(distance.value), meanTerm: JSONNumber(distance.meanTerm),
      covarianceTerm: JSONNumber(distance.covarianceTerm),
      provenance: Provenance(input: real, seed: seed).finished(after: clock))
    if format.json { return try printJSON(result) }
    if format.csv {
      let rows = [
        ("frechet_distance", distance.value), ("mean_term", distance.meanTerm),
        ("covariance_term", distance.covarianceTerm),
      ]
      return try printText(
        (["metric,value"] + rows.map { "\($0),\($1.csvField)" }).joined(separator: "\n"))
    }
    try printText(
      """
      \(real) against \(generated) · \(a.dimensions) features\(extractors.first.map { " by \($0.rawValue)" } ?? "")
      Fréchet distance \(distance.value.significant(6)): means \(distance.meanTerm.significant(6)), covariances \
      \(distance.covarianceTerm.significant(6))
      Without the images there is neither FD∞ nor a noise floor: the distance is too large, the more so the fewer images there were.
      """)
  }

  /// Refuses statistics that say that another extractor made them.
  private func refuseOtherFeatures(
    _ origins: [(file: String, origin: StatisticsOrigin)], _ read: ContentHash?
  ) throws {
    guard let first = origins.first else { return }
    let expected = read?.value ?? first.origin.definition
    for (file, origin) in origins where origin.definition != expected {
      throw ValidationError(
        "\(file): its features are by \(origin.extractor) (\(ContentHash(value: origin.definition))), and the others by another definition (\(ContentHash(value: expected)))"
      )
    }
  }
}
