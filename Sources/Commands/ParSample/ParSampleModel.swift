import ArgumentParser
import FileFormats
import LinearAlgebra
import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids

/// A published size of either model.
enum ModelPreset: ExpressibleByArgument {
  case par(PARPreset)
  case anyOrder(AnyOrderPreset)

  init?(argument: String) {
    if let preset = PARPreset(rawValue: argument) {
      self = .par(preset)
    } else if let preset = AnyOrderPreset(rawValue: argument) {
      self = .anyOrder(preset)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] {
    PARPreset.allCases.map(\.rawValue) + AnyOrderPreset.allCases.map(\.rawValue)
  }
}

extension GuidanceSchedule: ExpressibleByArgument {}
extension AttentionPattern: ExpressibleByArgument {}
extension WeightPrecision: ExpressibleByArgument {}

/// Which model `par-sample` runs.
struct ParSampleModel: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The checkpoint of a PAR or an any-order model: a .safetensors or .pth file, an index of several, the folder with one of"
        + " them, or that of a run of par-train.",
      valueName: "file"))
  var model: String?

  @Option(help: "A published size, for timing; needs --random-weights.")
  var preset: ModelPreset?

  @Flag(help: "Fill the preset with random weights.")
  var randomWeights = false

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp(
      "Tokens generated together: of a preset (default: 4), or of the order of an any-order model; a PAR checkpoint has its own.",
      valueName: "n"))
  var tokensPerStep: Int?

  @Option(
    help: "Attention heads, where the checkpoint does not say; else those of the published size.")
  var heads: Int?

  @Option(
    help: "How weights are kept: f32 or bf16. (default: as stored; bf16 for random weights)")
  var precision: WeightPrecision?

  @Flag(help: "Accept an order, attention or codebook other than the checkpoint was trained with.")
  var allowMismatch = false

  func validate() throws {
    switch (model, preset) {
    case (nil, nil): throw ValidationError("--model, or --preset with --random-weights, is needed")
    case (.some, .some): throw ValidationError("--model and --preset exclude each other")
    case (.some, nil):
      if randomWeights { throw ValidationError("--random-weights is for --preset") }
    case (nil, .some):
      if !randomWeights {
        throw ValidationError(
          "--preset has no weights of its own: add --random-weights, or use --model")
      }
      if heads != nil { throw ValidationError("--heads is for --model; a preset has its own") }
      if allowMismatch {
        throw ValidationError(
          "--allow-mismatch is for --model; a preset was not trained with anything")
      }
    }
    if let tokensPerStep, tokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
  }

  /// The weights, and what the checkpoint says of its training.
  ///
  /// Which kind of model it is its tensors tell.
  func load(seed: UInt64, team: WorkerTeam) throws -> (SampledModel, trained: TrainedModel) {
    switch preset {
    case .par(let preset):
      let weights = try PARWeights(
        randomFor: preset.configuration(tokensPerStep: tokensPerStep ?? 4),
        precision: precision ?? .bfloat16, seed: seed, team: team)
      return (.par(weights), TrainedModel(metadata: [:], path: preset.rawValue))
    case .anyOrder(let preset):
      let weights = try AnyOrderWeights(
        randomFor: preset.configuration, precision: precision ?? .bfloat16, seed: seed, team: team)
      return (.anyOrder(weights), TrainedModel(metadata: [:], path: preset.rawValue))
    case nil: break
    }
    let path = TrainedModel.file(of: model ?? "")
    let source = try TrainedModel.tensors(of: path)
    if AnyOrderTensors.areIn(source) {
      let tensors = try AnyOrderTensors(source, heads: heads)
      return (
        .anyOrder(try AnyOrderWeights(tensors, precision: precision)),
        TrainedModel(metadata: tensors.metadata, path: path)
      )
    }
    let checkpoint = try SafetensorsCheckpoint(path: path)
    let weights = try PARWeights(checkpoint: checkpoint, heads: heads, precision: precision)
    if let tokensPerStep, tokensPerStep != weights.configuration.tokensPerStep {
      throw PARError.wrongTokensPerStep(
        asked: tokensPerStep, model: weights.configuration.tokensPerStep)
    }
    return (.par(weights), TrainedModel(metadata: checkpoint.metadata, path: checkpoint.path))
  }
}
