import Dispatch
import Files
import Foundation
import Synchronization
import Testing
import TokenData

@testable import Experiments

private let program = Program(name: "fid-compare")

/// Processes of a comparison in one folder.
private struct Processes {
  let folder: URL
  let arguments: [String]

  func run(_ more: [String] = [], output: String) throws -> Program.Result {
    try program.run(arguments + ["--output-dir", output] + more, in: folder)
  }

  /// Runs stages at the same time and returns what they say, in the order of the stages.
  func runTogether(_ stages: [String], output: String) throws -> [String] {
    let results = Mutex<[String: Program.Result]>([:])
    DispatchQueue.concurrentPerform(iterations: stages.count) { index in
      let result = try? run(["--stage", stages[index]], output: output)
      results.withLock { $0[stages[index]] = result }
    }
    return try stages.map { stage in
      let result = try #require(results.withLock { $0[stage] })
      #expect(result.status == 0, "\(stage): \(result.errors)")
      return result.output
    }
  }

  /// Starts a stage and kills it in the midst of it, or perhaps before or after.
  func kill(_ stage: String, output: String) throws {
    _ = try program.run(
      arguments + ["--output-dir", output, "--stage", stage], in: folder,
      wrapping: {
        ("/bin/sh", ["-c", "\"$0\" \"$@\" & sleep 0.5; kill -9 $! 2> /dev/null; wait", $0])
      })
  }

  func result(_ output: String) throws -> Any {
    let url = folder.appendingPathComponent(output + "/fid-compare.json")
    return try JSONSerialization.jsonObject(with: Data(contentsOf: url))
  }

  /// Every file of what is kept, and when it was written.
  func kept(_ output: String) throws -> [String: Date] {
    let root = folder.appendingPathComponent(output + "/runs")
    let names = FileManager.default.subpaths(atPath: root.path) ?? []
    return try Dictionary(
      uniqueKeysWithValues: names.map { name in
        let path = root.appendingPathComponent(name).path
        let values = try FileManager.default.attributesOfItem(atPath: path)
        return (name, values[.modificationDate] as? Date ?? .distantPast)
      })
  }
}

private func withProcesses(
  _ arguments: [String], _ body: (Processes) throws -> Void
) throws {
  try withFile(try smallDataset(images: 300)) { path in
    let tiny = ["--layers", "1", "--heads", "1", "--width", "8", "--steps", "3", "--batch", "4"]
    try body(
      Processes(
        folder: URL(fileURLWithPath: path).deletingLastPathComponent(),
        arguments: arguments + tiny + ["--tokens", path, "--neighbors", "3"]))
  }
}

/// The places where two results differ, but for how they were made: numbers by more than rounding, as BLAS adds in another
/// order where numbers lie elsewhere in memory.
private func differences(_ a: Any, _ b: Any, _ place: String = "") -> [String] {
  switch (a, b) {
  case (let a as [String: Any], let b as [String: Any]):
    guard a.keys.sorted() == b.keys.sorted() else { return ["\(place): other names"] }
    return a.keys.sorted().filter { !["provenance", "seconds", "folder"].contains($0) }.flatMap {
      differences(a[$0] ?? "", b[$0] ?? "", place + "." + $0)
    }
  case (let a as [Any], let b as [Any]):
    guard a.count == b.count else { return ["\(place): \(a.count) and \(b.count)"] }
    return zip(a, b).enumerated().flatMap {
      differences($0.element.0, $0.element.1, "\(place)[\($0.offset)]")
    }
  case (let a as NSNumber, let b as NSNumber):
    return abs(a.doubleValue - b.doubleValue) <= 1e-6 * max(1, abs(b.doubleValue))
      ? [] : ["\(place): \(a) and \(b)"]
  default: return "\(a)" == "\(b)" ? [] : ["\(place): \(a) and \(b)"]
  }
}

@Suite struct StagesTests {
  private let anyOrder = [
    "raster", "halton:schedule=optimal,steps=6", "searched:steps=4", "--count", "60",
    "--likelihood-images", "20", "--forced-images", "24", "--forced-steps", "2", "--extractor",
    "structure", "--seeds", "2",
  ]
  private let par = [
    "--architecture", "par", "raster", "distant+one", "--count", "60", "--seeds", "1",
    "--extractor", "structure",
  ]

  private func list(_ processes: Processes, _ parts: Int) throws -> [String] {
    let result = try processes.run(["--list-stages", "\(parts)"], output: "none")
    #expect(result.status == 0, "\(result.errors)")
    return result.output.split(separator: "\n").map(String.init)
  }

