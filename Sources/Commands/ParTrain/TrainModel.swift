import ArgumentParser
import Figures
import Files
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids

/// `par-train [train]`: one training run.
struct TrainModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a model. (default)",
    discussion: """
      The folder gets model.safetensors at the end, checkpoint.safetensors on the way, loss.csv and a figure of the
      losses. Weights start from N(0, 0.02²); AdamW with β = (0.9, 0.95); the learning rate rises in the first 5 % of
      the steps and falls to 0 as a cosine. Losses are in nats a token.
      """)

  @Argument(
    help: ArgumentHelp("\(DatasetArgument.help) It must have codes.", valueName: "file"))
  var tokens = DatasetArgument(argument: "scenes-12x12")

  @Option(help: "The order of generation: name[:key=value,…] or the path of an order file.")
  var order = "distant"

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp("Tokens generated together.", valueName: "n"))
  var tokensPerStep = 4

  @Option(help: "What tokens of one step see of each other: groupwise or causal.")
  var attention = AttentionPattern.groupwise

  @Option(help: ArgumentHelp("The run's folder, made if need be.", valueName: "folder"))
  var outputDir: String

  @Flag(help: "Go on from the folder's checkpoint; start where there is none.")
  var resume = false

  @Option(help: "Transformer blocks.") var layers = 4
  @Option(help: "Attention heads.") var heads = 4
  @Option(help: "The width of the residual stream.") var width = 128
  @Option(help: "Optimizer steps.") var steps = 2000
  @Option(help: "Images in each step.") var batchSize = 32
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

  @Option(help: ArgumentHelp("Minutes from one checkpoint to the next.", valueName: "minutes"))
  var checkpointMinutes = 10.0

  @Option(help: "The seed of everything random.") var seed: UInt64 = 0
  @Option(help: "Threads. (default: one for each processor)") var threads: Int?
  @Flag(help: "Print the result as JSON.") var json = false
  @Flag(help: "Draw no figure.") var noFigure = false

  @Option(
    name: .customLong("figure-format"),
    help: "png, svg or pdf; may be repeated. (default: png, svg)")
  var formats: [FigureFormat] = []

  private var settings: TrainingSettings {
    TrainingSettings(
      layers: layers, heads: heads, width: width, steps: steps, batchSize: batchSize,
      learningRate: learningRate, weightDecay: weightDecay, dropout: dropout,
      labelDropout: labelDropout, warmup: warmup, clip: clip, seed: seed,
      validationImages: validationImages, validationInterval: validationInterval,
      checkpointSeconds: checkpointMinutes * 60)
  }

  func validate() throws {
    if tokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
    if let threads, !(1...WorkerTeam.mostWorkers).contains(threads) {
      throw ValidationError("--threads \(threads): 1 to \(WorkerTeam.mostWorkers) are possible")
    }
    if noFigure, !formats.isEmpty {
      throw ValidationError("--no-figure leaves nothing for --figure-format")
    }
    do { try settings.validate() } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    Interruption.asksToStop()
    let clock = Stopwatch()
    try OutputFolder.check(outputDir)
    if let threads { BLAS.threads = threads }
    let specification = try OrderSpecification(argument: order)
    let dataset = try tokens.load()
    let order = try specification.order(on: dataset.grid, tokensPerStep: tokensPerStep)
    let display = TrainingDisplay(steps: steps)
    let outcome = try PARTraining.run(
      tokens: dataset, order: order, tokensPerStep: tokensPerStep, attention: attention,
      settings: settings, directory: outputDir, resume: resume, threads: threads,
      shouldStop: { Interruption.isStopWanted }, progress: display.update)
    display.finish()
    let provenance = try Provenance(of: dataset, seed: seed).finished(after: clock)
    let result = TrainingResult(
      order: order.name, tokensPerStep: tokensPerStep, attention: attention.rawValue,
      grid: dataset.grid.jsonExtents, outcome: outcome, provenance: provenance)
    if json {
      try printJSON(result)
    } else {
      try printSummary(outcome, order: order)
    }
    guard outcome.finished else {
      report(
        "stopped after step \(outcome.step.grouped) of \(steps.grouped); the same command with --resume goes on"
          + " from \(outputDir)/\(PARTraining.checkpointName)")
      throw ExitCode(Interruption.exitStatus)
    }
    Interruption.removeTemporaryFiles()
    if !noFigure, !outcome.history.isEmpty {
      try writeFigures(
        [figure(outcome, dataset: dataset, order: order)],
        to: URL(fileURLWithPath: outputDir, isDirectory: true),
        formats: formats.isEmpty ? [.png, .svg] : formats, provenance: provenance)
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
  ) -> TrainingFigure {
    TrainingFigure(
      name: "loss",
      training: outcome.history.map { .init(step: $0.step, loss: $0.loss) },
      validation: outcome.history.compactMap { record in
        record.validationLoss.map { .init(step: record.step, loss: $0) }
      },
      caption: "\(order.name), \(tokensPerStep) tokens per step, \(attention.rawValue) attention;"
        + " \(layers) layers of width \(width), \(outcome.parameterCount.grouped) parameters;"
        + " \(batchSize) images a step. Data: \(dataset.name), \(dataset.imageCount.grouped) images."
    )
  }
}

/// Losses and speed as training goes on: a line that changes on a terminal.
private final class TrainingDisplay {
  private let progress: Progress

  init(steps: Int) {
    progress = Progress("training", total: steps, unit: "steps")
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
  let command = "par-train"
  let order: String
  let tokensPerStep: Int
  let attention: String
  let grid: [Int]
  let outcome: TrainingOutcome
  let provenance: Provenance

  enum CodingKeys: String, CodingKey {
    case command, order, attention, grid, model, finished, step, parameters, history, provenance
    case tokensPerStep = "tokens_per_step"
    case validationLoss = "validation_loss"
    case tokensPerSecond = "tokens_per_second"
  }

  private struct Record: Encodable {
    let step: Int
    let loss: Double
    let validation_loss: JSONNumber
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(command, forKey: .command)
    try container.encode(order, forKey: .order)
    try container.encode(tokensPerStep, forKey: .tokensPerStep)
    try container.encode(attention, forKey: .attention)
    try container.encode(grid, forKey: .grid)
    try container.encode(outcome.model, forKey: .model)
    try container.encode(outcome.finished, forKey: .finished)
    try container.encode(outcome.step, forKey: .step)
    try container.encode(outcome.parameterCount, forKey: .parameters)
    try container.encode(JSONNumber(outcome.validationLoss), forKey: .validationLoss)
    try container.encode(outcome.tokensPerSecond, forKey: .tokensPerSecond)
    try container.encode(
      outcome.history.map {
        Record(step: $0.step, loss: $0.loss, validation_loss: JSONNumber($0.validationLoss))
      }, forKey: .history)
    try container.encode(provenance, forKey: .provenance)
  }
}
