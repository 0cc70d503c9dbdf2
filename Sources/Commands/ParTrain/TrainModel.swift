import ArgumentParser
import Figures
import Files
import Foundation
import NeuralKernels
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// `par-train [train]`: one training run.
struct TrainModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a model. (default)",
    usage: """
      par-train [train] [<tokens>] [--order <order>] [-n <n>] [options]
                --output-dir <folder>
      """,
    discussion: """
      EXAMPLES
        par-train --order distant --tokens-per-step 4 --output-dir run
        par-train --tokens codes.h5 --order raster -n 1 --output-dir run --resume

      The folder gets model.safetensors at the end, checkpoint.safetensors on the
      way, loss.csv and a figure of the losses. Weights start from N(0, 0.02²);
      AdamW with β = (0.9, 0.95); the learning rate rises in the first 5 % of the
      steps and falls to 0 as a cosine. Losses are in nats a token.
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<TrainingTokens>

  @Option(help: "The order of generation: name[:key=value,…] or the path of an order file.")
  var order = "distant"

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp("Tokens generated together.", valueName: "n"))
  var tokensPerStep = 4

  @Option(help: "What tokens of one step see of each other: groupwise or causal.")
  var attention = AttentionPattern.groupwise

  @OptionGroup(title: "Model and training") var training: TrainingOptions
  @OptionGroup(title: "Model and training") var seedOption: SeedOption
  @OptionGroup(title: "Model and training") var threadsOption: ThreadsOption

  @OptionGroup(title: "Results") var figures: FigureOptions<RunFolder>

  @Flag(help: "Go on from the folder's checkpoint; start where there is none.")
  var resume = false

  @Option(help: ArgumentHelp("Minutes from one checkpoint to the next.", valueName: "minutes"))
  var checkpointMinutes = 10.0

  @OptionGroup(title: "Results") var json: JSONOption

  private var seed: UInt64 { seedOption.value }
  private var threads: Int? { threadsOption.count }
  /// Validation has seen to it that there is one.
  private var outputDir: String { figures.folder.path ?? "." }

  private var settings: TrainingSettings {
    training.settings(seed: seed, checkpointSeconds: checkpointMinutes * 60)
  }

  func validate() throws {
    if figures.folder.path == nil {
      throw ValidationError("Missing expected argument '--output-dir <folder>'")
    }
    if tokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
    do { try settings.validate() } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    Interruption.asksToStop()
    let clock = Stopwatch()
    try OutputFolder.check(outputDir)
    threadsOption.apply()
    let specification = try OrderSpecification(argument: order)
    let dataset = try tokens.dataset.load()
    let order = try specification.order(on: dataset.grid, tokensPerStep: tokensPerStep)
    let display = TrainingDisplay(steps: training.steps)
    let outcome = try PARTraining.run(
      tokens: dataset, order: order, tokensPerStep: tokensPerStep, attention: attention,
      settings: settings, directory: outputDir, resume: resume, threads: threads,
      shouldStop: { Interruption.isStopWanted }, progress: display.update)
    display.finish()
    let provenance = try Provenance(of: dataset, seed: seed).finished(after: clock)
    let result = TrainingResult(
      order: order.name, tokensPerStep: tokensPerStep, attention: attention.rawValue,
      grid: dataset.grid.jsonExtents, outcome: outcome, provenance: provenance)
    if json.isWanted {
      try printJSON(result)
    } else {
      try printSummary(outcome, order: order)
    }
    guard outcome.finished else {
      report(
        "stopped after step \(outcome.step.grouped) of \(training.steps.grouped); the same command with --resume goes on"
          + " from \(outputDir)/\(PARTraining.checkpointName)")
      throw ExitCode(Interruption.exitStatus)
    }
    Interruption.removeTemporaryFiles()
    if let directory = figures.directory(default: nil), !outcome.history.isEmpty {
      try figures.write(
        [figure(outcome, dataset: dataset, order: order)], to: directory, provenance: provenance)
    }
  }

  private func printSummary(_ outcome: TrainingOutcome, order: GenerationOrder) throws {
    guard let last = outcome.history.last else { return }
    let validation = outcome.validationLoss.map { ", held out \($0.fixed(4))" } ?? ""
    try printText(
      """
      \(outcome.parameterCount.grouped) parameters, \(order.name), \(tokensPerStep) tokens per step, \
      \(attention.rawValue) attention
      step \(outcome.step.grouped): loss \(last.loss.fixed(4)) nats/token\(validation)
      \(outcome.seconds.fixed(1)) s, \(outcome.tokensPerSecond.fixed(0)) tokens/s
      """)
    if outcome.finished { try printText("wrote \(outcome.model)") }
  }

  private func figure(
    _ outcome: TrainingOutcome, dataset: TokenDataset, order: GenerationOrder
  ) -> CurveFigure {
    .losses(
      name: "loss", training: outcome.history.map { .init(Double($0.step), $0.loss) },
      validation: outcome.history.compactMap { record in
        record.validationLoss.map { .init(Double(record.step), $0) }
      },
      caption: "\(order.name), \(tokensPerStep) tokens per step, \(attention.rawValue) attention;"
        + " \(settings.layers) layers of width \(settings.width), \(outcome.parameterCount.grouped) parameters;"
        + " \(settings.batchSize) images a step. Data: \(dataset.name), \(dataset.imageCount.grouped) images."
    )
  }
}

/// What is trained and how.
struct TrainingOptions: ParsableArguments {
  @Option(help: "Transformer blocks.") var layers = 4
  @Option(help: "Attention heads.") var heads = 4
  @Option(help: "The width of the residual stream.") var width = 128
  @Option(help: "Optimizer steps.") var steps = 2000
  @Option(help: "Images in each step. (default: 32)") var batch: Int?
  @Option(name: .customLong("batch-size"), help: .hidden) var formerBatch: Int?
  @Option(help: "The largest learning rate.") var learningRate: Float = 1e-3
  @Option(help: "AdamW's weight decay of matrices.") var weightDecay: Float = 0.05
  @Option(help: "Dropout of embeddings and of what layers add.") var dropout: Float = 0.1
  @Option(help: "How often an image loses its class, for guidance.") var labelDropout: Float = 0.1
  @Option(help: "The share of the steps in which the learning rate rises.") var warmup = 0.05
  @Option(help: "The largest norm of the gradient.") var clip: Float = 1

  @Option(
    help: ArgumentHelp(
      "Images held out. (default: a twentieth, at most 512)", valueName: "images"))
  var validationImages: Int?

  @Option(
    help: ArgumentHelp(
      "Steps from one validation to the next. (default: a twentieth of all)", valueName: "steps"))
  var validationInterval: Int?

  func validate() throws {
    try renamed(batch, "--batch", formerly: formerBatch, "--batch-size")
    if validationImages == 0, validationInterval != nil {
      throw ValidationError("--validation-images 0 leaves nothing for --validation-interval")
    }
  }

  /// The settings, with their defaults.
  func settings(seed: UInt64, checkpointSeconds: Double) -> TrainingSettings {
    TrainingSettings(
      layers: layers, heads: heads, width: width, steps: steps,
      batchSize: batch ?? formerBatch ?? 32, learningRate: learningRate, weightDecay: weightDecay,
      dropout: dropout, labelDropout: labelDropout, warmup: warmup, clip: clip, seed: seed,
      validationImages: validationImages, validationInterval: validationInterval,
      checkpointSeconds: checkpointSeconds)
  }
}

/// Losses and speed as training goes on: a line that changes on a terminal.
private final class TrainingDisplay {
  private let progress: ProgressLine

  init(steps: Int) {
    progress = ProgressLine("training", total: steps, unit: "steps")
  }

  func update(_ state: TrainingProgress) {
    var facts = "loss \(state.loss.fixed(3))"
    if let loss = state.validationLoss { facts += ", held out \(loss.fixed(3))" }
    facts += ", \(Int(state.tokensPerSecond).grouped) tokens/s"
    progress.update(state.step, facts, secondsLeft: state.secondsLeft)
  }

  func finish() { progress.finish() }
}

/// The result of `par-train --json`.
private struct TrainingResult: Encodable {
  struct Record: Encodable {
    let step: Int
    let loss: Double
    let validationLoss: JSONNumber
  }

  let command = "par-train"
  let order: String
  let tokensPerStep: Int
  let attention: String
  let grid: [Int]
  let model: String
  let finished: Bool
  let step: Int
  let parameters: Int
  let validationLoss: JSONNumber
  let tokensPerSecond: Double
  let history: [Record]
  let provenance: Provenance

  init(
    order: String, tokensPerStep: Int, attention: String, grid: [Int], outcome: TrainingOutcome,
    provenance: Provenance
  ) {
    self.order = order
    self.tokensPerStep = tokensPerStep
    self.attention = attention
    self.grid = grid
    model = outcome.model
    finished = outcome.finished
    step = outcome.step
    parameters = outcome.parameterCount
    validationLoss = JSONNumber(outcome.validationLoss)
    tokensPerSecond = outcome.tokensPerSecond
    history = outcome.history.map {
      Record(step: $0.step, loss: $0.loss, validationLoss: JSONNumber($0.validationLoss))
    }
    self.provenance = provenance
  }
}
