import ArgumentParser
import Experiments
import GenerationMetrics
import PARTransformer

/// How the models of a comparison are trained and sampled.
struct ComparisonModelOptions: ParsableArguments {
  @Flag(help: "A trial of a few minutes: small models, few steps, few samples.")
  var quick = false

  @Option(
    help: ArgumentHelp(
      "Models, whose seeds count up from --seed; of par for each configuration. (default: 2; quick: 1; of par 2 for the orders of the paper's table"
        + " 3(d), else 1)",
      valueName: "count"))
  var seeds: Int?

  @Option(help: "Transformer blocks. (default: 3; quick: 2)") var layers: Int?
  @Option(help: "Attention heads. (default: 4)") var heads: Int?
  @Option(help: "The width of the residual stream. (default: 96, of par 64; quick: 32)")
  var width: Int?
  @Option(help: "Optimizer steps. (default: 5000, of par 3000; quick: 200)") var steps: Int?
  @Option(help: "Images in each step. (default: 16, of par 32; quick: 16)") var batch: Int?
  @Option(name: .customLong("batch-size"), help: .hidden) var formerBatch: Int?
  @Option(help: "The largest learning rate.") var learningRate: Float = 3e-3
  @Option(help: "Dropout of embeddings and of what layers add.") var dropout: Float = 0.1
  @Option(
    help: ArgumentHelp(
      "Images that a model generates in each order. (default: 1200, of par 5000; quick: 300)"))
  var count: Int?
  @Option(name: .customLong("samples"), help: .hidden) var formerCount: Int?
  @Option(help: "The scale of classifier-free guidance; 1 for none.") var guidance: Float = 1
  @Option(help: "What logits are divided by in sampling.") var temperature: Float = 1

  @Option(
    help: ArgumentHelp(
      "Held-out images for what the model itself loses. (default: 500; quick: 100)",
      valueName: "count"))
  var likelihoodImages: Int?

  @Option(
    help: ArgumentHelp(
      "Held-out images whose steps are drawn given the real ones before; 0 for none. (default: 350; quick: 0)",
      valueName: "count"))
  var forcedImages: Int?

  @Option(
    help: ArgumentHelp(
      "The most steps of an order that are drawn so, spread evenly over those with several tokens. (default: 6)",
      valueName: "count"))
  var forcedSteps: Int?

  func validate() throws {
    try renamed(batch, "--batch", formerly: formerBatch, "--batch-size")
    try renamed(count, "--count", formerly: formerCount, "--samples")
    if let seeds, !(1...1000).contains(seeds) {
      throw ValidationError("--seeds \(seeds): expected 1 to 1000")
    }
    if let count = count ?? formerCount, count > 10_000_000 {
      throw ValidationError("--count \(count): at most 10000000 are possible")
    }
    if let likelihoodImages, likelihoodImages < 2 {
      throw ValidationError("--likelihood-images \(likelihoodImages): at least 2 are needed")
    }
    if let forcedImages, forcedImages != 0, forcedImages < FeatureSet.leastImages {
      throw ValidationError(
        "--forced-images \(forcedImages): 0, or at least \(FeatureSet.leastImages)")
    }
    if let forcedSteps, forcedSteps < 1 {
      throw ValidationError("--forced-steps \(forcedSteps): at least 1 is needed")
    }
    if forcedImages == 0, forcedSteps != nil {
      throw ValidationError("--forced-images 0 leaves nothing for --forced-steps")
    }
    do {
      try SamplingOptions(
        guidance: guidance, filter: TokenFilter(temperature: temperature)
      ).validate()
    } catch { throw ValidationError("\(error)") }
  }

  /// Refuses what only a model for all orders is measured by.
  func refuseAnyOrderOptions() throws {
    for (name, isGiven) in [
      ("--likelihood-images", likelihoodImages != nil), ("--forced-images", forcedImages != nil),
      ("--forced-steps", forcedSteps != nil),
    ] where isGiven {
      throw ValidationError("\(name) is for one model of all orders, not for --architecture par")
    }
  }

  /// The settings of a model for all orders, with their defaults.
  func anyOrderSettings(neighbors: [Int]) -> AnyOrderSettings {
    let steps = steps ?? (quick ? 200 : 5000)
    return AnyOrderSettings(
      training: TrainingSettings(
        layers: layers ?? (quick ? 2 : 3), heads: heads ?? 4,
        width: width ?? (quick ? 32 : 96), steps: steps,
        batchSize: batch ?? formerBatch ?? 16, learningRate: learningRate,
        dropout: dropout, validationInterval: max(1, steps / 5), checkpointSeconds: 60),
      samples: count ?? formerCount ?? (quick ? 300 : 1200), guidance: guidance,
      temperature: temperature, neighbors: neighbors,
      likelihoodImages: likelihoodImages ?? (quick ? 100 : 500),
      forcedImages: forcedImages ?? (quick ? 0 : 350), forcedSteps: forcedSteps ?? 6)
  }

  /// The number of models for all orders, with its default.
  var anyOrderSeeds: Int { seeds ?? (quick ? 1 : 2) }

  /// The settings of PAR transformers, with their defaults.
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
