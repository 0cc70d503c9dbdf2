import FileFormats
import Foundation
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "fid-compare")

/// 96 images of 40 photographs, in runs or mixed, in a folder for the time of `body`.
private func withPhotographs(
  mixed: Bool, _ body: (_ folder: URL) throws -> Void
) throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let whole = try smallDataset(images: 96)
  let ids = (0..<96).map { (image: Int) -> UInt32 in
    let photograph: Int = mixed ? image * 7 % 40 : image * 40 / 96
    return UInt32(photograph)
  }
  try TokenDataset(
    name: "all.h5", grid: whole.grid, tokens: whole.tokens, imageIDs: ids
  ).write(to: folder.appendingPathComponent("all.h5").path)
  try body(folder)
}

@Suite struct MergeStatisticsTests {
  private func statistics(_ folder: URL, _ name: String, _ more: [String]) throws {
    let result = try program.run(
      ["statistics", "all.h5", "--output", name] + more, in: folder)
    try #require(result.status == 0, "\(result.errors)")
  }

  @Test(arguments: [false, true]) func partsOfAFileAddUpToIt(mixed: Bool) throws {
    try withPhotographs(mixed: mixed) { folder in
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      for extractor in ["structure", "texture"] {
        try statistics(folder, "all.npz", ["--extractor", extractor])
        let whole = try CountedStatistics(npz: path("all.npz"))
        #expect(whole.origin.images == 96)
        #expect(whole.origin.samples == (extractor == "texture" ? 96 * 16 : 96))
        for count in [2, 7, 32] {
          let names = try (1...count).map { number in
            try statistics(
              folder, "\(number).npz", ["--extractor", extractor, "--images", "\(number)/\(count)"])
            return "\(number).npz"
          }
          for order in [names, names.reversed()] {
            let result = try program.run(
              ["merge-statistics"] + order + ["-o", "merged.npz"], in: folder)
            #expect(result.status == 0 && result.output.contains("96 images"), "\(result.errors)")
            #expect(!result.output.contains("none of the files"))
            let merged = try CountedStatistics(npz: path("merged.npz"))
            #expect(merged.origin == whole.origin)
            // Sums of a few hundred numbers of the size of one, in another order.
            let (a, b) = (merged.statistics, whole.statistics)
            for i in a.mean.indices {
              #expect(abs(a.mean[i] - b.mean[i]) < 1e-12)
              for j in a.mean.indices {
                let scale = (b.covariance[i, i] * b.covariance[j, j]).squareRoot()
                #expect(abs(a.covariance[i, j] - b.covariance[i, j]) < 1e-12 * scale)
              }
            }
          }
        }
        // As statistics of any program they are compared.
        struct Distance: Decodable { let frechet_distance: Double }
        let compared = try program.run(["frechet", "all.npz", "merged.npz", "--json"], in: folder)
        #expect(compared.status == 0, "\(compared.errors)")
        let distance = try JSONDecoder().decode(
          Distance.self, from: Data(compared.output.utf8)
        ).frechet_distance
        // Roots of rounding errors of the covariances, whose entries are about one.
        #expect(abs(distance) < 1e-6)
      }
    }
  }

  @Test func whatCannotBeAddedIsRefused() throws {
    try withPhotographs(mixed: false) { folder in
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      let structure = ["--extractor", "structure"]
      try statistics(folder, "a.npz", structure + ["--images", "1/3"])
      try statistics(folder, "b.npz", structure + ["--images", "2/3"])
      try statistics(folder, "half.npz", structure + ["--images", "1/2"])
      try statistics(folder, "texture.npz", ["--extractor", "texture", "--images", "2/3"])
      try statistics(folder, "random.npz", structure + ["--limit", "50"])
      try FeatureStatistics(npz: path("b.npz")).write(npz: path("other.npz"))
      let bytes = try Data(contentsOf: folder.appendingPathComponent("b.npz"))
      try bytes.prefix(bytes.count / 2).write(to: folder.appendingPathComponent("short.npz"))
      for (files, words) in [
        (["a.npz", "a.npz"], ["a.npz", "images 0 to", "xxh64:", "too"]),
        (["b.npz", "half.npz"], ["half.npz", "b.npz", "images 32 to 47"]),
        (["a.npz", "texture.npz"], ["texture.npz", "18 features", "32"]),
        (["a.npz", "other.npz"], ["other.npz", "no number of samples"]),
        (["a.npz", "random.npz"], ["random.npz", "drawn at random"]),
        (["a.npz", "short.npz"], ["short.npz"]), (["a.npz", "none.npz"], ["none.npz"]),
        (["a.npz"], ["at least two"]),
      ] as [([String], [String])] {
        let result = try program.run(
          ["merge-statistics"] + files + ["--output", "merged.npz"], in: folder)
        #expect(result.status != 0 && result.output.isEmpty)
        for word in words { #expect(result.errors.contains(word), "\(files): \(result.errors)") }
        #expect(!FileManager.default.fileExists(atPath: path("merged.npz")))
      }
      // What is missing is said.
      try statistics(folder, "c.npz", structure + ["--images", "3/3"])
      let gap = try program.run(["merge-statistics", "a.npz", "c.npz", "-o", "ac.npz"], in: folder)
      #expect(gap.status == 0 && gap.output.contains("are in none of the files"), "\(gap.errors)")
      for (arguments, words) in [
        (["--images", "0/3"], ["--images 0/3", "i/N"]),
        (["--images", "1/3", "--limit", "50"], ["leave --limit out"]),
        (["--images", "2/96"], ["--images 2/96", "no photograph"]),
      ] as [([String], [String])] {
        let result = try program.run(
          ["statistics", "all.h5", "--output", "no.npz"] + structure + arguments, in: folder)
        #expect(result.status == 64 && result.output.isEmpty)
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
      }
      // Statistics that name their extractor are not compared with those of another.
      try smallDataset(grid: TokenGrid(rows: 8, columns: 8), images: 40)
        .write(to: folder.appendingPathComponent("other.h5").path)
      let wide = try program.run(
        ["statistics", "other.h5", "--output", "wide.npz"] + structure, in: folder)
      #expect(wide.status == 0, "\(wide.errors)")
      let proxies = try program.run(["proxies", "a.npz", "wide.npz"], in: folder)
      #expect(proxies.status != 0 && proxies.errors.contains("another definition"))
    }
  }
}
