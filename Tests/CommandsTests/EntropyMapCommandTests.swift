import EntropyEstimation
import Foundation
import Testing
import TokenGrids

private let program = Program(name: "entropy-map")

private struct Output: Decodable {
  struct Map: Decodable {
    let reference: [Int]
    let entropy: [[Double?]]
    let standard_error: [[Double?]]
    let information: [[Double?]]
    let information_standard_error: [[Double?]]
  }
  struct Provenance: Decodable {
    let version, command_line, input, input_hash, blas_core: String
  }
  let command, units, bound, regressor: String
  let grid: [Int]
  let images, feature_dimensions: Int
  let fallbacks: Int
  let marginal, marginal_standard_error: [[Double]]
  let maps: [Map]
  let provenance: Provenance
}

@Test func jsonHoldsTheMapsOfTheLibrary() throws {
  let dataset = try smallDataset()
  let result = try withFile(dataset) {
    try program.run(["--ref", "2,3", "--ref", "0,0", "--tokens", $0, "--json"])
  }
  #expect(result.status == 0 && result.errors.isEmpty && result.files.isEmpty)
  let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  #expect(output.command == "entropy-map" && output.units == "nats" && output.bound == "debiased")
  #expect(output.grid == [6, 6] && output.images == 300 && output.feature_dimensions == 2)
  #expect(output.provenance.input == "small.h5" && !output.provenance.input_hash.isEmpty)
  #expect(output.maps.map(\.reference) == [[2, 3], [0, 0]])
  let expected = try MapEstimator().maps(
    references: [GridCell(row: 2, column: 3), GridCell(row: 0, column: 0)], in: dataset)
  try #require(expected.count == 2)
  for (map, exact) in zip(output.maps, expected) {
    try #require(exact.entropy.count == 36)
    let values = map.entropy.flatMap(\.self)
    let errors = map.standard_error.flatMap(\.self)
    let shared = map.information.flatMap(\.self)
    let sharedErrors = map.information_standard_error.flatMap(\.self)
    for (index, estimate) in exact.entropy.enumerated() {
      #expect(values[index] == estimate?.value && errors[index] == estimate?.standardError)
      #expect(shared[index] == exact.information[index]?.value)
      #expect(sharedErrors[index] == exact.information[index]?.standardError)
      #expect(output.marginal[index / 6][index % 6] == exact.marginal[index].value)
    }
  }
}

@Test func allReferencesAgreeWithSingleOnes() throws {
  let dataset = try smallDataset()
  try withFile(dataset) { path in
    let all = try program.run(["--all", "--tokens", path, "--json", "--units", "bits"])
    let one = try program.run(["--ref", "5,5", "--tokens", path, "--json", "--units", "bits"])
    let maps = try JSONDecoder().decode(Output.self, from: Data(all.output.utf8)).maps
    let map = try #require(
      try JSONDecoder().decode(Output.self, from: Data(one.output.utf8)).maps.first)
    #expect(maps.count == 36 && maps[35].reference == [5, 5])
    let (ofAll, alone) = (maps[35].entropy.flatMap(\.self), map.entropy.flatMap(\.self))
    try #require(ofAll.count == 36 && alone.count == 36)
    for (a, b) in zip(ofAll, alone) {
      #expect(abs((a ?? 0) - (b ?? 0)) < 1e-5 && (a == nil) == (b == nil))
    }
  }
}

/// H(v_i | v_j) = H(v_i) − I(v_i; v_j) to the last bit, in every unit and with every estimator.
@Test(arguments: [
  [], ["--units", "bits"], ["--bound", "wishart"], ["--bound", "algorithm-1", "--units", "bits"],
  ["--bound", "held-out", "--folds", "2"], ["--regressor", "features"],
  ["--regressor", "mlp", "--epochs", "2", "--hidden", "8"],
])
func entropyIsTheMarginalLessTheInformation(options: [String]) throws {
  let result = try withFile(smallDataset()) {
    try program.run(["--ref", "2,3", "--ref", "0,0", "--tokens", $0, "--json"] + options)
  }
  let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  for map in output.maps {
    for row in 0..<6 {
      for column in 0..<6 {
        let shared = map.information[row][column]
        #expect((shared == nil) == ([row, column] == map.reference))
        #expect(map.entropy[row][column] == shared.map { output.marginal[row][column] - $0 })
        #expect((map.information_standard_error[row][column] ?? 1) > 0)
      }
    }
  }
}

/// The four neighbours of a token of the photographs share the most with it; the lowest conditional entropies are elsewhere,
/// where tokens have little entropy of their own.
@Test func neighboursOfAPhotographsTokenShareTheMost() throws {
  let result = try program.run(["--ref", "12,12", "--limit", "3000", "--json"])
  let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  let map = try #require(output.maps.first)
  func cells(_ values: [[Double?]]) -> [(cell: [Int], value: Double)] {
    values.enumerated().flatMap { row, values in
      values.enumerated().compactMap { column, value in value.map { ([row, column], $0) } }
    }
  }
  let most = cells(map.information).sorted { $0.value > $1.value }.prefix(4).map(\.cell)
  #expect(Set(most) == [[11, 12], [13, 12], [12, 11], [12, 13]])
  let lowest = try #require(cells(map.entropy).min { $0.value < $1.value })
  #expect(lowest.cell[0] > 20)
  #expect(output.fallbacks == 0)
}

