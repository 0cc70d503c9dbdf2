import EntropyEstimation
import Foundation
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "order-compare")

private struct Output: Decodable {
  struct Order: Decodable {
    let name: String
    let steps, tokens_per_step: Int
    let total_increase, total_increase_standard_error, mean_increase, max_increase: Double
    let sequential, parallel, increase: [[Double]]
    let sequential_standard_error, parallel_standard_error, increase_standard_error: [[Double]]
    let step: [[Int]]
  }
  let command, units, bound, regressor: String
  let grid: [Int]
  let images, feature_dimensions: Int
  let joint_entropy: Double
  let orders: [Order]
}

private func decode(_ result: Program.Result) throws -> Output {
  try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
}

@Test(arguments: [EntropyBound.wishart, .debiased])
func jsonHoldsTheProfilesOfTheLibrary(bound: EntropyBound) throws {
  let dataset = try smallDataset()
  let result = try withFile(dataset) {
    try program.run([
      "raster", "distant", "--tokens", $0, "--json", "--units", "bits", "--bound", bound.rawValue,
    ])
  }
  #expect(result.status == 0 && result.errors.isEmpty && result.files.isEmpty)
  let output = try decode(result)
  #expect(output.command == "order-compare" && output.units == "bits" && output.grid == [6, 6])
  try #require(output.orders.count == 2 && output.bound == bound.rawValue)
  for (order, name) in zip(output.orders, ["raster", "distant"]) {
    let exact = try OrderEstimator(EstimationSettings(bound: bound)).profiles(
      of: [OrderSpecification(name).order(on: dataset.grid, tokensPerStep: 4)], in: dataset)[0]
    #expect(order.name == name && order.steps == exact.order.steps.count)
    #expect(order.step.flatMap(\.self) == exact.order.stepNumbers)
    let bits = EntropyUnit.bits.perNat
    #expect(abs(order.total_increase - exact.totalIncrease.value * bits) < 1e-9)
    #expect(abs(order.mean_increase * 36 - order.total_increase) < 1e-9)
    #expect(order.max_increase == order.increase.flatMap(\.self).max())
    try #require(order.sequential.map(\.count) == Array(repeating: 6, count: 6))
    try #require(exact.sequential.count == 36)
    for (a, b) in zip(order.sequential.flatMap(\.self), exact.sequential) {
      #expect(abs(a - b.value * bits) < 1e-9)
    }
    if name == "raster" || bound == .wishart {
      #expect(abs(order.sequential.flatMap(\.self).reduce(0, +) - output.joint_entropy) < 1e-8)
    }
  }
  #expect(output.orders[0].total_increase > output.orders[1].total_increase)
}

@Test func everyKindOfOrderWorks() throws {
  let table = (0..<6).map { row in (0..<6).map { "\(row + $0 + 1)" }.joined(separator: " ") }
    .joined(separator: "\n")
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appendingPathComponent("diagonals.txt").path
  try table.write(toFile: path, atomically: true, encoding: .utf8)
  let orders = [
    "raster", "distant", "distant:initial=0", "distant:n=9", "halton", "diagonal", path,
  ]
  let result = try withFile(smallDataset()) {
    try program.run(orders + ["--tokens", $0, "--json"])
  }
  #expect(result.status == 0, "\(result.errors)")
  let output = try decode(result)
  #expect(output.orders.map(\.name) == orders.dropLast() + ["diagonals.txt"])
  #expect(output.orders[5].step == output.orders[6].step)
  // Where a BLAS rounds by how memory is aligned, the last digits differ.
  let (named, read) = (output.orders[5].total_increase, output.orders[6].total_increase)
  #expect(abs(named - read) < 1e-10 * abs(named))
}

@Test func theTableIsAligned() throws {
  let result = try withFile(smallDataset()) {
    try program.run(["raster", "distant:initial=0", "--tokens", $0, "--no-figure"])
  }
  let lines = result.output.split(separator: "\n")
  #expect(result.status == 0 && result.files.isEmpty && lines.count == 5)
  #expect(lines[1].hasPrefix("order              steps"))
  #expect(lines[2].count == lines[3].count)
  #expect(lines[4].hasPrefix("joint entropy of all tokens, along raster: "))
}

@Test func csvHasALineForEveryOrderAndCell() throws {
  let result = try withFile(smallDataset()) {
    try program.run(["raster:n=4,initial=0", "distant", "--tokens", $0, "--csv"])
  }
  let lines = result.output.split(separator: "\n")
  #expect(lines.count == 73)
  #expect(lines[0].hasPrefix("order,row,column,step,sequential_nats,sequential_standard_error,"))
  #expect(lines[1].hasPrefix("\"raster:n=4,initial=0\",0,0,1,"))
}

@Test func theSameRunIsTheSameBytes() throws {
  let outputs = try withFile(smallDataset()) { path in
    try (0..<2).map { _ in
      try program.run([
        "raster", "random:seed=3", "--tokens", path, "--limit", "200", "--seed", "7", "--json",
      ])
      .output.replacing(/"seconds":[0-9.e-]+/, with: "")
    }
  }
  #expect(outputs[0] == outputs[1] && outputs[0].contains("\"images\":200"))
}

@Test func withoutGnuplotScriptAndDataAreWritten() throws {
  let result = try withFile(smallDataset()) {
    try program.run(["raster", "--tokens", $0], environment: ["PATH": "/nonexistent"])
  }
  #expect(result.status == 1)
  #expect(result.errors.contains("gnuplot was not found; install it"))
  #expect(result.output.contains("raster"))
  #expect(result.files == ["order-compare.dat", "order-compare.gp"])
}

