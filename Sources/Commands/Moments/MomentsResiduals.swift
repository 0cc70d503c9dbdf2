import ArgumentParser
import EntropyEstimation
import Files
import Reporting
import Shards
import TokenGrids

/// Merged moments on the command line.
struct MomentsOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Merged moments of all images: `moments merge`.", valueName: "file.h5"))
  var moments: String

  /// Reads them, and the hash of their file.
  func load() throws -> (moments: StoredMoments, hash: String) {
    InputFiles.shared.insert(moments)
    return (
      try StoredMoments(contentsOf: moments), try ContentHash(ofFileAt: moments).description
    )
  }
}

/// `moments residuals ORDER … --moments ALL --tokens SHARD --output FILE`: the second phase.
struct MomentsResiduals: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "residuals",
    abstract: "Write a shard's residual sums for orders: the second phase.",
    usage: """
      moments residuals <orders> ... --moments <file.h5> --tokens <file>
                        [--images <i/N>] --output <file.h5> [options]
      """,
    discussion: """
      EXAMPLES
        moments residuals raster distant --moments all.h5 --tokens shard-1.h5 \\
          --output residuals-1.h5

      Orders are named as order-compare names them; schedule=optimal and seeds= are
      not for this command: name the order file that was found, and each seed.
      """)

  @Argument(
    help: "Orders of generation: name[:key=value,…], or the path of an order file.")
  var orders: [String]

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp(
      "Tokens generated together, unless an order says n= or has steps of its own. (default: 4)",
      valueName: "n"))
  var givenTokensPerStep: Int?

  @OptionGroup var moments: MomentsOption
  @OptionGroup(title: "Tokens") var shard: ShardOptions

  @Option(
    help: ArgumentHelp(
      "Entropies given this: class, the label of the image.", valueName: "condition"))
  var given: Condition?

  @OptionGroup var jitter: JitterOption
  @OptionGroup(title: "Results") var output: SumsOutput
  @OptionGroup(title: "Results") var threads: ThreadsOption

  func validate() throws {
    if let givenTokensPerStep, givenTokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(givenTokensPerStep): at least 1 is needed")
    }
  }

  func run() throws {
    threads.apply()
    try checkOutput(output.output, inputs: [moments.moments, shard.source.dataset.path])
    let specifications = try orders.map { try OrderSpecification(argument: $0) }
    for specification in specifications
    where specification.optimalSteps != nil || specification.bySeed.count > 1 {
      throw ValidationError(
        "\(specification.name): residual sums are of one order with steps of its own; name the file of an order, or its seed"
      )
    }
    if let givenTokensPerStep, !specifications.contains(where: \.takesTokensPerStep) {
      throw ValidationError(
        "--tokens-per-step \(givenTokensPerStep): there is no use for it, because every order has steps of its own"
      )
    }
    let (stored, hash) = try moments.load()
    let n = givenTokensPerStep ?? StepSchedule.defaultTokensPerStep
    let made = try zip(specifications, OrderSpecification.names(of: specifications)).map {
      try $0.order(on: stored.grid, tokensPerStep: n, named: $1)
    }
    let images = try shard.load()
    let progress = ProgressLine("whitening", total: made.count, unit: "orders")
    let sums = try advisingPrecision {
      try ShardedEstimation(
        stored, hash: hash, givenClass: given != nil, jitter: jitter.value
      ).residuals(of: made, in: images) { progress.update($0) }
    }
    progress.finish()
    try sums.write(to: output.output, createdBy: createdByText)
    try printText("\(output.output): \(sums.summary)")
  }
}

/// `moments influences --moments ALL --residuals ALL --tokens SHARD --output FILE`: the third phase.
struct MomentsInfluences: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "influences",
    abstract: "Write a shard's influences on entropies: the third phase.",
    usage: """
      moments influences --moments <file.h5> --residuals <file.h5>
                         --tokens <file> [--images <i/N>] --output <file.h5>
                         [options]
      """,
    discussion: """
      EXAMPLES
        moments influences --moments all.h5 --residuals residuals.h5 \\
          --tokens shard-1.h5 --output influences-1.h5

      The orders, the condition and the jitter are those of the residual sums.
      Influences that turned out too noisy, because images are few, stand in for
      the residual sums when they are taken again.
      """)

  @OptionGroup var moments: MomentsOption

  @Option(
    help: ArgumentHelp(
      "Merged residual sums of all images: `moments merge`.", valueName: "file.h5"))
  var residuals: String

  @OptionGroup(title: "Tokens") var shard: ShardOptions
  @OptionGroup(title: "Results") var output: SumsOutput
  @OptionGroup(title: "Results") var threads: ThreadsOption

  func run() throws {
    threads.apply()
    try checkOutput(
      output.output, inputs: [moments.moments, residuals, shard.source.dataset.path])
    let (stored, hash) = try moments.load()
    InputFiles.shared.insert(residuals)
    let sums = try StoredResiduals(contentsOf: residuals)
    let images = try shard.load()
    let progress = ProgressLine("whitening", total: sums.orders.count, unit: "orders")
    let influences = try advisingPrecision {
      try ShardedEstimation(
        stored, hash: hash, givenClass: sums.isGivenClass, jitter: sums.jitter
      ).influences(of: sums, in: images) { progress.update($0) }
    }
    progress.finish()
    try influences.write(to: output.output, createdBy: createdByText)
    try printText("\(output.output): \(influences.summary)")
  }
}
