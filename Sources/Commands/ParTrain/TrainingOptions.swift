import ArgumentParser
import PARTransformer

extension TrainingArchitecture: ExpressibleByArgument {}

/// Which of the two models is trained.
enum TrainingArchitecture: String, CaseIterable {
  /// A PAR transformer, which generates in the one order that it is trained in.
  case par
  /// An any-order transformer, which generates in every order.
  case anyOrder = "any-order"
}

/// What is trained and how. Options that are not given are those of the run that is resumed, or else their defaults.
struct TrainingOptions: ParsableArguments {
  @Option(help: "Transformer blocks. (default: 4)") var layers: Int?
  @Option(help: "Attention heads. (default: 4)") var heads: Int?
  @Option(help: "The width of the residual stream. (default: 128)") var width: Int?
  @Option(help: "Optimizer steps. (default: 2000)") var steps: Int?
  @Option(help: "Images in each step. (default: 32)") var batch: Int?
  @Option(name: .customLong("batch-size"), help: .hidden) var formerBatch: Int?
  @Option(help: "The largest learning rate. (default: 0.001)") var learningRate: Float?
  @Option(help: "AdamW's weight decay of matrices. (default: 0.05)") var weightDecay: Float?
  @Option(
    help:
      "Dropout of what layers add and, of a PAR model, of embeddings. (default: 0.1)"
  )
  var dropout: Float?
  @Option(help: "How often an image loses its class, for guidance. (default: 0.1)")
  var labelDropout: Float?
  @Option(help: "The share of the steps in which the learning rate rises. (default: 0.05)")
  var warmup: Double?
  @Option(help: "The largest norm of the gradient. (default: 1)") var clip: Float?

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

  /// The settings: those given, and otherwise those of `base`.
  func settings(
    over base: TrainingSettings = TrainingSettings(), seed: UInt64?, checkpointSeconds: Double
  ) -> TrainingSettings {
    TrainingSettings(
      layers: layers ?? base.layers, heads: heads ?? base.heads, width: width ?? base.width,
      steps: steps ?? base.steps, batchSize: batch ?? formerBatch ?? base.batchSize,
      learningRate: learningRate ?? base.learningRate,
      weightDecay: weightDecay ?? base.weightDecay, dropout: dropout ?? base.dropout,
      labelDropout: labelDropout ?? base.labelDropout, warmup: warmup ?? base.warmup,
      clip: clip ?? base.clip, seed: seed ?? base.seed,
      validationImages: validationImages ?? base.validationImages,
      validationInterval: validationInterval ?? base.validationInterval,
      checkpointSeconds: checkpointSeconds)
  }
}

/// What only an any-order model is trained with.
struct AnyOrderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The orders an any-order model is trained in, separated by commas, each with its share after a last colon; random is a"
        + " new permutation for every image, and those without a share divide what is left. (default: random)",
      valueName: "order[:share],…"))
  var orders: String?

  @Option(
    help: ArgumentHelp(
      "Into how many steps the orders are cut, a number for each image. (default: N/16 to N/4 for N tokens)",
      valueName: "fewest:most"))
  var orderSteps: String?

  @Option(
    help: ArgumentHelp(
      "Every so many optimizer steps write a sheet of samples, preview-*.png.", valueName: "steps"))
  var previewEvery: Int?

  func validate() throws {
    if let previewEvery, previewEvery < 1 {
      throw ValidationError("--preview-every \(previewEvery): at least 1 is needed")
    }
    _ = try parsedSteps()
  }

  /// The range of `--order-steps`.
  func parsedSteps() throws -> ClosedRange<Int>? {
    guard let orderSteps else { return nil }
    let bounds = orderSteps.split(separator: ":", omittingEmptySubsequences: false)
      .map { Int($0) }
    guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds.last ?? nil,
      first >= 1, first <= last
    else {
      throw ValidationError("--order-steps \(orderSteps): expected fewest:most, as in 8:36")
    }
    return first...last
  }

  /// The options given, for the sentence that refuses them.
  var given: String? {
    if orders != nil { return "--orders" }
    if orderSteps != nil { return "--order-steps" }
    return previewEvery == nil ? nil : "--preview-every"
  }
}
