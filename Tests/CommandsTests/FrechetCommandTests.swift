import FileFormats
import Foundation
import Statistics
import TestSupport
import Testing

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
}
