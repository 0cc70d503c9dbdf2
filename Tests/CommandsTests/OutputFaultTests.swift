import FileFormats
import Files
import Foundation
import LinearAlgebra
import PARTransformer
import Statistics
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

@testable import Commands

// What every program does that cannot write: the destination is absent or as it was, the exit status is 1, and standard
// error has one sentence.

/// Small inputs of every command, a folder for outputs, and the commands.
private final class Bench {
  let folder: URL
  let outputs: URL

  init() throws {
    folder = try temporaryFolder()
    outputs = folder.appendingPathComponent("outputs")
    try FileManager.default.createDirectory(at: outputs, withIntermediateDirectories: true)
    let photographs = folder.appendingPathComponent("photographs")
    try FileManager.default.createDirectory(at: photographs, withIntermediateDirectories: true)
    var generator = SeededGenerator(seed: 5)
    for number in 0..<8 {
      let pixels = (0..<12 * 12 * 3).map { _ in UInt8(generator.nextIndex(below: 256)) }
      try RGBImage(width: 12, height: 12, pixels: pixels)
        .writePNG(to: photographs.appendingPathComponent("\(number).png").path)
    }
    let data = try smallDataset(images: 100)
    try data.write(to: path("tokens.h5"))
    try NpyWriter.write(
      try #require(data.codes).map { UInt16($0) }, shape: [data.imageCount, data.grid.cellCount],
      to: path("codes.npy"))
    let codebook = try #require(data.codebook)
    try NpyWriter.write(
      codebook.elements, shape: [codebook.rows, codebook.columns], to: path("codebook.npy"))
    for (program, arguments) in [
      ("tokenize", images + ["--output", path("patches.h5")]),
      ("par-train", training + ["--output-dir", path("run"), "--no-figure"]),
      ("moments", ["--tokens", path("tokens.h5"), "--output", path("moments.h5")]),
      ("moments", residuals + ["--output", path("residuals.h5")]),
    ] {
      let made = try run(program, arguments)
      #expect(made.status == 0, "\(made.errors)")
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  var images: [String] {
    ["--images", path("photographs"), "--grid", "3x3", "--patch", "4", "--codes", "16"]
      + ["--feature-dimensions", "4"]
  }

  var training: [String] {
    [path("tokens.h5"), "-n", "4", "--steps", "2", "--layers", "1", "--heads", "1"]
      + ["--width", "8", "--batch-size", "4"]
  }

  var residuals: [String] {
    ["residuals", "raster", "--moments", path("moments.h5"), "--tokens", path("tokens.h5")]
  }

  /// A command that writes, without the option that says where.
  struct Writer {
    let program: String
    let arguments: [String]
    /// The option of the output: a file or a folder.
    var option = "--output"
    /// The file that is written; of a folder, the first one.
    let file: String
    /// A file that is read.
    let input: String

    var isFolder: Bool { option == "--output-dir" }
    var name: String { "\(program) \(arguments[0])" }
    /// Where the output is, below the folder of outputs.
    var place: String { isFolder ? "made/" + file : file }
    var call: [String] { arguments + [option, isFolder ? "made" : file] }
  }

  /// Every command that writes files.
  var writers: [Writer] {
    let (tokens, model) = (path("tokens.h5"), path("run/model.safetensors"))
    return [
      Writer(
        program: "tokenize", arguments: images, file: "out.h5", input: path("photographs/3.png")),
      Writer(
        program: "tokenize",
        arguments: ["import", "--codes", path("codes.npy"), "--grid", "6x6"]
          + ["--codebook", path("codebook.npy")],
        file: "out.h5", input: path("codebook.npy")),
      Writer(
        program: "tokenize", arguments: ["decode", path("patches.h5"), "--images", "0..7"],
        file: "out.png", input: path("patches.h5")),
      Writer(
        program: "par-sample",
        arguments: ["--model", model, "--count", "2", "--codebook", tokens], file: "out.h5",
        input: model),
      Writer(
        program: "fid-compare", arguments: ["statistics", tokens, "--extractor", "structure"],
        file: "out.npz", input: tokens),
      Writer(
        program: "par-train", arguments: training, option: "--output-dir",
        file: "loss.csv", input: tokens),
      Writer(
        program: "par-train", arguments: ["likelihood", model, tokens], option: "--output-dir",
        file: "likelihood.dat", input: tokens),
      Writer(
        program: "order-compare", arguments: ["raster", "--tokens", tokens],
        option: "--output-dir", file: "order-compare.dat", input: tokens),
      Writer(
        program: "entropy-map", arguments: ["--ref", "1,1", "--tokens", tokens],
        option: "--output-dir", file: "entropy-map.dat", input: tokens),
      Writer(
        program: "appendix-figures", arguments: ["--tokens", tokens, "--figure-format", "svg"],
        option: "--output-dir", file: "conditional-entropy-maps.dat", input: tokens),
      Writer(
        program: "fid-compare",
        arguments: [
          "raster", "--tokens", tokens, "--steps", "1", "--samples", "20", "--layers", "1",
        ]
          + ["--heads", "1", "--width", "8", "--batch-size", "4", "--extractor", "structure"],
        option: "--output-dir", file: "fid-compare.json", input: tokens),
      Writer(
        program: "moments", arguments: ["accumulate", "--tokens", tokens], file: "out.h5",
        input: tokens),
      Writer(
        program: "moments", arguments: ["merge", path("moments.h5")], file: "out.h5",
        input: path("moments.h5")),
      Writer(
        program: "moments", arguments: residuals, file: "out.h5", input: path("moments.h5")),
      Writer(
        program: "moments",
        arguments: [
          "influences", "--moments", path("moments.h5"), "--residuals", path("residuals.h5"),
          "--tokens", tokens,
        ], file: "out.h5", input: path("residuals.h5")),
    ]
  }

  /// Commands whose results go to standard output and nowhere else.
  var readers: [(String, [String])] {
    let tokens = path("tokens.h5")
    return [
      ("tokenize", ["info", tokens]), ("tokenize", ["info", tokens, "--json"]),
      ("moments", ["info", path("moments.h5")]),
      ("tokenize", ["--help"]), ("par-train", ["--version"]),
      ("order-compare", ["raster", "--tokens", tokens, "--csv"]),
      ("order-compare", ["raster", "--tokens", tokens, "--json"]),
      ("entropy-map", ["--ref", "1,1", "--tokens", tokens, "--csv"]),
      ("entropy-map", ["--ref", "1,1", "--tokens", tokens, "--no-figure", "--preview"]),
      ("par-train", ["likelihood", path("run/model.safetensors"), tokens, "--csv"]),
      (
        "fid-compare",
        ["proxies", tokens, tokens, "--extractor", "structure", "--no-dependencies"]
      ),
    ]
  }

  struct Outcome {
    /// As a shell tells it.
    let status: Int32
    let output: String
    let errors: String

    /// Whether standard error is one sentence that names a reason.
    func isSentence(_ words: String) -> Bool {
      errors.hasPrefix("Error: ") && errors.contains(words) && errors.hasSuffix("\n")
        && errors.dropLast().allSatisfy { $0 != "\n" }
    }
  }

  /// A program as a shell starts it, with `before` in front of it and `after` behind its arguments.
  func process(
    _ program: String, _ arguments: [String], before: String = "", after: String = "",
    path: String? = nil
  ) -> (Process, output: Pipe, errors: Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let executable = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent(program).path
    process.arguments =
      ["-c", "\(before) exec \"$0\" \"$@\" \(after)", executable] + arguments
    process.currentDirectoryURL = outputs
    if let path {
      process.environment = ProcessInfo.processInfo.environment.merging(["PATH": path]) { $1 }
    }
    // Pipes, not files: a limit for files shall not meet them. No program here says more than a pipe holds.
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    (process.standardOutput, process.standardError) = (output, errors)
    return (process, output, errors)
  }

  /// Waits for a program and collects what it said.
  func outcome(of running: (Process, output: Pipe, errors: Pipe)) -> Outcome {
    let texts = [running.output, running.errors].map {
      String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    running.0.waitUntilExit()
    let status = running.0.terminationStatus
    return Outcome(
      status: running.0.terminationReason == .exit ? status : 128 + status, output: texts[0],
      errors: texts[1])
  }

  func run(
    _ program: String, _ arguments: [String], before: String = "", after: String = ""
  ) throws -> Outcome {
    let running = process(program, arguments, before: before, after: after)
    try running.0.run()
    return outcome(of: running)
  }

  /// Empties the folder of outputs, and puts an old file where one is wanted.
  func clear(old: String? = nil) throws {
    try FileManager.default.removeItem(at: outputs)
    let place = outputs.appendingPathComponent(old ?? "none")
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    if old != nil { try Data("old".utf8).write(to: place) }
  }

  func bytes(_ name: String) -> Data? {
    FileManager.default.contents(atPath: outputs.appendingPathComponent(name).path)
  }

  /// All files in the folder of outputs, hidden ones too.
  func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: outputs.path).sorted()
  }

  /// A program that takes the place of gnuplot, in a folder to be searched for it.
  func gnuplot(_ commands: String) throws -> String {
    let place = folder.appendingPathComponent("bin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let file = place.appendingPathComponent("gnuplot").path
    // Written by another process: none that a test starts may hold it open for writing.
    let shell = try Process.run(
      URL(fileURLWithPath: "/bin/sh"),
      arguments: [
        "-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", commands,
        file,
      ])
    shell.waitUntilExit()
    return place.path + ":/usr/bin:/bin"
  }
}

@Suite(.serialized) struct OutputFaultTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  /// The limit for the size of files stands for a full disk: all that is written beyond it fails.
  @Test func aFullDiskLeavesWhatWasThere() throws {
    for writer in bench.writers {
      for old in [nil, writer.place] {
        try bench.clear(old: old)
        let was = try bench.files()
        let result = try bench.run(writer.program, writer.call, before: "ulimit -f 0;")
        #expect(
          result.status == 1 && result.isSentence("File too large"),
          "\(writer.name): \(result.status) \(result.errors)")
        #expect(bench.bytes(writer.place) == (old == nil ? nil : Data("old".utf8)))
        // Folders may have been made, nothing in them.
        let left = try bench.files().filter { $0 != "made/runs" }
        #expect(left == was || left == ["made"], "\(writer.name): \(left)")
      }
    }
    // Where the disk is full at some other place of a larger file the library must not fall over.
    try bench.clear()
    #expect(try bench.run("tokenize", bench.writers[1].call).status == 0)
    let blocks = (try #require(bench.bytes("out.h5")).count - 1) / 512
    #expect(blocks > 8)
    for limit in stride(from: 1, through: blocks, by: max(1, blocks / 6)) {
      try bench.clear()
      let result = try bench.run(
        "tokenize", bench.writers[1].call, before: "ulimit -f \(limit);")
      #expect(result.status == 1 && result.isSentence("File too large"), "\(result)")
      #expect(try bench.files() == [])
    }
  }

  @Test func anImageThatDoesNotFitLeavesTheOldOne() throws {
    let whole = String(
      repeating: "x", count: 100)
    let path = try bench.gnuplot("head -c 100000 /dev/zero; echo '\(whole)</svg>'")
    for limit in ["", "ulimit -f 100;"] {
      try bench.clear(old: "made/order-compare.svg")
      let running = bench.process(
        "order-compare",
        bench.writers[7].call + ["--figure-format", "svg"], before: limit, path: path)
      try running.0.run()
      let result = bench.outcome(of: running)
      let image = bench.bytes("made/order-compare.svg")
      if limit.isEmpty {
        #expect(result.status == 0 && image?.count == 100_107, "\(result.errors)")
      } else {
        #expect(result.status == 1 && result.isSentence("order-compare.svg: File too large"))
        #expect(image == Data("old".utf8))
      }
      #expect(
        try bench.files() == [
          "made", "made/order-compare.dat", "made/order-compare.gp", "made/order-compare.svg",
        ])
    }
  }

