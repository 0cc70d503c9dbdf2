import FileFormats
import Files
import Foundation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import TokenData

@Suite struct TokenDatasetFileTests {
  let folder: TemporaryFolder
  var path: String { folder.file("codes.h5") }

  init() throws { folder = try TemporaryFolder() }

  // MARK: What is written is read

  @Test(arguments: [
    TokenGrid(rows: 3, columns: 4), TokenGrid(rows: 1, columns: 1),
    TokenGrid(frames: 2, rows: 3, columns: 4),
  ])
  func roundTripOfCodes(grid: TokenGrid) throws {
    let dataset = try randomDataset(grid: grid)
    try dataset.write(to: path)
    let read = try TokenDataset(contentsOf: path)
    #expect(read.name == "codes.h5")
    #expect(read.path == path)
    #expect(read.grid == dataset.grid)
    #expect(read.imageCount == dataset.imageCount)
    #expect(read.tokens == dataset.tokens)
    #expect(read.labels == dataset.labels)
    #expect(read.attributes == dataset.attributes)
    #expect(read.decoder == dataset.decoder)
    #expect(try folder.contents() == ["codes.h5"])
  }

  @Test func roundTripOfFeatures() throws {
    let dataset = try randomFeatures()
    try dataset.write(to: path)
    let read = try TokenDataset(contentsOf: path)
    #expect(read.tokens == dataset.tokens)
    #expect(read.codes == nil && read.codebook == nil && read.labels == nil && read.decoder == nil)
    #expect(read.featureDimensions == 4)
    #expect(try read.features(ofImages: 1..<3) == dataset.features(ofImages: 1..<3))
  }

  @Test func largeCodebooksAreStoredWide() throws {
    let codebook = FloatMatrix(rows: 70_000, columns: 1)
    let dataset = try TokenDataset(
      name: "wide", grid: TokenGrid(rows: 1, columns: 2),
      tokens: .codes([69_999, 0, 65_536, 1], codebook: codebook))
    try dataset.write(to: path)
    #expect(try TokenDataset(contentsOf: path).codes == [69_999, 0, 65_536, 1])
  }

  @Test func streamsInBlocks() throws {
    let dataset = try randomDataset(images: 40)
    let codebook = try #require(dataset.codebook)
    let writer = try TokenDatasetWriter(
      path: path, grid: dataset.grid, contents: .codes(codebook: codebook),
      labelNames: dataset.labels?.names ?? [], attributes: dataset.attributes,
      decoder: dataset.decoder)
    for start in stride(from: 0, to: 40, by: 7) {
      let images = start..<min(start + 7, 40)
      try writer.append(
        codes: Array(dataset.codes(ofImages: images) ?? []),
        labels: Array(dataset.labels?.values[images] ?? []))
    }
    #expect(writer.imageCount == 40)
    try writer.finish()

    let file = try TokenDatasetFile(path: path)
    #expect(file.imageCount == 40)
    #expect(file.labels == dataset.labels)
    #expect(file.blocks.flatMap { Array($0) } == Array(0..<40))
    #expect(try file.codes(ofImages: 5..<29)[...] == dataset.codes(ofImages: 5..<29))
    #expect(try file.features(ofImages: 39..<40) == dataset.features(ofImages: 39..<40))
    #expect(try TokenDataset(contentsOf: path).tokens == dataset.tokens)
  }

  @Test func streamsFeaturesInBlocks() throws {
    let dataset = try randomFeatures(images: 9)
    let writer = try TokenDatasetWriter(
      path: path, grid: dataset.grid, contents: .features(dimensions: 4))
    try writer.append(features: dataset.features(ofImages: 0..<4))
    try writer.append(features: dataset.features(ofImages: 4..<9))
    try writer.finish()
    let file = try TokenDatasetFile(path: path)
    #expect(try file.features(ofImages: 3..<6) == dataset.features(ofImages: 3..<6))
    #expect(file.codebook == nil)
  }

