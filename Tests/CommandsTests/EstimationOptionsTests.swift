import Foundation
import Testing
import TokenData
import TokenGrids

private let compare = Program(name: "order-compare")
private let map = Program(name: "entropy-map")

private func small() throws -> TokenDataset {
  try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
}

/// Every bound and regressor gives the same bytes twice, but for the time, and says what it is.
@Test(arguments: [
  ["--bound", "held-out"], ["--bound", "held-out", "--folds", "3"], ["--errors", "robust"],
  ["--bound", "wishart"], ["--bound", "wishart", "--errors", "robust"], ["--bound", "algorithm-1"],
  ["--regressor", "features", "--features-per-token", "3"],
  ["--regressor", "features", "--feature-kind", "fourier", "--bound", "held-out"],
  ["--regressor", "mlp", "--epochs", "3", "--hidden", "8"],
  ["--regressor", "mlp", "--bound", "algorithm-1", "--epochs", "2", "--hidden", "8"],
])
func everyEstimatorIsRepeatable(options: [String]) throws {
  try withFile(small()) { path in
    for (program, arguments) in [
      (compare, ["raster", "diagonal"]), (map, ["--ref", "1,1", "--ref", "0,2"]),
    ] {
      let outputs = try (0..<2).map { _ in
        let result = try program.run(
          arguments + options + ["--tokens", path, "--json", "--seed", "4"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        return result.output.replacing(/"seconds":[0-9.e-]+/, with: "\"seconds\":0")
      }
      #expect(outputs[0] == outputs[1])
      let usesSeed = options[0] == "--regressor" || options.contains("held-out")
      #expect(outputs[0].contains("\"seed\":4") == usesSeed)
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(outputs[0].utf8))
          as? [String: Any])
      func given(_ name: String) -> String? {
        options.firstIndex(of: name).map { options[$0 + 1] }
      }
      let regressor = given("--regressor") ?? "linear"
      #expect(object["regressor"] as? String == regressor)
      let bound = given("--bound") ?? (regressor == "mlp" ? "held-out" : "debiased")
      #expect(object["bound"] as? String == bound)
      #expect((object["held_out"] != nil) == (bound == "held-out"))
      #expect(outputs[0].contains("upper_limit") == (bound == "held-out"))
      // Closed forms have errors from sizes unless others are asked for; all else has them from the images.
      let isClosed = ["wishart", "algorithm-1"].contains(bound) && regressor != "mlp"
      #expect(
        object["errors"] as? String == given("--errors") ?? (isClosed ? "gaussian" : "robust"))
    }
  }
}

/// `--errors robust` changes the errors of a closed form, and not what they are errors of; with the debiased bound it is the
/// default, and `--errors gaussian` is refused.
@Test func errorsAreThoseAskedFor() throws {
  try withFile(small()) { path in
    func total(_ options: [String]) throws -> (value: Double, error: Double) {
      let result = try compare.run(["raster", "--tokens", path, "--json"] + options)
      try #require(result.status == 0, "\(result.errors)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      let order = try #require((object["orders"] as? [[String: Any]])?.first)
      return (
        try #require(order["total_increase"] as? Double),
        try #require(order["total_increase_standard_error"] as? Double)
      )
    }
    for bound in ["wishart", "algorithm-1"] {
      let gaussian = try total(["--bound", bound, "--errors", "gaussian"])
      let robust = try total(["--bound", bound, "--errors", "robust"])
      #expect(abs(gaussian.value - robust.value) < 1e-6)
      // The tokens take few values, far from Gaussian: the errors differ by far more than rounding.
      #expect(abs(gaussian.error / robust.error - 1) > 0.01, "\(bound) \(gaussian) \(robust)")
      #expect(try total(["--bound", bound]).error == gaussian.error)
    }
    #expect(try total(["--errors", "robust"]) == total([]))
    let refused = try compare.run(["raster", "--tokens", path, "--errors", "gaussian"])
    #expect(refused.status != 0 && refused.errors.contains("gaussian"))
  }
}

