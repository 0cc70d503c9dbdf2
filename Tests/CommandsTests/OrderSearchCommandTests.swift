import FileFormats
import Foundation
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import Commands

private let program = Program(name: "order-search")

private struct Output: Decodable {
  struct Order: Decodable {
    struct Difference: Decodable {
      let from: String
      let value: Double
      let standard_error: Double?
    }
    let name, role: String
    let steps: Int
    let group_sizes: [Int]
    let sequence: [Int]?
    let training_loss, selection_loss: Double?
    let total_increase, total_increase_standard_error: Double
    let differences: [Difference]
  }
  struct Point: Decodable {
    let curve: String
    let steps: Int
    let total_increase: Double
  }
  let fit_images, selection_images, report_images, images: Int
  let orders: [Order]
  let curves: [Point]
}

/// Tokens of a field that decays with distance, or that has no dependence at all.
private func tokens(
  grid: TokenGrid, images: Int, seed: UInt64, isIndependent: Bool = false
) throws -> TokenDataset {
  var generator = SeededGenerator(seed: seed)
  let n = grid.cellCount
  var values: [Float] = []
  for _ in 0..<images {
    var noise = (0..<n).map { _ in generator.nextNormal() }
    if !isIndependent {
      // Two rounds of averaging over neighbours.
      for _ in 0..<2 {
        let before = noise
        for cell in 0..<n {
          let place = grid.cell(at: cell)
          for (r, c) in [(0, 1), (1, 0), (0, -1), (-1, 0)] {
            let other = GridCell(row: place.row + r, column: place.column + c)
            guard (0..<grid.rows).contains(other.row), (0..<grid.columns).contains(other.column)
            else { continue }
            noise[cell] += 0.2 * before[grid.index(of: other)]
          }
        }
      }
    }
    values += noise.map(Float.init)
  }
  return try TokenDataset(
    name: "t", grid: grid, tokens: .features(values, dimensions: 1),
    labels: TokenLabels(values: (0..<images).map { UInt32($0 % 2) }))
}