  @Test func standardOutputThatCannotBeWrittenIsAnError() throws {
    var cases = [(">&-", "standard output: cannot be written: it is closed")]
    #if os(Linux)
      cases.append(("> /dev/full", "standard output: cannot be written: No space left on device"))
    #endif
    for (program, arguments) in bench.readers {
      for (redirection, words) in cases {
        let result = try bench.run(program, arguments, after: redirection)
        #expect(
          result.status == 1 && result.isSentence(words),
          "\(program) \(arguments): \(result.status) \(result.errors)")
      }
    }
    for writer in bench.writers where !writer.isFolder {
      try bench.clear()
      let result = try bench.run(writer.program, writer.call, after: ">&-")
      #expect(
        result.status == 1 && result.isSentence(cases[0].1), "\(writer.name): \(result.errors)")
      // The file was complete before; what was said went nowhere, least of all into the file.
      let file = bench.bytes(writer.place)
      try bench.clear()
      #expect(try bench.run(writer.program, writer.call).status == 0)
      #expect(file?.count == bench.bytes(writer.place)?.count, "\(writer.name)")
    }
  }

  @Test func aClosedPipeIsAnErrorWhereItDoesNotEndPrograms() throws {
    let (program, arguments) = bench.readers[0]
    // A FIFO whose only reader is gone, opened for both so that nobody waits.
    let pipe = "mkfifo f; exec 3<>f 4>f 3>&-; rm f;"
    let ended = try bench.run(program, arguments, before: pipe, after: ">&4")
    #expect(ended.status == 128 + SIGPIPE && ended.errors.isEmpty, "\(ended)")
    let ignored = try bench.run(program, arguments, before: "trap '' PIPE; " + pipe, after: ">&4")
    #expect(ignored.status == 1 && ignored.isSentence("Broken pipe"), "\(ignored)")
  }

  @Test func standardErrorThatCannotBeWrittenCostsNothing() throws {
    var redirections = ["2>&-"]
    #if os(Linux)
      redirections.append("2> /dev/full")
    #endif
    for redirection in redirections {
      try bench.clear()
      let failed = try bench.run("tokenize", ["info", "none.h5"], after: redirection)
      #expect(failed.status == 1 && failed.output.isEmpty)
      for writer in bench.writers[2...4] {
        let result = try bench.run(writer.program, writer.call, after: redirection)
        #expect(result.status == 0, "\(writer.name)")
      }
      let both = try bench.run("tokenize", ["info", "none.h5"], after: "\(redirection) >&-")
      #expect(both.status == 1)
      _ = try TokenDataset(contentsOf: bench.outputs.appendingPathComponent("out.h5").path)
    }
  }

  @Test func noOutputTakesThePlaceOfAnInput() throws {
    for writer in bench.writers where !writer.isFolder {
      let input = writer.input
      let before = try Data(contentsOf: URL(fileURLWithPath: input))
      try bench.clear()
      let (soft, hard) = ("soft", "hard")
      let manager = FileManager.default
      try manager.createSymbolicLink(
        at: bench.outputs.appendingPathComponent(soft),
        withDestinationURL: URL(fileURLWithPath: input))
      try manager.linkItem(
        at: URL(fileURLWithPath: input), to: bench.outputs.appendingPathComponent(hard))
      for output in [input, soft, hard] {
        let result = try bench.run(writer.program, writer.arguments + [writer.option, output])
        #expect(
          result.status == 1 && result.isSentence("it is an input of the same command"),
          "\(writer.name) -o \(output): \(result.errors)")
      }
      #expect(try bench.files() == [hard, soft])
      #expect(try Data(contentsOf: URL(fileURLWithPath: input)) == before, "\(writer.name)")
      // Another file is written through a link, which stays.
      try Data("old".utf8).write(to: bench.outputs.appendingPathComponent("target"))
      try manager.createSymbolicLink(
        atPath: bench.outputs.appendingPathComponent("link").path, withDestinationPath: "target")
      let result = try bench.run(writer.program, writer.arguments + [writer.option, "link"])
      #expect(result.status == 0, "\(writer.name): \(result.errors)")
      #expect(
        try manager.destinationOfSymbolicLink(
          atPath: bench.outputs.appendingPathComponent("link").path) == "target")
      #expect(bench.bytes("target")?.count ?? 0 > 3)
    }
    // A table of an order that stands where a run keeps its losses.
    try bench.clear()
    let order = bench.outputs.appendingPathComponent("loss.csv")
    try Data((0..<6).map { "\($0),\($0),\($0),\($0),\($0),\($0)\n" }.joined().utf8).write(to: order)
    let result = try bench.run(
      "par-train", bench.training + ["--order", "./loss.csv", "--output-dir", "."])
    #expect(
      result.status == 1, "\(result)")
    #expect(try bench.files() == ["loss.csv"] && bench.bytes("loss.csv")?.count == 72)
  }

  @Test func aFIFOGetsTheFileAndStays() throws {
    for writer in bench.writers where !writer.isFolder {
      try bench.clear()
      let result = try bench.run(
        writer.program, writer.arguments + [writer.option, "fifo"],
        before: "mkfifo fifo; cat fifo > copy & ")
      #expect(result.status == 0, "\(writer.name): \(result.errors)")
      var status = stat()
      #expect(lstat(bench.outputs.appendingPathComponent("fifo").path, &status) == 0)
      #expect(status.st_mode & S_IFMT == S_IFIFO && bench.bytes("copy")?.count ?? 0 > 100)
    }
  }

  @Test func foldersThatCannotBeWrittenAreRefusedFirst() throws {
    try bench.clear(old: "file")
    // So much work that nobody would wait for it.
    let long = ["--steps", "1000000"]
    let calls: [(String, [String])] = [
      ("par-train", bench.training + long), ("order-compare", bench.writers[7].arguments),
      ("entropy-map", bench.writers[8].arguments), ("appendix-figures", []),
      ("fid-compare", long), ("par-train", bench.writers[6].arguments),
    ]
    for (program, arguments) in calls {
      for folder in ["file", "file/inside"] {
        let result = try bench.run(program, arguments + ["--output-dir", folder])
        #expect(result.status == 1 && result.isSentence("is not a folder"), "\(program): \(result)")
        #expect(result.output.isEmpty)
      }
    }
    #expect(try bench.files() == ["file"])
  }

  // MARK: Signals

  /// Starts a command that draws with a gnuplot which never ends, and waits for that.
  private func drawing(
    before: String, program: String = "order-compare"
  ) throws -> (Process, output: Pipe, errors: Pipe) {
    try bench.clear()
    let path = try bench.gnuplot(
      "echo > \(bench.path("drawing")); while [ -e \(bench.path("drawing")) ]; do sleep 0.05; done"
        + "; echo '</svg>'")
    let writer = try #require(bench.writers.first { $0.program == program })
    let format = writer.arguments.contains("--figure-format") ? [] : ["--figure-format", "svg"]
    let running = bench.process(program, writer.call + format, before: before, path: path)
    // Tests may be run where these are ignored.
    for number in [SIGINT, SIGHUP] { signal(number, SIG_DFL) }
    try running.0.run()
    wait(running.0) { FileManager.default.fileExists(atPath: bench.path("drawing")) }
    return running
  }

  private func wait(_ process: Process, until isThere: () -> Bool) {
    for _ in 0..<4000 where process.isRunning && !isThere() { usleep(5000) }
  }

  @Test func signalsWhileDrawingLeaveNothing() throws {
    for (program, figure, number) in [
      ("order-compare", "order-compare", SIGINT), ("order-compare", "order-compare", SIGTERM),
      ("order-compare", "order-compare", SIGHUP), ("entropy-map", "entropy-map", SIGINT),
      ("appendix-figures", "conditional-entropy-maps", SIGINT),
    ] {
      let running = try drawing(before: "", program: program)
      kill(running.0.processIdentifier, number)
      running.0.waitUntilExit()
      try FileManager.default.removeItem(atPath: bench.path("drawing"))
      #expect(bench.outcome(of: running).status == 128 + number)
      #expect(try bench.files() == ["made", "made/\(figure).dat", "made/\(figure).gp"])
    }
  }

  /// As under nohup.
  @Test func anIgnoredSignalStaysIgnored() throws {
    let running = try drawing(before: "trap '' HUP;")
    kill(running.0.processIdentifier, SIGHUP)
    usleep(200_000)
    #expect(running.0.isRunning)
    try FileManager.default.removeItem(atPath: bench.path("drawing"))
    let result = bench.outcome(of: running)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try bench.files().contains("made/order-compare.svg"))
  }

  @Test func whatKilledRunsLeftGoesWithTheNext() throws {
    for writer in bench.writers {
      let folder = writer.isFolder ? "made/" : ""
      let dead = "\(folder).\(writer.file).0123456789abcdef.partial"
      try bench.clear(old: dead)
      // As old as what another machine left must be.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -7200)],
        ofItemAtPath: bench.outputs.appendingPathComponent(dead).path)
      let result = try bench.run(writer.program, writer.call)
      #expect(result.status == 0, "\(writer.name): \(result.errors)")
      #expect(bench.bytes(dead) == nil && bench.bytes(writer.place) != nil, "\(writer.name)")
    }
  }

  /// Killed at several moments of its work, a program leaves the old file and what the next run removes.
  @Test func killsLeaveTheOldFile() throws {
    let photographs = bench.folder.appendingPathComponent("photographs")
    for number in 0..<3000 {
      try FileManager.default.linkItem(
        at: photographs.appendingPathComponent("0.png"),
        to: photographs.appendingPathComponent("copy-\(number).png"))
    }
    let writer = bench.writers[0]
    // With a codebook at hand the file is begun early.
    let call =
      ["--images", photographs.path, "--grid", "3x3", "--patch", "4"]
      + ["--like", bench.path("patches.h5"), "--output", writer.file]
    try bench.clear(old: writer.file)
    var left = 0
    for delay in [0, 10_000, 50_000] {
      let running = bench.process(writer.program, call)
      try running.0.run()
      // A file that is there for a while: the output is tried before the images are listed.
      var names: [String] = []
      wait(running.0) {
        let before = names
        names = (try? bench.files()) ?? []
        return names.count > 1 && names == before
      }
      usleep(useconds_t(delay))
      kill(running.0.processIdentifier, SIGKILL)
      let result = bench.outcome(of: running)
      guard result.status == 128 + SIGKILL else { continue }
      #expect(bench.bytes(writer.file) == Data("old".utf8))
      left = max(left, try bench.files().count - 1)
    }
    // It may have been caught between two files, but not three times.
    #expect(left > 0)
    #expect(try bench.run(writer.program, call).status == 0)
    #expect(try bench.files() == [writer.file])
    _ = try TokenDataset(contentsOf: bench.outputs.appendingPathComponent(writer.file).path)
  }

  @Test func oneComparisonWorksInAFolder() throws {
    try bench.clear(old: "made/file")
    let folder = bench.outputs.appendingPathComponent("made").path
    let lock = try FolderLock(folder: folder, name: ".fid-compare.lock")
    #expect(lock != nil)
    let result = try bench.run(
      "fid-compare",
      ["raster", "--tokens", bench.path("tokens.h5"), "--quick", "--output-dir", "made"])
    #expect(result.status == 1 && result.isSentence("another run is at work"), "\(result)")
    withExtendedLifetime(lock) {}
  }

  /// A second run in a folder is refused and harms nothing; one that was killed keeps nobody out.
  @Test func oneRunTrainsInAFolder() throws {
    try bench.clear()
    let arguments =
      bench.training + ["--steps", "1000000", "--output-dir", "made", "--no-figure"]
      + ["--checkpoint-minutes", "0", "--resume"]
    let checkpoint = bench.outputs.appendingPathComponent("made/checkpoint.safetensors").path
    for (number, status) in [(SIGKILL, 137), (SIGTERM, 143), (SIGHUP, 129), (SIGINT, 130)] {
      try? FileManager.default.removeItem(atPath: checkpoint)
      signal(number == SIGKILL ? SIGINT : number, SIG_DFL)
      let first = bench.process("par-train", arguments)
      try first.0.run()
      wait(first.0) { FileManager.default.fileExists(atPath: checkpoint) }
      for _ in 0..<2 {
        let second = try bench.run("par-train", arguments)
        #expect(second.status == 1 && second.isSentence("another run is at work in this folder"))
      }
      #expect(first.0.isRunning)
      kill(first.0.processIdentifier, number)
      let result = bench.outcome(of: first)
      #expect(result.status == status, "\(result.errors)")
      if number != SIGKILL {
        #expect(result.errors.contains("stopped after step"))
        #expect(try bench.files() == ["made", "made/checkpoint.safetensors", "made/loss.csv"])
      }
    }
  }
}
