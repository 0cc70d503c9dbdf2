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

/// `fid-compare [run] ORDER …`: trains and samples models for orders of generation, and measures what comes of it.
struct FidCompareRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Sample one model in many orders of generation, and measure the images. (default)",
    usage: """
      fid-compare [run] [<orders> ...] [options]
      fid-compare [run] --architecture par [<configurations> ...] [options]
      """,
    discussion: """
      EXAMPLES
        fid-compare
        fid-compare halton raster distant:n=16 raster+one --quick
        fid-compare --tokens learned-12x12 --output-dir learned
        fid-compare --architecture par raster+one distant+causal --count 2000
      fid-compare --list-stages 16
      fid-compare --stage measure:3/16

      Half of the images, drawn at random, are trained on; everything is measured
      on the other half. One any-order model for each seed is trained on a mix of
      all orders that are compared, and generates images in each of them, so that
      nothing differs but the order. Beside the total entropy increase stand what
      the model itself loses by drawing tokens together, distances of its images
      from real ones, what they exceed those of the same sequence one by one by
      (same classes, same random numbers), and those of single steps drawn given
      the real ones before. Real images of the other half, as many as are
      generated, are the noise floor. At the end: how all this goes together.

      An order is name[:key=value,…] or the path of a file; +one behind it means
      its cells one by one, searched:steps=S what order-search finds. Group sizes
      of schedule=optimal, and searches, are fitted to the half trained on.

      With --architecture par a PAR transformer of its own is trained for each
      configuration: an order, with +one, or with +causal for causal instead of
      group-wise attention. Without any, those of the paper:
      \(ComparisonConfiguration.standard.prefix(5).joined(separator: ", ")),
      \(ComparisonConfiguration.standard.dropFirst(5).joined(separator: ", ")).

      Everything is kept in the output folder: a run that was interrupted goes on
      where it was, and what another run with equal settings has made is not made
      again. So processes can share the work, on one machine or on many that see
      the folder: --list-stages N says into which stages it divides, of measuring N,
      and which must be done before which (--json); --stage does one of them, with
      otherwise the same options. Those that wait for none of each other may run at
      once, and one that was killed is run again. When all are done, the same
      command without --stage finds everything made and puts it together.

      \(OrderFamily.help)
      """)

  @Argument(
    help:
      "Orders: name[:key=value,…][+one], searched:steps=S, or the path of an order file; of PAR transformers also +causal. (default: some forty)"
  )
  var configurations: [String] = []

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("The same.", visibility: .hidden))
  var orders: [String] = []

  @OptionGroup(title: "Tokens") var tokens: DatasetOption<TrainingTokens>
  @OptionGroup(title: "Tokens") var seedOption: SeedOption

  @Option(
    help: ArgumentHelp(
      "any-order: one model for all orders; par: a PAR transformer for each. (default: any-order)",
      valueName: "model"))
  var architecture: TrainingArchitecture?

  @OptionGroup(title: "Models") var models: ComparisonModelOptions
  @OptionGroup(title: "Proxies") var proxies: ProxyOptions

  @OptionGroup(title: "Stages") var stage: ComparisonStageOptions

  @OptionGroup(title: "Results") var format: TextFormatOptions
  @OptionGroup(title: "Results") var figures: FigureOptions<ComparisonFolder>

  var seed: UInt64 { seedOption.value }
  var outputDir: String { figures.folder.path ?? ComparisonFolder.standard }
  /// What the user compares; empty for the default.
  var texts: [String] { (configurations + orders).removingRepeats }

  /// The settings of PAR transformers, with their defaults.
  var settings: ComparisonSettings { models.settings(neighbors: proxies.neighbors.values) }

  /// The settings of a model for all orders, with their defaults.
  var anyOrderSettings: AnyOrderSettings {
    models.anyOrderSettings(neighbors: proxies.neighbors.values)
  }

  func validate() throws {
    try refuseResultsOfStages()
    let isPAR = architecture == .par
    let samples = isPAR ? settings.samples : anyOrderSettings.samples
    let most = max(FeatureSet.leastImages, (proxies.neighbors.values.max() ?? 0) + 1)
    if samples < most {
      throw ValidationError("--count \(samples): at least \(most) are needed")
    }
    if isPAR {
      try models.refuseAnyOrderOptions()
    } else if let causal = texts.first(where: { $0.contains("+causal") }) {
      throw ValidationError(
        "\(causal): attention inside steps is a choice of PAR transformers; use --architecture par")
    }
    do {
      try (isPAR ? settings.training : anyOrderSettings.training).validate()
    } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    if let parts = stage.listStages { return try listStages(measuringParts: parts) }
    Interruption.asksToStop()
    switch architecture ?? .anyOrder {
    case .par: try run(stages: .real(), shouldStop: { Interruption.isStopWanted })
    case .anyOrder: try runAnyOrder(stages: .real(), shouldStop: { Interruption.isStopWanted })
    }
  }

  /// Trains a PAR transformer for each configuration, with the given stages; `show` gets the tables.
  func run(
    stages: ComparisonStages, shouldStop: @escaping () -> Bool,
    show: (String) throws -> Void = { try printText($0) }
  ) throws {
    let clock = Stopwatch()
    let (dataset, training, held) = try halves()
    let chosen = try (texts.isEmpty ? ComparisonConfiguration.standard : texts).map {
      try ComparisonConfiguration($0) {
        try OrderSpecification(argument: $0).order(on: dataset.grid)
      }
    }
    let extractors = try proxies.extractors(for: dataset, seed: seed)
    let comparison = try Comparison(
      dataset: dataset, training: training, held: held, configurations: chosen,
      settings: settings, seeds: models.seeds, firstSeed: seed, extractors: extractors,
      folder: outputDir, sharesFolder: stage.task != nil, stages: stages,
      shouldStop: shouldStop)
    if let task = stage.task {
      return try show(stage.told(task, untilStopped { try comparison.carryOut(task) }))
    }
    let result = try untilStopped {
      try comparison.run(provenance: Provenance(of: dataset, seed: seed), clock: clock)
    }
    try tell(result, csv: result.csv, text: result.text, show)
    guard let directory = figures.directory(default: outputDir) else { return }
    try figures.write(comparison.figures(of: result), to: directory, provenance: result.provenance)
  }

  /// The images, those trained on and those measured on.
  func halves() throws -> (all: TokenDataset, training: TokenDataset, held: TokenDataset) {
    try OutputFolder.check(outputDir)
    let dataset = try tokens.dataset.load()
    guard dataset.codebook != nil else { throw TrainingError.noCodes(dataset: dataset.name) }
    let (training, held) = try randomHalves(of: dataset, seed: seed)
    return (dataset, training, held)
  }

  /// Does something that the user may stop.
  func untilStopped<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch is ComparisonStopped {
      report("stopped; the same command goes on from \(outputDir)")
      throw ExitCode(Interruption.exitStatus)
    }
  }

  /// Writes a result into the folder and prints it.
  func tell(
    _ result: some Encodable, csv: String, text: String, _ show: (String) throws -> Void
  ) throws {
    Interruption.removeTemporaryFiles()
    try JSONFile.write(VersionedResult(result), to: outputDir + "/fid-compare.json")
    switch (format.json, format.csv) {
    case (true, _): try printJSON(result)
    case (_, true): try printText(csv)
    default: try show(text)
    }
  }
}
