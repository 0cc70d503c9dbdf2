import FileFormats
import Foundation
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import Commands

/// Arrays of other programs on the command line.
struct ArrayTokensTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let dataset = try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
    try dataset.write(to: folder.file("t.h5"))
    let (codes, book) = (try #require(dataset.codes), try #require(dataset.codebook))
    try NpyWriter.write(codes.map { Int64($0) }, shape: [200, 9], to: folder.file("codes.npy"))
    try NpyWriter.write(book.elements, shape: [64, 2], to: folder.file("book.npy"))
    try folder.makeFolder("x_codes")
    for image in 0..<200 {
      try NpyWriter.write(
        codes[image * 9..<(image + 1) * 9].map { Int64($0) }, shape: [1, 1, 9],
        to: folder.file("x_codes/\(image).npy"))
    }
  }

  private func output(_ program: String, _ arguments: [String]) throws -> String {
    let result = try Program(name: program).run(arguments, in: folder.url)
    #expect(result.status == 0, "\(program) \(arguments): \(result.errors)")
    return result.output
  }

  @Test(arguments: [
    ("order-compare", ["raster", "diagonal", "--csv"]),
    ("entropy-map", ["--ref", "1,1", "--csv"]),
    ("order-compare", ["raster", "--csv", "--limit", "150", "--seed", "3"]),
  ])
  func arraysGiveTheNumbersOfTheFile(program: String, arguments: [String]) throws {
    let expected = try output(program, arguments + ["--tokens", "t.h5"])
    let book = ["--codebook", "book.npy"]
    #expect(try output(program, arguments + ["--tokens", "codes.npy"] + book) == expected)
    // Of a folder other images are drawn, so that only those are read.
    if !arguments.contains("--limit") {
      #expect(try output(program, arguments + ["--tokens", "x_codes"] + book) == expected)
    }
  }

  @Test func whatArraysDoNotSayIsAskedForAndWhatOthersSayIsRefused() throws {
    for (arguments, sentence) in [
      (["raster", "--tokens", "codes.npy"], "codes.npy"),
      (["raster", "--tokens", "t.h5", "--codebook", "book.npy"], "t.h5 says it itself"),
      (["raster", "--grid", "3x3"], "--grid is for arrays"),
      (
        ["raster", "--tokens", "codes.npy", "--codebook", "book.npy", "--grid", "3"],
        "--grid 3: expected"
      ),
      (["raster", "--tokens", "codes.npy", "--codebook", "book.npy", "--grid", "2x4"], "2x4"),
    ] {
      let result = try Program(name: "order-compare").run(arguments, in: folder.url)
      #expect(result.status != 0 && result.errors.contains(sentence), "\(result.errors)")
    }
    let info = try Program(name: "tokenize").run(["info", "codes.npy"], in: folder.url)
    #expect(info.status != 0 && info.errors.contains("give the codebook they index"))
  }

  /// The arrays of a result go to a file whose name says its kind, and no figure is drawn beside it.
  @Test func arraysOfResultsAreWritten() throws {
    for name in ["r.npz", "r.h5"] {
      let result = try Program(name: "entropy-map").run(
        ["--all", "--tokens", "t.h5", "--output", name], in: folder.url)
      #expect(result.status == 0 && result.errors == "wrote \(name)\n", "\(result.errors)")
      #expect(!result.output.isEmpty, "the table is printed as always")
    }
    #expect(try folder.contents() == ["book.npy", "codes.npy", "r.h5", "r.npz", "t.h5", "x_codes"])
    let archive = try NpzArchive(path: folder.file("r.npz"))
    let entropy = try archive.array("maps/entropy")
    #expect(entropy.shape == [9, 3, 3])
    #expect(entropy.doubles().count(where: \.isNaN) == 9, "each reference's own")
    for (arguments, sentence) in [
      (["--ref", "1,1", "--output", "r.csv"], "ends in .npz or .h5"),
      (["--ref", "1,1", "--output", "t.h5"], "t.h5"),
    ] {
      let result = try Program(name: "entropy-map").run(
        arguments + ["--tokens", "t.h5"], in: folder.url)
      #expect(result.status != 0 && result.errors.contains(sentence), "\(result.errors)")
    }
  }
}
