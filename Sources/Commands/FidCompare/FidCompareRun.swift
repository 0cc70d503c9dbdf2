import ArgumentParser
import Experiments
import Figures
import Files
import Foundation
import GenerationMetrics
import PARTransformer
import Reporting
import TokenData
import TokenGrids
import VisualTokenizers

/// `fid-compare [run] ORDER …`: trains, samples and measures a model for every configuration.
struct FidCompareRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Train, sample and measure a model for each order of generation. (default)",
    usage: "fid-compare [run] [<configurations> ...] [options]",
    discussion: """
      EXAMPLES
        fid-compare
        fid-compare raster distant distant:n=16 --quick
        fid-compare raster+one distant+causal --tokens codes.h5 --count 2000

      Half of the images, drawn at random, are trained on; generated images are
      compared with the other half, and so is the training half, as many of it as
      a model draws: that is the noise floor. Beside the proxies stand the entropy
      increase of each order, as order-compare computes it, and the FID that the
      paper gives for the configuration.

      A configuration is an order, with +one behind it for its cells one by one,
      with +causal for causal instead of group-wise attention. Without any, those
      of the paper:
      \(ComparisonConfiguration.standard.prefix(5).joined(separator: ", ")),
      \(ComparisonConfiguration.standard.dropFirst(5).joined(separator: ", ")).

      Everything is kept in the output folder: a run that was interrupted goes on
      where it was, and what another run with equal settings has made is not made
      again.

      \(OrderFamily.help)
      """)

  @Argument(
    help: "Configurations: name[:key=value,…][+one][+causal], or the path of an order file.")
  var configurations: [String] = []

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("The same.", visibility: .hidden))
  var orders: [String] = []

  @OptionGroup(title: "Tokens") var tokens: DatasetOption<TrainingTokens>
  @OptionGroup(title: "Tokens") var seedOption: SeedOption

  @OptionGroup(title: "Models") var models: ComparisonModelOptions
  @OptionGroup(title: "Proxies") var proxies: ProxyOptions

  @OptionGroup(title: "Results") var format: TextFormatOptions
  @OptionGroup(title: "Results") var figures: FigureOptions<ComparisonFolder>

  private var seed: UInt64 { seedOption.value }
  private var outputDir: String { figures.folder.path ?? ComparisonFolder.standard }

  /// The settings, with their defaults.
  var settings: ComparisonSettings { models.settings(neighbors: proxies.neighbors.values) }

  func validate() throws {
    let most = max(FeatureSet.leastImages, (proxies.neighbors.values.max() ?? 0) + 1)
    if settings.samples < most {
      throw ValidationError("--count \(settings.samples): at least \(most) are needed")
    }
    do { try settings.training.validate() } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    Interruption.asksToStop()
    try run(stages: .real(), shouldStop: { Interruption.isStopWanted })
  }

  /// Does everything with the given stages; `show` gets the tables.
  func run(
    stages: ComparisonStages, shouldStop: @escaping () -> Bool,
    show: (String) throws -> Void = { try printText($0) }
  ) throws {
    let clock = Stopwatch()
    try OutputFolder.check(outputDir)
    let dataset = try tokens.dataset.load()
    guard dataset.codebook != nil else { throw TrainingError.noCodes(dataset: dataset.name) }
    let texts = (configurations + orders).removingRepeats
    let chosen = try (texts.isEmpty ? ComparisonConfiguration.standard : texts).map {
      try ComparisonConfiguration($0) {
        try OrderSpecification(argument: $0).order(on: dataset.grid)
      }
    }
    let (training, held) = try randomHalves(of: dataset, seed: seed)
    let extractors = try proxies.extractors(for: dataset, seed: seed)
    let comparison = try Comparison(
      dataset: dataset, training: training, held: held, configurations: chosen,
      settings: settings, seeds: models.seeds, firstSeed: seed, extractors: extractors,
      folder: outputDir, stages: stages, shouldStop: shouldStop)
    let result: ComparisonReport
    do {
      result = try comparison.run(
        provenance: Provenance(of: dataset, seed: seed), clock: clock)
    } catch is ComparisonStopped {
      report("stopped; the same command goes on from \(outputDir)")
      throw ExitCode(Interruption.exitStatus)
    }
    Interruption.removeTemporaryFiles()
    try JSONFile.write(VersionedResult(result), to: outputDir + "/fid-compare.json")
    switch (format.json, format.csv) {
    case (true, _): try printJSON(result)
    case (_, true): try printText(result.csv)
    default: try show(result.text)
    }
    guard let directory = figures.directory(default: outputDir) else { return }
    try figures.write(comparison.figures(of: result), to: directory, provenance: result.provenance)
  }
}

/// How the models of a comparison are trained and sampled.
struct ComparisonModelOptions: ParsableArguments {
  @Flag(help: "A trial of a few minutes: small models, few steps, few samples.")
  var quick = false

  @Option(
    help: ArgumentHelp(
      "Models of each configuration, whose seeds count up from --seed. (default: 2 for the orders of the paper's table"
        + " 3(d), else 1)",
      valueName: "count"))
  var seeds: Int?

  @Option(help: "Transformer blocks. (default: 3; quick: 2)") var layers: Int?
  @Option(help: "Attention heads. (default: 4)") var heads: Int?
  @Option(help: "The width of the residual stream. (default: 64; quick: 32)") var width: Int?
  @Option(help: "Optimizer steps. (default: 3000; quick: 200)") var steps: Int?
  @Option(help: "Images in each step. (default: 32; quick: 16)") var batch: Int?
  @Option(name: .customLong("batch-size"), help: .hidden) var formerBatch: Int?
  @Option(help: "The largest learning rate.") var learningRate: Float = 3e-3
  @Option(help: "Dropout of embeddings and of what layers add.") var dropout: Float = 0.1
  @Option(help: "Generated images of each model. (default: 5000; quick: 300)") var count: Int?
  @Option(name: .customLong("samples"), help: .hidden) var formerCount: Int?
  @Option(help: "The scale of classifier-free guidance; 1 for none.") var guidance: Float = 1
  @Option(help: "What logits are divided by in sampling.") var temperature: Float = 1

  func validate() throws {
    try renamed(batch, "--batch", formerly: formerBatch, "--batch-size")
    try renamed(count, "--count", formerly: formerCount, "--samples")
    if let seeds, !(1...1000).contains(seeds) {
      throw ValidationError("--seeds \(seeds): expected 1 to 1000")
    }
    if let count = count ?? formerCount, count > 10_000_000 {
      throw ValidationError("--count \(count): at most 10000000 are possible")
    }
    do {
      try SamplingOptions(
        guidance: guidance, filter: TokenFilter(temperature: temperature)
      ).validate()
    } catch { throw ValidationError("\(error)") }
  }

  /// The settings, with their defaults.
  func settings(neighbors: [Int]) -> ComparisonSettings {
    let steps = steps ?? (quick ? 200 : 3000)
    return ComparisonSettings(
      training: TrainingSettings(
        layers: layers ?? (quick ? 2 : 3), heads: heads ?? 4,
        width: width ?? (quick ? 32 : 64), steps: steps,
        batchSize: batch ?? formerBatch ?? (quick ? 16 : 32), learningRate: learningRate,
        dropout: dropout, validationInterval: max(1, steps / 5), checkpointSeconds: 60),
      samples: count ?? formerCount ?? (quick ? 300 : 5000), guidance: guidance,
      temperature: temperature, neighbors: neighbors)
  }
}
