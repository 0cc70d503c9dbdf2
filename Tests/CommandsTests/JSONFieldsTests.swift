import FileFormats
import Foundation
import Reporting
import Statistics
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

@testable import Commands
@testable import Experiments

/// Documentation/Formats.md, by the headings of its sections.
private func documentedFields() throws -> [String: Set<String>] {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Documentation/Formats.md").standardizedFileURL
  var fields: [String: Set<String>] = [:]
  var section = ""
  for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
    if line.hasPrefix("#") {
      section = line.drop { $0 == "#" || $0 == " " }.description
    }
    for match in line.matches(of: /`([^`]+)`/) {
      // Of `orders[].name` the name.
      let name = match.1.split(separator: ".").last.map(String.init) ?? ""
      fields[section, default: []].insert(name.replacing("[]", with: ""))
    }
  }
  return fields
}

/// Every name in an object, at any depth; those of proxies with EXTRACTOR for the extractor and K for the neighbours.
private func names(in value: Any) -> Set<String> {
  if let object = value as? [String: Any] {
    return object.reduce(into: []) { names, entry in
      let name = entry.key.replacing(/(^|_)(structure|texture|pixels)$/) { "\($0.1)EXTRACTOR" }
        .replacing(/_[0-9]+_/, with: "_K_")
      names.insert(name)
      names.formUnion(CommandsTests.names(in: entry.value))
    }
  }
  return (value as? [Any])?.reduce(into: []) { $0.formUnion(CommandsTests.names(in: $1)) } ?? []
}

/// Runs a program and compares the names it prints with those of sections.
private func check(
  _ program: String, _ arguments: [String], sections: [String], in folder: URL
) throws {
  let result = try Program(name: program).run(arguments + ["--json"], in: folder)
  try #require(result.status == 0, "\(program) \(arguments): \(result.errors)")
  let object = try #require(
    try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  #expect(object["schema_version"] as? Int == jsonSchemaVersion)
  let fields = try documentedFields()
  let known = (["Fields of every command"] + sections).reduce(into: Set<String>()) {
    $0.formUnion(fields[$1] ?? [])
  }
  #expect(sections.allSatisfy { fields[$0] != nil })
  let unknown = names(in: object).subtracting(known).sorted()
  #expect(unknown.isEmpty, "\(program) prints what Formats.md does not name")
  for name in names(in: object) {
    #expect(name.replacing(/EXTRACTOR|K/, with: "").wholeMatch(of: /[a-z0-9_]*/) != nil, "\(name)")
  }
}

struct JSONFieldsTests {
  @Test func fieldsOfEstimatesAreDocumented() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
      .write(to: folder.appendingPathComponent("t.h5").path)
    let tokens = ["--tokens", "t.h5"]
    let shared = "entropy-map and order-compare"
    for more in [[], ["--bound", "held-out"], ["--regressor", "features"], ["--given", "class"]] {
      try check(
        "entropy-map", ["--ref", "1,1"] + tokens + more, sections: [shared, "entropy-map"],
        in: folder)
      try check(
        "order-compare", ["raster", "diagonal"] + tokens + more,
        sections: [shared, "order-compare"], in: folder)
    }
    for more in [
      ["--context-window", "1"], ["--bound", "held-out", "--ridge", "0.1"], ["random:seeds=2"],
      ["--published"], ["raster:schedule=optimal,steps=3"],
    ] {
      try check(
        "order-compare", ["raster"] + tokens + more, sections: [shared, "order-compare"],
        in: folder)
    }
    try NpyWriter.write(
      (0..<200 * 9).map { Int64($0 % 9 / 3) }, shape: [200, 3, 3],
      to: folder.appendingPathComponent("maps.npy").path)
    try check(
      "order-compare", ["--step-maps", "maps.npy"] + tokens, sections: [shared, "order-compare"],
      in: folder)
    try check(
      "order-search", ["--steps", "2,3", "--given", "class"] + tokens,
      sections: [shared, "order-search"], in: folder)
  }

  @Test func fieldsOfSumsAreDocumented() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
      .write(to: folder.appendingPathComponent("t.h5").path)
    func make(_ arguments: [String]) throws {
      let made = try Program(name: "moments").run(arguments, in: folder)
      #expect(made.status == 0, "\(made.errors)")
    }
    try make(["--tokens", "t.h5", "--output", "m.h5"])
    try make(
      ["residuals", "raster", "--moments", "m.h5", "--tokens", "t.h5", "--given", "class"]
        + ["--output", "r.h5"])
    try make(
      ["influences", "--moments", "m.h5", "--residuals", "r.h5", "--tokens", "t.h5"]
        + ["--output", "i.h5"])
    for file in ["m.h5", "r.h5", "i.h5"] {
      try check("moments", ["info", file], sections: ["moments info"], in: folder)
    }
    let shared = "entropy-map and order-compare"
    try check(
      "order-compare", ["--moments", "m.h5", "--influences", "i.h5", "--given", "class"],
      sections: [shared, "order-compare"], in: folder)
    try check(
      "entropy-map", ["--ref", "1,1", "--moments", "m.h5", "--bound", "wishart"],
      sections: [shared, "entropy-map"], in: folder)
  }

  @Test func fieldsOfModelsAreDocumented() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try smallDataset(images: 200).write(to: folder.appendingPathComponent("t.h5").path)
    let tiny = ["--layers", "1", "--heads", "1", "--width", "8", "--steps", "3", "--batch", "4"]
    try check(
      "par-train", ["--tokens", "t.h5", "--output-dir", "run", "--no-figure"] + tiny,
      sections: ["par-train"], in: folder)
    try check(
      "par-train", ["likelihood", "run/model.safetensors", "--tokens", "t.h5"],
      sections: ["par-train likelihood"], in: folder)
    try check(
      "par-sample", ["--model", "run/model.safetensors"], sections: ["par-sample"], in: folder)
    try check(
      "tokenize", ["concat", "t.h5", "t.h5", "--output", "two.h5"], sections: ["tokenize concat"],
      in: folder)
    try check(
      "par-sample",
      [
        "--model", "run/model.safetensors", "--count", "2", "--shard", "2/2", "--codebook", "t.h5",
        "--output", "part.h5",
      ], sections: ["par-sample"], in: folder)
    try check("tokenize", ["info", "part.h5"], sections: ["tokenize info"], in: folder)
    try check("fid-compare", ["--list-stages", "2"], sections: ["fid-compare"], in: folder)
    try check(
      "par-train",
      ["--architecture", "any-order", "--tokens", "t.h5", "--output-dir", "any", "--no-figure"]
        + tiny, sections: ["par-train"], in: folder)
    try check(
      "par-train", ["likelihood", "any", "--tokens", "t.h5"], sections: ["par-train likelihood"],
      in: folder)
    try check(
      "par-sample", ["--model", "any"], sections: ["par-sample"], in: folder)
    try check(
      "fid-compare",
      ["raster", "--tokens", "t.h5", "--count", "20", "--seeds", "1", "--no-figure"] + tiny
        + ["--architecture", "par"], sections: ["fid-compare --architecture par"], in: folder)
    try check(
      "fid-compare",
      ["raster", "distant", "halton+one", "--tokens", "t.h5", "--count", "40", "--no-figure"]
        + tiny, sections: ["fid-compare", "fid-compare --architecture par"], in: folder)
    // The file has the same names, and a second run finds what the first one has made.
    let written = try Data(
      contentsOf: folder.appendingPathComponent("fid-compare/fid-compare.json"))
    let object = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any])
    #expect(object["schema_version"] as? Int == jsonSchemaVersion)
    #expect(names(in: object).contains("batch_size"))
  }

  @Test func fieldsOfProxiesAreDocumented() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let dataset = try smallDataset(images: 300)
    try dataset.write(to: folder.appendingPathComponent("a.h5").path)
    try dataset.selecting(images: Array(0..<280)).write(
      to: folder.appendingPathComponent("b.h5").path)
    let section = "fid-compare proxies"
    for more in [["--order", "raster"], ["--limit", "20", "--no-dependencies"]] {
      try check("fid-compare", ["proxies", "a.h5", "b.h5"] + more, sections: [section], in: folder)
    }
    let made = try Program(name: "fid-compare").run(
      ["statistics", "a.h5", "--extractor", "structure", "-o", "a.npz"], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    try check(
      "fid-compare", ["proxies", "a.npz", "b.h5", "--extractor", "structure"], sections: [section],
      in: folder)
    for (name, rows) in [("x", 40), ("y", 50)] {
      var generator = SeededGenerator(seed: UInt64(rows))
      try NpyWriter.write(
        (0..<rows * 2).map { _ in Float(generator.nextNormal()) }, shape: [rows, 2],
        to: folder.appendingPathComponent("\(name).npy").path)
    }
    try check(
      "fid-compare", ["frechet", "x.npy", "y.npy"], sections: ["fid-compare frechet"], in: folder)
    let images = try ImageArchiveWriter(
      path: folder.appendingPathComponent("i.npz").path, count: 20, width: 8, height: 8)
    for i in 0..<20 { try images.append(RGBImage(width: 8, height: 8, red: UInt8(10 * i))) }
    try images.finish()
    try check(
      "fid-compare", ["frechet", "i.npz", "i.npz", "--extractor", "pixels"],
      sections: ["fid-compare frechet"], in: folder)
  }

  @Test func fieldsOfTokenizersAreDocumented() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func place(_ name: String) -> String { folder.appendingPathComponent(name).path }
    try FileManager.default.createDirectory(
      atPath: place("images/day"), withIntermediateDirectories: true)
    var generator = SeededGenerator(seed: 3)
    for i in 0..<4 {
      try RGBImage(
        width: 12, height: 12, pixels: (0..<432).map { _ in UInt8(generator.nextIndex(below: 256)) }
      ).writePNG(to: place("images/day/\(i).png"))
    }
    let patches = ["--grid", "3x3", "--patch", "4", "--codes", "8", "--feature-dimensions", "2"]
    try check(
      "tokenize", ["--images", "images", "--training-patches", "36", "-o", "a.h5"] + patches,
      sections: ["tokenize"], in: folder)
    try check("tokenize", ["info", "a.h5"], sections: ["tokenize info"], in: folder)
    try writeVQCheckpoint(to: place("vq.safetensors"))
    try check(
      "tokenize",
      ["--images", "images", "--vq", "vq.safetensors", "--size", "8", "-o", "b.h5"],
      sections: ["tokenize"], in: folder)
    try NpyWriter.write([Int64](repeating: 1, count: 18), shape: [2, 9], to: place("codes.npy"))
    try NpyWriter.write([Float](repeating: 1, count: 8), shape: [4, 2], to: place("book.npy"))
    try check(
      "tokenize", ["import", "--codes", "codes.npy", "--codebook", "book.npy", "-o", "c.h5"],
      sections: ["tokenize import"], in: folder)
  }

  /// What earlier versions have put into the folder of a comparison is still read, so that nothing is trained again.
  @Test func recordsOfEarlierVersionsAreRead() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("record.json").path
    for text in [
      #"{"finished":true,"seconds":2.5,"validationLoss":3.25}"#,
      #"{"finished":true,"seconds":2.5,"validation_loss":3.25}"#,
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let record = try #require(JSONFile.read(ComparisonStages.Trained.self, from: path))
      #expect(record.finished && record.seconds == 2.5 && record.validationLoss == 3.25)
      try JSONFile.write(record, to: path)
      #expect(JSONFile.read(ComparisonStages.Trained.self, from: path)?.validationLoss == 3.25)
    }
    // Names of proxies are keys, not properties: they stay as they are.
    let metrics = ComparisonMeasurement(
      values: ["fd_infinity_structure": 1, "precision_3_texture": 2], errors: ["kid_pixels": 3],
      notes: [])
    try JSONFile.write(metrics, to: path)
    let known = try #require(JSONFile.read(ComparisonMeasurement.self, from: path))
    #expect(known.values == metrics.values && known.errors == metrics.errors)
  }
}
