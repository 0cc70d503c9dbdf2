import ArgumentParser
import CHDF5
import Foundation

/// Reads damaged files with the project's readers, each of which has to be read, or refused in one sentence.
///
/// A crash, a file that takes more than 20 seconds or 2 GB, and an error without a sentence are faults: the program then
/// ends with status 1, and the file is kept in a folder with its seed.
@main
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Reads damaged files, which must be read or refused in one sentence.",
    discussion: """
      `fuzz --minutes 30` tries all readers; `fuzz --reader png --first 17 --inputs 1` makes one file again. Readers: \
      \(FuzzedReader.names.joined(separator: ", ")).
      """,
    subcommands: [FuzzRead.self, FuzzWork.self])

  @Option(help: "How long to go on, shared among the readers. (default: 1 without --inputs)")
  var minutes: Double?

  @Option(help: "How many files for each reader.")
  var inputs: UInt64?

  @Option(help: "The one reader to try.")
  var reader: String?

  @Option(help: "The seed of the first file; others follow.")
  var first: UInt64 = 0

  @Option(help: "The folder for files that were not read as they should be.")
  var failures = "fuzz-failures"

  func validate() throws {
    if let reader, !FuzzedReader.names.contains(reader) {
      throw ValidationError(
        "no reader \(reader); there are \(FuzzedReader.names.joined(separator: ", "))")
    }
    if let minutes, !(minutes > 0) { throw ValidationError("--minutes \(minutes): above 0") }
  }

  func run() throws {
    let supervisor = FuzzSupervisor(failures: failures)
    let readers = reader.map { [$0] } ?? FuzzedReader.names
    let seconds = 60 * (minutes ?? (inputs == nil ? 1 : 1e6))
    let start = ContinuousClock.now
    var all = FuzzReport(reader: "all")
    for (place, name) in readers.enumerated() {
      // What one leaves of its time the others get.
      let left = seconds - (ContinuousClock.now - start) / .seconds(1)
      let report = try supervisor.run(
        reader: name, first: first, count: inputs ?? 1 << 40,
        seconds: left / Double(readers.count - place))
      say(report.line)
      for fault in report.faults.prefix(5) {
        say("  seed \(fault.seed): \(fault.what.prefix(600))")
      }
      all.add(report)
    }
    if readers.count > 1 { say(all.line) }
    guard all.faults.isEmpty else {
      say("see \(failures)")
      throw ExitCode.failure
    }
  }

  /// Writes a line at once, so that whoever watches a long run sees it.
  private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

/// Reads one file, as kept by ``Fuzz``, and tells what came of it and the most memory it took.
struct FuzzRead: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Reads one file, and tells what came of it.")

  @Argument(help: "The reader.") var reader: String
  @Argument(help: "The file.") var file: String

  func run() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("fuzz-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    guard let made = try FuzzedReader.make(reader, folder: folder) else {
      throw ValidationError("no reader \(reader)")
    }
    let before = peakMemory()
    do {
      try made.read(file)
      print("read")
    } catch {
      print("\(error)".asSentence)
    }
    print("\((peakMemory() - before) >> 20) MB")
  }
}

/// Reads the files of some seeds in this process, and prints a ``FuzzReport``.
struct FuzzWork: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "work", shouldDisplay: false)

  @Argument var reader: String
  @Argument var first: UInt64
  @Argument var count: UInt64
  @Argument var seconds: Double
  @Argument var folder: String

  func run() throws {
    // The library keeps memory to use it again, where an address sanitizer does not see that it was given back.
    H5set_free_list_limits(0, 0, 0, 0, 0, 0)
    let worker = try FuzzWorker(reader: reader, folder: folder)
    let report = try worker.run(first: first, count: count, seconds: seconds)
    print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
  }
}
