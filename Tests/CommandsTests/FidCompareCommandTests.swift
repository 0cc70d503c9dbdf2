import FileFormats
import Foundation
import LinearAlgebra
import Statistics
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "fid-compare")

private struct Output: Decodable {
  struct Report: Decodable {
    struct Neighbors: Decodable {
      let k: Int
      let precision, recall, density, coverage: Double
    }
    let images_real, images_generated, samples_real, samples_generated: Int
    let frechet_distance, frechet_distance_corrected, kernel_distance: Double
    let frechet_distance_infinity, frechet_distance_infinity_standard_error: Double?
    let splits: Int?
    let neighbors: [Neighbors]
  }
  struct Extractor: Decodable {
    let name, definition_hash: String
    let dimensions: Int
    let proxies: Report
    let equal_size, noise_floor: Report?
  }
  struct Dependency: Decodable {
    struct Profile: Decodable {
      let order: String
      let sequential, parallel, increase: Double
    }
    let conditional_entropy_maps: Double
    let images_real, images_generated, references: Int
    let profiles: [Profile]
  }
  let command: String
  let extractors: [Extractor]
  let noise_floor_missing: String?
  let dependency_distance: Dependency?
  let dependency_distance_equal_size: Dependency?
  let dependency_distance_noise_floor: Dependency?
  let dependency_distance_noise_floor_missing: String?
}

/// Two sets of the same distribution and one of random codes.
private func files() throws -> (folder: URL, real: String, like: String, random: String) {
  let folder = try temporaryFolder()
  let whole = try smallDataset(images: 600)
  var generator = SeededGenerator(seed: 3)
  let codes = (0..<300 * 36).map { _ in UInt32(generator.nextIndex(below: 64)) }
  guard let codebook = whole.codebook else { throw CocoaError(.fileReadUnknown) }
  let random = try TokenDataset(
    name: "random", grid: whole.grid, tokens: .codes(codes, codebook: codebook))
  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  try whole.selecting(images: Array(0..<300)).write(to: path("real.h5"))
  try whole.selecting(images: Array(300..<600)).write(to: path("like.h5"))
  try random.write(to: path("random.h5"))
  return (folder, path("real.h5"), path("like.h5"), path("random.h5"))
}

@Test func proxiesTellLikeFromRandom() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  let outputs = try [files.like, files.random].map { generated in
    let result = try program.run([
      "proxies", files.real, generated, "--order", "raster", "--json", "--neighbors", "2",
    ])
    #expect(result.status == 0 && result.errors.isEmpty)
    return try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
  }
  for output in outputs {
    #expect(output.command == "fid-compare proxies")
    // No decoder, so no pixels unless they are asked for.
    #expect(output.extractors.map(\.name) == ["structure", "texture"])
    #expect(output.extractors.map(\.dimensions) == [32, 18])
    #expect(output.extractors.allSatisfy { $0.definition_hash.hasPrefix("xxh64:") })
    #expect(output.extractors[1].proxies.samples_real == 300 * 16)
    #expect(output.extractors[0].noise_floor?.images_real == 150)
    #expect(output.dependency_distance?.references == 36)
    #expect(output.dependency_distance?.profiles.map(\.order) == ["raster"])
  }
  for (like, random) in zip(outputs[0].extractors, outputs[1].extractors) {
    #expect(like.definition_hash == random.definition_hash)
    #expect(like.proxies.frechet_distance < random.proxies.frechet_distance)
    #expect(like.proxies.kernel_distance < random.proxies.kernel_distance)
    #expect(like.proxies.neighbors[0].coverage > random.proxies.neighbors[0].coverage)
    #expect(like.proxies.frechet_distance_corrected < like.proxies.frechet_distance)
  }
  let maps = outputs.map { $0.dependency_distance?.conditional_entropy_maps ?? .nan }
  #expect(maps[0] < maps[1])
}

