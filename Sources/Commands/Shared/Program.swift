import ArgumentParser
import EntropyEstimation
import Files
import Foundation
import Reporting

/// Runs a command as a program: parses the command line, does the work, tells failures in a sentence and exits.
///
/// In place of `main()` of the argument parser, which takes no notice of output that cannot be written.
public func runProgram<Command: ParsableCommand>(_ type: Command.Type) -> Never {
  StandardStreams.prepare()
  Interruption.removeTemporaryFiles()
  do {
    var command = try type.parseAsRoot()
    try command.run()
  } catch {
    // A command that has advice of its own has given it by now.
    let error = (error as? EstimationError).map { AdvisedError($0) } ?? error
    exit(telling(error, as: type))
  }
  exit(EXIT_SUCCESS)
}

/// Writes the message of an error, or the help that was asked for, and returns the exit status.
private func telling(_ error: any Error, as type: (some ParsableCommand).Type) -> Int32 {
  let status = type.exitCode(for: error)
  let message = type.fullMessage(for: error)
  guard status.isSuccess else {
    // A mistake in the command line is told with the usage, in several lines; everything else is one sentence.
    if !message.isEmpty { report(status.rawValue == EXIT_FAILURE ? message.asSentence : message) }
    return status.rawValue
  }
  do {
    if !message.isEmpty { try printText(message) }
    return status.rawValue
  } catch {
    report("Error: \(error)")
    return EXIT_FAILURE
  }
}
