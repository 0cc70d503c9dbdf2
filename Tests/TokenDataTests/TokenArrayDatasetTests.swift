import FileFormats
import Files
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import TokenData

/// Arrays that are left in their file are what they are in memory.
struct TokenArrayDatasetTests {
  private let folder: TemporaryFolder
  private let codebook = FloatMatrix(
    rows: 50, columns: 2, elements: (0..<100).map { Float($0) / 8 })

  init() throws { folder = try TemporaryFolder() }

  private func source(
    _ name: String, labels: String? = nil, hasCodes: Bool = true,
    _ change: (inout TokenImport.Options) -> Void = { _ in }
  ) throws -> TokenImport {
    var options = TokenImport.Options()
    change(&options)
    return try TokenImport(
      path: folder.file(name), labels: labels.map { folder.file($0) },
      codebook: hasCodes ? codebook : nil, options: options)
  }

  private func expectSame(
    _ source: TokenImport, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let memory = try source.dataset(named: "memory")
    let array = try #require(try TokenArrayDataset(source), sourceLocation: sourceLocation)
    #expect(array.imageCount == memory.imageCount && array.grid == memory.grid)
    #expect(array.featureDimensions == memory.featureDimensions)
    #expect(array.codebook == memory.codebook && array.labels == memory.labels)
    #expect(array.imageClasses == memory.imageClasses && array.imageGroups == memory.imageGroups)
    #expect(try array.sourceHash() == memory.sourceHash())
    // Runs that begin and end within a photograph among them.
    for first in 0..<memory.imageCount {
      for end in first...memory.imageCount {
        let features = try array.features(ofImages: first..<end)
        #expect(
          features == (try memory.features(ofImages: first..<end)), sourceLocation: sourceLocation)
        guard memory.codebook != nil else { continue }
        let codes = try array.checkedCodes(ofImages: first..<end)
        #expect(
          codes == (try memory.checkedCodes(ofImages: first..<end)), sourceLocation: sourceLocation)
      }
    }
    #expect(array.blocks.flatMap { Array($0) } == Array(0..<memory.imageCount))
  }

  @Test func codesOfEveryOrderAndCropAreThoseInMemory() throws {
    let values = (0..<Int64(7 * 3 * 6)).map { $0 * 31 % 50 }
    try NpyWriter.write(values, shape: [21, 2, 3], to: folder.file("stack.npy"))
    try NpyWriter.write(values, shape: [7, 3, 6], to: folder.file("crops.npy"))
    try NpyWriter.write((0..<21).map { Int64($0 % 4) }, shape: [21], to: folder.file("labels.npy"))
    try expectSame(source("stack.npy"))
    try expectSame(source("stack.npy", labels: "labels.npy"))
    for crops in TokenImport.Crops.allCases {
      try expectSame(
        source("crops.npy", labels: "labels.npy") {
          ($0.grid, $0.crops, $0.seed) = (TokenGrid(rows: 2, columns: 3), crops, 5)
        })
    }
    let bytes = NpyWriter.bytes(values, shape: [21, 2, 3])
    try NpzArchive.write([("codes", bytes)], to: folder.file("all.npz"))
    try expectSame(source("all.npz"))
  }

  @Test func featuresAreThoseInMemory() throws {
    let values = (0..<5 * 24).map { Float($0 * 37 % 101) / 7 }
    try NpyWriter.write(values, shape: [5, 2, 3, 4], to: folder.file("last.npy"))
    try NpyWriter.write(values, shape: [5, 4, 2, 3], to: folder.file("first.npy"))
    try expectSame(source("last.npy", hasCodes: false))
    try expectSame(source("first.npy", hasCodes: false) { $0.channels = .first })
    try NpyWriter.write(
      values.map { 1e9 + Double($0) * 1e-3 }, shape: [5, 2, 3, 4], to: folder.file("far.npy"))
    try expectSame(source("far.npy", hasCodes: false) { $0.centred = true })
  }

  @Test func aFolderAndADrawAreNotReadInPieces() throws {
    let codes = try SyntheticCodeFolder()
    let open = { (options: TokenImport.Options) in
      try TokenImport(path: codes.codes, labels: nil, codebook: codes.codebook, options: options)
    }
    #expect(try TokenArrayDataset(open(.init())) == nil)
    try NpyWriter.write([0, 1, 2, 3] as [Int64], shape: [1, 2, 2], to: folder.file("one.npy"))
    #expect(try TokenArrayDataset(source("one.npy") { $0.sample = 1 }) == nil)
  }

  @Test func wrongNumbersAreNamedByTheirPlace() throws {
    var values = [Int64](repeating: 1, count: 4 * 2 * 6)
    values[2 * 12 + 6 + 4] = 50
    try NpyWriter.write(values, shape: [4, 2, 6], to: folder.file("codes.npy"))
    let codes = try #require(
      try TokenArrayDataset(
        source("codes.npy") { ($0.grid, $0.crops) = (TokenGrid(rows: 2, columns: 3), .all) }))
    _ = try codes.checkedCodes(ofImages: 0..<5)
    #expect(
      throws: TokenImportError.codeOutsideCodebook(
        file: folder.file("codes.npy"), image: 2, crop: 1, cell: GridCell(row: 1, column: 1),
        code: 50, codebookSize: 50)
    ) { try codes.features(ofImages: 1..<8) }

    var features = [Float](repeating: 1, count: 3 * 24)
    features[24 + 4 * 3 + 2] = .infinity
    try NpyWriter.write(features, shape: [3, 2, 3, 4], to: folder.file("features.npy"))
    let continuous = try #require(
      try TokenArrayDataset(source("features.npy", hasCodes: false)))
    #expect(
      throws: TokenImportError.featureNotFinite(
        file: folder.file("features.npy"), image: 1, crop: 0, cell: GridCell(row: 1, column: 0),
        channel: 2, value: .infinity)
    ) { try continuous.features(ofImages: 0..<3) }

    try NpyWriter.write([0, 1, -1, 2] as [Int64], shape: [4], to: folder.file("labels.npy"))
    #expect(
      throws: TokenImportError.invalidLabel(
        file: folder.file("labels.npy"), image: 2, value: -1)
    ) {
      try TokenArrayDataset(
        source("codes.npy", labels: "labels.npy") { $0.grid = TokenGrid(rows: 2, columns: 3) })
    }
    try NpyWriter.write([0, 1] as [Int64], shape: [2], to: folder.file("labels.npy"))
    #expect(
      throws: TokenImportError.labelCount(file: folder.file("labels.npy"), found: 2, image: 2)
    ) {
      try TokenArrayDataset(
        source("codes.npy", labels: "labels.npy") { $0.grid = TokenGrid(rows: 2, columns: 3) })
    }
  }

  /// What tells sums of images from sums of others: contents, classes and the choice of crops.
  @Test func identityIsOfAllThereIs() throws {
    let values = (0..<Int64(48)).map { $0 % 50 }
    try NpyWriter.write(values, shape: [4, 2, 6], to: folder.file("a.npy"))
    try NpyWriter.write(values, shape: [4, 2, 6], to: folder.file("b.npy"))
    try NpyWriter.write([0, 1, 0, 1] as [Int64], shape: [4], to: folder.file("labels.npy"))
    func identity(
      _ name: String, labels: String? = nil, _ crops: TokenImport.Crops, seed: UInt64 = 0
    ) throws -> String {
      let array = try #require(
        try TokenArrayDataset(
          source(name, labels: labels) {
            ($0.grid, $0.crops, $0.seed) = (TokenGrid(rows: 2, columns: 3), crops, seed)
          }))
      return try array.identity()
    }
    let all = [
      try identity("a.npy", .all), try identity("a.npy", .first),
      try identity("a.npy", labels: "labels.npy", .all), try identity("a.npy", .random, seed: 1),
      try identity("a.npy", .random, seed: 2),
    ]
    #expect(Set(all).count == 5)
    // What was said beside a file comes after its hash.
    let file = try ContentHash(ofFileAt: folder.file("a.npy")).description
    #expect(all.allSatisfy { $0.hasPrefix(file + "+") })
    let cube = (0..<64).map { Float($0 * $0 % 31) }
    try NpyWriter.write(cube, shape: [8, 2, 2, 2], to: folder.file("cube.npy"))
    let placed = try [nil, ChannelPlacement.last, .first].map { placement in
      try #require(
        try TokenArrayDataset(
          source("cube.npy", hasCodes: false) { $0.channels = placement })
      ).identity()
    }
    #expect(placed[0] == placed[1] && placed[0] != placed[2])
    #expect(try identity("b.npy", .all) == all[0] && identity("b.npy", .first, seed: 9) == all[1])
  }
}
