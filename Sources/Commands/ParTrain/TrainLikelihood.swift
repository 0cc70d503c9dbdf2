import ArgumentParser
import Figures
import Files
import Foundation
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// `par-train likelihood`: how well a model predicts every cell of images it has not seen.
struct TrainLikelihood: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "likelihood",
    abstract: "The negative log-likelihood of every cell of held-out images, as a map.",
    usage: """
      par-train likelihood <model> [<tokens>] [--sequential <model>] [options]
      par-train likelihood <model> [<tokens>] [--order <order>] ... [options]
      """,
    discussion: """
      EXAMPLES
        par-train likelihood run/model.safetensors
            The embedded photographs, 12x12, that were held out in training.
        par-train likelihood par/model.safetensors \\
          --sequential seq/model.safetensors
            Beside it the map of a model with one token per step.
        par-train likelihood any/model.safetensors --order raster \\
          --order halton:schedule=cosine,steps=24
            What drawing in parallel costs in each order by an any-order model's own
            account.

      Values are means of −log q(token | what the model sees when it generates
      it), in nats, with standard errors over images. On the dataset the model was
      trained on only held-out images count, on another one all.

      Of an any-order model the information lost is shown: the sum over an image of
      −log q(token | earlier steps) + log q(token | all tokens before).
      """)

  @Argument(
    help: ArgumentHelp(
      "A model written by par-train, or the folder of its run; or any checkpoint of an any-order model, .pth as well.",
      valueName: "model"))
  var model: String

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<TrainingTokens>
  @OptionGroup(title: "Tokens") var limitOption: LimitOption
  @OptionGroup(title: "Tokens") var seedOption: SeedOption

  @Option(
    help: ArgumentHelp(
      "A model with one token per step to compare with, of the same order one by one.",
      valueName: "model"))
  var sequential: String?

  @Option(
    name: .customLong("order"),
    help: ArgumentHelp(
      "An order for an any-order model; may be repeated. (default: raster, distant, halton and random)",
      valueName: "order"))
  var orders: [String] = []

  @Option(
    help:
      "Attention heads of an any-order model, where its file does not say; else those of the published size."
  )
  var heads: Int?

  @OptionGroup var threadsOption: ThreadsOption
  @OptionGroup(title: "Results") var output: LikelihoodOutput

  private var limit: Int? { limitOption.limit }
  private var threads: Int? { threadsOption.count }

  func run() throws {
    let clock = Stopwatch()
    try output.figures.check(default: output.json || output.csv ? nil : ".")
    threadsOption.apply()
    for input in [model, sequential ?? model] { InputFiles.shared.insert(input) }
    let dataset = try tokens.dataset.load()
    if AnyOrderTensors.areIn(try TrainedModel.tensors(of: model)) {
      return try runAnyOrder(dataset, clock: clock)
    }
    guard orders.isEmpty else {
      throw ValidationError("--order is for an any-order model; a PAR model has its own order")
    }
    guard heads == nil else {
      throw ValidationError(
        "--heads is for an any-order model; a PAR model was written by par-train, which says")
    }
    var maps = [("par", try measure(model, dataset))]
    if let sequential {
      let map = try measure(sequential, dataset)
      guard map.tokensPerStep == 1 else {
        throw ValidationError(
          "--sequential \(sequential): this model generates \(map.tokensPerStep) tokens per step; expected 1"
        )
      }
      maps.append(("seq", map))
    }
    let provenance = try Provenance(of: dataset, seed: limit == nil ? nil : seedOption.value)
      .finished(after: clock)
    if output.json {
      try printJSON(
        LikelihoodResult(
          dataset: dataset.name, grid: dataset.grid.jsonExtents,
          maps: maps.map { LikelihoodResult.Map(name: $0, $1) }, provenance: provenance))
    } else if output.csv {
      try printCSV(maps, grid: dataset.grid)
    } else {
      try printTable(maps)
    }
    if let directory = output.directory {
      try output.figures.write(
        [figure(maps, dataset: dataset)], to: directory, provenance: provenance)
    }
  }

  private func runAnyOrder(_ dataset: TokenDataset, clock: Stopwatch) throws {
    guard sequential == nil else {
      throw ValidationError(
        "--sequential is for a PAR model; an any-order model also predicts tokens one by one")
    }
    let names = orders.isEmpty ? ["raster", "distant", "halton", "random"] : orders
    let chosen = try names.map {
      try OrderSpecification(argument: $0).order(on: dataset.grid)
    }
    let images = limit ?? dataset.imageCount
    let progress = ProgressLine("measuring", total: images * 2 * chosen.count, unit: "images")
    let likelihood = try AnyOrderLikelihood(
      model: model, heads: heads, tokens: dataset, orders: chosen, imageLimit: limit,
      seed: seedOption.value,
      threads: threads, progress: { progress.update($0) })
    progress.finish()
    let provenance = try Provenance(of: dataset, seed: limit == nil ? nil : seedOption.value)
      .finished(after: clock)
    let report = LikelihoodReport(likelihood, dataset: dataset)
    if output.json {
      try printJSON(report.result(provenance))
    } else {
      try printText(output.csv ? report.csv : report.table)
    }
    if let directory = output.directory {
      try output.figures.write([report.figure], to: directory, provenance: provenance)
    }
  }

  private func measure(_ path: String, _ dataset: TokenDataset) throws -> PositionLikelihood {
    let progress = ProgressLine("measuring", total: limit ?? dataset.imageCount, unit: "images")
    defer { progress.finish() }
    return try PositionLikelihood(
      model: path, tokens: dataset, imageLimit: limit, seed: seedOption.value,
      threads: threads,
      progress: { progress.update($0) })
  }

  private func printTable(_ maps: [(String, PositionLikelihood)]) throws {
    var table = TextTable(
      "model", "order", "n", "images", "nats/token", "± error", "lowest cell", "highest cell")
    for (name, map) in maps {
      table.add([
        name, map.order, "\(map.tokensPerStep)", map.imageCount.grouped, map.mean.fixed(4),
        map.standardError.fixed(4), (map.means.min() ?? .nan).fixed(3),
        (map.means.max() ?? .nan).fixed(3),
      ])
    }
    try printText(table.text)
    if !maps.allSatisfy(\.1.isHeldOut) {
      try printText(
        "all images of the dataset were measured: the model was not trained on it, or does not say")
    }
  }

  private func printCSV(_ maps: [(String, PositionLikelihood)], grid: TokenGrid) throws {
    var table = CSVTable<(name: String, map: PositionLikelihood, index: Int)>()
    table.add("model", text: { $0.name })
    table.add(cellOn: grid) { grid.cell(at: $0.index) }
    table.add("nll") { $0.map.means[$0.index] }
    table.add("standard_error") { $0.map.standardErrors[$0.index] }
    try printText(
      table.text(
        maps.lazy.flatMap { name, map in map.means.indices.map { (name: name, map: map, index: $0) }
        }))
  }

  private func figure(
    _ maps: [(String, PositionLikelihood)], dataset: TokenDataset
  ) -> PositionLikelihoodFigure {
    PositionLikelihoodFigure(
      name: "likelihood", grid: dataset.grid,
      maps: maps.map { name, map in
        PositionLikelihoodFigure.Map(
          title: "\(name): \(map.order), n = \(map.tokensPerStep), \(map.mean.fixed(3)) nats/token",
          values: map.means, errors: map.standardErrors)
      },
      caption: "Mean of −log q over \(maps[0].1.imageCount.grouped)"
        + "\(maps[0].1.isHeldOut ? " held-out" : "") images of \(dataset.name).")
  }
}

