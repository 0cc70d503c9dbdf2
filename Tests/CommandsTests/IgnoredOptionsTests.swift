import Foundation
import Testing
import TokenData
import TokenGrids

@testable import Commands

private func small() throws -> TokenDataset {
  try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
}

/// An option with a mode of its command that has no use for it, and a part of the sentence that says so.
private let refused: [(program: String, arguments: [String], sentence: String)] = [
  ("order-compare", ["raster", "--bootstrap", "10"], "Unknown option '--bootstrap'"),
  (
    "order-compare",
    ["raster", "--only-distinguishable", "--context-window", "1", "--bound", "wishart"],
    "steps within a window are tested by the images"
  ),
  (
    "order-compare", ["raster", "--only-distinguishable", "--ridge", "1", "--bound", "wishart"],
    "use --bound held-out"
  ),
  (
    "order-compare", ["raster", "--only-distinguishable", "--ledoit-wolf", "--bound", "wishart"],
    "use --bound held-out"
  ),
  (
    "order-compare",
    ["raster", "--only-distinguishable", "--regressor", "mlp", "--bound", "algorithm-1"],
    "use --bound held-out"
  ),
  ("order-compare", ["raster", "--only-distinguishable", "--no-figure"], "and there is none"),
  ("order-compare", ["raster", "--only-distinguishable", "--json"], "and there is none"),
  ("order-compare", ["raster", "--only-distinguishable", "--csv"], "and there is none"),
  (
    "order-compare",
    ["raster", "--errors", "gaussian", "--regressor", "mlp", "--bound", "algorithm-1"],
    "a trained network takes its errors from the images"
  ),
  (
    "entropy-map",
    ["--ref", "1,1", "--errors", "gaussian", "--regressor", "mlp", "--bound", "algorithm-1"],
    "a trained network takes its errors from the images"
  ),
  ("order-compare", ["raster", "--steps", "9"], "--steps is for --published"),
  ("fid-compare", ["raster+causal"], "use --architecture par"),
  ("fid-compare", ["raster", "--forced-images", "0", "--forced-steps", "2"], "leaves nothing for"),
  (
    "fid-compare", ["raster", "--architecture", "par", "--forced-images", "50"],
    "is for one model of all orders"
  ),
  (
    "fid-compare", ["raster", "--architecture", "par", "--likelihood-images", "50"],
    "is for one model of all orders"
  ),
  ("order-compare", ["--published", "--steps", "0"], "at least 1 is needed"),
  ("order-compare", ["-", "-"], "holds one order and is read once"),
  ("order-compare", ["--published", "-n", "4"], "every order has steps of its own"),
  ("order-compare", ["--published", "--only-distinguishable"], "draws totals"),
  ("order-compare", ["diagonal", "-n", "9"], "every order has steps of its own"),
  ("order-compare", ["raster:n=3", "window:w=2", "-n", "3"], "every order has steps of its own"),
  ("order-compare", ["raster", "--csv", "--figure-format", "svg"], "needs --output-dir"),
  ("entropy-map", ["--ref", "1,1", "--json", "--figure-format", "svg"], "needs --output-dir"),
  (
    "entropy-map", ["--ref", "1,1", "--json", "--quantity", "entropy"], "always have all quantities"
  ),
  ("entropy-map", ["--ref", "1,1", "--context-window", "1"], "is for order-compare"),
  ("entropy-map", ["--ref", "1,1", "--ridge", "1"], "is for order-compare"),
  ("entropy-map", ["--ref", "1,1", "--ledoit-wolf"], "is for order-compare"),
  ("appendix-figures", ["--context-window", "1"], "is for order-compare"),
  ("appendix-figures", ["--ridge", "1"], "is for order-compare"),
  ("appendix-figures", ["--ledoit-wolf"], "is for order-compare"),
  ("appendix-figures", ["--bound", "held-out"], "draws in-sample bounds"),
  ("appendix-figures", ["--regressor", "features"], "draws in-sample bounds"),
  ("appendix-figures", ["--marginals", "gaussian"], "draws in-sample bounds"),
]

/// The same, of commands whose dataset is not `--tokens`.
private let refusedElsewhere: [(program: String, arguments: [String], sentence: String)] = {
  var cases: [(program: String, arguments: [String], sentence: String)] = []
  for name in ["--codes", "--feature-dimensions", "--training-patches", "--iterations", "--seed"] {
    let arguments = ["--images", "x", "--like", "scenes", name, "3", "-o", "y.h5"]
    cases.append(("tokenize", arguments, "is for learning a codebook"))
  }
  let ofTokens = [
    ["--neighbors", "3"], ["--splits", "3"], ["--no-dependencies"], ["--order", "raster"],
    ["--jitter", "0"],
  ]
  for option in ofTokens {
    let arguments = ["proxies", "a.npz", "b.h5", "--extractor", "texture"] + option
    cases.append(("fid-compare", arguments, "needs the tokens of both sets"))
  }
  for option in [["--channels", "last"], ["--limit", "9"], ["--seed", "1"]] {
    let arguments = ["proxies", "a.npz", "b.npz"] + option
    cases.append(("fid-compare", arguments, "both files hold statistics"))
  }
  let proxies = ["proxies", "a.h5", "b.h5", "--no-dependencies", "--jitter", "0.1"]
  cases.append(("fid-compare", proxies, "leaves nothing for --jitter"))
  let preset = ["--preset", "B", "--random-weights"]
  cases.append(("par-sample", preset + ["--allow-mismatch"], "--allow-mismatch is for --model"))
  cases.append(("par-sample", preset + ["--greedy", "--top-k", "0"], "--greedy leaves nothing"))
  let training = ["--output-dir", "x", "--validation-images", "0", "--validation-interval", "5"]
  cases.append(("par-train", training, "leaves nothing for --validation-interval"))
  let likelihood = ["likelihood", "m.safetensors", "--json", "--figure-format", "svg"]
  cases.append(("par-train", likelihood, "needs --output-dir"))
  return cases
}()

