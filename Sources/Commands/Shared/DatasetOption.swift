import ArgumentParser
import TokenData

/// What a command does with its dataset, for help and for the default.
protocol DatasetRole {
  /// The dataset where none is named; nil where one must be.
  static var standard: String? { get }
  /// What it must have, as a sentence after a space; empty for nothing.
  static var demand: String { get }
}

/// Tokens to measure: any, and patches of the photographs without a word.
enum MeasuredTokens: DatasetRole {
  static let standard: String? = "scenes"
  static let demand = ""
}

/// Tokens to train on: small images of codes.
enum TrainingTokens: DatasetRole {
  static let standard: String? = "scenes-12x12"
  static let demand = " It must have codes."
}

/// Tokens to look at.
enum AnyTokens: DatasetRole {
  static let standard: String? = nil
  static let demand = ""
}

/// Tokens to turn into pictures.
enum DecodedTokens: DatasetRole {
  static let standard: String? = nil
  static let demand = " It must have a decoder, or be of --vq."
}

/// `--tokens`, the dataset of a command.
struct DatasetOption<Role: DatasetRole>: ParsableArguments {
  @Option(
    name: .customLong("tokens"),
    help: ArgumentHelp(
      "\(DatasetArgument.help)\(Role.demand)\(Role.standard.map { " (default: \($0))" } ?? "")",
      valueName: "file"))
  var given: DatasetArgument?

  @OptionGroup var arrays: ArrayTokenOptions

  /// The dataset, with its default.
  ///
  /// - Precondition: there is a default.
  var dataset: DatasetArgument {
    described(given ?? DatasetArgument(argument: Role.standard ?? ""))
  }

  /// A dataset with what was said of arrays.
  func described(_ argument: DatasetArgument) -> DatasetArgument {
    var argument = argument
    argument.arrays = arrays.values
    return argument
  }
}

/// `--tokens`, or the same as an argument without a name.
struct DatasetArgumentOrOption<Role: DatasetRole>: ParsableArguments {
  @Argument(help: ArgumentHelp("The dataset, as --tokens has it.", valueName: "tokens"))
  var positional: DatasetArgument?

  @OptionGroup var option: DatasetOption<Role>

  func validate() throws {
    if let positional, let option = option.given {
      throw ValidationError(
        "\(positional.text) and --tokens \(option.text) exclude each other: there is one dataset")
    }
    if positional == nil, option.given == nil, Role.standard == nil {
      throw ValidationError("Missing expected argument '<tokens>': name a dataset")
    }
  }

  /// The dataset, with its default.
  var dataset: DatasetArgument { given ?? option.dataset }

  /// The dataset that was named, if any was.
  var given: DatasetArgument? {
    positional.map(option.described) ?? (option.given == nil ? nil : option.dataset)
  }
}