  @Test func blocksAreReadFromSeveralThreads() throws {
    let dataset = try randomDataset(images: 64)
    try dataset.write(to: path)
    let file = try TokenDatasetFile(path: path)
    let agreements = Agreements()
    DispatchQueue.concurrentPerform(iterations: 32) { i in
      let images = (2 * i)..<(2 * i + 2)
      if let read = try? file.features(ofImages: images),
        let expected = try? dataset.features(ofImages: images), read == expected
      {
        agreements.add()
      }
    }
    #expect(agreements.count == 32)
  }

  @Test func theLimitTakesTheFirstImages() throws {
    let dataset = try randomDataset(images: 9)
    try dataset.write(to: path)
    let read = try TokenDataset(contentsOf: path, limit: 4)
    #expect(read.imageCount == 4)
    #expect(read.codes?[...] == dataset.codes(ofImages: 0..<4))
    #expect(read.labels?.values == [0, 1, 0, 1])
    #expect(try TokenDataset(contentsOf: path, limit: 100).imageCount == 9)
    #expect(throws: TokenDataError.invalidLimit(0)) { try TokenDataset(contentsOf: path, limit: 0) }
  }

  @Test func writingReplacesAnEarlierFile() throws {
    try randomDataset(seed: 1).write(to: path)
    let dataset = try randomDataset(seed: 2)
    try dataset.write(to: path)
    #expect(try TokenDataset(contentsOf: path).tokens == dataset.tokens)
    #expect(try folder.contents() == ["codes.h5"])
  }

  /// Nothing in a file depends on when it was written.
  @Test func equalDatasetsAreEqualFiles() throws {
    try randomDataset().write(to: path)
    usleep(1_100_000)
    try randomDataset().write(to: folder.file("later.h5"))
    #expect(try ContentHash(ofFileAt: path) == ContentHash(ofFileAt: folder.file("later.h5")))
  }

  // MARK: Files that cannot be read

  @Test func missingFile() {
    #expect(throws: FileError.missing(path)) { try TokenDataset(contentsOf: path) }
  }