struct IgnoredOptionsTests {
  @Test(arguments: refused.indices)
  func whatHasNoUseIsRefused(index: Int) throws {
    let (program, arguments, sentence) = refused[index]
    let result = try withFile(small()) {
      try Program(name: program).run(arguments + ["--tokens", $0])
    }
    #expect(result.status == 64 && result.output.isEmpty && result.files.isEmpty)
    #expect(result.errors.contains(sentence), "\(arguments): \(result.errors)")
  }

  @Test(arguments: refusedElsewhere.indices)
  func whatHasNoUseElsewhereIsRefused(index: Int) throws {
    let (program, arguments, sentence) = refusedElsewhere[index]
    let result = try Program(name: program).run(arguments)
    #expect(result.status == 64 && result.output.isEmpty && result.files.isEmpty)
    #expect(result.errors.contains(sentence), "\(arguments): \(result.errors)")
  }

  /// A jitter counts wherever least squares are below a network, and is refused where they are not.
  @Test func networksHeedTheJitter() throws {
    let network = ["--regressor", "mlp", "--epochs", "1", "--hidden", "4"]
    try withFile(small()) { path in
      for (program, arguments) in [
        ("entropy-map", ["--ref", "1,1"]), ("order-compare", ["raster"]),
      ] {
        let outputs = try ["0", "0.5"].map { jitter in
          let result = try Program(name: program).run(
            arguments + network + ["--csv", "--jitter", jitter, "--tokens", path])
          #expect(result.status == 0, "\(result.errors)")
          return result.output
        }
        #expect(outputs[0] != outputs[1])
      }
      // 20 images are too few for 16 predictors.
      let few = ["raster", "--limit", "20", "--tokens", path, "--no-figure"] + network
      let alone = try Program(name: "order-compare").run(few)
      #expect(alone.status == 0, "\(alone.errors)")
      let result = try Program(name: "order-compare").run(few + ["--jitter", "0.5"])
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(result.errors.contains("too few for least squares"), "\(result.errors)")
    }
  }

  /// Within a window, too, where errors come from the images.
  @Test func stepsWithinAWindowAreTested() throws {
    let result = try withFile(small()) {
      try Program(name: "order-compare").run([
        "raster", "--tokens", $0, "--no-figure", "--preview", "--only-distinguishable",
        "--context-window", "1", "--bound", "wishart", "--errors", "robust",
      ])
    }
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func theTableOfAppendixFiguresHasClusteredErrors() throws {
    func rows(_ dataset: TokenDataset, _ program: String, _ more: [String]) throws -> [String] {
      let result = try withFile(dataset) {
        try Program(name: program).run(more + ["--tokens", $0])
      }
      return result.output.split(separator: "\n").map(String.init)
    }
    let plain = try smallDataset()
    let grouped = try TokenDataset(
      name: plain.name, grid: plain.grid, tokens: plain.tokens,
      imageIDs: (0..<300).map { UInt32($0 / 3) })
    let (figures, orders) = (
      try rows(grouped, "appendix-figures", ["--figure-format", "svg"]),
      try rows(grouped, "order-compare", ["raster", "diagonal", "--no-figure"])
    )
    #expect(figures.first?.contains("clustered by 100 photographs") == true, "\(figures)")
    #expect(orders.first == figures.first)
  }

  /// The increases of a comparison have errors that are clustered by photograph, as those of `order-compare`.
  @Test func increasesOfAComparisonHaveClusteredErrors() throws {
    struct Orders: Decodable {
      struct Order: Decodable { let total_increase, total_increase_standard_error: Double }
      let orders: [Order]
    }
    func error(_ program: String, _ arguments: [String], _ dataset: TokenDataset) throws -> Double {
      let result = try withFile(dataset) {
        try Program(name: program).run(arguments + ["--json", "--tokens", $0])
      }
      try #require(result.status == 0, "\(result.errors)")
      let orders = try JSONDecoder().decode(Orders.self, from: Data(result.output.utf8)).orders
      return orders[0].total_increase_standard_error
    }
    let tiny = [
      "raster", "--architecture", "par", "--layers", "1", "--heads", "1", "--width", "8", "--steps",
      "1", "--batch", "2", "--count", "100", "--seeds", "1", "--no-figure", "--extractor",
      "structure",
    ]
    // Every image four times: errors that do not know it are half as large.
    let plain = try smallDataset(grid: TokenGrid(rows: 4, columns: 4), images: 400)
    let images = (0..<400).map { $0 / 4 * 4 }
    let repeated = try TokenDataset(
      name: "small.h5", grid: plain.grid,
      tokens: try plain.selecting(images: images).tokens,
      imageIDs: images.map { UInt32($0) })
    let (compared, expected) = (
      try error("fid-compare", tiny, repeated), try error("order-compare", ["raster"], repeated)
    )
    #expect(abs(compared / expected - 1) < 1e-9)
    let blind = try TokenDataset(name: "small.h5", grid: plain.grid, tokens: repeated.tokens)
    #expect(compared > 1.5 * (try error("fid-compare", tiny, blind)))
  }
}
