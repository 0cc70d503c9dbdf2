import FileFormats
import Foundation
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "order-compare")

private struct Output: Decodable {
  struct Order: Decodable {
    struct Seed: Decodable {
      let name: String
      let total_increase, total_increase_standard_error: Double
    }
    let name: String
    let steps: Int
    let total_increase, total_increase_standard_error, difference_from_first: Double
    let increase: [[Double]]
    let step: [[Int]]?
    let seeds: [Seed]?
    let seeds_standard_deviation: Double?
  }
  struct LeftOut: Decodable {
    let name, reason: String
  }
  let orders: [Order]
  let left_out: [LeftOut]?
}

@Suite struct OrderSelectionTests {
  private func output(_ arguments: [String], in folder: URL) throws -> Output {
    let result = try program.run(arguments + ["--tokens", "t.h5", "--json"], in: folder)
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  }

  private func withTokens(_ body: (URL) throws -> Void) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try smallDataset().write(to: folder.appendingPathComponent("t.h5").path)
    try body(folder)
  }

  @Test func seedsAreOneRow() throws {
    try withTokens { folder in
      let together = try output(["raster", "random:n=9,seed=4,seeds=3"], in: folder)
      let apart = try output(
        ["raster"] + (4...6).map { "random:n=9,seed=\($0)" }, in: folder)
      let row = try #require(together.orders.last)
      let seeds = try #require(row.seeds)
      #expect(together.orders.count == 2 && row.name == "random:n=9,seed=4,seeds=3")
      #expect(row.step == nil && together.orders[0].step != nil && together.orders[0].seeds == nil)
      #expect(seeds.map(\.name) == apart.orders.dropFirst().map(\.name))
      for (seed, order) in zip(seeds, apart.orders.dropFirst()) {
        #expect(abs(seed.total_increase - order.total_increase) < 1e-9)
      }
      let totals = seeds.map(\.total_increase)
      let mean = totals.reduce(0, +) / 3
      let variance = totals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2
      #expect(abs(row.total_increase - mean) < 1e-9)
      #expect(abs(try #require(row.seeds_standard_deviation) - variance.squareRoot()) < 1e-9)
      #expect(abs(row.difference_from_first - (mean - apart.orders[0].total_increase)) < 1e-9)
      #expect(abs(row.increase.flatMap(\.self).reduce(0, +) - mean) < 1e-9)
      let text = try program.run(
        ["raster", "random:seeds=3", "--tokens", "t.h5", "--no-figure"], in: folder)
      #expect(text.output.contains("over seeds") && text.output.contains(" of 3\n"))
      let csv = try program.run(["random:seeds=3", "--tokens", "t.h5", "--csv"], in: folder)
      let lines = csv.output.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      #expect(lines.count == 37 && lines.allSatisfy { $0.count == lines[0].count })
      #expect(lines[0].suffix(2) == ["seeds", "seeds_standard_deviation"])
      #expect(lines[1].suffix(2).first == "3" && lines[1][3].isEmpty)
    }
  }

  @Test func publishedOrdersThatFitAreCompared() throws {
    try withTokens { folder in
      let own = try output(["raster", "--published"], in: folder)
      #expect(own.orders.map(\.name).first == "raster")
      #expect(own.orders.contains { $0.name == "LPD: lpd:steps=20" && $0.steps == 20 })
      let leftOut = try #require(own.left_out)
      #expect(
        leftOut.contains {
          $0.name == "RandAR: random:steps=88"
            && $0.reason
              == "RandAR: random:steps=88: 36 cells do not fill 88 steps; on the 6x6 grid steps is from 1 to 36"
        })
      #expect(own.orders.count - 1 + leftOut.count == PublishedOrder.allCases.count)
      let equal = try output(["--published", "--steps", "11"], in: folder)
      #expect(equal.orders.allSatisfy { $0.steps == 11 })
      // The diagonals of 6x6 are 11.
      #expect(equal.orders.contains { $0.name == "NAR: diagonal" })
      let text = try program.run(
        ["--published", "--steps", "12", "--tokens", "t.h5"], in: folder)
      #expect(
        text.output.contains(
          "left out: NAR: diagonal: its rule fixes 11 steps, and it cannot be cut into 12\n"))
      #expect(text.files.contains("order-compare.dat"))
      let totals = try program.run(["--published", "--tokens", "t.h5"], in: folder)
      #expect(totals.files.contains("published-orders.dat"))
    }
  }

  @Test func stepMapsGiveTheirMeanOrder() throws {
    try withTokens { folder in
      let order = try OrderSpecification("halton:steps=7").order(on: TokenGrid(rows: 6, columns: 6))
      try NpyWriter.bytes(
        Array(repeating: order.stepNumbers.map(Int64.init), count: 3).flatMap(\.self),
        shape: [3, 6, 6]
      ).write(to: folder.appendingPathComponent("maps.npy"))
      let result = try output(["halton:steps=7", "--step-maps", "maps.npy"], in: folder)
      #expect(result.orders.map(\.name) == ["halton:steps=7", "maps.npy, mean of 3 step maps"])
      #expect(result.orders[0].step == result.orders[1].step)
      let wrong = try program.run(
        ["--step-maps", "maps.npy", "--tokens", "scenes-12x12", "--no-figure"], in: folder)
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("[m, 12, 12] is expected"))
    }
  }

  @Test func filesWithOneNameAreToldApart() throws {
    try withTokens { folder in
      let order = GenerationOrder.diagonal(on: TokenGrid(rows: 6, columns: 6))
      for name in ["a", "b"] {
        let inner = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        try order.write(toFile: inner.appendingPathComponent("o.txt").path)
      }
      let result = try output(["a/o.txt", "b/o.txt", "a/o.txt:steps=3"], in: folder)
      #expect(result.orders.map(\.name) == ["a/o.txt", "b/o.txt", "o.txt:steps=3"])
      #expect(result.orders.map(\.steps) == [11, 11, 3])
    }
  }

  @Test func anOrderMayComeThroughStandardInput() throws {
    try withTokens { folder in
      let result = try program.run(
        ["-", "--tokens", "t.h5", "--json"], in: folder,
        wrapping: { program in
          ("/bin/sh", ["-c", "printf '%s' '\((0..<36).map { [$0] })' | \"$0\" \"$@\"", program])
        })
      #expect(result.status == 0, "\(result.errors)")
      let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
      #expect(output.orders.map(\.name) == ["standard input"])
      #expect(output.orders.map(\.steps) == [36])
    }
  }
}

