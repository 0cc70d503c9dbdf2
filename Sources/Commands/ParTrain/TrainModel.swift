import ArgumentParser
import EmbeddedData
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
      par-train [train] [<tokens>] --architecture any-order [--orders <orders>]
                [options] --output-dir <folder>
      """,
    discussion: """
      EXAMPLES
        par-train --order distant --tokens-per-step 4 --output-dir run
        par-train --architecture any-order --orders random:0.5,raster,halton \\
          --order-steps 8:36 --preview-every 500 --output-dir run
            One model for all orders, half of it on random permutations.
        par-train --output-dir run --resume
            Goes on with whatever the run was begun with.

      The folder gets model.safetensors at the end, checkpoint.safetensors on the
      way, loss.csv and a figure of the losses. Weights start from N(0, 0.02²);
      AdamW with β = (0.9, 0.95); the learning rate rises in the first 5 % of the
      steps and falls to 0 as a cosine. Losses are in nats a token.
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<TrainingTokens>

  @Option(help: "The model: par, for one order, or any-order, for all. (default: par)")
  var architecture: TrainingArchitecture?

  @Option(
    help:
      "The order of a PAR model: name[:key=value,…] or the path of an order file. (default: distant)"
  )
  var order: String?

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp("Tokens generated together, of a PAR model. (default: 4)", valueName: "n"))
  var givenTokensPerStep: Int?

  @Option(
    help:
      "What tokens of one step see of each other, in a PAR model: groupwise or causal. (default: groupwise)"
  )
  var attention: AttentionPattern?

  @OptionGroup(title: "Any order") var anyOrder: AnyOrderOptions

  @OptionGroup(title: "Model and training") var training: TrainingOptions
  @OptionGroup(title: "Model and training") var seedOption: SeedOption
  @OptionGroup(title: "Model and training") var threadsOption: ThreadsOption

  @OptionGroup(title: "Results") var figures: FigureOptions<RunFolder>

  @Flag(
    help:
      "Go on from the folder's checkpoint, with the options of its run; start where there is none."
  )
  var resume = false

  @Option(help: ArgumentHelp("Minutes from one checkpoint to the next.", valueName: "minutes"))
  var checkpointMinutes = 10.0

  @OptionGroup(title: "Results") var json: JSONOption

  private var threads: Int? { threadsOption.count }
  /// Validation has seen to it that there is one.
  private var outputDir: String { figures.folder.path ?? "." }

  private func settings(over base: TrainingSettings = TrainingSettings()) -> TrainingSettings {
    training.settings(
      over: base, seed: seedOption.given, checkpointSeconds: checkpointMinutes * 60)
  }

  func validate() throws {
    if figures.folder.path == nil {
      throw ValidationError("Missing expected argument '--output-dir <folder>'")
    }
    if let givenTokensPerStep, givenTokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(givenTokensPerStep): at least 1 is needed")
    }
    do { try settings().validate() } catch { throw ValidationError("\(error)") }
    if let architecture { try refuseOptions(besides: architecture) }
  }

  /// Refuses options that are for the other model.
  private func refuseOptions(besides architecture: TrainingArchitecture) throws {
    switch architecture {
    case .par:
      if let option = anyOrder.given {
        throw ValidationError("\(option) is for --architecture any-order")
      }
    case .anyOrder:
      let options = [
        ("--order", order != nil), ("--tokens-per-step", givenTokensPerStep != nil),
        ("--attention", attention != nil),
      ]
      if let (option, _) = options.first(where: \.1) {
        throw ValidationError(
          "\(option) is for a PAR model; an any-order model takes --orders and --order-steps")
      }
    }
  }

  func run() throws {
    Interruption.asksToStop()
    try OutputFolder.check(outputDir)
    threadsOption.apply()
    let resumedAnyOrder = resume ? try AnyOrderTraining.resumed(in: outputDir) : nil
    let architecture = architecture ?? (resumedAnyOrder == nil ? .par : .anyOrder)
    try refuseOptions(besides: architecture)
    switch architecture {
    case .par: try trainPAR()
    case .anyOrder: try trainAnyOrder(resumedAnyOrder)
    }
  }

  /// The dataset: that given, or that of the run which is resumed, or the default; and how to name it from any folder.
  private func dataset(_ resumed: String?) throws -> (TokenDataset, named: String) {
    let argument = tokens.given ?? resumed.map { DatasetArgument(argument: $0) } ?? tokens.dataset
    let dataset = try argument.load()
    let isEmbedded = EmbeddedData.dataset(named: argument.text) != nil
    return (
      dataset, isEmbedded ? argument.text : URL(fileURLWithPath: argument.text).path
    )
  }

  private func trainPAR() throws {
    let clock = Stopwatch()
    let resumed =
      resume && architecture != .anyOrder ? try PARTraining.resumed(in: outputDir) : nil
    let specification = try order.map { try OrderSpecification(argument: $0) }
    let (dataset, named) = try dataset(resumed?.tokens)
    let tokensPerStep = givenTokensPerStep ?? resumed?.tokensPerStep ?? 4
    let attention = attention ?? resumed?.attention ?? .groupwise
    let order: GenerationOrder
    if specification == nil, let own = resumed?.order {
      order = own
    } else {
      order = try (specification ?? OrderSpecification("distant"))
        .order(on: dataset.grid, tokensPerStep: tokensPerStep)
    }
    let settings = settings(over: resumed?.settings ?? TrainingSettings())
    let display = TrainingDisplay(steps: settings.steps)
    let outcome = try PARTraining.run(
      tokens: dataset, named: named, order: order, tokensPerStep: tokensPerStep,
      attention: attention, settings: settings, directory: outputDir, resume: resume,
      threads: threads, shouldStop: { Interruption.isStopWanted }, progress: display.update)
    display.finish()
    let provenance = try Provenance(of: dataset, seed: settings.seed).finished(after: clock)
    let kind =
      "\(order.name), \(tokensPerStep) tokens per step, \(attention.rawValue) attention"
    try show(
      TrainingResult(
        order: order.name, tokensPerStep: tokensPerStep, attention: attention.rawValue,
        grid: dataset.grid.jsonExtents, outcome: outcome, provenance: provenance),
      outcome, kind: kind, settings: settings)
    try draw(
      [lossFigure(outcome, dataset: dataset, kind: kind, settings: settings)], of: outcome,
      provenance: provenance)
  }

  private func trainAnyOrder(_ resumed: AnyOrderTraining.Resumed?) throws {
    let clock = Stopwatch()
    let (dataset, named) = try dataset(resumed?.tokens)
    let orders = try orders(on: dataset.grid, resumed)
    let settings = settings(over: resumed?.settings ?? TrainingSettings())
    let display = TrainingDisplay(steps: settings.steps)
    let sheet = try anyOrder.previewEvery.map { every in
      let sheet = try PreviewSheet(
        of: dataset, orders: orders, in: outputDir, seed: settings.seed)
      return (every: every, show: { try sheet.write(step: $0, $1) })
    }
    let result = try AnyOrderTraining.run(
      tokens: dataset, named: named, orders: orders, settings: settings, directory: outputDir,
      resume: resume, threads: threads, shouldStop: { Interruption.isStopWanted },
      progress: display.update, preview: sheet)
    display.finish()
    let outcome = result.training
    let provenance = try Provenance(of: dataset, seed: settings.seed).finished(after: clock)
    let kind =
      "any order, trained on \(orders.description) in \(orders.fewestSteps) to"
      + " \(orders.mostSteps) steps"
    try show(
      TrainingResult(
        orders: orders, grid: dataset.grid.jsonExtents, outcome: result, provenance: provenance),
      outcome, kind: kind, settings: settings)
    let curve = CurveFigure.lossByKnownTokens(
      name: "loss-by-known-tokens",
      points: result.lossByKnownTokens.map {
        .init(Double($0.fewest + $0.most) / 2, $0.loss, error: $0.standardError)
      },
      caption: "Held-out images of \(dataset.name); \(kind), step \(outcome.step.grouped).")
    try draw(
      [lossFigure(outcome, dataset: dataset, kind: kind, settings: settings)]
        + (result.lossByKnownTokens.isEmpty ? [] : [curve]),
      of: outcome, provenance: provenance)
  }

  /// The orders given, over those of the run which is resumed.
  private func orders(
    on grid: TokenGrid, _ resumed: AnyOrderTraining.Resumed?
  ) throws -> OrderMixture {
    let own = resumed?.orders
    let steps = try anyOrder.parsedSteps() ?? own.map { $0.fewestSteps...$0.mostSteps }
    if anyOrder.orders == nil, let own, let steps {
      return OrderMixture(entries: own.entries, steps: steps)
    }
    return try OrderMixture(anyOrder.orders ?? "random", on: grid, steps: steps)
  }

  /// Prints the result; a run that was stopped ends the program.
  private func show(
    _ result: TrainingResult, _ outcome: TrainingOutcome, kind: String, settings: TrainingSettings
  ) throws {
    if json.isWanted {
      try printJSON(result)
    } else {
      try printSummary(outcome, kind: kind)
    }
    guard outcome.finished else {
      report(
        "stopped after step \(outcome.step.grouped) of \(settings.steps.grouped); the same command with --resume goes on"
          + " from \(outputDir)/\(PARTraining.checkpointName)")
      throw ExitCode(Interruption.exitStatus)
    }
    Interruption.removeTemporaryFiles()
  }

  private func draw(
    _ drawn: [CurveFigure], of outcome: TrainingOutcome, provenance: Provenance
  ) throws {
    if let directory = figures.directory(default: nil), !outcome.history.isEmpty {
      try figures.write(drawn, to: directory, provenance: provenance)
    }
  }

  private func printSummary(_ outcome: TrainingOutcome, kind: String) throws {
    guard let last = outcome.history.last else { return }
    let validation = outcome.validationLoss.map { ", held out \($0.fixed(4))" } ?? ""
    try printText(
      """
      \(outcome.parameterCount.grouped) parameters, \(kind)
      step \(outcome.step.grouped): loss \(last.loss.fixed(4)) nats/token\(validation)
      \(outcome.seconds.fixed(1)) s, \(outcome.tokensPerSecond.fixed(0)) tokens/s
      """)
    if outcome.finished { try printText("wrote \(outcome.model)") }
  }

  private func lossFigure(
    _ outcome: TrainingOutcome, dataset: TokenDataset, kind: String, settings: TrainingSettings
  ) -> CurveFigure {
    .losses(
      name: "loss", training: outcome.history.map { .init(Double($0.step), $0.loss) },
      validation: outcome.history.compactMap { record in
        record.validationLoss.map { .init(Double(record.step), $0) }
      },
      caption: "\(kind);"
        + " \(settings.layers) layers of width \(settings.width), \(outcome.parameterCount.grouped) parameters;"
        + " \(settings.batchSize) images a step. Data: \(dataset.name), \(dataset.imageCount.grouped) images."
    )
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

  /// The share of one kind of order.
  struct Order: Encodable {
    let name: String
    let share: Double
  }

  /// The loss of tokens predicted from about as many others.
  struct KnownTokens: Encodable {
    let fewest, most, tokens: Int
    let loss: Double
    let standardError: JSONNumber
  }

  let command = "par-train"
  let architecture: String
  // Of a PAR model.
  let order: String?
  let tokensPerStep: Int?
  let attention: String?
  // Of an any-order model.
  let orders: [Order]?
  let orderSteps: [Int]?
  let lossByKnownTokens: [KnownTokens]?
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
    self.init(
      .par, order: order, tokensPerStep: tokensPerStep, attention: attention, grid: grid, outcome,
      provenance: provenance)
  }

  init(
    orders: OrderMixture, grid: [Int], outcome: AnyOrderTraining.Outcome, provenance: Provenance
  ) {
    self.init(
      .anyOrder, orders: orders, lossByKnownTokens: outcome.lossByKnownTokens, grid: grid,
      outcome.training, provenance: provenance)
  }

  private init(
    _ architecture: TrainingArchitecture, order: String? = nil, tokensPerStep: Int? = nil,
    attention: String? = nil, orders: OrderMixture? = nil,
    lossByKnownTokens: [AnyOrderTraining.KnownTokensLoss]? = nil, grid: [Int],
    _ outcome: TrainingOutcome, provenance: Provenance
  ) {
    self.architecture = architecture.rawValue
    self.order = order
    self.tokensPerStep = tokensPerStep
    self.attention = attention
    self.orders = orders?.entries.map { Order(name: $0.name, share: $0.share) }
    orderSteps = orders.map { [$0.fewestSteps, $0.mostSteps] }
    self.lossByKnownTokens = lossByKnownTokens?.map {
      KnownTokens(
        fewest: $0.fewest, most: $0.most, tokens: $0.tokens, loss: $0.loss,
        standardError: JSONNumber($0.standardError))
    }
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
