import FileFormats
import Files
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import TokenData

/// A folder as LlamaGen's feature extraction leaves it.
struct SyntheticCodeFolder {
  let folder: TemporaryFolder
  let codes: String
  let labels: String
  let images: Int
  let crops: Int
  let tokens: Int
  let codebook: FloatMatrix

  init(images: Int = 12, crops: Int = 10, tokens: Int = 9, codebookSize: Int = 50) throws {
    folder = try TemporaryFolder()
    codes = folder.file("imagenet384_codes")
    labels = folder.file("imagenet384_labels")
    (self.images, self.crops, self.tokens) = (images, crops, tokens)
    codebook = FloatMatrix(
      rows: codebookSize, columns: 2, elements: (0..<2 * codebookSize).map { Float($0) })
    for path in [codes, labels] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for image in 0..<images {
      try write(image, Array((0..<crops).map { code(image, $0) }.joined()))
      try NpyWriter.write([label(image)], shape: [1], to: "\(labels)/\(image).npy")
    }
  }

  func write(_ image: Int, _ values: [Int64]) throws {
    try NpyWriter.write(
      values, shape: [1, values.count / tokens, tokens], to: "\(codes)/\(image).npy")
  }

  func label(_ image: Int) -> Int64 { Int64(image * 7 % 5) }

  func code(_ image: Int, _ crop: Int) -> [Int64] {
    (0..<tokens).map { Int64((image * 31 + crop * 17 + $0 * 3) % codebook.rows) }
  }
}

/// Collects what an import says.
final class Reporter {
  var lines: [String] = []
}

struct TokenImportTests {
  private func dataset(
    _ source: SyntheticCodeFolder, labels: String? = nil, reporting: Reporter = Reporter(),
    _ change: (inout TokenImport.Options) -> Void = { _ in }
  ) throws -> (TokenDataset, TokenImport.Summary) {
    var options = TokenImport.Options()
    change(&options)
    let output = source.folder.file("out.h5")
    let summary = try TokenImport(
      path: source.codes, labels: labels, codebook: source.codebook, options: options
    ).run(writingTo: output, leftOut: { reporting.lines.append($0) })
    return (try TokenDataset(contentsOf: output), summary)
  }

