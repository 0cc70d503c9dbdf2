import FileFormats
import Foundation
import Testing
import TokenData
import TokenGrids

private let sampler = Program(name: "par-sample")
private let tokenizer = Program(name: "tokenize")

private struct Samples: Decodable {
  struct Sample: Decodable, Equatable {
    let codes: [[Int]]
    let label: Int

    enum CodingKeys: String, CodingKey {
      case codes
      case label = "class"
    }
  }
  let first_image, images_in_all: Int
  let samples: [Sample]
}

/// A model of either kind, trained for two steps, and the tokens that show its codes, for the time of `body`.
private func withModel(
  _ architecture: String, _ body: (_ folder: URL, _ model: String, _ tokens: String) throws -> Void
) throws {
  let plain = try smallDataset(images: 40)
  let tokens = try TokenDataset(
    name: "tokens.h5", grid: plain.grid, tokens: plain.tokens, labels: plain.labels,
    decoder: TokenDecoderParameters(
      kind: "patch-pca",
      arrays: [
        "mean": .init(shape: [2, 2, 3], values: Array(repeating: 128, count: 12)),
        "basis": .init(shape: [2, 2, 2, 3], values: (0..<24).map { Float($0) }),
      ]))
  try withFile(tokens, named: "tokens.h5") { path in
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let run = folder.appendingPathComponent("run").path
    let trained = try Program(name: "par-train").run([
      path, "--architecture", architecture, "--output-dir", run, "--steps", "2", "--layers", "1",
      "--heads", "2", "--width", "16", "--batch", "4", "--no-figure", "--threads", "2",
    ])
    try #require(trained.status == 0, "\(trained.errors)")
    try body(folder, run, path)
  }
}