/// What stands beside the floor has as many images: images of the same law are like it, in every number, and others are not.
@Test func theFloorComparesAtEqualSize() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  for (generated, limit, size) in [
    (files.like, "300", 150), (files.random, "300", 150), (files.like, "200", 100),
  ] {
    let result = try program.run([
      "proxies", files.real, generated, "--json", "--order", "raster", "--limit", limit,
    ])
    #expect(result.status == 0, "\(result.errors)")
    let output = try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
    #expect(output.noise_floor_missing == nil)
    for extractor in output.extractors {
      let value = try #require(extractor.equal_size)
      let floor = try #require(extractor.noise_floor)
      for one in [value, floor] {
        #expect(one.images_real == size && one.images_generated == size && one.splits == 4)
        #expect(one.samples_real == one.samples_generated)
      }
      let infinity = try #require(extractor.proxies.frechet_distance_infinity)
      let error = try #require(extractor.proxies.frechet_distance_infinity_standard_error)
      if generated == files.like {
        #expect(abs(value.frechet_distance / floor.frechet_distance - 1) < 0.25)
        #expect(extractor.proxies.frechet_distance < 0.75 * floor.frechet_distance)
        #expect(abs(infinity) < 5 * error)
      } else {
        #expect(value.frechet_distance > 1.5 * floor.frechet_distance)
        #expect(infinity > 5 * error)
      }
    }
    let value = try #require(output.dependency_distance_equal_size)
    let floor = try #require(output.dependency_distance_noise_floor)
    #expect(value.images_generated == size && floor.images_generated == size)
    if generated == files.like {
      #expect(abs(value.conditional_entropy_maps / floor.conditional_entropy_maps - 1) < 0.25)
    } else {
      #expect(value.conditional_entropy_maps > 1.2 * floor.conditional_entropy_maps)
    }
  }
}

/// A floor that would need more images is not there, and a sentence says why.
@Test func aFloorThatCannotBeIsSaidToBeMissing() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  func output(_ arguments: [String]) throws -> (json: Output, text: String) {
    let all = ["proxies", files.real, files.like, "--extractor", "texture"] + arguments
    let results = try [all + ["--json"], all].map { try program.run($0) }
    #expect(results.allSatisfy { $0.status == 0 }, "\(results.map(\.errors))")
    return (
      try JSONDecoder().decode(Output.self, from: Data(results[0].output.utf8)), results[1].output
    )
  }
  let few = try output(["--limit", "24", "--neighbors", "12", "--jitter", "0.01"])
  #expect(few.json.extractors[0].noise_floor == nil && few.json.noise_floor_missing != nil)
  #expect(few.json.dependency_distance_noise_floor == nil)
  #expect(few.text.contains("no noise floor") && few.text.contains("are 10, and 13 are needed"))
  #expect(few.text.contains("FD∞ of 18 dimensions needs 50 images"))
  // Half of 120 images suffices for maps, and not for the 72 numbers of an order.
  let some = try output(["--limit", "120", "--order", "raster"])
  #expect(some.json.dependency_distance_noise_floor?.profiles.isEmpty == true)
  #expect(some.json.dependency_distance_noise_floor_missing?.contains("73 are needed") == true)
  #expect(some.text.contains("no noise floor of orders"))
}

@Test func theTableNamesEverything() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  let result = try program.run([
    "proxies", files.real, files.like, "--extractor", "texture", "--limit", "100", "--seed", "3",
  ])
  #expect(result.status == 0)
  for word in [
    "proxies, not FID", "FD corrected", "FD∞", "KID", "texture", "noise floor", "100, 100",
    "1,600, 1,600", "coverage", "H(v_i | v_j), 36 references", "texture: xxh64:",
  ] {
    #expect(result.output.contains(word), "\(word)")
  }
  #expect(!result.output.contains("structure"))
}

