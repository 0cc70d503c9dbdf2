import Foundation
import Synchronization

/// Reads damaged files one after the other in this process, which a fault may end.
///
/// Before each file its seed is noted beside it, so that whoever started the process knows which one that was.
/// The watching thread looks at nothing but the clock.
final class FuzzWorker: @unchecked Sendable {
  private let reader: FuzzedReader
  private let folder: String
  /// When the file that is being read was begun, in nanoseconds; 0 between files.
  private let begun = Atomic<UInt64>(0)

  private var report: FuzzReport

  static let seedName = "seed"
  static let inputName = "input"

  init(reader: String, folder: String) throws {
    guard let made = try FuzzedReader.make(reader, folder: folder) else {
      throw OriginalError(
        description: "no reader \(reader); there are \(FuzzedReader.names.joined(separator: ", "))")
    }
    self.reader = made
    self.folder = folder
    report = FuzzReport(reader: reader)
  }

  /// Reads the files of the seeds from `first` on, until there were `count` or the time is up.
  func run(first: UInt64, count: UInt64, seconds: Double) throws -> FuzzReport {
    watch()
    let start = ContinuousClock.now
    let seedFile = open(folder + "/" + Self.seedName, O_RDWR | O_CREAT, 0o600)
    defer { close(seedFile) }
    for seed in first..<first + count {
      if (ContinuousClock.now - start) / .seconds(1) > seconds { break }
      var noted = seed
      pwrite(seedFile, &noted, MemoryLayout<UInt64>.size, 0)
      try read(seed)
    }
    report.peak = peakMemory()
    return report
  }

  private func read(_ seed: UInt64) throws {
    let inputs = folder + "/" + Self.inputName
    try FileManager.default.createDirectory(atPath: inputs, withIntermediateDirectories: true)
    let path = inputs + "/" + reader.fileName
    let bytes = try reader.wrap(reader.mutator.bytes(seed: seed))
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let clock = ContinuousClock.now
    begun.store(monotonicNanoseconds(), ordering: .relaxed)
    do {
      try reader.read(path)
      report.read += 1
    } catch {
      report.refused += 1
      if let fault = Self.fault(of: error) {
        report.refused -= 1
        report.faults.append(.init(seed: seed, what: fault))
      }
    }
    begun.store(0, ordering: .relaxed)
    report.slowest = max(report.slowest, (ContinuousClock.now - clock) / .seconds(1))
  }

  /// What is wrong with the sentence of a refusal; nil for nothing.
  private static func fault(of error: any Error) -> String? {
    let sentence = "\(error)".asSentence
    if sentence.isEmpty { return "an error without a sentence" }
    if sentence.utf8.count > FuzzLimits.sentence {
      return "a sentence of \(sentence.utf8.count) bytes: \(sentence.prefix(200))"
    }
    if sentence.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "control characters in a sentence: \(sentence.debugDescription)"
    }
    // What Foundation and the compiler make of an error that has no words of its own.
    if sentence.contains("Error Domain=") || !sentence.contains(" ")
      || sentence.wholeMatch(of: /[a-zA-Z]+\(.*/) != nil
    {
      return "no sentence: \(sentence)"
    }
    return nil
  }

  /// Ends the process where a file takes too long or too much.
  private func watch() {
    let thread = Thread { [self] in
      while true {
        usleep(50_000)
        let start = begun.load(ordering: .relaxed)
        let now = monotonicNanoseconds()
        if start > 0, now > start, Double(now - start) > FuzzLimits.seconds * 1e9 {
          FileHandle.standardError.write(
            Data("takes more than \(Int(FuzzLimits.seconds)) s\n".utf8))
          _exit(70)
        }
        if peakMemory() > FuzzLimits.bytes {
          FileHandle.standardError.write(
            Data("takes more than \(FuzzLimits.bytes >> 20) MB\n".utf8))
          _exit(71)
        }
      }
    }
    thread.start()
  }
}

/// The time of a clock that only goes forward, in nanoseconds.
private func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
