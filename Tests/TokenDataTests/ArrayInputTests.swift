import FileFormats
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import TokenData

/// Arrays of other programs read into memory.
struct ArrayInputTests {
  private let folder: TemporaryFolder
  private let random: TokenDataset
  private let codes: [UInt32]
  private let codebook: FloatMatrix

  init() throws {
    folder = try TemporaryFolder()
    random = try randomDataset(images: 40)
    codes = try #require(random.codes)
    codebook = try #require(random.codebook)
  }

  private var codeBytes: Data { NpyWriter.bytes(codes.map { Int64($0) }, shape: [40, 3, 4]) }
  private var bookBytes: Data { NpyWriter.bytes(codebook.elements, shape: [20, 3]) }

  @Test func arraysInMemoryAreThoseOfTheImportedFile() throws {
    try folder.write(codeBytes, "codes.npy")
    try NpyWriter.write(
      (0..<40).map { Int64($0 % 2) }, shape: [40], to: folder.file("labels.npy"))
    let source = try TokenImport(
      path: folder.file("codes.npy"), labels: folder.file("labels.npy"), codebook: codebook,
      options: .init())
    _ = try source.run(writingTo: folder.file("codes.h5"))
    let file = try TokenDataset(contentsOf: folder.file("codes.h5"))
    let memory = try source.dataset(named: "codes.npy")
    #expect(memory.tokens == file.tokens && memory.tokens == random.tokens)
    #expect(memory.labels == file.labels && memory.imageIDs == file.imageIDs)
    #expect(memory.name == "codes.npy" && memory.grid == random.grid)
    #expect(try memory.contentHash() != nil, "one file is one content")
    // The same images of both.
    let some = try memory.sampled(9, seed: 4)
    let drawn = try TokenDataset(contentsOf: folder.file("codes.h5"), sampling: 9, seed: 4)
    #expect(some.tokens == drawn.tokens && some.imageIDs == drawn.imageIDs)
    #expect(some.imageCount == 9)
    #expect(try memory.sampled(100, seed: 4) == memory)
    #expect(throws: TokenDataError.invalidLimit(0)) { try memory.sampled(0, seed: 4) }
  }

  @Test func archivesHoldCodesWithTheirCodebook() throws {
    let labels = NpyWriter.bytes((0..<40).map { Int64($0 % 2) }, shape: [40])
    let path = folder.file("all.npz")
    try NpzArchive.write(
      [("labels", labels), ("codebook", bookBytes), ("codes", codeBytes)], to: path)
    let all = try TokenImport(path: path, labels: nil, codebook: nil, options: .init())
      .dataset(named: "all.npz")
    #expect(all.tokens == random.tokens)
    #expect(all.labels?.values == random.labels?.values)
    // A codebook that is named goes before that of the archive.
    let other = FloatMatrix(rows: 20, columns: 1, elements: (0..<20).map { Float($0) })
    let named = try TokenImport(path: path, labels: nil, codebook: other, options: .init())
      .dataset(named: "all.npz")
    #expect(named.codebook == other)
    // An array alone may have any name.
    try NpzArchive.write([("arr_0", codeBytes)], to: path)
    let alone = try TokenImport(path: path, labels: nil, codebook: codebook, options: .init())
    #expect(try alone.dataset(named: "x").tokens == random.tokens)
    #expect(throws: TokenImportError.codebookNeeded(file: path, type: "<i8")) {
      try TokenImport(path: path, labels: nil, codebook: nil, options: .init())
    }
    try NpzArchive.write([("a", codeBytes), ("b", codeBytes)], to: path)
    #expect(throws: TokenImportError.noTokens(file: path, found: ["a", "b"])) {
      try TokenImport(path: path, labels: nil, codebook: codebook, options: .init())
    }
    #expect(
      "\(TokenImportError.noTokens(file: "x.npz", found: ["a", "b"]))"
        == "x.npz: has the arrays a, b; codes or features are expected, or one array alone")
  }

  /// Differences of 10⁻³ at 10⁷ are below what single precision has there.
  @Test func featuresFarFromZeroAreCentredOrRefused() throws {
    let features = try randomFeatures(images: 30)
    let values = try features.features(ofImages: 0..<30).map { 1e7 + Double($0) * 1e-3 }
    let path = folder.file("features.npy")
    try NpyWriter.write(values, shape: [30, 2, 3, 4], to: path)
    var options = TokenImport.Options()
    #expect {
      try TokenImport(path: path, labels: nil, codebook: nil, options: options)
    } throws: { "\($0)".contains("features.npy") && "\($0)".contains("single precision") }
    options.centred = true
    let moved = try TokenImport(path: path, labels: nil, codebook: nil, options: options)
      .dataset(named: "features").features(ofImages: 0..<30)
    for place in moved.indices {
      let expected = values[place] - values[place % 24]
      #expect(abs(Double(moved[place]) - expected) < 1e-9)
    }
  }
}