  @Test func directory() {
    #expect(throws: FileError.isDirectory(folder.path)) {
      try TokenDataset(contentsOf: folder.path)
    }
  }

  @Test(.enabled(if: getuid() != 0, "root may read every file"))
  func unreadableFile() throws {
    try randomDataset().write(to: path)
    chmod(path, 0)
    #expect(throws: FileError.unreadable(path, reason: "Permission denied")) {
      try TokenDataset(contentsOf: path)
    }
  }

  @Test(arguments: ["", "some text that is no HDF5 file", "\u{89}HDF"])
  func notHDF5(text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    if text.isEmpty {
      let expected = FileError.otherContent(
        path, found: "empty; was a download interrupted?",
        expected: "a token dataset, an HDF5 file as `tokenize` writes it,")
      #expect(throws: expected) { try TokenDataset(contentsOf: path) }
    } else {
      #expect(throws: TokenDataError.notHDF5(path)) { try TokenDataset(contentsOf: path) }
    }
  }

  @Test(arguments: [0.2, 0.5, 0.9, 0.999])
  func truncatedFile(share: Double) throws {
    try randomDataset(images: 3000).write(to: path)
    let url = URL(fileURLWithPath: path)
    let data = try Data(contentsOf: url)
    try data.prefix(Int(Double(data.count) * share)).write(to: url)
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.hasPrefix("\(path): the HDF5 file is truncated or damaged") == true)
  }

  @Test func overwrittenBytesInTheCodes() throws {
    let labelled = try randomDataset(images: 3000)
    try TokenDataset(name: "codes", grid: labelled.grid, tokens: labelled.tokens).write(to: path)
    let url = URL(fileURLWithPath: path)
    var data = try Data(contentsOf: url)
    // The compressed codes are most of the file: its middle is theirs.
    let middle = data.count / 2
    data.replaceSubrange(middle..<(middle + 2000), with: Data(repeating: 0xFF, count: 2000))
    try data.write(to: url)
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains("/codes is damaged: its piece at (0, 0, 0)") == true)
  }

  // MARK: Files that hold something else

  /// Writes a file member by member.
  func write(_ body: (HDF5Group) throws -> Void) throws {
    let root = try HDF5Group.createFile(path)
    try body(root)
    try root.flush()
  }

  func expectError(_ expected: TokenDataError, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(throws: expected, sourceLocation: sourceLocation) { try TokenDataset(contentsOf: path) }
  }

  @Test func missingDatasets() throws {
    try write { _ in }
    expectError(
      .missingDataset(
        path, dataset: "codes", advice: "/codes with /codebook, or /features, is expected"))
    try write { try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes") }
    expectError(
      .missingDataset(
        path, dataset: "codebook", advice: "the codes in /codes need one of shape (K, d)"))
  }

  @Test(arguments: [[8], [2, 4], [1, 1, 1, 2, 4], [8, 1, 0]])
  func codesOfTheWrongShape(shape: [Int]) throws {
    try write {
      try $0.write(
        [UInt16](repeating: 0, count: shape.reduce(1, *)), shape: shape, to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(
      .wrongShape(
        path, dataset: "codes", found: shape,
        expected: "(images, rows, columns) or (images, frames, rows, columns)"))
  }

  @Test func featuresOfTheWrongShape() throws {
    try write {
      try $0.write([Float](repeating: 0, count: 12), shape: [2, 2, 3], to: "features")
    }
    expectError(
      .wrongShape(
        path, dataset: "features", found: [2, 2, 3],
        expected: "(images, rows, columns, channels) or (images, frames, rows, columns, channels)"))
  }

  @Test(arguments: [[6], [1, 2, 3]])
  func codebookOfTheWrongShape(shape: [Int]) throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 6), shape: shape, to: "codebook")
    }
    expectError(
      .wrongShape(path, dataset: "codebook", found: shape, expected: "(entries, channels)"))
  }

  @Test func emptyCodebook() throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      try $0.write([Float](), shape: [0, 8], to: "codebook")
    }
    expectError(
      .wrongShape(
        path, dataset: "codebook", found: [0, 8],
        expected: "(entries, channels) with at least one of each"))
  }

  @Test func codesThatAreNoWholeNumbers() throws {
    try write {
      try $0.write([Float](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(.wrongElementType(path, dataset: "codes", expected: "whole numbers"))
  }

  @Test func aGroupWhereADatasetIsExpected() throws {
    try write { _ = try $0.createGroup("codes") }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains("/codes is a group; a dataset is expected") == true)
  }

  /// Pieces that were never written would be read as zeros: 4 of these 7 images.
  @Test func imagesThatWereNeverWritten() throws {
    try write {
      let codes = try $0.createGrowingDataset(
        "codes", of: UInt16.self, rowShape: [2, 2], rowsPerChunk: 2)
      try codes.append([UInt16](repeating: 1, count: 12), after: 4)
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(
      .unusableDataset(
        path, dataset: "codes",
        reason:
          "is not complete: 4 of its 7 rows were never written; what is missing would be read as zeros"
      ))
  }

  /// No allocation is made for extents of which nothing is stored.
  @Test(arguments: [1 << 33, 1 << 62]) func extentsOfWhichNothingIsStored(rows: Int) throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      let codebook = try $0.createGrowingDataset(
        "codebook", of: Float.self, rowShape: [1], rowsPerChunk: 1024)
      try codebook.append([0], after: rows - 1)
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains("/codebook ") == true)
  }

  @Test func codeOfSixtyFourBits() throws {
    try write {
      try $0.write([0, 1, 0, UInt64.max] as [UInt64], shape: [1, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(
      .codeOutsideCodebook(
        path, image: 0, cell: GridCell(row: 1, column: 1), code: 18_446_744_073_709_551_615,
        codebookSize: 2))
  }

  @Test func labelOfSixtyFourBits() throws {
    try writeValid { try $0.write([0, .max, 0] as [UInt64], shape: [3], to: "labels") }
    expectError(.labelOutsideNames(path, image: 1, label: Int128(UInt64.max), names: 0))
  }

  /// 10⁷ + x in double precision: rounded to single, x would keep no digit.
  @Test func aLargeMeanIsTakenOffBeforeRounding() throws {
    var rng = SeededGenerator(seed: 1)
    let values = (0..<(30 * 4)).map { _ in Double.random(in: -1...1, using: &rng) }
    try write { try $0.write(values.map { $0 + 1e7 }, shape: [30, 2, 2, 1], to: "features") }
    let dataset = try TokenDataset(contentsOf: path, centred: true)
    let read = try dataset.features(ofImages: 0..<30)
    // Differences from the first image, which 10⁷ in double precision holds to 2·10⁻⁹ and single precision to 10⁻⁷.
    for place in values.indices {
      #expect(abs(Double(read[place]) - (values[place] - values[place % 4])) < 3e-7)
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains("/features has numbers of 1") == true)
    #expect(error?.description.contains("take the mean off") == true)
  }

  /// The same numbers with the channels before rows and columns are the same features, in single and in double precision.
  @Test(arguments: [[5, 3, 2, 2], [5, 3, 4, 2, 2]])
  func channelsFirst(shape: [Int]) throws {
    var rng = SeededGenerator(seed: 2)
    let (images, channels, cells) = (shape[0], shape[1], shape[2...].reduce(1, *))
    let last = (0..<images * cells * channels).map { _ in
      Float.random(in: -1...1, using: &rng)
    }
    var first = last
    for image in 0..<images {
      for cell in 0..<cells {
        for channel in 0..<channels {
          first[(image * channels + channel) * cells + cell] =
            last[(image * cells + cell) * channels + channel]
        }
      }
    }
    func features(_ channels: ChannelPlacement?) throws -> [Float] {
      let dataset = try TokenDataset(contentsOf: path, channels: channels)
      #expect(dataset.grid.cellCount == cells)
      return try dataset.features(ofImages: 0..<images)
    }
    try write { try $0.write(first, shape: shape, to: "features") }
    #expect(try features(.first) == last)
    let sampled = try TokenDataset(contentsOf: path, sampling: 3, seed: 1, channels: .first)
    #expect(sampled.featureDimensions == channels)
    expectError(.channelsFirst(path, dataset: "features", found: shape))
    try write { try $0.write(first.map(Double.init), shape: shape, to: "features") }
    #expect(try features(.first) == last)
    try write {
      try $0.write(last, shape: [images] + shape[2...] + [channels], to: "features")
    }
    #expect(try features(nil) == last)
    #expect(try features(.last) == last)
  }

  @Test func channelsOfCodes() throws {
    try writeValid { _ in }
    #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path, channels: .first) }
  }

  @Test func aNumberBeyondSinglePrecisionIsNamedAsItStands() throws {
    try write { try $0.write([1, 2, 1e300, 4], shape: [1, 2, 2, 1], to: "features") }
    expectError(
      .beyondSinglePrecision(
        path, place: "channel 0 of token (1, 0) of image 0", value: 1e300))
  }

  @Test func zeroImages() throws {
    try write {
      try $0.write([UInt16](), shape: [0, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(.noImages(path))
  }

  @Test func codeOutsideTheCodebook() throws {
    var codes = [UInt16](repeating: 1, count: 3 * 4 * 5)
    codes[2 * 20 + 3 * 5 + 4] = 20_411
    try write {
      try $0.write(codes, shape: [3, 4, 5], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(
      .codeOutsideCodebook(
        path, image: 2, cell: GridCell(row: 3, column: 4), code: 20_411, codebookSize: 2))
    // Images before the bad one can be used.
    #expect(try TokenDataset(contentsOf: path, limit: 2).imageCount == 2)
    let file = try TokenDatasetFile(path: path)
    #expect(throws: TokenDataError.self) { try file.features(ofImages: 1..<3) }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(
      error?.description
        == "\(path): token (3, 4) of image 2 is 20411, but the codebook has 2 entries")
  }

  @Test func negativeCode() throws {
    try write {
      try $0.write([0, 1, 0, -1] as [Int64], shape: [1, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
    }
    expectError(
      .codeOutsideCodebook(
        path, image: 0, cell: GridCell(row: 1, column: 1), code: -1, codebookSize: 2))
  }

  @Test(arguments: [Float.infinity, -.infinity])
  func codebookNotFinite(value: Float) throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      try $0.write([0, 1, 2, 3, value, 5], shape: [2, 3], to: "codebook")
    }
    expectError(.codebookNotFinite(path, entry: 1, channel: 1, value: value))
  }

  @Test func codebookNotANumber() throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 4), shape: [1, 2, 2], to: "codes")
      try $0.write([0, 1, .nan, 3], shape: [2, 2], to: "codebook")
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(
      error?.description
        == "\(path): channel 0 of codebook entry 1 is nan; finite numbers are expected")
  }

  @Test func featureNotFinite() throws {
    var features = [Float](repeating: 1, count: 2 * 2 * 2 * 3)
    features[12 + 2 * 3 + 1] = .infinity
    try write { try $0.write(features, shape: [2, 2, 2, 3], to: "features") }
    expectError(
      .featureNotFinite(
        path, image: 1, cell: GridCell(row: 1, column: 0), channel: 1, value: .infinity))
  }

  /// A valid file of three images, to which one thing is added.
  func writeValid(adding body: (HDF5Group) throws -> Void) throws {
    try write {
      try $0.write([UInt16](repeating: 0, count: 12), shape: [3, 2, 2], to: "codes")
      try $0.write([Float](repeating: 0, count: 2), shape: [2, 1], to: "codebook")
      try body($0)
    }
  }

  @Test func labelCountMismatch() throws {
    try writeValid { try $0.write([0, 0] as [UInt32], shape: [2], to: "labels") }
    expectError(.labelCountMismatch(path, labels: 2, images: 3))
  }

  @Test(arguments: [2, -1])
  func labelOutsideTheNames(label: Int64) throws {
    try writeValid {
      try $0.write([0, label, 1], shape: [3], to: "labels")
      try $0.write(["a", "b"], to: "label_names")
    }
    expectError(.labelOutsideNames(path, image: 1, label: Int128(label), names: 2))
  }

  @Test func imageIDsAreKeptAndLimited() throws {
    let dataset = try TokenDataset(
      name: "crops", grid: TokenGrid(rows: 1, columns: 2),
      tokens: .features([1, 2, 3, 4, 5, 6], dimensions: 1), imageIDs: [7, 7, 9])
    try dataset.write(to: path)
    #expect(try TokenDataset(contentsOf: path).imageIDs == [7, 7, 9])
    #expect(try TokenDataset(contentsOf: path, limit: 2).imageIDs == [7, 7])
    #expect(
      try TokenDataset(contentsOf: path).reduced(toFeatureDimensions: 1).imageIDs == [7, 7, 9])
    let writer = try TokenDatasetWriter(
      path: path, grid: dataset.grid, contents: .features(dimensions: 1))
    try writer.append(features: [1, 2, 3, 4], imageIDs: [7])
    #expect(throws: TokenDataError.imageIDCountMismatch(path, imageIDs: 1, images: 2)) {
      try writer.finish()
    }
  }

  @Test(arguments: [([7, 7] as [Int64], [2]), ([7, 7, -1], [3]), ([7, 7, 1 << 32], [3])])
  func imageIDsThatDoNotFitAreRefused(ids: [Int64], shape: [Int]) throws {
    try writeValid { try $0.write(ids, shape: shape, to: "image_ids") }
    #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
  }

  @Test func negativeLabelWithoutNames() throws {
    try writeValid { try $0.write([0, 0, -3] as [Int64], shape: [3], to: "labels") }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(
      error?.description
        == "\(path): the label of image 2 is -3; whole numbers from 0 are expected")
  }

  @Test func labelsWithoutNames() throws {
    try writeValid { try $0.write([0, 700, 1] as [Int64], shape: [3], to: "labels") }
    let labels = try #require(try TokenDataset(contentsOf: path).labels)
    #expect(labels == TokenLabels(values: [0, 700, 1]))
    #expect(labels.classCount == 701)
    #expect(labels.name(ofImage: 1) == "700")
  }

  @Test func wrongFormat() throws {
    try writeValid { try $0.setAttribute("format", "keras-weights") }
    expectError(.wrongFormat(path, found: "keras-weights"))
    try writeValid { try $0.setAttribute("format_version", 2) }
    expectError(.wrongFormatVersion(path, found: "2"))
    try writeValid { try $0.setAttribute("format_version", "one") }
    expectError(.wrongFormatVersion(path, found: "not a number"))
  }

  // MARK: Output that cannot be written

  @Test func aWriterThatIsDroppedLeavesNothing() throws {
    try Data("earlier".utf8).write(to: URL(fileURLWithPath: path))
    do {
      let writer = try TokenDatasetWriter(
        path: path, grid: TokenGrid(rows: 1, columns: 2),
        contents: .codes(codebook: FloatMatrix(rows: 2, columns: 1)))
      try writer.append(codes: [0, 1])
      #expect(try folder.contents().count == 2)
    }
    #expect(try folder.contents() == ["codes.h5"])
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "earlier")
  }

  @Test func aWriterRefusesBadTokens() throws {
    let writer = try TokenDatasetWriter(
      path: path, grid: TokenGrid(rows: 1, columns: 2),
      contents: .codes(codebook: FloatMatrix(rows: 2, columns: 1)))
    try writer.append(codes: [0, 1])
    #expect(
      throws: TokenDataError.codeOutsideCodebook(
        path, image: 1, cell: GridCell(row: 0, column: 1), code: 2, codebookSize: 2)
    ) { try writer.append(codes: [1, 2]) }
  }

  @Test func aWriterNeedsImagesAndFittingLabels() throws {
    let empty = try TokenDatasetWriter(
      path: path, grid: TokenGrid(rows: 1, columns: 1), contents: .features(dimensions: 1))
    #expect(throws: TokenDataError.noImages(path)) { try empty.finish() }
    let unlabelled = try TokenDatasetWriter(
      path: path, grid: TokenGrid(rows: 1, columns: 1), contents: .features(dimensions: 1))
    try unlabelled.append(features: [1], labels: [0])
    try unlabelled.append(features: [2])
    #expect(throws: TokenDataError.labelCountMismatch(path, labels: 1, images: 2)) {
      try unlabelled.finish()
    }
  }

  @Test func unwritableOutput() throws {
    let dataset = try randomDataset()
    let inMissingFolder = folder.file("missing/codes.h5")
    #expect(
      throws: FileError.unwritable(inMissingFolder, reason: "No such file or directory")
    ) { try dataset.write(to: inMissingFolder) }
    #expect(throws: FileError.unwritable(folder.path, reason: "it is a directory")) {
      try dataset.write(to: folder.path)
    }
    #expect(try folder.contents() == [])
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
  func outputInAFolderWithoutPermission() throws {
    chmod(folder.path, 0o500)
    defer { chmod(folder.path, 0o700) }
    let dataset = try randomDataset()
    #expect(throws: FileError.unwritable(path, reason: "Permission denied")) {
      try dataset.write(to: path)
    }
  }
}

/// Counts from several threads.
private final class Agreements: Sendable {
  private let lock = NSLock()
  nonisolated(unsafe) private var value = 0

  func add() { lock.withLock { value += 1 } }
  var count: Int { lock.withLock { value } }
}
