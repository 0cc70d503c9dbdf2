import Files
import Foundation
import Synchronization

/// Writes a line, or several, to standard output: results and what was written where.
///
/// Nothing is kept in a buffer: what this returns from has been taken by the system.
/// - Throws: `FileError` when not every byte could be written.
package func printText(_ text: String) throws {
  try writeToStandardOutput(text.displayed + "\n")
}

/// Writes a preview, whose colours are control characters, to standard output.
///
/// - Throws: As ``printText(_:)``.
package func printPreview(_ text: String) throws {
  try writeToStandardOutput(text + "\n")
}

/// Writes text to standard output as it is.
///
/// A pipe that its reader has closed ends the program as usual, unless whoever started it ignores `SIGPIPE`: then that is
/// an error like any other.
package func writeToStandardOutput(_ text: String) throws {
  do throws(SystemError) { try writeAll(text, to: STDOUT_FILENO) } catch {
    if error.code == EPIPE { StandardStreams.endByClosedPipe() }
    let isClosed = error.code == EBADF
    throw FileError.unwritable(
      "standard output", reason: isClosed ? "it is closed" : error.description)
  }
}

/// Says something on standard error.
///
/// Where nobody can be told, the exit status has to do.
package func report(_ line: String) {
  writeToStandardError("\(line.displayed)\n")
}

/// Writes text to standard error as it is, if that is possible.
package func writeToStandardError(_ text: String) {
  try? writeAll(text, to: STDERR_FILENO)
}

/// What a program does with its three streams before it does anything else.
package enum StandardStreams {
  private static let pipeEnds = Atomic<Bool>(false)

  /// Occupies streams that were closed, and makes failures of writing errors instead of ends of the program.
  package static func prepare() {
    // A file that is opened gets the smallest free number: it would be taken for standard output, and results would be
    // written into it. What is opened here cannot be used, as a closed one.
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      let mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
      if open("/dev/null", mode) < 0 { _ = open("/", O_RDONLY) }
    }
    pipeEnds.store(!isIgnored(ignoring: SIGPIPE), ordering: .sequentiallyConsistent)
    // Beyond a limit for the size of files.
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Ends the program as a closed pipe does, where whoever started it did not want otherwise.
  package static func endByClosedPipe() {
    guard pipeEnds.load(ordering: .sequentiallyConsistent) else { return }
    TemporaryFiles.shared.removeAll { Interruption.end(by: SIGPIPE) }
  }

  /// Ignores a signal from now on; whether it was ignored before.
  private static func isIgnored(ignoring number: Int32) -> Bool {
    Interruption.isIgnored(signal(number, SIG_IGN))
  }
}

extension String {
  /// The text with control characters, other than ends of lines and tabulators, as `\u{1B}` shows them: names come from files, and
  /// must not move the cursor, colour what follows or hide it.
  ///
  /// - Complexity: O(length).
  package var displayed: String {
    var previous: UInt8 = 0
    let isPlain = utf8.allSatisfy { byte in
      defer { previous = byte }
      // U+0080 to U+009F are C2 80 to C2 9F.
      return byte >= 0x20 && byte != 0x7F && !(previous == 0xC2 && byte < 0xA0) || byte == 0x0A
        || byte == 0x09
    }
    guard !isPlain else { return self }
    var result = ""
    for scalar in unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control
      if isControl, scalar != "\n", scalar != "\t" {
        result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
