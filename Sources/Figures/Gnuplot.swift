import Foundation

/// The gnuplot program that draws the scripts.
public struct Gnuplot: Sendable {
  /// Where the program is.
  public let executable: URL

  /// Takes the program at `executable`.
  public init(executable: URL) { self.executable = executable }

  /// The gnuplot found first in the folders of `path`, or nil.
  ///
  /// - Parameter path: folders separated by colons; the process's own `PATH` unless given.
  public static func installed(
    path: String? = ProcessInfo.processInfo.environment["PATH"]
  ) -> Gnuplot? {
    for folder in (path ?? "").split(separator: ":") {
      let candidate = URL(fileURLWithPath: String(folder), isDirectory: true)
        .appendingPathComponent("gnuplot")
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isDirectory),
        !isDirectory.boolValue, FileManager.default.isExecutableFile(atPath: candidate.path)
      {
        return Gnuplot(executable: candidate)
      }
    }
    return nil
  }

  /// How to get gnuplot and draw what was written without it.
  public static let installationAdvice =
    "gnuplot was not found; install it (Debian, Ubuntu: apt-get install gnuplot-nox; macOS: brew"
    + " install gnuplot) and run it on the .gp files"

  /// Draws `script` of `directory` into a file of that folder.
  ///
  /// The user's own gnuplot settings are not read, so that a figure looks the same everywhere.
  /// - Throws: ``FigureError/gnuplotFailed(script:message:)`` when gnuplot cannot be started,
  ///   reports an error, or draws nothing.
  func draw(script: String, in directory: URL, format: FigureFormat, to output: String)
    throws(FigureError)
  {
    let process = Process()
    process.executableURL = executable
    process.currentDirectoryURL = directory
    process.arguments = [
      "-d", "-e",
      "format = '\(format.rawValue)'; output = \(GnuplotText.quoted(output))", script,
    ]
    let messages = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = messages
    do {
      try process.run()
    } catch {
      throw .gnuplotFailed(script: script, message: "\(executable.path) cannot be run")
    }
    let said = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let image = directory.appendingPathComponent(output).path
    let size = (try? FileManager.default.attributesOfItem(atPath: image)[.size]) as? Int ?? 0
    guard process.terminationReason == .exit, process.terminationStatus == 0, size > 0 else {
      let message = said.split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty && $0 != "^" }
        .joined(separator: "; ")
      throw .gnuplotFailed(
        script: script,
        message: message.isEmpty ? "it drew nothing and gave no reason" : message)
    }
  }
}
