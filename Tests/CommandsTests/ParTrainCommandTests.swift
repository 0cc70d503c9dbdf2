import FileFormats
import Foundation
import PARTransformer
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "par-train")

private let tiny = [
  "--layers", "1", "--heads", "2", "--width", "16", "--batch-size", "4", "--validation-images",
  "10", "--threads", "2",
]

private struct Output: Decodable {
  struct Record: Decodable {
    let step: Int
    let loss: Double
    let validation_loss: Double?
  }
  let command, order, attention, model: String
  let tokens_per_step, step, parameters: Int
  let grid: [Int]
  let finished: Bool
  let validation_loss: Double
  let history: [Record]
}

private struct Likelihoods: Decodable {
  struct Map: Decodable {
    let name, order: String
    let tokens_per_step, images: Int
    let held_out: Bool
    let nll, nll_standard_error: Double
    let nll_map, standard_error_map: [[Double]]
  }
  let maps: [Map]
}

/// A run in a folder of its own, from training to samples.
@Test func aTrainedModelIsMeasuredAndSampled() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try withFile(smallDataset(images: 60)) { data in
    var models: [String] = []
    for n in ["4", "1"] {
      let directory = folder.appendingPathComponent("run-\(n)").path
      let result = try program.run(
        [data, "--order", "halton", "-n", n, "--output-dir", directory, "--steps", "6", "--json"]
          + ["--attention", "causal", "--figure-format", "svg"] + tiny)
      #expect(result.status == 0, "\(result.errors)")
      let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
      #expect(output.command == "par-train" && output.order == "halton" && output.finished)
      #expect(output.tokens_per_step == Int(n) && output.grid == [6, 6] && output.step == 6)
      #expect(output.history.count == 6 && output.history.last?.validation_loss != nil)
      #expect(abs(output.history[0].loss - log(64)) < 0.01)
      let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
      #expect(
        files.filter { !$0.hasPrefix("loss.") } == ["checkpoint.safetensors", "model.safetensors"])
      #expect(files.contains("loss.csv") && files.contains("loss.dat"))
      let lines = try String(contentsOfFile: directory + "/loss.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 7 && lines[1].hasPrefix("1,4,4.1"))
      models.append(output.model)
    }

    let result = try program.run([
      "likelihood", models[0], data, "--sequential", models[1], "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let maps = try JSONDecoder().decode(Likelihoods.self, from: Data(result.output.utf8)).maps
    #expect(maps.map(\.name) == ["par", "seq"] && maps.map(\.tokens_per_step) == [4, 1])
    #expect(maps.allSatisfy { $0.held_out && $0.images == 10 && $0.nll_standard_error > 0 })
    #expect(maps.allSatisfy { abs($0.nll_map.joined().reduce(0, +) / 36 - $0.nll) < 1e-6 })
    // A limit draws images by the seed; more than there are is all of them.
    let limited = try ["0", "1", "0"].map { seed in
      let result = try program.run([
        "likelihood", models[0], data, "--json", "--limit", "5", "--seed", seed,
      ])
      let map = try JSONDecoder().decode(Likelihoods.self, from: Data(result.output.utf8)).maps[0]
      #expect(map.images == 5 && result.output.contains("\"seed\":\(seed)"))
      return map.nll
    }
    #expect(limited[0] == limited[2] && limited[0] != limited[1])
    let swapped = try program.run([
      "likelihood", models[1], data, "--sequential", models[0], "--no-figure",
    ])
    #expect(swapped.status != 0 && swapped.errors.contains("generates 4 tokens per step"))

    // A run that is resumed needs nothing repeated, not even its tokens; what is given must be the same.
    let directory = folder.appendingPathComponent("run-4").path
    let resumed = try program.run(["--output-dir", directory, "--resume", "--no-figure"])
    #expect(resumed.status == 0 && resumed.output.contains("halton, 4 tokens"), "\(resumed.errors)")
    #expect(resumed.output.contains("causal attention") && resumed.output.contains("step 6"))
    let longer = try program.run(["--output-dir", directory, "--resume", "--steps", "7"])
    #expect(longer.status == 1 && longer.errors.contains("steps 6, but 7 is asked for"))

    let sampler = Program(name: "par-sample")
    // The folder of a run is its model, and while there is none its checkpoint.
    let places = [directory, models[0], directory + "/" + PARTraining.checkpointName]
    let drawn = try places.map { try sampler.run(["--model", $0, "--json"]) }
    let codes = drawn.map { $0.output.firstMatch(of: /"samples":.*?\]\]/)?.0 }
    #expect(codes[0] != nil && codes[0] == codes[1] && codes[0] == codes[2], "\(drawn[2].errors)")
    let samples = try sampler.run(["--model", models[0], "--codebook", data, "--output", "s.h5"])
    #expect(samples.status == 0 && samples.output.contains("halton"), "\(samples.errors)")
    let other = try sampler.run(["--model", models[0], "--order", "raster"])
    #expect(other.status != 0 && other.errors.contains("was trained with the order halton on 6x6"))
    #expect(other.errors.contains("raster on 6x6 tokens was asked for"))
    let pattern = try sampler.run(["--model", models[0], "--attention", "groupwise"])
    #expect(pattern.status != 0 && pattern.errors.contains("was trained with causal attention"))
    let insisted = try sampler.run([
      "--model", models[0], "--order", "raster", "--allow-mismatch", "--json",
    ])
    #expect(insisted.status == 0, "\(insisted.errors)")
  }
}