@Test func tablesHavePairedDifferencesAndTests() throws {
  let result = try withFile(small()) {
    try compare.run([
      "raster", "diagonal", "--tokens", $0, "--no-figure", "--errors", "robust",
    ])
  }
  let lines = result.output.split(separator: "\n")
  try #require(result.status == 0, "\(result.errors)")
  #expect(lines[0].contains("robust errors"))
  #expect(lines[1].contains("steps > 0") && lines[1].hasSuffix("minus raster"))
  #expect(lines[3].contains("±"))
}

/// Independent tokens leave nothing to draw when only what is distinguishable is asked for.
@Test func indistinguishableStepsAreLeftOutOfPreviews() throws {
  let result = try withFile(small()) {
    try compare.run([
      "raster", "--tokens", $0, "--no-figure", "--preview", "--only-distinguishable", "--limit",
      "40",
    ])
  }
  #expect(result.status == 0, "\(result.errors)")
  #expect(result.output.contains("entropy increase, raster"))
}

@Test(arguments: [
  (["--folds", "3"], "--bound held-out only"),
  (["--bound", "held-out", "--folds", "1"], "at least 2"),
  (["--bound", "held-out", "--folds", "2", "--held-out-fraction", "0.1"], "exclude each other"),
  (["--bound", "held-out", "--held-out-fraction", "1.5"], "between 0 and 1"),
  (["--bound", "held-out", "--errors", "gaussian"], "errors from the images"),
  (["--regressor", "mlp", "--bound", "debiased"], "no debiased bound"),
  (["--regressor", "mlp", "--bound", "wishart"], "no wishart bound"),
  (["--errors", "gaussian"], "is for --bound wishart"),
  (["--given", "class", "--bound", "held-out"], "--given class is for in-sample bounds"),
  (["--given", "class", "--regressor", "mlp"], "--given class is for in-sample bounds"),
  (["--epochs", "3"], "--regressor mlp only"),
  (["--features-per-token", "3"], "--regressor features only"),
  (["--regressor", "features", "--features-per-token", "40"], "would do"),
  (["--regressor", "mlp", "--learning-rate", "-1"], "--learning-rate"),
])
func badEstimationOptionsAreOneSentence(options: [String], expected: String) throws {
  let result = try withFile(small()) { try compare.run(["raster", "--tokens", $0] + options) }
  #expect(result.status != 0 && result.status != -1 && result.files.isEmpty)
  #expect(result.errors.contains(expected), "\(result.errors)")
}

/// Entropies given the class need labels and several images of a class; the line above the table says that they are given it.
@Test func entropiesCanBeGivenTheClass() throws {
  let dataset = try small()
  func labelled(_ labels: TokenLabels?) throws -> TokenDataset {
    try TokenDataset(name: dataset.name, grid: dataset.grid, tokens: dataset.tokens, labels: labels)
  }
  let arguments = ["raster", "--no-figure", "--given", "class", "--tokens"]
  let given = try withFile(labelled(TokenLabels(values: (0..<200).map { UInt32($0 % 4) }))) {
    try compare.run(arguments + [$0])
  }
  #expect(given.status == 0 && given.output.contains("given the class"), "\(given.errors)")
  for (labels, expected) in [
    (nil, "need labels, and it has none"),
    (TokenLabels(values: (0..<200).map { UInt32($0) }), "200 images have 200 classes"),
  ] {
    let refused = try withFile(labelled(labels)) { try compare.run(arguments + [$0]) }
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(refused.errors.contains(expected), "\(refused.errors)")
  }
}

