import FileFormats
import Foundation
import Statistics
import TestSupport
import Testing
import VisualTokenizers

@testable import Commands

/// `fid-compare frechet` on features of another program.
struct FrechetCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, seed) in [("a", UInt64(1)), ("b", 2)] {
      var generator = SeededGenerator(seed: seed)
      let values = (0..<200 * 3).map { _ in Float(generator.nextNormal()) }
      try NpyWriter.write(values, shape: [200, 3], to: folder.file("\(name).npy"))
      try NpyWriter.write(values, shape: [200, 3, 1, 1], to: folder.file("\(name)-pooled.npy"))
    }
    let identity: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    try NpzArchive.write(
      [
        ("mu", NpyWriter.bytes([0, 0, 0] as [Double], shape: [3])),
        ("sigma", NpyWriter.bytes(identity, shape: [3, 3])),
        ("mu_s", NpyWriter.bytes([2, 0, 0] as [Double], shape: [3])),
        ("sigma_s", NpyWriter.bytes(identity.map { $0 * 4 }, shape: [3, 3])),
      ], to: folder.file("s.npz"))
  }

  private func run(_ arguments: String...) throws -> Program.Result {
    try Program(name: "fid-compare").run(["frechet"] + arguments, in: folder.url)
  }

  private struct Distance: Decodable { let frechet_distance, mean_term, covariance_term: Double }

  @Test func allFormsPrintTheSameNumbers() throws {
    let csv = try run("a.npy", "b.npy", "--csv")
    #expect(csv.status == 0, "\(csv.errors)")
    let lines = csv.output.split(separator: "\n")
    #expect(lines[0] == "metric,value,standard_error" && lines.count == 1 + 6 + 8)
    #expect(try run("a-pooled.npy", "b-pooled.npy", "--csv").output == csv.output)
    let json = try JSONDecoder().decode(
      Distance.self, from: Data(try run("a.npy", "b.npy", "--json").output.utf8))
    #expect(lines[1] == "frechet_distance,\(json.frechet_distance),")
    #expect(json.frechet_distance == json.mean_term + json.covariance_term)
    let text = try run("a.npy", "b.npy", "--neighbors", "4").output
    #expect(text.contains("rank") && text.contains("±") && text.contains("\n4 "))
  }

  /// Between N(0, 1) and N(2·e₁, 4): 4 + 3·(1 − 2)².
  @Test func statisticsHaveTheDistanceOfTheFormula() throws {
    try FileManager.default.copyItem(
      atPath: folder.file("s.npz"), toPath: folder.file("t.npz"))
    let same = try run("s.npz", "t.npz", "--json")
    let zero = try JSONDecoder().decode(Distance.self, from: Data(same.output.utf8))
    #expect(abs(zero.frechet_distance) < 1e-12)
    try NpzArchive.write(
      [
        ("mu", NpyWriter.bytes([2, 0, 0] as [Double], shape: [3])),
        ("sigma", NpyWriter.bytes([4, 0, 0, 0, 4, 0, 0, 0, 4] as [Double], shape: [3, 3])),
      ], to: folder.file("t.npz"))
    let other = try run("s.npz", "t.npz", "--json")
    let seven = try JSONDecoder().decode(Distance.self, from: Data(other.output.utf8))
    #expect(abs(seven.frechet_distance - 7) < 1e-12)
  }

  @Test func optionsWithoutUseAreRefused() throws {
    for (arguments, sentence) in [
      (["a.npy", "b.npy", "--spatial"], "--spatial chooses statistics"),
      (["s.npz", "b.npy", "--neighbors", "3"], "--neighbors needs the features of both sets"),
      (["s.npz", "b.npy", "--seed", "3"], "--seed needs"),
      (["a.npy", "b.npy", "--json", "--csv"], "exclude each other"),
      (["a.npy", "none.npy"], "none.npy"),
    ] {
      let result = try Program(name: "fid-compare").run(["frechet"] + arguments, in: folder.url)
      #expect(result.status != 0 && result.errors.contains(sentence), "\(result.errors)")
    }
  }

  /// Two sets of images, the second brighter, in every form they may have.
  private func writeImages() throws {
    for (name, shift, seed) in [("x", 0, UInt64(3)), ("y", 40, 4)] {
      var generator = SeededGenerator(seed: seed)
      try folder.makeFolder(name)
      let archive = try ImageArchiveWriter(
        path: folder.file("\(name).npz"), count: 40, width: 9, height: 8)
      let array = try NpzWriter(path: folder.file("\(name)-only.npz"))
      try array.beginBytes("arr_0", shape: [40, 8, 9, 3])
      for i in 0..<40 {
        let image = RGBImage(
          width: 9, height: 8,
          pixels: (0..<9 * 8 * 3).map { _ in UInt8(shift + generator.nextIndex(below: 200)) })
        try image.writePNG(to: folder.file("\(name)/\(i + 10).png"))
        try archive.append(image)
        try array.append(image.pixels)
      }
      try archive.finish(labels: [Int64](repeating: 0, count: 40))
      try array.finish()
    }
  }

  @Test func imagesInEveryFormHaveTheSameDistances() throws {
    try writeImages()
    let pixels = ["--extractor", "pixels", "--csv"]
    let archives = try run("x.npz", "y.npz", "--extractor", "pixels", "--csv")
    #expect(archives.status == 0, "\(archives.errors)")
    for pair in [["x", "y"], ["x-only.npz", "y"]] {
      let result = try Program(name: "fid-compare").run(
        ["frechet"] + pair + pixels, in: folder.url)
      #expect(result.output == archives.output, "\(result.errors)")
    }
    let same = try run("x.npz", "x", "--extractor", "pixels", "--json")
    let zero = try JSONDecoder().decode(Distance.self, from: Data(same.output.utf8))
    let other = try run("x.npz", "y.npz", "--extractor", "pixels", "--json")
    let far = try JSONDecoder().decode(Distance.self, from: Data(other.output.utf8))
    #expect(abs(zero.frechet_distance) < 1e-6 * far.frechet_distance)
    #expect(other.output.contains("definition_hash") && same.output.contains("pixels 1: mean"))
    let text = try run("x", "y", "--extractor", "pixels").output
    #expect(text.contains("proxies, not FID"))
  }

  @Test func imagesWithoutUseAreRefused() throws {
    try writeImages()
    try folder.makeFolder("empty")
    try RGBImage(width: 20, height: 20).writePNG(to: folder.file("empty/a.png"))
    for (arguments, sentence) in [
      (["x.npz", "y.npz"], "x.npz: holds images; give the features that a network makes"),
      (["x", "b.npy"], "x: holds images; give the features"),
      (["a.npy", "b.npy", "--extractor", "pixels"], "neither file holds any"),
      (["x", "y", "--extractor", "texture"], "--extractor texture is for tokens"),
      (["x.npz", "b.npy", "--extractor", "pixels"], "have 224 and 3 dimensions"),
      (["x", "empty", "--extractor", "pixels"], "empty of 20x20; only equal sizes"),
      (["x", "none", "--extractor", "pixels"], "none: cannot be read: No such file"),
    ] {
      let result = try Program(name: "fid-compare").run(["frechet"] + arguments, in: folder.url)
      #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
      #expect(result.errors.contains(sentence), "\(result.errors)")
      #expect(!result.errors.contains("Fatal"))
    }
    let proxies = try Program(name: "fid-compare").run(
      ["proxies", "x.npz", "y.npz"], in: folder.url)
    #expect(
      proxies.status != 0 && proxies.errors.contains("`fid-compare frechet --extractor pixels`"))
  }
}