@Test(arguments: [
  ("entropy", ["H(v_i | v_j), j ", "lowest at"], ["I(v_i; v_j)", "largest at", "dependence"]),
  ("information", ["I(v_i; v_j), j ", "largest at"], ["H(v_i | v_j)", "lowest at"]),
  ("both", ["H(v_i | v_j), j ", "I(v_i; v_j), j ", "lowest at", "largest at"], []),
])
func onlyTheQuantityAskedForIsShown(quantity: String, shown: [String], hidden: [String]) throws {
  let result = try withFile(smallDataset()) {
    try program.run([
      "--ref", "2,3", "--tokens", $0, "--preview", "--no-figure", "--quantity", quantity,
    ])
  }
  #expect(result.status == 0)
  for text in shown { #expect(result.output.contains(text), "\(text)") }
  for text in hidden { #expect(!result.output.contains(text), "\(text)") }
}

@Test func csvHasALineForEveryCell() throws {
  let result = try withFile(smallDataset()) {
    try program.run(["--ref", "2,3", "--tokens", $0, "--csv"])
  }
  let lines = result.output.split(separator: "\n")
  #expect(
    lines[0]
      == "reference_row,reference_column,row,column,entropy_nats,standard_error,confidence_low,"
      + "confidence_high,information_nats,information_standard_error,marginal_nats,"
      + "marginal_standard_error")
  #expect(
    lines.count == 37 && lines[1].hasPrefix("2,3,0,0,") && lines[16].hasPrefix("2,3,2,3,,,,,,,"))
  let fields = lines[1].split(separator: ",").compactMap { Double($0) }
  #expect(fields.count == 12 && fields[4] == fields[10] - fields[8])
}

@Test func theTableComesWithAFigureAndAPreview() throws {
  let result = try withFile(smallDataset()) {
    try program.run(
      [
        "--ref", "2,3", "--tokens", $0, "--preview", "--output-dir", "maps", "--figure-format",
        "svg",
      ],
      inspecting: { folder in
        let files = try FileManager.default.contentsOfDirectory(
          atPath: folder.appendingPathComponent("maps").path)
        let drawn = Gnuplots.isInstalled ? ["entropy-map.svg"] : []
        #expect(files.sorted() == (["entropy-map.dat", "entropy-map.gp"] + drawn).sorted())
      })
  }
  #expect(result.status == (Gnuplots.isInstalled ? 0 : 1))
  #expect(result.output.contains("small.h5 · 300 images · 6x6 tokens · d = 2"))
  #expect(result.output.contains("H(v_i | v_j), j = (2, 3)"))
}

@Test func videoTakesThreeCoordinates() throws {
  let dataset = try smallDataset(grid: TokenGrid(frames: 2, rows: 3, columns: 3))
  let result = try withFile(dataset) {
    try program.run(["--ref", "1,2,0", "--tokens", $0, "--json"])
  }
  #expect(result.status == 0)
  #expect(result.output.contains("\"reference\":[1,2,0]"))
  #expect(result.output.contains("\"grid\":[2,3,3]"))
  // Without a frame it is not clear which is meant.
  let short = try withFile(dataset) { try program.run(["--ref", "2,0", "--tokens", $0, "--csv"]) }
  #expect(short.status != 0 && short.output.isEmpty)
}

@Test func theEmbeddedPhotographsAreTheDefault() throws {
  let result = try program.run(["--ref", "12,12", "--limit", "300", "--csv"])
  #expect(result.status == 0 && result.output.split(separator: "\n").count == 577)
}

@Test(arguments: [
  (["--tokens", "FILE"], "name a reference token with --ref row,column"),
  (["--tokens", "FILE", "--ref", "6,0"], "reference (6, 0) is outside the 6x6 grid"),
  (["--tokens", "FILE", "--ref", "1,0,0"], "reference (1, 0, 0) is outside the 6x6 grid"),
  (["--tokens", "FILE", "--ref", "two,3"], "--ref two,3: expected row,column as in 12,12"),
  (["--tokens", "FILE", "--ref", "3"], "--ref 3: expected row,column"),
  (["--tokens", "FILE", "--ref", "1,1", "--all"], "--ref and --all exclude each other"),
  (["--tokens", "FILE", "--ref", "1,1", "--limit", "4"], "4 images are too few"),
  (["--tokens", "FILE", "--ref", "1,1", "--limit", "1"], "at least 2 images are needed"),
  (["--tokens", "FILE", "--ref", "1,1", "--json", "--csv"], "exclude each other"),
  (["--tokens", "FILE", "--ref", "1,1", "--bound", "exact"], "--bound"),
  (["--tokens", "FILE", "--ref", "1,1", "--quantity", "all"], "--quantity"),
  (
    ["--tokens", "FILE", "--ref", "1,1", "--errors", "gaussian"],
    "--errors gaussian is for --bound wishart or algorithm-1"
  ),
  (
    ["--tokens", "FILE", "--ref", "1,1", "--errors", "gaussian", "--bound", "debiased"],
    "--errors gaussian is for --bound wishart or algorithm-1"
  ),
  (
    ["--tokens", "FILE", "--ref", "1,1", "--regressor", "mlp", "--bound", "debiased"],
    "a trained network has no debiased bound"
  ),
  (["--tokens", "FILE", "--ref", "1,1", "--feature-dimensions", "3"], "2"),
  (["--tokens", "no-such.h5", "--ref", "1,1"], "no-such.h5"),
])
func badInputIsOneSentenceAndNoFile(arguments: [String], expected: String) throws {
  let result = try withFile(smallDataset()) { path in
    try program.run(arguments.map { $0 == "FILE" ? path : $0 })
  }
  #expect(result.status != 0 && result.status != -1)
  #expect(result.output.isEmpty && result.files.isEmpty)
  #expect(result.errors.contains(expected), "\(result.errors)")
}

/// Whether figures can be drawn on this machine.
enum Gnuplots {
  static let isInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot") }
}