@Test(arguments: [
  (["rastre"], "raster"),
  (["distant:n=5"], "n"),
  (["distant:n=16"], "6"),
  (["raster:q=3"], "q"),
  (["no/such/order.txt"], "order.txt"),
  (["raster", "--tokens-per-step", "0"], "at least 1"),
  (["raster", "--limit", "50"], "50 images are too few for a regression on 70 numbers"),
  (["raster", "--output-dir", "/dev/null/figures"], "/dev/null/figures"),
  (["raster", "--no-figure", "--output-dir", "x"], "--no-figure"),
  (["raster", "--jitter", "-1"], "--jitter"),
])
func badOrdersAreOneSentenceAndNoFile(arguments: [String], expected: String) throws {
  let result = try withFile(smallDataset()) { try program.run(arguments + ["--tokens", $0]) }
  #expect(result.status != 0 && result.status != -1)
  #expect(result.files.isEmpty)
  #expect(result.errors.contains(expected), "\(result.errors)")
}

@Test(arguments: [
  ("hole.txt", "1 2 3\n4 5 6\n7 8\n", "hole.txt"),
  ("text.csv", "1,2,3\n4,x,6\n7,8,9\n", "x"),
  ("size.txt", "1 2\n3 4\n", "3x3"),
  ("empty.txt", "", "empty.txt"),
  ("twice.json", #"{"grid":[3,3],"steps":[[[0,0],[0,1]],[[0,0]]]}"#, "(0, 0)"),
  ("missing.json", #"{"grid":[3,3],"steps":[[[0,0],[0,1]]]}"#, "(0, 2)"),
  ("broken.json", #"{"grid":[3,3],"steps":[[[0,0]"#, "broken.json"),
])
func badOrderFilesAreNamed(name: String, contents: String, expected: String) throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appendingPathComponent(name).path
  try contents.write(toFile: path, atomically: true, encoding: .utf8)
  let dataset = try smallDataset(grid: TokenGrid(rows: 3, columns: 3))
  let result = try withFile(dataset) { try program.run([path, "--tokens", $0]) }
  #expect(result.status == 1 && result.output.isEmpty && result.files.isEmpty)
  #expect(result.errors.contains(expected) && result.errors.contains(name), "\(result.errors)")
}

@Test func damagedDatasetsAreNamed() throws {
  try withFile(smallDataset()) { path in
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    for (name, contents) in [
      ("truncated.h5", bytes.prefix(bytes.count / 2)), ("text.h5", Data("not a dataset".utf8)),
      ("empty.h5", Data()),
    ] {
      let damaged = folder.appendingPathComponent(name)
      try contents.write(to: damaged)
      let result = try program.run(["raster", "--tokens", damaged.path])
      #expect(result.status == 1 && result.output.isEmpty && result.files.isEmpty)
      #expect(result.errors.hasPrefix("Error: \(damaged.path)"), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }
}

/// A slip in one number of continuous tokens moves totals and nothing else shows it.
@Test func numbersThatDecideTheirChannelsAreNamed() throws {
  let small = try smallDataset()
  var values = try small.features(ofImages: 0..<small.imageCount)
  func result(_ program: String, _ arguments: [String]) throws -> Program.Result {
    try withFile(
      TokenDataset(name: "f", grid: small.grid, tokens: .features(values, dimensions: 2)),
      named: "f.h5"
    ) {
      try Program(name: program).run(arguments + ["--tokens", $0, "--no-figure"])
    }
  }
  #expect(try result("order-compare", ["halton"]).errors.isEmpty)
  // Image 7, token (1, 2), channel 1.
  values[(7 * 36 + 8) * 2 + 1] = 1e6
  let found = try result("order-compare", ["halton"])
  #expect(found.status == 0)
  let warning = "warning: f.h5: image 7 has 99.7 % of the variance of channel 1 of token (1, 2)"
  #expect(found.errors.contains(warning), "\(found.errors)")
  #expect(try result("entropy-map", ["--ref", "1,1"]).errors.contains(warning))
  // Sums are made once: that is where it can still be seen, also by the share that has it.
  func accumulated(_ share: String) throws -> String {
    try withFile(
      TokenDataset(name: "f", grid: small.grid, tokens: .features(values, dimensions: 2)),
      named: "f.h5"
    ) {
      let output = URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/sums.h5"
      let result = try Program(name: "moments").run([
        "--tokens", $0, "--images", share, "--output", output,
      ])
      #expect(result.status == 0, "\(result.errors)")
      return result.errors
    }
  }
  #expect(try accumulated("1/1").contains("image 7 has 99.7 % of the variance of channel 1"))
  values.swapAt((7 * 36 + 8) * 2 + 1, (170 * 36 + 8) * 2 + 1)
  #expect(try accumulated("1/2").isEmpty)
  #expect(try accumulated("2/2").contains("image 170 has 99.3 % of the variance of channel 1"))
  values.swapAt((7 * 36 + 8) * 2 + 1, (170 * 36 + 8) * 2 + 1)
  values[(9 * 36 + 9) * 2] = -1e4
  #expect(try result("order-compare", ["halton"]).errors.contains("1 more channel of tokens"))
  // Of a sample images have other numbers than in the file; some of the draws have image 7 among them.
  let drawn = try (0..<6).map {
    try result("order-compare", ["halton", "--limit", "250", "--seed", "\($0)"])
  }
  #expect(drawn.contains { $0.errors.contains("one image has 99.6 % of") })
  #expect(!drawn.contains { $0.errors.contains("image 7") })
}
