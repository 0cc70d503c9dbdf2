import Files
import Foundation
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import VisualTokenizers

@Suite struct FolderTokenizationTests {
  let images: TemporaryFolder
  let output: TemporaryFolder
  var path: String { output.file("codes.h5") }

  init() throws {
    images = try TemporaryFolder()
    output = try TemporaryFolder()
  }

  /// Two classes of images larger than the tests' 4 × 4 tokens of 4 × 4 pixels.
  func makeClasses() throws {
    for (name, count) in [("hill", 5), ("shore", 7)] {
      try images.makeFolder(name)
      for i in 0..<count {
        let image = syntheticImage(width: 20 + i, height: 18, seed: UInt64(100 * count + i))
        try images.write(
          i.isMultiple(of: 2) ? jpegData(image) : pngData(image),
          "\(name)/\(i).\(i.isMultiple(of: 2) ? "jpg" : "png")")
      }
    }
  }

  func options() -> FolderTokenization.Options {
    var options = FolderTokenization.Options(grid: TokenGrid(rows: 4, columns: 4), patchSize: 4)
    options.codes = 30
    options.featureDimensions = 5
    options.trainingPatches = 150
    options.seed = 4
    return options
  }

  @discardableResult
  func run(
    _ options: FolderTokenization.Options? = nil, tokenizer: PatchTokenizer? = nil,
    leftOut: (ImageError) -> Void = { _ in }
  ) throws -> FolderTokenization.Summary {
    try FolderTokenization(
      folder: ImageFolder(path: images.path), options: options ?? self.options()
    ).run(
      writingTo: path, attributes: TokenAttributes(tokenizer: "test"), tokenizer: tokenizer,
      leftOut: leftOut)
  }

  @Test func makesADatasetThatDecodesToTheImages() throws {
    try makeClasses()
    let summary = try run()
    #expect(summary.imageCount == 12 && summary.leftOut == [])
    #expect(summary.codeCounts.count == 30 && summary.codeCounts.reduce(0, +) == 12 * 16)
    #expect(summary.iterations > 0)

    let dataset = try TokenDataset(contentsOf: path)
    #expect(dataset.grid == TokenGrid(rows: 4, columns: 4))
    #expect(dataset.imageCount == 12 && dataset.featureDimensions == 5)
    #expect(dataset.attributes.tokenizer == "test")
    #expect(dataset.labels?.names == ["hill", "shore"])
    let list = try ImageFolder(path: images.path)
    #expect(dataset.labels?.values == list.entries.compactMap(\.label))

    // The error in the summary is that of the decoded images.
    let decoder = try TokenImages(of: dataset)
    var squares = 0.0
    var squaresWithoutTokens = 0.0
    for (i, entry) in list.entries.enumerated() {
      let image = try RGBImage(contentsOf: entry.path).croppedAndResized(toWidth: 16, height: 16)
      for (a, b) in zip(image.pixels, try decoder.image(i).pixels) {
        squares += (Double(a) - Double(b)) * (Double(a) - Double(b))
        squaresWithoutTokens += (Double(a) - 127) * (Double(a) - 127)
      }
    }
    #expect(abs(squares / (12 * 16 * 16 * 3) - summary.meanSquaredError) < 1e-9)
    #expect(squares < 0.1 * squaresWithoutTokens)
  }

  @Test func theSameSeedGivesTheSameFile() throws {
    try makeClasses()
    try run()
    let first = try ContentHash(ofFileAt: path)
    let tokens = try TokenDataset(contentsOf: path).tokens
    try run()
    #expect(try ContentHash(ofFileAt: path) == first)
    var other = options()
    other.seed = 5
    try run(other)
    #expect(try TokenDataset(contentsOf: path).tokens != tokens)
  }

  @Test func anotherFolderWithTheSameCodebook() throws {
    try makeClasses()
    try run()
    let first = try TokenDataset(contentsOf: path)
    let tokenizer = try PatchTokenizer(of: TokenDatasetFile(path: path))
    let summary = try run(tokenizer: tokenizer)
    #expect(summary.iterations == 0)
    #expect(try TokenDataset(contentsOf: path).tokens == first.tokens)
    var other = options()
    other.patchSize = 3
    #expect(throws: PatchTokenizerError.self) { try run(other, tokenizer: tokenizer) }
  }

