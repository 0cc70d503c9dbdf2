import ArgumentParser
import Foundation

/// `token-entropy`: every command of the package in one program.
///
/// A command runs as a sub-command, `token-entropy order-compare …`, or under its own name where a link of that name leads to
/// the program: ``runTokenEntropy()``.
public struct TokenEntropyCommand: ParsableCommand {
  /// The name, the help and the commands.
  public static let configuration = CommandConfiguration(
    commandName: "token-entropy",
    abstract: "Which visual tokens can be generated in parallel: all commands in one program.",
    discussion: """
      EXAMPLES
        token-entropy order-compare raster distant
            What two orders of generation lose by drawing four tokens at once.
        order-compare raster distant
            The same through a link of that name, which `make install` makes.
        token-entropy help order-compare
            What a command takes.

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [
      EntropyMapCommand.self, OrderCompareCommand.self, OrderSearchCommand.self,
      MomentsCommand.self,
      AppendixFiguresCommand.self, ParSampleCommand.self, ParTrainCommand.self,
      FidCompareCommand.self, TokenizeCommand.self,
    ])

  /// Makes the command for the parser.
  public init() {}

  /// The command that a program of this name runs: one of the sub-commands, or all of them under any other name.
  ///
  /// - Parameter program: the path or name by which the program was called.
  static func command(calledAs program: String) -> any ParsableCommand.Type {
    let name = URL(fileURLWithPath: program).lastPathComponent
    return configuration.subcommands.first { $0.configuration.commandName == name } ?? Self.self
  }
}

/// Runs `token-entropy`, or the command by whose name it was called.
public func runTokenEntropy() -> Never {
  runProgram(TokenEntropyCommand.command(calledAs: CommandLine.arguments.first ?? ""))
}