  @Test(arguments: [10, 2, 1])
  func everyCropIsImportedExactly(crops: Int) throws {
    let source = try SyntheticCodeFolder(crops: crops)
    let (imported, summary) = try dataset(source) { $0.crops = .all }
    #expect(imported.grid == TokenGrid(rows: 3, columns: 3))
    var row = 0
    for image in 0..<12 {
      for crop in 0..<crops {
        #expect(
          imported.codes(ofImages: row..<row + 1).map(Array.init)
            == source.code(image, crop).map { UInt32($0) })
        #expect(imported.labels?.values[row] == UInt32(source.label(image)))
        #expect(imported.imageIDs?[row] == UInt32(image))
        row += 1
      }
    }
    #expect(imported.imageCount == row && imported.codebook == source.codebook)
    #expect(summary.photographs == 12 && summary.rows == row)
    #expect(summary.cropsPerPhotograph == crops && summary.available == 12)
    #expect(summary.leftOut == 0 && summary.missing == 0 && summary.hasLabels)
  }

  @Test func oneCropOfEach() throws {
    let source = try SyntheticCodeFolder(images: 40)
    let first = try dataset(source).0
    #expect(first.codes == (0..<40).flatMap { source.code($0, 0).map { UInt32($0) } })
    let random = try dataset(source) { $0.crops = .random }.0
    var used: Set<Int> = []
    for image in 0..<40 {
      let codes = random.codes(ofImages: image..<image + 1).map { $0.map { Int64($0) } }
      let crop = try #require((0..<10).first { source.code(image, $0) == codes })
      used.insert(crop)
    }
    #expect(used.count > 5)
    #expect(try dataset(source) { $0.crops = .random }.0.codes == random.codes)
    let other = try dataset(source) {
      $0.crops = .random
      $0.seed = 1
    }.0
    #expect(other.codes != random.codes)
  }

  @Test func aSampleReadsOnlyItsFiles() throws {
    let source = try SyntheticCodeFolder(images: 40)
    let (sample, summary) = try dataset(source) { $0.sample = 8 }
    let ids = try #require(sample.imageIDs).map { Int($0) }
    #expect(ids.count == 8 && Set(ids).count == 8 && ids != ids.sorted())
    #expect(summary.available == 40 && summary.photographs == 8)
    for (row, image) in ids.enumerated() {
      #expect(
        sample.codes(ofImages: row..<row + 1).map(Array.init)
          == source.code(image, 0).map { UInt32($0) })
    }
    // Every other file may be broken (but for the first, which tells the layout).
    for image in 1..<40 where !ids.contains(image) {
      try Data().write(to: URL(fileURLWithPath: "\(source.codes)/\(image).npy"))
    }
    #expect(try dataset(source) { $0.sample = 8 }.0.imageIDs == sample.imageIDs)
    #expect(try dataset(source, { $0.sample = 8 }).1.leftOut == 0)
  }

  @Test func missingAndShortFilesAreNamedAndReplaced() throws {
    let source = try SyntheticCodeFolder(images: 20)
    try FileManager.default.removeItem(atPath: "\(source.codes)/3.npy")
    try FileManager.default.removeItem(atPath: "\(source.labels)/7.npy")
    let short = "\(source.codes)/5.npy"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: short))
    try bytes.dropLast(8).write(to: URL(fileURLWithPath: short))
    try source.write(9, Array((0..<7).map { source.code(9, $0) }.joined()))
    let reporter = Reporter()
    let (imported, summary) = try dataset(source, reporting: reporter)
    let named = reporter.lines
    #expect(summary.missing == 1 && summary.leftOut == 3 && summary.photographs == 16)
    #expect(imported.imageIDs == [0, 1, 2, 4, 6, 8] + (10..<20))
    #expect(named.count == 3)
    #expect(named[0].hasPrefix(short) && named[0].contains("cut short"))
    #expect(named[1].hasPrefix("\(source.labels)/7.npy") && named[1].contains("cannot be read"))
    #expect(named[2] == "\(source.codes)/9.npy: has 7 crops; the others have 10")
    // A sample takes the next photographs in their place.
    let (sample, sampled) = try self.dataset(source) { $0.sample = 16 }
    #expect(sampled.photographs == 16 && sample.imageCount == 16)
  }

  @Test func aCodeOutsideTheCodebookStopsTheImport() throws {
    let source = try SyntheticCodeFolder()
    var codes = Array((0..<10).map { source.code(2, $0) }.joined())
    codes[9 * 3 + 4] = 50
    try source.write(2, codes)
    #expect(
      throws: TokenImportError.codeOutsideCodebook(
        file: "\(source.codes)/2.npy", image: 2, crop: 3, cell: GridCell(row: 1, column: 1),
        code: 50, codebookSize: 50)
    ) { try dataset(source) { $0.crops = .all } }
    #expect(!FileManager.default.fileExists(atPath: source.folder.file("out.h5")))
  }

  @Test func wrongSourcesAreRefused() throws {
    let source = try SyntheticCodeFolder()
    func open(_ path: String, labels: String? = nil, codebook: Bool = true, grid: TokenGrid? = nil)
      throws
    {
      var options = TokenImport.Options()
      options.grid = grid
      _ = try TokenImport(
        path: path, labels: labels, codebook: codebook ? source.codebook : nil, options: options)
    }
    #expect(throws: FileError.missing("none")) { try open("none") }
    #expect(throws: TokenImportError.noCodeFiles(folder: source.folder.path, others: 2)) {
      try open(source.folder.path)
    }
    let first = "\(source.codes)/0.npy"
    #expect(throws: TokenImportError.codebookNeeded(file: source.codes, type: "<i8")) {
      try open(source.codes, codebook: false)
    }
    let wide = TokenGrid(rows: 2, columns: 4)
    #expect(throws: TokenImportError.gridMismatch(file: first, shape: [1, 10, 9], grid: wide)) {
      try open(source.codes, grid: wide)
    }
    let array = source.folder.file("a.npy")
    try NpyWriter.write([Int64](repeating: 0, count: 16), shape: [2, 8], to: array)
    #expect(throws: TokenImportError.gridNeeded(file: array, shape: [2, 8])) { try open(array) }
    #expect(throws: TokenImportError.labelFileExpected(source.labels)) {
      try open(array, labels: source.labels, grid: wide)
    }
    try NpyWriter.write([Float](repeating: 0, count: 32), shape: [2, 4, 4], to: array)
    #expect(throws: TokenImportError.floatingPointCodes(file: array, type: "<f4")) {
      try open(array)
    }
    try NpyWriter.write([Float](repeating: 0.5, count: 32), shape: [2, 4, 4], to: array)
    #expect(throws: TokenImportError.codebookNotUsed(file: array, type: "<f4")) { try open(array) }
    try NpyWriter.write([Int64](), shape: [0, 4, 4], to: array)
    #expect(throws: TokenImportError.noImages(file: array, shape: [0, 4, 4])) { try open(array) }
    try NpyWriter.write([Float](repeating: 0.5, count: 96), shape: [2, 3, 4, 4], to: array)
    #expect(throws: TokenImportError.channelsFirst(file: array, shape: [2, 3, 4, 4])) {
      try open(array)
    }
    for channels in ChannelPlacement.allCases {
      try NpyWriter.write([Int64](repeating: 0, count: 16), shape: [1, 4, 4], to: array)
      var options = TokenImport.Options()
      options.channels = channels
      #expect(throws: TokenImportError.channelsOfCodes(file: array, type: "<i8")) {
        try TokenImport(path: array, labels: nil, codebook: source.codebook, options: options)
      }
    }
  }

  /// Channels before rows and columns, as `numpy.moveaxis(x, -1, 1)` leaves them.
  @Test func channelsFirst() throws {
    let folder = try TemporaryFolder()
    let array = folder.file("a.npy")
    // Image i, row r, column c, channel k has the number ikrc + 0.5.
    var digits: [Float] = []
    for (i, k) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
      for r in 0..<4 {
        for c in 0..<4 { digits.append(Float(i * 1000 + k * 100 + r * 10 + c) + 0.5) }
      }
    }
    try NpyWriter.write(digits, shape: [2, 3, 4, 4], to: array)
    var options = TokenImport.Options()
    options.channels = .first
    let output = folder.file("out.h5")
    let summary = try TokenImport(path: array, labels: nil, codebook: nil, options: options)
      .run(writingTo: output)
    #expect(summary.grid == TokenGrid(rows: 4, columns: 4) && summary.featureDimensions == 3)
    let read = try TokenDataset(contentsOf: output).features(ofImages: 1..<2)
    var expected: [Float] = []
    for r in 0..<4 {
      for c in 0..<4 {
        for k in 0..<3 { expected.append(Float(1000 + k * 100 + r * 10 + c) + 0.5) }
      }
    }
    #expect(read == expected)
  }

  /// `02.npy` is number 2, and two files of one number are refused.
  @Test func numbersMayBePadded() throws {
    let folder = try TemporaryFolder()
    for (name, code) in [("0.npy", 0), ("1.npy", 1), ("02.npy", 2), ("notes.txt", 0)] {
      try NpyWriter.write(
        [Int64](repeating: Int64(code), count: 4), shape: [1, 1, 4], to: folder.file(name))
    }
    let codebook = FloatMatrix(rows: 3, columns: 1, elements: [1, 2, 3])
    func run() throws -> TokenImport.Summary {
      try TokenImport(
        path: folder.path, labels: nil, codebook: codebook, options: TokenImport.Options()
      ).run(writingTo: folder.file("out.h5"))
    }
    let summary = try run()
    #expect(summary.photographs == 3 && summary.missing == 0)
    #expect(summary.otherFiles == ["notes.txt"])
    #expect(
      try TokenDataset(contentsOf: folder.file("out.h5")).codes
        == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    try NpyWriter.write(
      [Int64](repeating: 0, count: 4), shape: [1, 1, 4], to: folder.file("2.npy"))
    #expect(
      throws: TokenImportError.repeatedNumber(
        folder: folder.path, first: "02.npy", second: "2.npy")
    ) { try run() }
  }

  /// Imports one array; codes have a codebook of 200 entries.
  private func stack(
    _ values: [Int64], shape: [Int], grid: TokenGrid? = nil, crops: TokenImport.Crops = .all,
    labels: [Int64]? = nil
  ) throws -> TokenDataset {
    let folder = try TemporaryFolder()
    try NpyWriter.write(values, shape: shape, to: folder.file("a.npy"))
    if let labels {
      try NpyWriter.write(labels, shape: [labels.count, 1], to: folder.file("l.npy"))
    }
    var options = TokenImport.Options()
    (options.grid, options.crops) = (grid, crops)
    _ = try TokenImport(
      path: folder.file("a.npy"), labels: labels.map { _ in folder.file("l.npy") },
      codebook: FloatMatrix(rows: 200, columns: 1), options: options
    ).run(writingTo: folder.file("out.h5"))
    return try TokenDataset(contentsOf: folder.file("out.h5"))
  }

  @Test(arguments: [
    ([2, 4], nil, TokenGrid(rows: 2, columns: 2)),
    ([2, 8], TokenGrid(rows: 2, columns: 4), TokenGrid(rows: 2, columns: 4)),
    ([2, 2, 4], nil, TokenGrid(rows: 2, columns: 4)),
    ([2, 3, 2, 4], nil, TokenGrid(frames: 3, rows: 2, columns: 4)),
    (
      [2, 24], TokenGrid(frames: 3, rows: 2, columns: 4), TokenGrid(frames: 3, rows: 2, columns: 4)
    ),
  ])
  func stacksOfEveryShape(shape: [Int], grid: TokenGrid?, expected: TokenGrid) throws {
    let values = (0..<Int64(shape.reduce(1, *))).map { $0 }
    let dataset = try stack(values, shape: shape, grid: grid, labels: [4, 9])
    #expect(dataset.grid == expected && dataset.imageCount == 2)
    #expect(dataset.codes == values.map { UInt32($0) })
    #expect(dataset.labels?.values == [4, 9] && dataset.imageIDs == [0, 1])
  }

  @Test func aStackOfCropsNeedsTheGrid() throws {
    let values = (0..<Int64(48)).map { $0 }
    let grid = TokenGrid(rows: 2, columns: 4)
    let all = try stack(values, shape: [2, 3, 8], grid: grid)
    #expect(all.imageCount == 6 && all.imageIDs == [0, 0, 0, 1, 1, 1])
    #expect(all.codes == values.map { UInt32($0) })
    let first = try stack(values, shape: [2, 3, 2, 4], grid: grid, crops: .first)
    #expect(first.codes == (Array(0..<8) + Array(24..<32)).map { UInt32($0) })
  }

  @Test func featuresAreContinuous() throws {
    let folder = try TemporaryFolder()
    var values = (0..<48).map { Float($0) / 4 }
    let path = folder.file("a.npy")
    try NpyWriter.write(values, shape: [2, 3, 4, 2], to: path)
    let output = folder.file("out.h5")
    var source = try TokenImport(
      path: path, labels: nil, codebook: nil, options: TokenImport.Options())
    let summary = try source.run(writingTo: output)
    #expect(summary.featureDimensions == 2 && summary.codebookSize == nil)
    let dataset = try TokenDataset(contentsOf: output)
    #expect(dataset.tokens == .features(values, dimensions: 2))
    #expect(dataset.grid == TokenGrid(rows: 3, columns: 4) && dataset.labels == nil)

    values[24 + 2 * 5 + 1] = .nan
    try NpyWriter.write(values, shape: [2, 3, 4, 2], to: path)
    source = try TokenImport(path: path, labels: nil, codebook: nil, options: TokenImport.Options())
    let error = #expect(throws: TokenImportError.self) { try source.run(writingTo: output) }
    #expect(
      error?.description
        == "\(path): channel 1 of token (1, 1) of crop 0 of image 1 is nan; finite numbers are expected"
    )
  }

  @Test func codebooksAreRead() throws {
    let folder = try TemporaryFolder()
    try NpyWriter.write([3, 4, 0, 0, 1, 0] as [Float], shape: [3, 2], to: folder.file("c.npy"))
    #expect(try CodebookFile.read(folder.file("c.npy")).elements == [3, 4, 0, 0, 1, 0])
    try SafetensorsWriter.write(
      [
        SafetensorsTensor(
          name: CodebookFile.tensorName, shape: [3, 2], elements: [3, 4, 0, 0, 1, 0])
      ], to: folder.file("c.safetensors"))
    #expect(
      try CodebookFile.read(folder.file("c.safetensors")).elements == [0.6, 0.8, 0, 0, 1, 0])
    let text = folder.file("c.txt")
    try Data("1 2".utf8).write(to: URL(fileURLWithPath: text))
    #expect(throws: TokenImportError.codebookFormat(file: text)) { try CodebookFile.read(text) }
    try NpyWriter.write([3, 4] as [Float], shape: [2], to: folder.file("c.npy"))
    #expect(throws: NpyError.self) { try CodebookFile.read(folder.file("c.npy")) }
  }
}
