import ArgumentParser
import EmbeddedData
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// `par-sample`: images as codes, drawn from a PAR transformer.
public struct ParSampleCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "par-sample",
    abstract: "Draw images from a PAR or an any-order transformer, several tokens at a time.",
    discussion: """
      EXAMPLES
        par-sample --model par-L-4x.safetensors --classes 207,360 --count 8 \\
          --guidance 1.6 --codebook vq16.safetensors --output samples.h5
            Eight images of two classes, as a token dataset; --images FOLDER
            writes PNG files too.
        par-sample --preset L --random-weights --tokens-per-step 16
            How long one image takes on this machine.
        par-sample --model par-L-4x.safetensors --order my-order.txt \\
          --grid 32x32 --json
            Another order and resolution.
        par-sample --model lpd_l_256.pth --order halton:schedule=cosine,steps=24 \\
          --guidance 4.3 --classes 0-9 --codebook vq16.safetensors --images out
            An any-order model, which takes any order at all.
        par-sample --model run --classes 0-999 --count 50000 --shard 3/8 \\
          --codebook vq16.safetensors --output part-3.h5
            The third of eight parts of a run; tokenize concat puts them together.

      A model written by par-train knows its order, grid and attention, and
      another order, attention or codebook is refused. An order must have n single
      steps and then groups of n, as a model with n − 1 transition tokens was
      trained; or no single steps at all. An any-order model takes every partition,
      and of an order file with several orders image i takes order i mod their
      number. Image i depends on --seed and i alone.

      With --shard i/N only the i-th of N consecutive parts of a run is made: the
      images that one run without it makes at these places, to the last bit on one
      kind of processor. Eight machines make eight parts; files of --output are
      put together by tokenize concat, arrays of --npz by numpy.concatenate, and
      files of --images are named as those of one run.

      \(OrderFamily.help)

      \(exitStatusHelp)
      """,
    version: versionText)

  @OptionGroup(title: "Model") var model: ParSampleModel

  @Option(
    help: ArgumentHelp(
      "The order of generation: name[:key=value,…] or a path. (default: the checkpoint's, or distant)",
      valueName: "order"))
  var order: String?

  @Option(
    help: ArgumentHelp(
      "The grid of tokens, HxW or TxHxW. (default: the checkpoint's, or 24x24)", valueName: "grid"))
  var grid: String?

  @Option(
    help: ArgumentHelp(
      "The tokens that the group sizes of an order with schedule=optimal are fitted to, as order-compare has --tokens.",
      valueName: "file"))
  var tokens: DatasetArgument?

  @Option(
    help: ArgumentHelp(
      "What tokens of one step see of each other: groupwise or causal. (default: the checkpoint's, or groupwise)",
      valueName: "pattern"))
  var attention: AttentionPattern?

  @OptionGroup(title: "Drawing") var drawing: ParSampleDrawing
  @OptionGroup(title: "Drawing") var seedOption: SeedOption
  @OptionGroup(title: "Drawing") var threadsOption: ThreadsOption

  @OptionGroup(title: "Results") var results: ParSampleOutput

  private var seed: UInt64 { seedOption.value }
  private var output: String? { results.output }
  private var imageFolder: String? { results.images }
  private var npz: String? { results.npz }

  /// Makes the command for the parser.
  public init() {}

  /// Refuses options that exclude each other or are out of range.
  public func validate() throws {
    _ = try parsedGrid()
    if output == nil, imageFolder == nil, npz == nil, results.codebook != nil,
      fittedTokens == tokens
    {
      throw ValidationError(
        "--codebook is for --output, --images and --npz, and for arrays of --tokens")
    }
  }

  /// The tokens that group sizes are fitted to; codes in an array are those of the codebook that the model's are.
  private var fittedTokens: DatasetArgument? {
    guard var tokens, ArrayTokens.areAt(tokens.text) else { return tokens }
    tokens.arrays.codebook = results.codebook
    return tokens
  }

  /// Generates the images and prints or writes them.
  public func run() throws {
    let team = WorkerTeam(workers: threadsOption.count)
    threadsOption.apply()
    let specification = try order.map { try OrderSpecification(argument: $0) }
    try OrderFitting.requireUse(of: tokens, by: specification)
    _ = try? results.codebook.map { try DatasetArgument(argument: $0).path }
    // Whether it can be written is found out before anything is generated.
    for path in [output, npz].compactMap(\.self) {
      try checkOutput(path, inputs: [model.model])
    }
    let (sampled, trained) = try model.load(seed: seed, team: team)
    let codebook = try results.codebook.map {
      try SampleCodebook(
        path: $0, codes: sampled.codes, isForImages: imageFolder != nil || npz != nil)
    }
    if let codebook, let expected = trained.codebookHash, codebook.hash != expected {
      try refuse(
        trained, what: "a codebook of hash \(expected)",
        "\(results.codebook ?? "") has \(codebook.hash)")
    }
    let names = codebook.map(\.classNames).flatMap { $0.isEmpty ? nil : $0 } ?? trained.classNames
    let labelsOfRun = try drawing.labels(names: names)
    let images = try drawing.images(of: labelsOfRun.count)
    let labels = Array(labelsOfRun[images])
    let folder = try imageFolder.map { try SampleImageFolder(path: $0) }
    let sampler = try sampler(of: sampled, specification, trained, team: team)
    let grid = sampler.grid
    if npz != nil { try requireImages(grid, for: "--npz") }

    let clock = Stopwatch()
    let progress = ProgressLine(
      "sampling", total: labels.count * grid.cellCount, unit: "tokens")
    let samples = try sampler.generate(labels, after: images.lowerBound) { state in
      let tokens =
        state.finishedImages * grid.cellCount + state.batchImages * state.tokens
      progress.update(tokens, "\((Double(tokens) / clock.seconds).fixed(1)) tokens/s")
    }
    progress.finish()
    let seconds = clock.seconds

    let provenance = Provenance(input: model.model, seed: seed).finished(after: clock)
    if let codebook {
      let dataset = try codebook.dataset(
        samples, labels: labels, labelsOfRun: labelsOfRun, grid: grid,
        source: source(order: sampler.order),
        createdBy: provenance.linesOfMachine.joined(separator: "; "),
        part: drawing.shard == nil
          ? nil : RunPart(firstImage: images.lowerBound, imagesInAll: labelsOfRun.count))
      if let output { try dataset.write(to: output) }
      if let folder {
        try folder.write(
          labels: labels, firstImage: images.lowerBound, codebook.pictures(of: dataset))
      }
      if let npz {
        _ = try writeImageArchive(
          npz, numbers: Array(labels.indices), labels: labels, codebook.pictures(of: dataset))
      }
    }
    let result = ParSampleResult(
      architecture: sampled.architecture, order: sampler.order,
      tokensPerStep: sampler.tokensPerStep, steps: sampler.passCount, grid: grid.jsonExtents,
      firstImage: images.lowerBound, imagesInAll: labelsOfRun.count,
      samples: zip(labels, samples).map {
        ParSampleResult.Sample(label: $0, codes: JSONGrid(grid: grid, values: $1))
      },
      seconds: seconds, provenance: provenance)
    if results.json.isWanted {
      try printJSON(result)
    } else {
      try printSummary(result, sampled, grid: grid)
    }
  }

  private func printSummary(
    _ result: ParSampleResult, _ sampled: SampledModel, grid: TokenGrid
  ) throws {
    let count = result.samples.count
    let batchImages = min(drawing.batch, count)
    let passes = result.steps * ((count + batchImages - 1) / batchImages)
    let bytes = Double(sampled.streamedByteCount) * Double(passes)
    try printText(
      """
      \(count) image\(count == 1 ? "" : "s") of \(grid) tokens, \(result.order), \
      \(sampled.isAnyOrder ? "up to " : "")\(result.tokensPerStep) tokens per step: \(result.steps) forward passes each
      \(result.seconds.fixed(3)) s, \((result.seconds / Double(count)).fixed(3)) s an image, \
      \((Double(count * grid.cellCount) / result.seconds).fixed(1)) tokens/s
      weights: \(sampled.parameterCount.grouped) parameters in \
      \(sampled.precision.rawValue), read at \((bytes / result.seconds * 1e-9).fixed(1)) GB/s \
      (kernels: \(WeightProduct.kernelName))
      """)
    if let shard = drawing.shard {
      try printText(
        "part \(shard): images \(result.firstImage) to \(result.firstImage + count - 1) of"
          + " \(result.imagesInAll), from 0")
    }
    if output == nil, imageFolder == nil, npz == nil {
      try printText("the images were not kept; --output, --images, --npz or --json keeps them")
    }
    if let output { try printText("wrote \(output)") }
    if let npz { try printText("wrote \(count) image\(count == 1 ? "" : "s") to \(npz)") }
    if let imageFolder {
      try printText("wrote \(count) PNG file\(count == 1 ? "" : "s") to \(imageFolder)")
    }
  }

  /// What the images are: the same for all parts of a run.
  private func source(order: String) -> String {
    "par-sample, \(model.model ?? "random weights"), order \(order), seed \(seed)"
  }

  private func parsedGrid() throws -> TokenGrid? {
    guard let grid else { return nil }
    guard let parsed = TokenGrid(grid) else {
      throw ValidationError("--grid \(grid): expected \(TokenGrid.expectedText)")
    }
    return parsed
  }

  /// What draws images from a model in the order asked for.
  private func sampler(
    of sampled: SampledModel, _ specification: OrderSpecification?, _ trained: TrainedModel,
    team: WorkerTeam
  ) throws -> ImageSampler {
    switch sampled {
    case .par(let weights):
      let grid = try parsedGrid() ?? trained.grid ?? TokenGrid(rows: 24, columns: 24)
      let n = weights.configuration.tokensPerStep
      let order = try order(specification, on: grid, trained, tokensPerStep: n)
      return try ImageSampler(
        PARSampler(
          weights: weights, sequence: PARSequence(order: order, tokensPerStep: n),
          options: drawing.options(attention: attention(of: trained), seed: seed), team: team))
    case .anyOrder(let weights):
      guard attention == nil else {
        throw ValidationError(
          "--attention is for a PAR model; an any-order model was trained with its own")
      }
      let grid = try parsedGrid() ?? weights.configuration.grid
      // The published models' order for 16 × 16 tokens.
      let chosen =
        try specification ?? OrderSpecification("lpd:steps=\(min(20, grid.cellCount))")
      let orders = try fitted(chosen, on: grid)
      return try ImageSampler(
        AnyOrderSampler(
          weights: weights, orders: orders,
          options: drawing.options(attention: .groupwise, seed: seed, schedule: .linear),
          team: team), order: chosen.name)
    }
  }

  /// The orders of an any-order model: of an optimal schedule with its group sizes fitted to tokens.
  private func fitted(
    _ specification: OrderSpecification, on grid: TokenGrid
  ) throws -> [GenerationOrder] {
    let tokensPerStep = model.tokensPerStep ?? StepSchedule.defaultTokensPerStep
    guard specification.optimalSteps != nil else {
      return try specification.orders(on: grid, tokensPerStep: tokensPerStep)
    }
    return [
      try OrderFitting.order(
        of: specification, on: grid, tokensPerStep: tokensPerStep, tokens: fittedTokens, seed: seed)
    ]
  }

  /// The order asked for, or else the one the model was trained in.
  private func order(
    _ specification: OrderSpecification?, on grid: TokenGrid, _ trained: TrainedModel,
    tokensPerStep: Int
  ) throws -> GenerationOrder {
    if specification == nil, let order = trained.order, order.grid == grid { return order }
    let chosen = try (specification ?? OrderSpecification("distant"))
      .order(on: grid, tokensPerStep: tokensPerStep)
    if !trained.wasTrained(in: chosen) {
      let name =
        trained.order.map { "the order \($0.name) on \($0.grid) tokens" } ?? "another order"
      try refuse(trained, what: name, "\(chosen.name) on \(grid) tokens was asked for")
    }
    return chosen
  }

  private func attention(of trained: TrainedModel) throws -> AttentionPattern {
    if let attention, let expected = trained.attention, attention != expected {
      try refuse(
        trained, what: "\(expected.rawValue) attention",
        "\(attention.rawValue) attention was asked for")
    }
    return attention ?? trained.attention ?? .groupwise
  }

  /// Refuses what the model was not trained for, unless the user insists.
  private func refuse(_ trained: TrainedModel, what: String, _ found: String) throws {
    guard !model.allowMismatch else { return }
    throw SampleMismatch(model: trained.path, trained: what, found: found)
  }
}