@Test func statisticsStandForTokens() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  let npz = ["a", "b"].map { files.folder.appendingPathComponent("\($0).npz").path }
  for (tokens, path) in zip([files.real, files.like], npz) {
    let result = try program.run([
      "statistics", tokens, "--extractor", "structure", "--output", path,
    ])
    #expect(result.status == 0 && result.output.contains("32 features of 300 images"))
  }
  struct Distance: Decodable { let frechet_distance: Double }
  func distance(_ arguments: [String]) throws -> Double {
    let result = try program.run(["proxies"] + arguments + ["--json"])
    #expect(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Distance.self, from: Data(result.output.utf8)).frechet_distance
  }
  let both = try distance(npz)
  let half = try distance([npz[0], files.like, "--extractor", "structure"])
  #expect(abs(both - half) < 1e-9 * both)
  let tokens = try program.run([
    "proxies", files.real, files.like, "--extractor", "structure", "--no-dependencies", "--json",
  ])
  let output = try JSONDecoder().decode(Output.self, from: Data(tokens.output.utf8))
  #expect(abs(output.extractors[0].proxies.frechet_distance - both) < 1e-9 * both)
  for arguments in [
    [npz[0], files.like], [npz[0], npz[1], "--extractor", "structure"],
    [npz[0], files.like, "--extractor", "texture"], [npz[0], npz[1], "--order", "raster"],
    [npz[0], npz[1], "--limit", "10"],
  ] {
    let result = try program.run(["proxies"] + arguments)
    #expect(result.status != 0 && result.output.isEmpty && !result.errors.isEmpty)
  }
}

@Test func whatCannotBeComparedIsRefused() throws {
  let files = try files()
  defer { try? FileManager.default.removeItem(at: files.folder) }
  func path(_ name: String) -> String { files.folder.appendingPathComponent(name).path }
  try smallDataset(grid: TokenGrid(rows: 6, columns: 8), images: 30).write(to: path("wide.h5"))
  let few = try smallDataset(images: 12)
  try few.write(to: path("few.h5"))
  try TokenDataset(
    name: "o", grid: TokenGrid(rows: 6, columns: 6),
    tokens: .codes(
      few.codes ?? [],
      codebook: FloatMatrix(
        rows: 64, columns: 2, elements: (0..<128).map { Float($0) }))
  ).write(to: path("other.h5"))
  // One token never changes.
  let moving = try smallDataset(images: 40)
  var codes = moving.codes ?? []
  for image in 0..<40 { codes[image * 36] = 7 }
  try TokenDataset(
    name: "still", grid: moving.grid,
    tokens: .codes(codes, codebook: #require(moving.codebook))
  ).write(to: path("still.h5"))
  try Data("no HDF5".utf8).write(to: URL(fileURLWithPath: path("text.h5")))
  let help = try program.run(["proxies", "--help"]).output
  for (arguments, words) in [
    ([files.real, path("wide.h5")], ["6x8", "6x6", "equal grids"]),
    ([files.real, path("other.h5")], ["codebook", "xxh64:"]),
    ([files.real, path("few.h5")], ["few.h5", "12 images", "at least 20"]),
    ([files.real, path("none.h5")], ["none.h5", "no such file"]),
    ([files.real, path("text.h5")], ["text.h5", "not an HDF5 file"]),
    ([files.real, files.like, "--extractor", "pixels"], ["decoder"]),
    ([files.real, files.like, "--neighbors", "0"], ["neighbors"]),
    ([files.real, files.like, "--splits", "1"], ["--splits 1", "2 to 50"]),
    ([files.real, files.like, "--order", "no-such-order"], ["no-such-order"]),
    (
      [files.real, files.like, "--order", "raster", "--limit", "60"],
      ["60 images", "at least 73", "leave out --order"]
    ),
    (
      [files.real, path("still.h5"), "--extractor", "texture"],
      ["still.h5", "same value in all 40 images", "--jitter", "--no-dependencies"]
    ),
  ] as [([String], [String])] {
    let result = try program.run(["proxies"] + arguments)
    #expect(result.status != 0 && result.output.isEmpty)
    for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
    // Advice is no good where the command lacks the option.
    for match in result.errors.matches(of: /--[a-z-]+[a-z]/) {
      #expect(help.contains(match.output), "\(result.errors)")
    }
  }
}