@Suite struct OrderSearchCommandTests {
  private func withTokens(
    _ dataset: TokenDataset, _ body: (URL) throws -> Void
  ) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try dataset.write(to: folder.appendingPathComponent("t.h5").path)
    try body(folder)
  }

  private func output(_ arguments: [String], in folder: URL) throws -> Output {
    let result = try program.run(arguments + ["--tokens", "t.h5", "--json"], in: folder)
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  }

  /// What is found loses less than its start, is written in every form, and is the same order in all.
  @Test func ordersAreFoundAndWritten() throws {
    let grid = TokenGrid(rows: 6, columns: 6)
    try withTokens(tokens(grid: grid, images: 3000, seed: 1)) { folder in
      let found = try output(
        ["--steps", "4,7", "--from", "raster,halton", "--output", "best.json"], in: folder)
      #expect(found.fit_images + found.selection_images + found.report_images == found.images)
      let chosen = found.orders.filter { $0.role == "chosen" }
      #expect(chosen.map(\.steps) == [4, 7])
      for order in chosen {
        #expect(order.group_sizes.count == order.steps && order.group_sizes.reduce(0, +) == 36)
        // The rows' order is at least as good as Halton's points at their best places.
        let halton = found.orders.first {
          $0.steps == order.steps && $0.name.hasPrefix("halton, optimal")
        }
        if let halton {
          #expect(
            order.total_increase < halton.total_increase + 3 * halton.total_increase_standard_error)
          #expect(order.selection_loss ?? .infinity <= halton.selection_loss ?? -.infinity)
        }
        let stem = folder.appendingPathComponent("best-\(order.steps)").path
        let json = try GenerationOrder(contentsOfFile: stem + ".json", grid: grid)
        #expect(json.sequence == order.sequence && json.steps.map(\.count) == order.group_sizes)
        let table = try GenerationOrder(contentsOfFile: stem + ".txt", grid: grid)
        #expect(table.stepNumbers == json.stepNumbers)
        let sequence = try GenerationOrder(contentsOfFile: stem + ".npy", grid: grid)
        #expect(sequence.sequence == json.sequence && sequence.steps.count == 36)
        let sizes = try NpyArray(path: stem + "-sizes.npy").integers()
        #expect(sizes.map(Int.init) == order.group_sizes)
      }
      let curve = try String(
        contentsOf: folder.appendingPathComponent("best-curve.csv"), encoding: .utf8)
      #expect(curve.hasPrefix("curve,steps,") && curve.contains("\nsearched,4,"))
      #expect(Set(found.curves.map(\.curve)).count >= 4)
      // The paired difference is that of the totals.
      if let order = chosen.first, let other = order.differences.first,
        let row = found.orders.first(where: { $0.name == other.from })
      {
        #expect(abs(order.total_increase - row.total_increase - other.value) < 1e-9)
      }
      // The order found is one for order-compare.
      let compared = try Program(name: "order-compare").run(
        ["best-4.json", "--tokens", "t.h5", "--no-figure"], in: folder)
      #expect(compared.status == 0, "\(compared.errors)")
    }
  }

  /// Where no token depends on another nothing is lost, whatever the search has made of the noise that it was fitted to.
  @Test(arguments: [1, 2, 3]) func reportsAreNotFooledByNoise(seed: UInt64) throws {
    let grid = TokenGrid(rows: 4, columns: 4)
    try withTokens(
      tokens(grid: grid, images: 900, seed: seed, isIndependent: true)
    ) { folder in
      let found = try output(
        ["--steps", "3", "--no-curve", "--translation-share", "0"], in: folder)
      let order = try #require(found.orders.first { $0.role == "chosen" })
      // Fitted to noise, it seems to lose much less than another order of so many steps.
      let cut = try #require(
        found.orders.first { $0.name.hasPrefix("halton, optimal") }?.training_loss)
      #expect(try #require(order.training_loss) <= cut)
      #expect(abs(order.total_increase) < 4 * order.total_increase_standard_error)
    }
  }

  @Test func constraintsAndClassesAreHeeded() throws {
    let grid = TokenGrid(rows: 4, columns: 4)
    try withTokens(tokens(grid: grid, images: 900, seed: 4)) { folder in
      let found = try output(
        [
          "--steps", "5", "--keep-initial", "2", "--groups-multiple-of", "4", "--max-group", "8",
          "--given", "class", "--from", "zcurve", "--no-curve",
        ], in: folder)
      let order = try #require(found.orders.first { $0.role == "chosen" })
      #expect(order.group_sizes.count == 5 && order.group_sizes.prefix(2) == [1, 1])
      #expect(order.group_sizes.dropFirst(2).dropLast().allSatisfy { $0.isMultiple(of: 4) })
      #expect(order.group_sizes.allSatisfy { $0 <= 8 })
    }
  }

  /// A second run takes what the first has found; another search is refused, and so is a file of somebody else.
  @Test func searchesGoOn() throws {
    try withTokens(
      tokens(grid: TokenGrid(rows: 4, columns: 4), images: 600, seed: 5)
    ) { folder in
      let arguments = ["--steps", "3,4", "--checkpoint", "search.json", "--no-curve"]
      let first = try output(arguments, in: folder)
      let path = folder.appendingPathComponent("search.json")
      let saved = try Data(contentsOf: path)
      let second = try output(arguments, in: folder)
      #expect(first.orders.map(\.sequence) == second.orders.map(\.sequence))
      #expect(try Data(contentsOf: path) == saved)
      // More numbers of steps come to the same file.
      let more = try output(
        ["--steps", "5", "--checkpoint", "search.json", "--no-curve"], in: folder)
      #expect(more.orders.contains { $0.role == "chosen" && $0.steps == 5 })
      #expect(try Data(contentsOf: path).count > saved.count)
      for change in [["--seed", "1"], ["--from", "raster"], ["--max-group", "9"]] {
        let other = try program.run(
          arguments + change + ["--tokens", "t.h5", "--json"], in: folder)
        #expect(other.status == 1 && other.errors.contains("belongs to a search of other tokens"))
      }
      try Data("{}".utf8).write(to: folder.appendingPathComponent("mine.json"))
      let foreign = try program.run(
        ["--steps", "3", "--checkpoint", "mine.json", "--tokens", "t.h5", "--json"], in: folder)
      #expect(foreign.status == 1 && foreign.errors.contains("is no checkpoint of order-search"))
      #expect(try Data(contentsOf: folder.appendingPathComponent("mine.json")).count == 2)
    }
  }

  @Test func badInputIsRefusedInASentence() throws {
    try withTokens(
      tokens(grid: TokenGrid(rows: 4, columns: 4), images: 100, seed: 6)
    ) { folder in
      for (arguments, sentence) in [
        (["--steps", "0"], "--steps 0: at least 1 is needed"),
        (["--steps", "17"], "--steps 17: a 4x4 grid has 1 to 16 steps"),
        (["--steps", "5..3"], "--steps"), (["--steps", "x"], "--steps"),
        (["--steps", "1", "--max-group", "4"], "has 4 to 16 steps"),
        (["--steps", "2", "--keep-initial", "4"], "has 5 to 16 steps"),
        (["--steps", "4", "--parts", "0.9,0.2"], "--parts"),
        (["--steps", "4", "--seconds", "0"], "--seconds 0.0: expected a positive number"),
        (["--steps", "4", "--translation-share", "2"], "expected 0 to 1"),
        (["--steps", "4", "--from", "greedy:x=1"], "greedy has the key saturation="),
        (["--steps", "4", "--from", "haltn"], "haltn"),
        (["--steps", "4", "--output", "best.png"], "ends in .json, .txt or .csv"),
        (["--steps", "4", "--output", "none/best.json"], "none"),
        (["--steps", "4", "--groups-multiple-of", "0"], "expected a number from 1"),
        (["--steps", "4", "--bound", "held-out"], "reports in-sample bounds"),
        (
          ["--steps", "4", "--limit", "40"],
          "are left to fit sequences and sizes to, which takes at least 16"
        ),
        (
          ["--steps", "4", "--limit", "60", "--parts", "0.5,0.3"],
          "are left for the report, which takes at least 17"
        ),
      ] {
        let result = try program.run(arguments + ["--tokens", "t.h5", "--json"], in: folder)
        #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
        #expect(result.errors.contains(sentence), "\(arguments): \(result.errors)")
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["t.h5"])
    }
  }
}

