import ArgumentParser
import EntropyEstimation

extension EntropyUnit: ExpressibleByArgument {}
extension ErrorKind: ExpressibleByArgument {}

/// What entropies are given besides the context.
enum Condition: String, CaseIterable, ExpressibleByArgument {
  /// The image's class, on which samplers are conditioned.
  case `class`
}

/// The bounds that a command knows, for help.
protocol BoundRole {
  static var bounds: [EntropyBound] { get }
  /// What help says of the others besides those of every command, and the default.
  static var further: String { get }
}

/// All bounds.
enum AnyBound: BoundRole {
  static let bounds = EntropyBound.allCases
  static let further =
    "; or held-out, an upper bound on images that were not fitted to (default: debiased; held-out for mlp)"
}

/// The bounds of least squares on all images.
enum InSampleBound: BoundRole {
  static let bounds = EntropyBound.allCases.filter { $0 != .heldOut }
  static let further = " (default: debiased)"
}

/// A bound by its name. Any is read: a command refuses in a sentence what it does not know.
struct BoundArgument<Role: BoundRole>: ExpressibleByArgument {
  let bound: EntropyBound

  init?(argument: String) {
    guard let bound = EntropyBound(rawValue: argument) else { return nil }
    self.bound = bound
  }

  static var allValueStrings: [String] { Role.bounds.map(\.rawValue) }
}

/// The bound, its errors and its unit.
struct BoundOptions<Role: BoundRole>: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The bound: debiased, whatever the law of the images; wishart, a closed form for jointly Gaussian data, which"
        + " photographs are not; algorithm-1 as the paper prints it (in-sample, sinks with the context)\(Role.further).",
      valueName: "bound"))
  var bound: BoundArgument<Role>?

  @Option(help: "The unit of entropies.")
  var units: EntropyUnit = .nats

  @Option(
    help: ArgumentHelp(
      "Where standard errors come from: robust, the images themselves, clustered by photograph where several were cut from"
        + " one; or gaussian, as if the data were, for the closed forms wishart and algorithm-1, whose default it is.",
      valueName: "errors"))
  var errors: ErrorKind?

  @OptionGroup var jitterOption: JitterOption

  @Option(
    help: ArgumentHelp(
      "Entropies given this: class, the label of the image, on which samplers are conditioned.",
      valueName: "condition"))
  var given: Condition?

  init() {}

  /// The same options of a command that knows other bounds.
  init(_ other: BoundOptions<some BoundRole>) {
    bound = other.bound.flatMap { BoundArgument(argument: $0.bound.rawValue) }
    units = other.units
    errors = other.errors
    jitterOption = other.jitterOption
    given = other.given
  }
}