  @Test func brokenImagesAreNamedLeftOutAndCounted() throws {
    try makeClasses()
    let whole = try jpegData(syntheticImage(width: 40, height: 40, seed: 1))
    try images.write(whole.prefix(whole.count / 2), "hill/1-broken.jpg")
    try images.write(Data(), "shore/empty.png")
    var named: [String] = []
    let summary = try run { named.append($0.description) }
    #expect(summary.imageCount == 12 && summary.leftOut.count == 2)
    #expect(named.count == 2)
    #expect(named.contains { $0.contains("hill/1-broken.jpg: is broken: ") })
    #expect(
      named.contains { $0.hasSuffix("shore/empty.png: is neither a JPEG nor a PNG file") })
    #expect(try TokenDataset(contentsOf: path).labels?.values.count == 12)
  }

  @Test func smallImagesAreLeftOutUnlessEnlarged() throws {
    try makeClasses()
    try images.write(jpegData(syntheticImage(width: 15, height: 40, seed: 1)), "hill/small.jpg")
    let summary = try run()
    #expect(
      summary.leftOut == [
        .tooSmall(
          images.file("hill/small.jpg"), width: 15, height: 40, neededWidth: 16, neededHeight: 16)
      ])
    var enlarging = options()
    enlarging.enlarges = true
    #expect(try run(enlarging).imageCount == 13)
  }

  @Test func noUsableImages() throws {
    try images.write(Data("text".utf8), "a.jpg")
    try images.write(Data("text".utf8), "b.jpg")
    let error = #expect(throws: ImageError.self) { try run() }
    #expect(
      error?.description == "\(images.path): none of the 2 images can be used; the first: "
        + "\(images.file("a.jpg")): is neither a JPEG nor a PNG file")
    #expect(try output.contents() == [])
  }

  @Test func unwritableOutputIsFoundOutBeforeTheWork() throws {
    try makeClasses()
    var stages = 0
    let tokenization = try FolderTokenization(
      folder: ImageFolder(path: images.path), options: options())
    #expect(throws: FileError.self) {
      try tokenization.run(
        writingTo: output.file("missing/codes.h5"), attributes: TokenAttributes(),
        progress: { _ in stages += 1 })
    }
    #expect(stages == 0)
  }

  @Test func aFailureLeavesNothingBehind() throws {
    for i in 0..<3 {
      try images.write(pngData(RGBImage(width: 16, height: 16, red: 5)), "\(i).png")
    }
    #expect(throws: PatchTokenizerError.self) { try run() }
    #expect(try output.contents() == [])
  }

  @Test func refusesNumbersThatMakeNoSense() throws {
    try makeClasses()
    let folder = try ImageFolder(path: images.path)
    func expectRefusal(_ change: (inout FolderTokenization.Options) -> Void) {
      var options = options()
      change(&options)
      #expect(throws: (any Error).self) { try FolderTokenization(folder: folder, options: options) }
    }
    expectRefusal { $0.patchSize = 0 }
    expectRefusal { $0.codes = 0 }
    expectRefusal { $0.codes = 151 }
    expectRefusal { $0.featureDimensions = 0 }
    expectRefusal { $0.featureDimensions = 49 }
    expectRefusal { $0.trainingPatches = 0 }
    expectRefusal { $0.maximumIterations = 0 }
  }

  @Test func tellsItsProgress() throws {
    try makeClasses()
    var sampled = 0
    var encoded = 0
    var iterations = 0
    _ = try FolderTokenization(folder: ImageFolder(path: images.path), options: options()).run(
      writingTo: path, attributes: TokenAttributes(),
      progress: {
        switch $0 {
        case .sampling(let done, _): sampled = done
        case .clustering(let iteration, _): iterations = iteration
        case .encoding(let done, _): encoded = done
        }
      })
    #expect(sampled == 12 && encoded == 12 && iterations > 0)
  }
}