/// Group sizes are fitted to some images, and orders compared on the others.
@Suite struct OptimalGroupsCommandTests {
  private struct Compared: Decodable {
    struct Order: Decodable {
      let name: String
      let group_sizes: [Int]
      let total_increase: Double
    }
    struct Steps: Decodable {
      let images, fit_images, fixed_steps: Int
      let own_loss, own_loss_standard_error, fixed_loss, difference: Double
    }
    let images: Int
    let fit_images: Int?
    let orders: [Order]
    let step_maps: [Steps]?
  }

  private func compare(_ arguments: [String], in folder: URL) throws -> Compared {
    let result = try Program(name: "order-compare").run(
      arguments + ["--tokens", "t.h5", "--json"], in: folder)
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Compared.self, from: Data(result.output.utf8))
  }

  @Test func optimalGroupsLoseLess() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try tokens(grid: TokenGrid(rows: 6, columns: 6), images: 2000, seed: 7)
      .write(to: folder.appendingPathComponent("t.h5").path)
    let found = try compare(
      ["halton:schedule=optimal,steps=6", "halton:schedule=cosine,steps=6", "halton:n=6"],
      in: folder)
    #expect(found.images + (found.fit_images ?? 0) == 2000 && found.fit_images != nil)
    #expect(found.orders[0].group_sizes.count == 6)
    #expect(found.orders[0].total_increase < found.orders[1].total_increase)
    let half = try compare(
      ["zcurve:schedule=optimal,steps=6", "--fit-fraction", "0.25"], in: folder)
    #expect(half.fit_images == 500 && half.images == 1500)
    #expect(try compare(["halton"], in: folder).fit_images == nil)
    for (arguments, sentence) in [
      (["halton:schedule=optimal,steps=37"], "36"), (["halton:schedule=optimal,steps=0"], "0"),
      (["halton:schedule=optimal"], "steps="),
      (["halton", "--fit-fraction", "0.5"], "no order has schedule=optimal"),
      (["halton:schedule=optimal,steps=6", "--fit-fraction", "1"], "between 0 and 1"),
    ] {
      let result = try Program(name: "order-compare").run(
        arguments + ["--tokens", "t.h5", "--json"], in: folder)
      #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
      #expect(result.errors.contains(sentence), "\(arguments): \(result.errors)")
    }
  }

  /// Images that all have the same steps lose what that order loses; steps that differ are measured one by one.
  @Test func ownStepsAreMeasured() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let grid = TokenGrid(rows: 4, columns: 4)
    try tokens(grid: grid, images: 800, seed: 8).write(
      to: folder.appendingPathComponent("t.h5").path)
    let order = try GenerationOrder.halton(on: grid, schedule: .runs(of: 4, initialSteps: 0))
    let maps = (0..<800).flatMap { _ in order.stepNumbers.map(Int64.init) }
    let path = folder.appendingPathComponent("maps.npy").path
    try NpyWriter.write(maps, shape: [800, 4, 4], to: path)
    let found = try compare(["halton", "--step-maps", "maps.npy"], in: folder)
    let steps = try #require(found.step_maps?.first)
    // One image alone and all together are products of other shapes, which a BLAS may add up in another order: of the
    // sums of a hundred terms some 10⁻¹⁵ remain.
    #expect(abs(steps.own_loss - steps.fixed_loss) < 1e-12 * abs(steps.fixed_loss))
    #expect(abs(steps.difference) < 1e-12 * abs(steps.fixed_loss) && steps.fixed_steps == 4)
    let total = try #require(found.orders.last).total_increase
    // The model is averaged over translations, which these tokens at the edges are not like.
    #expect(abs(steps.own_loss - total) < 5 * steps.own_loss_standard_error + 0.2 * total)
    // Every other image goes through its rows.
    let raster = try GenerationOrder.raster(on: grid, tokensPerStep: 4, initialSteps: 0)
    let mixed = (0..<800).flatMap { image in
      (image % 2 == 0 ? order : raster).stepNumbers.map(Int64.init)
    }
    try NpyWriter.write(mixed, shape: [800, 4, 4], to: path)
    let others = try #require(
      try compare(["halton", "--step-maps", "maps.npy"], in: folder).step_maps?.first)
    #expect(others.own_loss > steps.own_loss)
    try NpyWriter.write(Array(maps.prefix(160)), shape: [10, 4, 4], to: path)
    let few = try Program(name: "order-compare").run(
      ["halton", "--step-maps", "maps.npy", "--tokens", "t.h5", "--json"], in: folder)
    #expect(few.status == 0 && !few.output.contains("step_maps"))
    #expect(few.errors.contains("10 step maps for 800 images, so only their mean order"))
  }
}
