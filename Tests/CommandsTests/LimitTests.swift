import Foundation
import Testing
import TokenData
import TokenGrids

// Sizes that no memory holds, numbers that no computer adds, and limits of the system: one sentence, never a crash or a hang.

/// Runs a program under a limit of the shell's, such as `ulimit -v 350000`; after `seconds` it is killed.
private func run(
  _ program: String, _ arguments: [String], under limit: String, in folder: URL, seconds: Int = 60,
  environment: [String: String] = [:]
) throws -> Program.Result {
  try Program(name: program).run(
    arguments, in: folder, environment: environment,
    wrapping: { path in
      // The limit is set by the innermost shell, so that the watch itself is not under it.
      (
        "/bin/sh",
        [
          "-c",
          "timeout -s KILL \(seconds) /bin/sh -c '\(limit) && exec \"$0\" \"$@\"' \"$0\" \"$@\"",
          path,
        ]
      )
    })
}

private func isOneSentence(_ result: Program.Result) -> Bool {
  result.status == 1 && result.errors.hasPrefix("Error: ")
    && result.errors.filter { $0 == "\n" }.count == 1
}

@Suite("Limits")
struct LimitTests {
  #if os(Linux)
    @Test(
      "Too little address space is told in a sentence",
      arguments: [200_000, 350_000, 500_000, 600_000, 700_000])
    func addressSpace(kilobytes: Int) throws {
      try withFile(smallDataset()) { path in
        let result = try run(
          "order-compare", ["raster", "--tokens", path, "--no-figure"],
          under: "ulimit -v \(kilobytes)", in: temporaryFolder())
        #expect(isOneSentence(result), "\(result.status): \(result.errors)")
        #expect(result.errors.contains("ulimit -v"))
      }
    }

    @Test("With one thread less address space is enough, as the message says")
    func fewerThreads() throws {
      try withFile(smallDataset()) { path in
        let result = try run(
          "order-compare", ["raster", "--tokens", path, "--no-figure"],
          under: "ulimit -v 1000000", in: temporaryFolder(),
          environment: ["OPENBLAS_NUM_THREADS": "1"])
        #expect(result.status == 0, "\(result.errors)")
      }
    }
  #endif