/// Where the images go.
struct ParSampleOutput: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the images as a token dataset.", valueName: "file.h5"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Write each image as a PNG file into this folder, made if need be.", valueName: "folder"))
  var images: String?

  @Option(
    help: ArgumentHelp(
      "Write all images as an array of bytes, as the evaluator of ADM reads them: arr_0, and arr_1, the classes.",
      valueName: "file.npz"))
  var npz: String?

  @Option(
    help: ArgumentHelp(
      """
      What the codes mean, for --output, --images and --npz, and for codes in an array of --tokens: a token dataset \
      (a file, or an embedded one by its name: \(EmbeddedData.names.joined(separator: ", "))), a VQ-16 tokenizer (.safetensors \
      or .pt), or, without images, a codebook (.npy).
      """,
      valueName: "file"))
  var codebook: String?

  @OptionGroup var json: JSONOption

  func validate() throws {
    for (name, place) in [("--output", output), ("--images", images), ("--npz", npz)]
    where place != nil && codebook == nil {
      throw ValidationError("\(name) needs --codebook: what the model's codes mean")
    }
  }
}

/// Something other than the model was trained with.
struct SampleMismatch: Error, CustomStringConvertible {
  let model: String
  let trained: String
  let found: String

  var description: String {
    "\(model): was trained with \(trained), but \(found); --allow-mismatch samples all the same"
  }
}

/// The result of `par-sample --json`.
private struct ParSampleResult: Encodable {
  struct Sample: Encodable {
    let label: Int
    let codes: JSONGrid<Int>

    enum CodingKeys: String, CodingKey {
      case codes
      case label = "class"
    }
  }

  let command = "par-sample"
  let architecture: String
  let order: String
  let tokensPerStep: Int
  let steps: Int
  let grid: [Int]
  let firstImage, imagesInAll: Int
  let samples: [Sample]
  let seconds: Double
  let provenance: Provenance
}
