import Foundation

/// Has damaged files read in processes of their own, keeps those that end one, and goes on behind them.
struct FuzzSupervisor {
  /// Where files are kept that were not read as they should be.
  let failures: String

  /// Reads the files of the seeds from `first` on, until there were `count` or the time is up.
  func run(reader: String, first: UInt64, count: UInt64, seconds: Double) throws -> FuzzReport {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("fuzz-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let start = ContinuousClock.now
    var total = FuzzReport(reader: reader)
    var next = first
    while next < first + count {
      let left = seconds - (ContinuousClock.now - start) / .seconds(1)
      guard left > 0 else { break }
      // Not too many at once, so that a process that grows slowly is told from a file that takes much.
      let batch = min(20_000, first + count - next)
      let part = try work(reader, first: next, count: batch, seconds: left, folder: folder)
      total.add(part.report)
      for fault in part.report.faults { keep(fault, reader: reader) }
      next = part.next
      if part.report.faults.count > 0, total.faults.count >= 20 { break }
    }
    return total
  }

  private func work(
    _ reader: String, first: UInt64, count: UInt64, seconds: Double, folder: String
  ) throws -> (report: FuzzReport, next: UInt64) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    process.arguments = [
      "work", reader, "\(first)", "\(count)", "\(seconds)", folder,
    ]
    // What Swift starts to tell where a process crashed fails under a sanitizer, and keeps this one waiting.
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no"]
    ) { $1 }
    let places = ["output", "errors"].map { folder + "/" + $0 }
    for place in places { try Data().write(to: URL(fileURLWithPath: place)) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: places[0])
    process.standardError = FileHandle(forWritingAtPath: places[1])
    try process.run()
    process.waitUntilExit()
    let output = FileManager.default.contents(atPath: places[0]) ?? Data()
    if process.terminationReason == .exit, process.terminationStatus == 0 {
      let report = try JSONDecoder().decode(FuzzReport.self, from: output)
      return (report, first + UInt64(max(1, report.inputs)))
    }
    // What was asked for in vain is no fault.
    let errors = String(
      decoding: FileManager.default.contents(atPath: places[1]) ?? Data(), as: UTF8.self
    ).split(separator: "\n").filter { !$0.contains("failed to allocate") }.joined(separator: "\n")
    guard let noted = FileManager.default.contents(atPath: folder + "/" + FuzzWorker.seedName),
      noted.count == 8
    else { throw OriginalError(description: "\(reader): cannot begin: \(errors)") }
    let seed = noted.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    var report = FuzzReport(reader: reader)
    report.refused = Int(seed - first)
    let how = process.terminationReason == .exit ? "exit status" : "signal"
    report.faults = [
      .init(
        seed: seed,
        what: "\(how) \(process.terminationStatus): \(errors.prefix(3000))")
    ]
    return (report, seed + 1)
  }

  /// Makes the file of a fault again and keeps it, with what happened beside it.
  private func keep(_ fault: FuzzReport.Fault, reader name: String) {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("fuzz-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileManager.default.createDirectory(atPath: failures, withIntermediateDirectories: true)
      guard let reader = try FuzzedReader.make(name, folder: folder) else { return }
      let path = "\(failures)/\(name)-\(fault.seed)-\(reader.fileName)"
      try Data(reader.wrap(reader.mutator.bytes(seed: fault.seed))).write(
        to: URL(fileURLWithPath: path))
      try Data((fault.what + "\n").utf8).write(to: URL(fileURLWithPath: path + ".txt"))
    } catch {
      FileHandle.standardError.write(Data("\(failures): cannot keep an input: \(error)\n".utf8))
    }
  }
}
