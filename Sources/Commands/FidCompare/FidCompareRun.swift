import ArgumentParser
import EntropyEstimation
import Figures
import Files
import Foundation
import GenerationMetrics
import PARTransformer
import TokenData
import TokenGrids
import VisualTokenizers

/// `fid-compare [run] ORDER …`: trains, samples and measures a model for every configuration.
struct FidCompareRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Train, sample and measure a model for each order of generation. (default)",
    discussion: """
      Half of the images, drawn at random, are trained on; generated images are compared with the other half, and so is the
      training half, as many of it as a model draws: that is the noise floor. Beside the proxies stand the entropy increase of each order, as order-compare
      computes it, and the FID that the paper gives for the configuration.

      A configuration is an order, with +one behind it for its cells one by one, with +causal for causal instead of
      group-wise attention. Without any, those of the paper: \(ComparisonConfiguration.standard.joined(separator: ", ")).

      Everything is kept in the output folder: a run that was interrupted goes on where it was, and what another run with
      equal settings has made is not made again.

      \(OrderFamily.help)
      """)

  @Argument(
    help: "Configurations: name[:key=value,…][+one][+causal], or the path of an order file.")
  var configurations: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The same, by another name.", valueName: "order …"))
  var orders: [String] = []

  @Option(
    help: ArgumentHelp("\(DatasetArgument.help) It must have codes.", valueName: "file"))
  var tokens = DatasetArgument(argument: "scenes-12x12")

  @Option(help: ArgumentHelp("The folder for everything that is made.", valueName: "folder"))
  var outputDir = "fid-compare"

  @Flag(help: "A trial of a few minutes: small models, few steps, few samples.")
  var quick = false

  @Option(
    help: ArgumentHelp(
      "Models of each configuration. (default: 2 for the orders of the paper's table 3(d), else 1)",
      valueName: "count"))
  var seeds: Int?

  @Option(
    help: ArgumentHelp("The first seed; further models count up from it.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(help: "Transformer blocks. (default: 3; quick: 2)") var layers: Int?
  @Option(help: "Attention heads. (default: 4)") var heads: Int?
  @Option(help: "The width of the residual stream. (default: 64; quick: 32)") var width: Int?
  @Option(help: "Optimizer steps. (default: 3000; quick: 200)") var steps: Int?
  @Option(help: "Images in each step. (default: 32; quick: 16)") var batchSize: Int?
  @Option(help: "The largest learning rate.") var learningRate: Float = 3e-3
  @Option(help: "Dropout of embeddings and of what layers add.") var dropout: Float = 0.1
  @Option(help: "Generated images of each model. (default: 5000; quick: 300)") var samples: Int?
  @Option(help: "The scale of classifier-free guidance; 1 for none.") var guidance: Float = 1
  @Option(help: "What logits are divided by in sampling.") var temperature: Float = 1

  @OptionGroup var proxies: ProxyOptions

  @Flag(help: "Print the result as JSON.") var json = false
  @Flag(help: "Draw no figure.") var noFigure = false

  @Option(
    name: .customLong("figure-format"),
    help: "png, svg or pdf; may be repeated. (default: png, svg)")
  var formats: [FigureFormat] = []

  /// The settings, with their defaults.
  var settings: ComparisonSettings {
    let steps = steps ?? (quick ? 200 : 3000)
    return ComparisonSettings(
      training: TrainingSettings(
        layers: layers ?? (quick ? 2 : 3), heads: heads ?? 4,
        width: width ?? (quick ? 32 : 64), steps: steps,
        batchSize: batchSize ?? (quick ? 16 : 32), learningRate: learningRate, dropout: dropout,
        validationInterval: max(1, steps / 5), checkpointSeconds: 60),
      samples: samples ?? (quick ? 300 : 5000), guidance: guidance, temperature: temperature,
      neighbors: proxies.neighbors.values)
  }

  func validate() throws {
    if let seeds, !(1...1000).contains(seeds) {
      throw ValidationError("--seeds \(seeds): expected 1 to 1000")
    }
    let most = max(FeatureSet.leastImages, (proxies.neighbors.values.max() ?? 0) + 1)
    if settings.samples < most {
      throw ValidationError("--samples \(settings.samples): at least \(most) are needed")
    }
    if settings.samples > 10_000_000 {
      throw ValidationError("--samples \(settings.samples): at most 10000000 are possible")
    }
    if noFigure, !formats.isEmpty {
      throw ValidationError("--no-figure leaves nothing for --figure-format")
    }
    do {
      try settings.training.validate()
      try SamplingOptions(
        guidance: guidance, filter: TokenFilter(temperature: temperature)
      ).validate()
    } catch { throw ValidationError("\(error)") }
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
    let dataset = try tokens.load()
    guard dataset.codebook != nil else { throw TrainingError.noCodes(dataset: dataset.name) }
    let texts = (configurations + orders).removingRepeats
    let chosen = try (texts.isEmpty ? ComparisonConfiguration.standard : texts).map {
      try ComparisonConfiguration($0, on: dataset.grid)
    }
    let (training, held) = try randomHalves(of: dataset, seed: seed)
    let extractors = try proxies.extractors(for: dataset, seed: seed)
    let comparison = try Comparison(
      dataset: dataset, training: training, held: held, configurations: chosen,
      settings: settings, seeds: seeds, firstSeed: seed, extractors: extractors,
      folder: outputDir, stages: stages, shouldStop: shouldStop)
    let result: ComparisonResult
    do {
      result = try comparison.run(
        provenance: Provenance(of: dataset, seed: seed), clock: clock)
    } catch is ComparisonStopped {
      report("stopped; the same command goes on from \(outputDir)")
      throw ExitCode(Interruption.exitStatus)
    }
    Interruption.removeTemporaryFiles()
    try JSONFile.write(result, to: outputDir + "/fid-compare.json")
    if json { try printJSON(result) } else { try show(result.text) }
    guard !noFigure else { return }
    try writeFigures(
      comparison.figures(of: result), to: URL(fileURLWithPath: outputDir, isDirectory: true),
      formats: formats.isEmpty ? [.png, .svg] : formats, provenance: result.provenance)
  }
}
