import ArgumentParser
import FileFormats
import LinearAlgebra
import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids

extension PARPreset: ExpressibleByArgument {}
extension AttentionPattern: ExpressibleByArgument {}
extension WeightPrecision: ExpressibleByArgument {}

/// Which model `par-sample` runs.
struct ParSampleModel: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The checkpoint: a .safetensors file, an index of several, or the folder with one of them.",
      valueName: "file"))
  var model: String?

  @Option(help: "A published size, for timing; needs --random-weights.")
  var preset: PARPreset?

  @Flag(help: "Fill the preset with random weights.")
  var randomWeights = false

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp(
      "Tokens generated together: of a preset (default: 4); a checkpoint has its own.",
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
  func load(seed: UInt64, team: WorkerTeam) throws -> (weights: PARWeights, trained: TrainedModel) {
    if let preset {
      let weights = try PARWeights(
        randomFor: preset.configuration(tokensPerStep: tokensPerStep ?? 4),
        precision: precision ?? .bfloat16, seed: seed, team: team)
      return (weights, TrainedModel(metadata: [:], path: preset.rawValue))
    }
    let checkpoint = try SafetensorsCheckpoint(path: model ?? "")
    let weights = try PARWeights(checkpoint: checkpoint, heads: heads, precision: precision)
    if let tokensPerStep, tokensPerStep != weights.configuration.tokensPerStep {
      throw PARError.wrongTokensPerStep(
        asked: tokensPerStep, model: weights.configuration.tokensPerStep)
    }
    return (weights, TrainedModel(metadata: checkpoint.metadata, path: checkpoint.path))
  }
}
