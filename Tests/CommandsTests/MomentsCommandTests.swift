import Foundation
import Testing
import TokenData
import TokenGrids

@testable import Commands

/// A folder with a file of tokens and what is made of it.
private final class Shards {
  let folder: URL

  init(_ dataset: TokenDataset? = nil) throws {
    folder = try temporaryFolder()
    let dataset = try dataset ?? smallDataset(grid: TokenGrid(rows: 3, columns: 4), images: 260)
    try dataset.write(to: path("t.h5"))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @discardableResult
  func run(_ program: String, _ arguments: [String], status: Int32 = 0) throws -> Program.Result {
    let result = try Program(name: program).run(arguments, in: folder)
    #expect(result.status == status, "\(program) \(arguments): \(result.errors)")
    return result
  }

  /// The three phases over so many shares, and the JSON of the comparison.
  func compare(_ orders: [String], shares: Int) throws -> [String: Any] {
    let all = (1...shares).map { "\($0)" }
    func each(_ stem: String, _ arguments: [String]) throws {
      for number in all {
        try run(
          "moments",
          arguments + ["--tokens", "t.h5", "--images", "\(number)/\(shares)"]
            + ["--output", "\(stem)-\(number).h5"])
      }
      try run("moments", ["merge"] + all.map { "\(stem)-\($0).h5" } + ["--output", "\(stem).h5"])
    }
    try each("m", ["accumulate"])
    try each("r", ["residuals"] + orders + ["--moments", "m.h5"])
    try each("i", ["influences", "--moments", "m.h5", "--residuals", "r.h5"])
    return try json("order-compare", ["--moments", "m.h5", "--influences", "i.h5"])
  }

  func json(_ program: String, _ arguments: [String]) throws -> [String: Any] {
    let result = try run(program, arguments + ["--json"])
    return try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }
}

/// The numbers of an object by their places.
private func numbers(_ value: Any, _ place: String = "") -> [String: Double] {
  var found: [String: Double] = [:]
  if let object = value as? [String: Any] {
    for (name, value) in object where name != "provenance" && !name.hasPrefix("codebook") {
      found.merge(numbers(value, place + "/" + name)) { $1 }
    }
  } else if let list = value as? [Any] {
    for (index, value) in list.enumerated() {
      found.merge(numbers(value, place + "/\(index)")) { $1 }
    }
  } else if let number = value as? Double {
    found[place] = number
  }
  return found
}

/// - Parameter tolerance: Of every number, absolute or relative to it.
private func expectEqual(_ a: [String: Any], _ b: [String: Any], tolerance: Double) {
  let (x, y) = (numbers(a), numbers(b))
  #expect(Set(x.keys).symmetricDifference(y.keys) == [] && x.count > 50)
  for (place, value) in x {
    let other = y[place] ?? .infinity
    #expect(abs(value - other) <= tolerance * max(1, abs(value)), "\(place): \(value), \(other)")
  }
}

@Test func sharesOfAFileGiveTheSameComparison() throws {
  let shards = try Shards()
  let orders = ["raster", "random:n=2,seed=2", "halton:n=3"]
  let one = try shards.compare(orders, shares: 1)
  for count in [2, 7] {
    // The condition number, an estimate of some 10², and p-values feel rounding most.
    expectEqual(try shards.compare(orders, shares: count), one, tolerance: 1e-9)
  }
  // One process sums and whitens in mixed precision.
  let process = try shards.json("order-compare", orders + ["--tokens", "t.h5"])
  expectEqual(one, process, tolerance: 1e-3)
  let totals = [one, process].map { result in
    (result["orders"] as? [[String: Any]])?.compactMap { $0["total_increase"] as? Double } ?? []
  }
  #expect(zip(totals[0], totals[1]).allSatisfy { abs($0 - $1) < 1e-5 } && totals[0].count == 3)
  let closed = try shards.json(
    "order-compare", ["raster", "--moments", "m.h5", "--bound", "wishart"])
  expectEqual(
    closed, try shards.json("order-compare", ["raster", "--tokens", "t.h5", "--bound", "wishart"]),
    tolerance: 1e-4)
  let map = try shards.json(
    "entropy-map", ["--ref", "1,1", "--moments", "m.h5", "--bound", "wishart"])
  expectEqual(
    map,
    try shards.json("entropy-map", ["--ref", "1,1", "--tokens", "t.h5", "--bound", "wishart"]),
    tolerance: 1e-4)
  // Text and figures come out as they do of tokens.
  let text = try shards.run("order-compare", ["--moments", "m.h5", "--influences", "i.h5"]).output
  #expect(text.contains("m.h5 · 260 images · 3x4 tokens") && text.contains("minus raster"))
  #expect(FileManager.default.fileExists(atPath: shards.path("order-compare.gp")))
  let some = try shards.json(
    "order-compare", ["halton:n=3", "--moments", "m.h5", "--influences", "i.h5"])
  #expect((some["orders"] as? [Any])?.count == 1)
}

@Test func searchesFitToMoments() throws {
  let shards = try Shards()
  try shards.run("moments", ["--tokens", "t.h5", "--output", "m.h5"])
  try smallDataset(grid: TokenGrid(rows: 3, columns: 4), images: 400)
    .selecting(images: Array(200..<400)).write(to: shards.path("u.h5"))
  let search = ["--steps", "4", "--seconds", "0.5", "--moments", "m.h5"]
  let found = try shards.json("order-search", search + ["--tokens", "u.h5"])
  #expect(found["fit_images"] as? Int == 260 && found["images"] as? Int == 200)
  let (choosing, reported) = (found["selection_images"] as? Int, found["report_images"] as? Int)
  #expect((choosing ?? 0) + (reported ?? 0) == 200)
  let rows = try #require(found["orders"] as? [[String: Any]])
  #expect(rows.contains { $0["role"] as? String == "chosen" && $0["steps"] as? Int == 4 })
  let same = try shards.run("order-search", search + ["--tokens", "t.h5"], status: 1).errors
  #expect(same.contains("t.h5") && same.contains("must be other images"))
  let none = try shards.run("order-search", search, status: 64).errors
  #expect(none.contains("--moments needs --tokens"))
}

/// Every step of the way refuses what does not belong, with the names of files.
@Test func sumsThatDoNotBelongAreRefused() throws {
  let shards = try Shards()
  for number in 1...3 {
    try shards.run(
      "moments",
      ["--tokens", "t.h5", "--images", "\(number)/3", "--output", "m-\(number).h5"])
  }
  func refused(
    _ program: String, _ arguments: [String], _ words: [String], status: Int32 = 1
  ) throws {
    let errors = try shards.run(program, arguments, status: status).errors
    for word in words { #expect(errors.contains(word), "\(errors) has no \(word)") }
  }
  let merge = ["merge", "m-1.h5", "m-3.h5"]
  try refused("moments", merge + ["--output", "m.h5"], ["images 86 to 172 of t.h5 are missing"])
  try refused("moments", merge + ["--expect", "3", "--output", "m.h5"], ["2 files"], status: 64)
  try refused(
    "moments", merge + ["m-1.h5", "--output", "m.h5"], ["m-1.h5", "counted twice"])
  #expect(!FileManager.default.fileExists(atPath: shards.path("m.h5")))
  try shards.run("moments", merge + ["--partial", "--output", "p.h5"])
  try refused(
    "order-compare", ["raster", "--moments", "p.h5", "--bound", "wishart"],
    ["p.h5", "images 86 to 172 of t.h5 are missing"])
  try shards.run("moments", ["merge", "p.h5", "m-2.h5", "--output", "m.h5"])
  let info = try shards.json("moments", ["info", "m.h5"])
  #expect(info["is_complete"] as? Bool == true && (info["parts"] as? [Any])?.count == 3)

  try refused("order-compare", ["raster", "--moments", "m.h5"], ["needs --influences"], status: 64)
  for (option, arguments) in [
    ("--limit", ["--limit", "100"]), ("--tokens", ["--tokens", "t.h5"]),
    ("--regressor features", ["--regressor", "features"]), ("--atlas", ["--atlas", "a.html"]),
    ("--ridge", ["--ridge", "0.1"]), ("--likelihood", ["--likelihood", "run"]),
    ("--seed", ["--seed", "3"]),
  ] {
    try refused(
      "order-compare", ["raster", "--moments", "m.h5", "--bound", "wishart"] + arguments,
      [option, "sums over them"], status: 64)
  }
  try refused(
    "order-compare",
    ["raster:schedule=optimal,steps=3", "--moments", "m.h5", "--bound", "wishart"],
    ["fitted to images"], status: 64)
  try refused(
    "entropy-map", ["--ref", "1,1", "--moments", "m.h5"], ["closed forms only"], status: 64)

  let phase = ["--moments", "m.h5", "--tokens", "t.h5"]
  try refused(
    "moments", ["residuals", "random:seeds=2"] + phase + ["--output", "r.h5"], ["one order"],
    status: 64)
  try shards.run("moments", ["residuals", "raster"] + phase + ["--output", "r.h5"])
  try refused(
    "moments",
    ["influences", "--residuals", "r.h5", "--moments", "p.h5", "--tokens", "t.h5"]
      + ["--output", "i.h5"], ["p.h5", "missing"])
  try shards.run("moments", ["merge", "m-1.h5", "m-2.h5", "m-3.h5", "--output", "n.h5"])
  try shards.run(
    "moments", ["accumulate", "--tokens", "t.h5", "--no-classes", "--output", "o.h5"])
  try refused(
    "moments",
    ["influences", "--residuals", "r.h5", "--moments", "o.h5", "--tokens", "t.h5"]
      + ["--output", "i.h5"], ["r.h5", "moments of other contents than o.h5"])
  try refused(
    "order-compare", ["--moments", "m.h5", "--influences", "r.h5"],
    ["r.h5", "residual sums of the second phase"])
  try refused(
    "order-compare", ["raster", "--moments", "o.h5", "--bound", "wishart", "--given", "class"],
    ["o.h5", "no means of classes"])
  try refused("moments", ["info", "t.h5"], ["t.h5", "token-dataset"])
  try refused("moments", ["--tokens", "t.h5", "--output", "t.h5"], ["t.h5"])
  for share in ["0/3", "4/3", "a/b"] {
    try refused(
      "moments", ["--tokens", "t.h5", "--images", share, "--output", "x.h5"], [share], status: 64)
  }
  try refused(
    "moments", ["--tokens", "t.h5", "--images", "1/300", "--output", "x.h5"],
    ["one of 300 shares of its 260 images has none"])
  #expect(!FileManager.default.fileExists(atPath: shards.path("x.h5")))
}

/// Channels that others all but determine need sums in double precision.
@Test func mixedPrecisionThatDoesNotResolveIsToldApart() throws {
  let small = try smallDataset(grid: TokenGrid(rows: 2, columns: 2), images: 200)
  let features = try small.features(ofImages: 0..<200)
  var values: [Float] = []
  for token in 0..<800 {
    let pair = features[2 * token..<2 * token + 2]
    values += pair + [pair[2 * token] + 2e-4 * Float((token * 7919) % 101)]
  }
  let shards = try Shards(
    TokenDataset(name: "f", grid: small.grid, tokens: .features(values, dimensions: 3)))
  try shards.run("moments", ["--tokens", "t.h5", "--precision", "mixed", "--output", "m.h5"])
  let compare = ["raster", "--bound", "wishart", "--no-figure", "--moments"]
  let errors = try shards.run("order-compare", compare + ["m.h5"], status: 1).errors
  #expect(errors.contains("m.h5") && errors.contains("--precision double"), "\(errors)")
  try shards.run("moments", ["--tokens", "t.h5", "--output", "d.h5"])
  try shards.run("order-compare", compare + ["d.h5"])
}