/// Every way to a map heeds the class: few references and, for a closed form, all 36 of a grid through the moments of everything. Images that
/// are alone in their class are counted out, and ν is m − C − p.
@Test(arguments: ["debiased", "wishart"])
func mapsOfAllReferencesAreGivenTheClass(bound: String) throws {
  let dataset = try smallDataset()
  let m = dataset.imageCount
  let labelled = try TokenDataset(
    name: dataset.name, grid: dataset.grid, tokens: dataset.tokens,
    labels: TokenLabels(values: (0..<m).map { $0 == 7 ? 9 : UInt32($0 % 3) }))
  try withFile(labelled) { path in
    func result(_ arguments: [String]) throws -> [String: Any] {
      let run = try map.run(
        arguments + ["--tokens", path, "--bound", bound, "--given", "class", "--json"])
      #expect(run.status == 0, "\(run.errors)")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }
    func entropy(_ result: [String: Any], _ index: Int) throws -> [[Double?]] {
      let maps = try #require(result["maps"] as? [[String: Any]])
      let rows = try #require(maps[index]["entropy"] as? [[Any]])
      return rows.map { row in row.map { $0 as? Double } }
    }
    let (one, all) = (try result(["--ref", "0,0"]), try result(["--all"]))
    #expect(all["given"] as? String == "class")
    let (alone, ofAll) = (try entropy(one, 0), try entropy(all, 0))
    try #require(alone.map(\.count) == Array(repeating: 6, count: 6))
    try #require(ofAll.map(\.count) == Array(repeating: 6, count: 6))
    for (a, b) in zip(alone.joined(), ofAll.joined()) {
      #expect((a == nil) == (b == nil) && abs((a ?? 0) - (b ?? 0)) < 1e-6)
    }
    let health = try #require(all["health"] as? [String: Any])
    #expect(
      health["degrees_of_freedom"] as? Int == m - 1 - 3 - labelled.featureDimensions)
    let table = try map.run([
      "--ref", "0,0", "--tokens", path, "--no-figure", "--given", "class", "--bound", bound,
    ])
    #expect(table.output.contains("given the class, 1 image alone in its own left out"))
  }
}

@Test func shrunkenFitsSayThatTheyAreBiased() throws {
  try withFile(small()) { path in
    let biased = try compare.run([
      "raster", "--tokens", path, "--no-figure", "--ridge", "0.25", "--bound", "wishart",
    ])
    #expect(biased.status == 0 && biased.output.contains("ridge 0.25, biased"))
    let chosen = try compare.run([
      "raster", "--tokens", path, "--json", "--ledoit-wolf", "--bound", "held-out", "--limit", "30",
    ])
    #expect(
      chosen.status == 0 && chosen.output.contains("\"ledoit_wolf\":true"), "\(chosen.errors)")
    for (options, expected) in [
      (["--ridge", "0"], "expected a positive number"),
      (["--ridge", "nan"], "expected a positive number"),
      (["--ridge", "1", "--ledoit-wolf"], "exclude each other"),
      (["--ridge", "1", "--context-window", "2"], "exclude --context-window"),
      (["--ridge", "1"], "the debiased bound is for least squares"),
      (["--ledoit-wolf"], "the debiased bound is for least squares"),
      (
        ["--ridge", "1", "--errors", "robust", "--bound", "wishart"], "for fits that are not shrunk"
      ),
    ] {
      let refused = try compare.run(["raster", "--tokens", path] + options)
      #expect(refused.status != 0 && refused.errors.contains(expected), "\(refused.errors)")
    }
  }
}

@Test func reportsAndWindowsAndCopulasSayWhatTheyAre() throws {
  try withFile(small()) { path in
    let result = try compare.run([
      "raster", "--tokens", path, "--no-figure", "--report", "--marginals", "gaussian",
    ])
    try #require(result.status == 0, "\(result.errors)")
    for text in [
      "degrees of freedom of the largest fit: 183, 91.5 a channel", "condition number",
      "kurtosis of residuals", "codebook: 64 of 64 entries used", "gaussian marginals",
      "images for each number of an image: 11.11; tokens with fallback weights: 0.0 %",
    ] {
      #expect(result.output.contains(text), "\(text)")
    }
    let map = try map.run(["--ref", "1,1", "--tokens", path, "--json"])
    #expect(map.output.contains("\"degrees_of_freedom\":197"))
    let window = try compare.run([
      "raster", "--tokens", path, "--no-figure", "--context-window", "1", "--limit", "20",
    ])
    #expect(window.status == 0 && window.output.contains("contexts within 1 cells"))
    let refused = try compare.run([
      "raster", "--tokens", path, "--context-window", "1", "--bound", "held-out",
    ])
    #expect(refused.status != 0 && refused.errors.contains("in-sample bounds"))
  }
}