@Suite struct OrderShowTests {
  private let grid = TokenGrid(rows: 4, columns: 6)

  @Test func tablesAndJSONAreOrdersAgain() throws {
    let order = try OrderSpecification("halton:steps=5").order(on: grid)
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    for (format, name) in [("table", "o.txt"), ("json", "o.json"), ("npy", "o.npy")] {
      let written = try program.run(
        ["show", "halton:steps=5", "--grid", "4x6", "--format", format, "--output", name],
        in: folder)
      #expect(written.status == 0 && written.output.isEmpty && written.errors.isEmpty)
      let copy = try GenerationOrder(
        contentsOfFile: folder.appendingPathComponent(name).path, grid: grid)
      #expect(copy.stepNumbers == order.stepNumbers)
      if format == "json" { #expect(copy.steps == order.steps) }
    }
    let table = try program.run(["show", "halton:steps=5", "--grid", "4x6"])
    #expect(table.output == order.tableText && table.files.isEmpty)
    let json = try program.run(
      ["show", "halton:steps=5", "--grid", "4x6", "--format", "json", "--output", "-"])
    #expect(json.output == order.jsonText && json.files.isEmpty)
  }

  @Test func figuresStandBesideTheirScripts() throws {
    let result = try program.run(
      ["show", "distant", "--grid", "2x4x6", "--format", "png", "--output", "made/d.png"]
    ) { folder in
      let made = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("made").path)
      #expect(Set(made).isSuperset(of: ["d.gp", "d.dat"]))
    }
    // Without gnuplot the script is left, and that is said.
    #expect(result.status == 0 || result.errors.contains("gnuplot"))
  }

  @Test(arguments: [
    (["raster"], "Missing expected argument '--grid <HxW>'"),
    (["raster", "--grid", "4"], "HxW or TxHxW"),
    (["raster", "--grid", "4x6", "--format", "png", "--output", "-"], "draws into a file"),
    (["raster", "--grid", "4x6", "--format", "png", "--output", "a.pdf"], "ends in .png"),
    (["raster", "--grid", "4x6", "--format", "npy"], "needs a file"),
    (["raster", "--grid", "4x6", "-n", "0"], "at least 1 is needed"),
    (["diagonal", "--grid", "4x6", "-n", "4"], "steps of its own"),
    (["random:seeds=8", "--grid", "4x6"], "these are 8 orders, and one is needed"),
    (
      ["halton:schedule=optimal,steps=4", "--grid", "4x6"],
      "are fitted to tokens: name some with --tokens"
    ),
    (["rastr", "--grid", "4x6"], "did you mean raster?"),
  ])
  func wrongUseIsOneSentence(arguments: [String], sentence: String) throws {
    let result = try program.run(["show"] + arguments)
    #expect(result.status != 0 && result.output.isEmpty && result.files.isEmpty)
    #expect(result.errors.contains(sentence), "\(result.errors)")
  }
}