  @Test(arguments: ["any-order", "par"]) func stagesMakeUpTheComparison(architecture: String) throws
  {
    try withProcesses(architecture == "par" ? par : anyOrder) { processes in
      let whole = try processes.run(["--no-figure"], output: "whole")
      try #require(whole.status == 0, "\(whole.errors)")
      let stages = try list(processes, 3)
      #expect(
        stages == [
          "prepare", "train:1/2", "train:2/2", "measure:1/3", "measure:2/3", "measure:3/3",
        ])
      try processes.kill("prepare", output: "parts")
      _ = try processes.runTogether(["prepare"], output: "parts")
      try processes.kill("train:2/2", output: "parts")
      _ = try processes.runTogether(Array(stages[1...2]), output: "parts")
      try processes.kill("measure:1/3", output: "parts")
      _ = try processes.runTogether(Array(stages[3...]), output: "parts")
      let kept = try processes.kept("parts")
      // Done again they find everything there.
      for told in try processes.runTogether(stages.shuffled(), output: "parts") {
        #expect(told.contains(" 0 made now") || told.contains("nothing falls"), "\(told)")
      }
      let assembled = try processes.run(["--no-figure"], output: "parts")
      try #require(assembled.status == 0, "\(assembled.errors)")
      #expect(try processes.kept("parts") == kept)
      #expect(differences(try processes.result("parts"), try processes.result("whole")) == [])
      // Neither locks nor temporary files stay.
      let left = try FileManager.default.contentsOfDirectory(
        atPath: processes.folder.appendingPathComponent("parts").path)
      #expect(left.filter { $0.hasPrefix(".") } == [])
    }
  }

  @Test func stagesAreListedWithWhatComesBefore() throws {
    struct List: Decodable {
      struct Stage: Decodable { let name: String, after: [String] }
      let stages: [Stage]
    }
    try withProcesses(anyOrder) { processes in
      let result = try processes.run(["--list-stages", "2", "--json"], output: "none")
      let stages = try JSONDecoder().decode(List.self, from: Data(result.output.utf8)).stages
      #expect(stages.map(\.name) == (try list(processes, 2)))
      for (index, stage) in stages.enumerated() {
        #expect(stage.after.allSatisfy { stages[..<index].map(\.name).contains($0) })
      }
      #expect(stages[3].after == ["train:1/2", "train:2/2"])
      #expect(
        !FileManager.default.fileExists(
          atPath: processes.folder.appendingPathComponent("none").path))
    }
    // Two seeds of the paper's table, one of the others.
    let standard = try program.run(["--architecture", "par", "--list-stages", "1"])
    #expect(standard.output.split(separator: "\n").count == 1 + 11 + 1)
  }

  @Test func whatComesTooEarlyOrTwiceIsRefused() throws {
    try withProcesses(anyOrder) { processes in
      func refusal(_ arguments: [String], _ words: [String], status: Int32 = 1) throws {
        let result = try processes.run(arguments, output: "out")
        #expect(result.status == status && result.output.isEmpty, "\(arguments)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
      }
      try refusal(
        ["--stage", "train:1/2"], ["train:1/2", "halton:schedule=optimal", "--stage prepare"])
      for text in ["train", "train:0/2", "measure:3/2", "sample:1/2", "prepare:1/2"] {
        try refusal(["--stage", text], ["--stage \(text)", "measure:2/8"], status: 64)
      }
      try refusal(["--stage", "prepare", "--json"], ["--json", "for the result"], status: 64)
      try refusal(["--stage", "prepare", "--no-figure"], ["--no-figure"], status: 64)
      try refusal(["--list-stages", "2", "--csv"], ["--csv"], status: 64)
      try refusal(["--list-stages", "0"], ["--list-stages 0"], status: 64)
      try refusal(["--list-stages", "2", "--stage", "prepare"], ["exclude"], status: 64)
      _ = try processes.runTogether(["prepare"], output: "out")
      try refusal(
        ["--stage", "measure:1/2"],
        ["measure:1/2", "seed 0 is not trained", "--stage train:1/2"])

      let folder = processes.folder.appendingPathComponent("out").path
      do {
        let lock = try FolderLock(folder: folder, name: ".fid-compare.lock", isShared: true)
        try #require(lock != nil)
        // Stages share the folder, and the whole does not.
        _ = try processes.runTogether(["prepare"], output: "out")
        try refusal(["--no-figure"], ["another run is at work"])
        let own = try FolderLock(folder: folder, name: ".fid-compare-train-1-of-2.lock")
        try #require(own != nil)
        try refusal(["--stage", "train:1/2"], ["another process is at work on train:1/2"])
        withExtendedLifetime((lock, own)) {}
      }
      let whole = try FolderLock(folder: folder, name: ".fid-compare.lock")
      try #require(whole != nil)
      try refusal(["--stage", "prepare"], ["another run is at work"])
      withExtendedLifetime(whole) {}
    }
  }
}
