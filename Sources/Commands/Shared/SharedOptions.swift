import ArgumentParser
import LinearAlgebra
import NeuralKernels
import TokenData

/// What the help of every program ends with: how it tells a script what became of the work.
let exitStatusHelp = """
  EXIT STATUS
    0    success
    1    failure, told in one sentence
    64   wrong use: an option or argument that is unknown, missing or refused
    130  stopped by Ctrl-C; 143 by a request to end, 129 by a closed terminal
  """

/// How many images are used.
struct LimitOption: ParsableArguments {
  @Option(help: ArgumentHelp("Use only this many images, drawn at random.", valueName: "images"))
  var limit: Int?

  func validate() throws {
    if let limit, limit < 2 {
      throw ValidationError("--limit \(limit): at least 2 images are needed")
    }
  }
}

/// The seed of a command. Where nothing is drawn at random it changes nothing.
struct SeedOption: ParsableArguments {
  @Option(
    name: .customLong("seed"),
    help: ArgumentHelp(
      "The seed of everything that is drawn at random. (default: 0)", valueName: "number"))
  var given: UInt64?

  /// The seed, with its default.
  var value: UInt64 { given ?? 0 }
}

/// Where features have their channels.
struct ChannelsOption: ParsableArguments {
  @Option(help: DatasetArgument.channelsHelp)
  var channels: ChannelPlacement?
}

/// How many threads work.
struct ThreadsOption: ParsableArguments {
  @Option(
    name: .customLong("threads"),
    help: ArgumentHelp("Threads. (default: one for each processor)", valueName: "count"))
  var count: Int?

  func validate() throws {
    if let count, !(1...WorkerTeam.mostWorkers).contains(count) {
      throw ValidationError("--threads \(count): 1 to \(WorkerTeam.mostWorkers) are possible")
    }
  }

  /// Lets matrix products, and everything else that is divided among threads, have as many.
  func apply() {
    guard let count else { return }
    BLAS.threads = count
    ParallelThreads.limit = count
  }
}

/// Whether the result is for another program.
struct JSONOption: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print the result as JSON.")
  var isWanted = false
}

/// Whether a result is printed for another program.
struct TextFormatOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(help: "Print the result as comma-separated values.")
  var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
  }
}

/// What is added to variances.
struct JitterOption: ParsableArguments {
  @Option(
    name: .customLong("jitter"),
    help: ArgumentHelp(
      "Add this share of the mean variance to every variance, for degenerate data; the result says so. (default: 0)",
      valueName: "share"))
  var given: Double?

  /// The share, with its default.
  var value: Double { given ?? 0 }

  func validate() throws {
    guard value >= 0, value.isFinite else {
      throw ValidationError("--jitter \(value): expected a number that is not negative")
    }
  }
}

/// The value of an option that was renamed: by the name it has or by the one it had, which help no longer shows.
///
/// - Throws: `ValidationError` when both are given.
@discardableResult
func renamed<Value>(
  _ value: Value?, _ name: String, formerly former: Value?, _ formerName: String
) throws -> Value? {
  guard value == nil || former == nil else {
    throw ValidationError("\(name) and \(formerName), its former name, exclude each other")
  }
  return value ?? former
}