/// How the result of `par-train likelihood` is printed and drawn.
struct LikelihoodOutput: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(help: "Print the result as comma-separated values.")
  var csv = false

  @OptionGroup var figures: FigureOptions<FigureFolder>

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
    try figures.requireFigures(besides: json || csv)
  }

  /// The folder of figures: with `--json` and `--csv` there are none unless a folder is named.
  var directory: URL? { figures.directory(default: json || csv ? nil : ".") }
}

/// The result of `par-train likelihood --json`.
private struct LikelihoodResult: Encodable {
  struct Map: Encodable {
    let name: String
    let model: String
    let order: String
    let tokensPerStep: Int
    let images: Int
    let heldOut: Bool
    let nll: Double
    let nllStandardError: JSONNumber
    let nllMap: JSONGrid<JSONNumber>
    let standardErrorMap: JSONGrid<JSONNumber>

    init(name: String, _ map: PositionLikelihood) {
      self.name = name
      model = map.model
      order = map.order
      tokensPerStep = map.tokensPerStep
      images = map.imageCount
      heldOut = map.isHeldOut
      nll = map.mean
      nllStandardError = JSONNumber(map.standardError)
      nllMap = JSONGrid(map.grid, map.means)
      standardErrorMap = JSONGrid(map.grid, map.standardErrors)
    }
  }

  let command = "par-train likelihood"
  let dataset: String
  let grid: [Int]
  let maps: [Map]
  let provenance: Provenance
}