@Suite struct ShardTests {
  private func samples(_ arguments: [String]) throws -> Samples {
    let result = try sampler.run(arguments + ["--json"])
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Samples.self, from: Data(result.output.utf8))
  }

  /// The parts of a run are the run, to the last code, whatever the batches: with and without guidance, in an order that
  /// draws several tokens together.
  @Test(arguments: ["par", "any-order"]) func partsMakeUpTheRun(architecture: String) throws {
    try withModel(architecture) { folder, model, _ in
      var orders: [[String]] = [[]]
      if architecture == "any-order" {
        // Two orders that images take in turn.
        let lists = folder.appendingPathComponent("orders.json").path
        let sequences = [Array(0..<36), Array((0..<36).reversed())]
        try Data("{\"orders\": \(sequences), \"group_sizes\": [4, 8, 24]}".utf8)
          .write(to: URL(fileURLWithPath: lists))
        orders = [["--order", lists]]
      }
      for more in [orders[0], orders[0] + ["--guidance", "2", "--top-k", "30"]] {
        let arguments =
          ["--model", model, "--classes", "0,1,1", "--count", "11", "--seed", "5"] + more
        let whole = try samples(arguments + ["--batch", "4"])
        #expect(whole.first_image == 0 && whole.images_in_all == 11 && whole.samples.count == 11)
        // Otherwise equal parts would say nothing.
        #expect(Set(whole.samples.map(\.codes)).count == 11)
        for count in [1, 2, 3, 7] {
          var joined: [Samples.Sample] = []
          for number in 1...count {
            let part = try samples(arguments + ["--shard", "\(number)/\(count)", "--batch", "3"])
            #expect(part.first_image == joined.count && part.images_in_all == 11)
            #expect((11 / count...(11 + count - 1) / count).contains(part.samples.count))
            joined += part.samples
          }
          #expect(joined == whole.samples, "\(architecture), \(count) parts")
        }
      }
    }
  }

  /// Files of codes, arrays of images and folders of images, put together, are those of one run.
  @Test func filesOfPartsMakeUpThoseOfTheRun() throws {
    try withModel("par") { folder, model, tokens in
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      func sample(_ name: String, _ more: [String]) throws -> String {
        let result = try sampler.run(
          [
            "--model", model, "--classes", "0,1", "--count", "10", "--codebook", tokens, "--output",
            path(name + ".h5"), "--npz", path(name + ".npz"), "--images", path("images-" + name),
          ] + more)
        try #require(result.status == 0, "\(result.errors)")
        return result.output
      }
      _ = try sample("whole", [])
      let texts = try (1...3).map { try sample("part-\($0)", ["--shard", "\($0)/3"]) }
      #expect(texts[1].contains("part 2/3: images 3 to 5 of 10, from 0"))
      let whole = try TokenDataset(contentsOf: path("whole.h5"))
      #expect(whole.attributes.part == nil)
      let part = try TokenDataset(contentsOf: path("part-2.h5"))
      #expect(part.attributes.part == RunPart(firstImage: 3, imagesInAll: 10))
      let info = try tokenizer.run(["info", path("part-2.h5"), "--json"])
      #expect(info.output.contains("\"first_image\":3") && info.output.contains("all\":10"))
      let told = try tokenizer.run(["info", path("part-2.h5")])
      #expect(told.output.contains("images 3 to 5 of 10, from 0"), "\(told.errors)")
      #expect(try !tokenizer.run(["info", path("whole.h5")]).output.contains("from 0"))
      // Images that are chosen are no part of the run in its order.
      #expect(try part.selecting(images: [1, 0]).attributes.part == nil)
      // In any order of the command line.
      let joined = try tokenizer.run(
        ["concat", path("part-3.h5"), path("part-1.h5"), path("part-2.h5"), "-o", path("all.h5")])
      #expect(joined.status == 0 && joined.output.contains("10 images"), "\(joined.errors)")
      let all = try TokenDataset(contentsOf: path("all.h5"))
      #expect(all.codes == whole.codes && all.labels == whole.labels)
      #expect(all.codebook == whole.codebook && all.decoder == whole.decoder)
      #expect(all.attributes.part == nil && all.attributes.source == whole.attributes.source)
      func array(_ name: String, _ key: String) throws -> [Int64] {
        try NpzArchive(path: path(name + ".npz")).array(key).integers()
      }
      for key in ["arr_0", "arr_1"] {
        let parts = try (1...3).flatMap { try array("part-\($0)", key) }
        #expect(try parts == array("whole", key))
      }
      func files(_ name: String) throws -> [String: Data] {
        let url = folder.appendingPathComponent("images-" + name)
        return try Dictionary(
          uniqueKeysWithValues: FileManager.default.contentsOfDirectory(atPath: url.path).map {
            ($0, try Data(contentsOf: url.appendingPathComponent($0)))
          })
      }
      let parts = try (1...3).map { try files("part-\($0)") }
      #expect(parts.map(\.count) == [3, 3, 4])
      #expect(
        try parts.reduce(into: [:]) { $0.merge($1) { first, _ in first } } == files("whole"))

      for (names, words) in [
        (["part-1", "part-3"], ["images 3 to 5 of the 10", "none of the files"]),
        (["part-1", "part-2"], ["images 6 to 9"]),
        (["part-1", "part-2", "part-3", "part-2"], ["images 3 to 5", "part-2.h5", "too"]),
        (["part-1", "whole"], ["whole.h5", "a part of a run"]),
        (["part-1"], ["at least two"]),
      ] as [([String], [String])] {
        let refused = try tokenizer.run(
          ["concat"] + names.map { path($0 + ".h5") } + ["--output", path("none.h5")])
        #expect(refused.status != 0 && refused.output.isEmpty)
        for word in words { #expect(refused.errors.contains(word), "\(refused.errors)") }
        #expect(!FileManager.default.fileExists(atPath: path("none.h5")))
      }
    }
  }

  @Test func whatIsNoPartIsRefused() throws {
    try withModel("par") { _, model, _ in
      for (shard, words, status) in [
        ("0/3", ["--shard 0/3", "i/N", "2/8"], 64), ("4/3", ["--shard 4/3"], 64),
        ("a/b", ["--shard a/b"], 64), ("3", ["--shard 3"], 64),
        ("1/9", ["--shard 1/9", "8 images", "at most 8"], 64),
      ] as [(String, [String], Int32)] {
        let result = try sampler.run(["--model", model, "--count", "8", "--shard", shard])
        #expect(result.status == status && result.output.isEmpty)
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
      }
    }
  }

  /// Files of other programs are put together as they are named, and what does not go together is refused.
  @Test func anyFilesThatAgreeAreConcatenated() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let whole = try smallDataset(images: 30)
    func write(_ images: Range<Int>, ids: [UInt32]? = nil, _ name: String) throws {
      let part = try whole.selecting(images: Array(images))
      try TokenDataset(
        name: name, grid: part.grid, tokens: part.tokens, labels: part.labels, imageIDs: ids
      ).write(to: path(name))
    }
    try write(0..<10, "a.h5")
    try write(10..<30, "b.h5")
    let result = try tokenizer.run(
      ["concat", path("b.h5"), path("a.h5"), "--output", path("all.h5"), "--json"])
    #expect(result.status == 0 && result.output.contains("\"images\":30"), "\(result.errors)")
    let all = try TokenDataset(contentsOf: path("all.h5"))
    #expect(try all.codes == whole.selecting(images: Array(10..<30) + Array(0..<10)).codes)
    try write(0..<10, ids: (0..<10).map { $0 / 2 }, "c.h5")
    try write(10..<20, ids: (10..<20).map { $0 / 2 }, "d.h5")
    try write(20..<30, ids: (4..<14).map { $0 / 2 }, "e.h5")
    let numbered = try tokenizer.run(
      ["concat", path("c.h5"), path("d.h5"), "--output", path("cd.h5")])
    #expect(numbered.status == 0, "\(numbered.errors)")
    #expect(
      try TokenDataset(contentsOf: path("cd.h5")).imageIDs == (0..<20).map { UInt32($0 / 2) })
    try smallDataset(grid: TokenGrid(rows: 6, columns: 8), images: 3).write(to: path("wide.h5"))
    try smallDataset(images: 3, channels: 3).write(to: path("deep.h5"))
    for (names, words) in [
      (["c.h5", "e.h5"], ["e.h5", "photograph 2", "c.h5"]), (["a.h5", "c.h5"], ["photographs"]),
      (["a.h5", "wide.h5"], ["wide.h5", "its grid"]), (["a.h5", "deep.h5"], ["its codebook"]),
    ] as [([String], [String])] {
      let refused = try tokenizer.run(
        ["concat"] + names.map(path) + ["--output", path("none.h5")])
      #expect(refused.status == 1 && refused.output.isEmpty)
      for word in words { #expect(refused.errors.contains(word), "\(refused.errors)") }
    }
    // No file may take the place of one that is read.
    let own = try tokenizer.run(["concat", path("a.h5"), path("b.h5"), "--output", path("a.h5")])
    #expect(own.status != 0 && own.errors.contains("a.h5"))
    #expect(try TokenDataset(contentsOf: path("a.h5")).imageCount == 10)
  }
}