  @Test("Tokens whose products no memory holds are refused with the channels that fit")
  func products() throws {
    let grid = TokenGrid(rows: 64, columns: 64)
    let channels = 32
    // A window needs few images, so memory is what is lacking: 64·64·32 numbers have 1.7·10¹⁰ products.
    var codes: [UInt32] = []
    for image in 0..<4 { codes += (0..<grid.cellCount).map { UInt32(($0 * 7 + image) % 64) } }
    let elements = (0..<64 * channels).map { Float(($0 * 37) % 101) / 101 }
    let data = try TokenDataset(
      name: "wide.h5", grid: grid,
      tokens: .codes(codes, codebook: .init(rows: 64, columns: channels, elements: elements)))
    try withFile(data, named: "wide.h5") { path in
      let result = try run(
        "order-compare", ["raster", "--tokens", path, "--context-window", "1", "--no-figure"],
        under: "ulimit -v 12000000", in: temporaryFolder(), seconds: 120)
      #expect(isOneSentence(result), "\(result.status): \(result.errors)")
      #expect(
        result.errors.contains("products of 131072 numbers (64x64 tokens of 32 channels) take"))
      #expect(result.errors.contains("--feature-dimensions"))
    }
  }

  @Test("Maps of more references than memory holds are refused")
  func maps() throws {
    let grid = TokenGrid(rows: 128, columns: 128)
    let codes = (0..<20 * grid.cellCount).map { UInt32($0 * 7 % 23) }
    let data = try TokenDataset(
      name: "fine.h5", grid: grid,
      tokens: .codes(
        codes, codebook: .init(rows: 23, columns: 1, elements: (0..<23).map { Float($0) })))
    try withFile(data, named: "fine.h5") { path in
      for bound in ["debiased", "wishart"] {
        let result = try run(
          "entropy-map", ["--all", "--tokens", path, "--bound", bound, "--no-figure"],
          under: "ulimit -v 8000000", in: temporaryFolder())
        #expect(isOneSentence(result), "\(result.status): \(result.errors)")
      }
      let result = try run(
        "entropy-map", ["--all", "--tokens", path, "--no-figure"],
        under: "ulimit -v 8000000", in: temporaryFolder())
      #expect(
        result.errors.contains("fine.h5: maps of 16384 references on 128x128 tokens take 26.8 GB"))
      #expect(result.errors.contains("name a few references with --ref"))
    }
  }

  @Test(
    "Numbers beyond all bounds are refused in a sentence",
    arguments: [
      "9223372036854775807", "4611686018427387904", "4294967296",
    ])
  func options(value: String) throws {
    try withFile(smallDataset()) { path in
      let folder = try temporaryFolder()
      defer { try? FileManager.default.removeItem(at: folder) }
      let images = folder.appendingPathComponent("images")
      try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
      try Data("no image".utf8).write(to: images.appendingPathComponent("a.png"))
      let measuring = ["--tokens", path, "--no-figure"]
      let training = [path, "--output-dir", "run", "--no-figure"]
      let sampling = ["--preset", "B", "--random-weights"]
      let tokenizing = ["--images", images.path, "--output", "tokens.h5"]
      let comparing = ["raster", "--tokens", path, "--quick", "--output-dir", "runs"]
      let calls: [(String, [String])] = [
        ("order-compare", ["raster", "--bound", "held-out", "--folds", value] + measuring),
        (
          "order-compare",
          ["raster", "--regressor", "features", "--features-per-token", value] + measuring
        ),
        ("order-compare", ["raster:n=\(value)"] + measuring),
        ("order-compare", ["random:n=4,steps=\(value)"] + measuring),
        ("order-compare", ["window:w=\(value)"] + measuring),
        ("order-compare", ["distant", "-n", value] + measuring),
        ("entropy-map", ["--ref", "\(value),0"] + measuring),
        (
          "entropy-map",
          ["--ref", "1,1", "--regressor", "mlp", "--learning-rate", value] + measuring
        ),
        ("entropy-map", ["--ref", "1,1", "--bound", "held-out", "--folds", value] + measuring),
        ("par-train", training + ["--width", value]),
        ("par-train", training + ["--layers", value]),
        ("par-train", training + ["--heads", value]),
        ("par-train", training + ["--batch-size", value]),
        ("par-train", training + ["--tokens-per-step", value]),
        ("par-sample", sampling + ["--count", value]),
        ("par-sample", sampling + ["--tokens-per-step", value]),
        ("par-sample", sampling + ["--threads", value]),
        ("par-sample", sampling + ["--grid", "\(value)x2"]),
        ("tokenize", tokenizing + ["--patch", value]),
        ("tokenize", tokenizing + ["--grid", "\(value)x\(value)"]),
        ("tokenize", tokenizing + ["--codes", value]),
        ("tokenize", tokenizing + ["--feature-dimensions", value]),
        ("tokenize", tokenizing + ["--training-patches", value]),
        ("fid-compare", comparing + ["--samples", value]),
        ("fid-compare", comparing + ["--seeds", value]),
        ("fid-compare", comparing + ["--width", value]),
      ]
      for (program, arguments) in calls {
        let result = try run(program, arguments, under: "true", in: folder, seconds: 30)
        let line = "\(program) \(arguments.joined(separator: " ")): \(result.errors)"
        #expect([1, 64].contains(result.status), "\(result.status) \(line)")
        #expect(result.errors.contains("Error: "), "\(line)")
      }
    }
  }

  @Test("Grids of more cells than any image has tokens are refused")
  func grids() throws {
    let result = try Program(name: "par-sample").run([
      "--preset", "B", "--random-weights", "--grid", "65536x65536",
    ])
    #expect(result.status == 64)
    #expect(
      result.errors.contains(
        "--grid 65536x65536: expected HxW or TxHxW of at most 16777216 cells, as in 24x24 or 5x16x16"
      ),
      "\(result.errors)")
  }
}