/// Starts a run that writes a checkpoint at every step, and sends it a signal soon after it has written its first.
private func interrupt(
  _ signal: Int32, _ arguments: [String], checkpoint: String
) throws -> (status: Int32, errors: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("par-train")
  process.arguments = arguments
  let errors = FileManager.default.temporaryDirectory
    .appendingPathComponent("par-train-\(UUID().uuidString)")
  try Data().write(to: errors)
  defer { try? FileManager.default.removeItem(at: errors) }
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = FileHandle.nullDevice
  process.standardError = try FileHandle(forWritingTo: errors)
  // A new checkpoint is another file, renamed.
  func file() -> Int? {
    try? FileManager.default.attributesOfItem(atPath: checkpoint)[.systemFileNumber] as? Int
  }
  let before = file()
  try process.run()
  for _ in 0..<10_000 where process.isRunning && (file() == nil || file() == before) {
    usleep(5000)
  }
  // Then it may be anywhere in a step.
  usleep(50_000)
  kill(process.processIdentifier, signal)
  for _ in 0..<2000 where process.isRunning { usleep(5000) }
  // One that does not listen fails the test and does not hold it up.
  if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  process.waitUntilExit()
  return (process.terminationStatus, try String(contentsOf: errors, encoding: .utf8))
}

private func stepNumber(_ checkpoint: String) throws -> Int {
  struct State: Decodable {
    let step: Int
  }
  let state = try #require(SafetensorsFile(path: checkpoint).metadata["state"])
  return try JSONDecoder().decode(State.self, from: Data(state.utf8)).step
}

/// Killed while it writes checkpoints all the time, the file is whole each time, and the run goes on; an interrupt writes
/// a last one.
@Test func killedRunsGoOn() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try withFile(smallDataset(images: 60)) { data in
    let directory = folder.appendingPathComponent("run").path
    let checkpoint = directory + "/" + PARTraining.checkpointName
    let arguments =
      [data, "-n", "4", "--output-dir", directory, "--steps", "1000000"] + tiny
      + ["--checkpoint-minutes", "0"]
    var last = 0
    for _ in 0..<3 {
      let killed = try interrupt(SIGKILL, arguments + ["--resume"], checkpoint: checkpoint)
      #expect(killed.status == SIGKILL, "\(killed.errors)")
      let step = try stepNumber(checkpoint)
      #expect(step >= last && step > 0)
      last = step
    }
    let stopped = try interrupt(SIGINT, arguments + ["--resume"], checkpoint: checkpoint)
    #expect(stopped.status == 130 && stopped.errors.contains("stopped after step"))
    #expect(stopped.errors.contains("--resume goes on"))
    #expect(try stepNumber(checkpoint) >= last)
    let again = try program.run(arguments)
    #expect(again.status != 0 && again.errors.contains("a run was begun here and is at step"))
  }
}

@Test func trainingThatCannotStartSaysWhy() throws {
  try withFile(smallDataset(images: 8)) { data in
    let cases: [([String], String)] = [
      ([data], "--output-dir"),
      ([data, "--output-dir", "run", "--steps", "0"], "steps is 0; expected at least 1"),
      ([data, "--output-dir", "run", "--dropout", "1"], "dropout is 1.0"),
      ([data, "--output-dir", "run", "--threads", "0"], "--threads 0"),
      ([data, "--output-dir", "run", "-n", "0"], "--tokens-per-step 0"),
      ([data, "--output-dir", "run", "--order", "raaster"], "raaster"),
      ([data, "--output-dir", "run", "--order", "diagonal"], "step"),
      ([data, "--output-dir", "run", "--heads", "3"], "does not divide into 3 heads"),
      (["missing.h5", "--output-dir", "run"], "missing.h5"),
      ([data, "--output-dir", "run", "--validation-images=-1"], "validation images is -1"),
      (["likelihood", data], "small.h5"),
      (["likelihood", "none.safetensors", data], "none.safetensors"),
    ]
    for (arguments, text) in cases {
      let result = try program.run(arguments)
      #expect(result.status != 0 && result.errors.contains(text), "\(arguments): \(result.errors)")
      #expect(result.output.isEmpty && result.files.isEmpty)
    }
  }
}
