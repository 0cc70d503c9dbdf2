import Files
import LinearAlgebra
import Statistics
import SystemResources
import TokenData
import TokenGrids

/// Turns a folder of images into a token dataset: samples patches, learns a ``PatchTokenizer`` and
/// encodes every image.
///
/// Images are read twice, a block at a time, so that any number of them can be encoded.
public struct FolderTokenization: Sendable {
  /// What is made of the images.
  public struct Options: Sendable {
    /// The grid of tokens.
    public var grid: TokenGrid
    /// The number of pixels along the side of a patch.
    public var patchSize: Int
    /// The number of codes to learn.
    public var codes = 16_384
    /// The number of channels of a token's feature.
    public var featureDimensions = 8
    /// How many patches to learn from, drawn evenly from the images.
    public var trainingPatches = 1_000_000
    /// How many iterations of k-means there are at most.
    public var maximumIterations = 50
    /// The seed of everything random.
    public var seed: UInt64 = 0
    /// Whether images smaller than the grid needs are enlarged instead of left out.
    public var enlarges = false

    /// Makes options with the defaults for everything but the size of the images.
    public init(grid: TokenGrid, patchSize: Int) {
      self.grid = grid
      self.patchSize = patchSize
    }
  }

  /// How far the work is.
  public enum Progress: Sendable {
    /// So many of the images have been read for learning.
    case sampling(done: Int, of: Int)
    /// An iteration of k-means, and the mean squared distance before it.
    case clustering(iteration: Int, distortion: Double)
    /// So many of the images have been encoded.
    case encoding(done: Int, of: Int)
  }

  /// What was made.
  public struct Summary: Sendable {
    /// How many images are in the dataset.
    public var imageCount = 0
    /// Why each of the other images is not.
    public var leftOut: [ImageError] = []
    /// How many tokens have each code.
    public var codeCounts: [Int]
    /// The mean squared difference between a pixel's colour and that of the decoded image, in
    /// squared grey levels.
    public var meanSquaredError = 0.0
    /// The iterations of k-means; 0 when a codebook was given.
    public var iterations = 0
  }

  /// The images.
  public let folder: ImageFolder
  /// What is made of them.
  public let options: Options

  /// How many images are decoded and encoded together.
  private static let blockSize = 64

  /// The most pixels along a side of the images that are cut into patches: as many as a JPEG file can have.
  static let largestSide = 65_535

  /// Checks the options.
  ///
  /// - Throws: ``PatchTokenizerError`` when a number is not positive or too large.
  public init(folder: ImageFolder, options: Options) throws {
    for (name, value) in [
      ("patch size", options.patchSize), ("number of codes", options.codes),
      ("number of training patches", options.trainingPatches),
      ("number of iterations", options.maximumIterations),
    ] where value < 1 {
      throw PatchTokenizerError.invalidNumber(name, value)
    }
    let (rows, columns) = (options.grid.rows, options.grid.columns)
    guard options.patchSize <= Self.largestSide / max(rows, columns) else {
      throw PatchTokenizerError.imageTooLarge(
        grid: options.grid, patchSize: options.patchSize, largestSide: Self.largestSide)
    }
    let numbers = options.patchSize * options.patchSize * 3
    guard (1...numbers).contains(options.featureDimensions) else {
      throw PatchTokenizerError.invalidFeatureDimensions(
        options.featureDimensions, patchSize: options.patchSize)
    }
    guard options.trainingPatches >= options.codes else {
      throw KMeansError.tooFewPoints(different: options.trainingPatches, wanted: options.codes)
    }
    self.folder = folder
    self.options = options
    let side = Double(options.patchSize)
    let patches = min(
      Double(options.trainingPatches), Double(folder.entries.count) * Double(rows * columns))
    try InsufficientMemory.check(
      4 * 3 * side * side * patches,
      for: "\(Int(patches)) patches of \(options.patchSize)x\(options.patchSize) pixels")
    let together = min(Self.blockSize, folder.entries.count)
    try InsufficientMemory.check(
      3 * side * side * Double(rows * columns) * Double(together),
      for: "\(together) images of \(imageSize.width)x\(imageSize.height) pixels")
  }

  /// The width and height to which images are cropped and resized.
  public var imageSize: (width: Int, height: Int) {
    (options.grid.columns * options.patchSize, options.grid.rows * options.patchSize)
  }

  /// Does the work and writes the dataset.
  ///
  /// - Parameters:
  ///   - path: the file to write.
  ///   - tokenizer: encodes the images, in place of one learned from them.
  ///   - progress: is told how far the work is.
  ///   - leftOut: is told why an image is not used, when that is found out.
  /// - Throws: `TokenDataError` when the output cannot be written, ``ImageError/noUsableImages``,
  ///   or what ``PatchTokenizer`` throws. Then nothing is left behind.
  /// - Complexity: O(images · n · K·d + iterations · patches · K·d).
  public func run(
    writingTo path: String, attributes: TokenAttributes, tokenizer given: PatchTokenizer? = nil,
    progress: (Progress) -> Void = { _ in }, leftOut: (ImageError) -> Void = { _ in }
  ) throws -> Summary {
    // Found out before the long work: whether the result can be written at all.
    _ = try OutputFile(path: path)
    var rejected: Set<String> = []
    var errors: [ImageError] = []
    func reject(_ entry: ImageFolder.Entry, _ error: ImageError) {
      rejected.insert(entry.path)
      errors.append(error)
      leftOut(error)
    }

    let tokenizer: PatchTokenizer
    if let given {
      guard given.patchSize == options.patchSize else {
        throw PatchTokenizerError.otherPatchSize(
          folder.path, found: given.patchSize, wanted: options.patchSize)
      }
      tokenizer = given
    } else {
      let patches = sampledPatches(progress: progress, reject: reject)
      if patches.count == 0, let first = errors.first {
        throw ImageError.noUsableImages(
          folder.path, count: folder.entries.count, first: first.description)
      }
      tokenizer = try PatchTokenizer(
        training: patches, patchSize: options.patchSize, codes: options.codes,
        featureDimensions: options.featureDimensions, seed: options.seed,
        maximumIterations: options.maximumIterations
      ) { progress(.clustering(iteration: $0, distortion: $1)) }
    }

    let writer = try TokenDatasetWriter(
      path: path, grid: options.grid, contents: .codes(codebook: tokenizer.codebook),
      labelNames: folder.classNames, attributes: attributes,
      decoder: tokenizer.decoderParameters)
    var summary = Summary(codeCounts: Array(repeating: 0, count: tokenizer.codebook.rows))
    var squaredError = 0.0
    for block in blocks(of: folder.entries) {
      var images: [RGBImage] = []
      var labels: [UInt32] = []
      for (entry, result) in read(block.entries.filter { !rejected.contains($0.path) }) {
        switch result {
        case .success(let image):
          images.append(image)
          if let label = entry.label { labels.append(label) }
        case .failure(let error): reject(entry, error)
        }
      }
      let codes = tokenizer.encode(images)
      try writer.append(codes: codes, labels: labels)
      for code in codes { summary.codeCounts[Int(code)] += 1 }
      squaredError += self.squaredError(images, codes, tokenizer)
      progress(.encoding(done: block.end, of: folder.entries.count))
    }
    if writer.imageCount == 0, let first = errors.first {
      throw ImageError.noUsableImages(
        folder.path, count: folder.entries.count, first: first.description)
    }
    try writer.finish()
    summary.imageCount = writer.imageCount
    summary.leftOut = errors
    summary.iterations = max(0, tokenizer.trainingDistortions.count - 1)
    summary.meanSquaredError =
      squaredError / Double(writer.imageCount * imageSize.width * imageSize.height * 3)
    return summary
  }

  /// Draws patches from the images, the same number from each.
  private func sampledPatches(
    progress: (Progress) -> Void, reject: (ImageFolder.Entry, ImageError) -> Void
  ) -> PatchRows {
    let cellCount = options.grid.cellCount
    // Where there are more images than patches, a part of the images, spread over the list, is read.
    let step = max(1, folder.entries.count / options.trainingPatches)
    let entries = stride(from: 0, to: folder.entries.count, by: step).map { folder.entries[$0] }
    let wanted = min(options.trainingPatches, entries.count * cellCount)
    let perImage = (wanted + entries.count - 1) / entries.count
    var patches = PatchRows(columns: options.patchSize * options.patchSize * 3)
    for block in blocks(of: entries) {
      for (i, (entry, result)) in read(block.entries).enumerated() {
        switch result {
        case .success(let image):
          var generator = SeededGenerator(
            seed: options.seed, stream: UInt64(block.start + i) + 1)
          var cells = Array(0..<cellCount)
          generator.shuffle(&cells)
          patches.append(
            PatchProjection.patches(
              of: image, patchSize: options.patchSize, cells: cells.prefix(perImage).sorted()))
        case .failure(let error): reject(entry, error)
        }
      }
      progress(.sampling(done: block.end, of: entries.count))
    }
    return patches
  }

  /// A run of entries that is worked on together, and where it is in the list.
  private struct Block {
    let start: Int
    let entries: ArraySlice<ImageFolder.Entry>
    var end: Int { start + entries.count }
  }

  private func blocks(of entries: [ImageFolder.Entry]) -> [Block] {
    stride(from: 0, to: entries.count, by: Self.blockSize).map {
      Block(start: $0, entries: entries[$0..<min($0 + Self.blockSize, entries.count)])
    }
  }

  /// Reads images on all cores, cropped and resized.
  private func read(
    _ entries: some Collection<ImageFolder.Entry>
  ) -> [(ImageFolder.Entry, Result<RGBImage, ImageError>)] {
    let entries = Array(entries)
    return Array(zip(entries, parallelMap(entries, readImage)))
  }

  @Sendable private func readImage(_ entry: ImageFolder.Entry) -> Result<RGBImage, ImageError> {
    let (width, height) = imageSize
    do {
      let image = try RGBImage(contentsOf: entry.path)
      guard options.enlarges || (image.width >= width && image.height >= height) else {
        return .failure(
          .tooSmall(
            entry.path, width: image.width, height: image.height, neededWidth: width,
            neededHeight: height))
      }
      return .success(image.croppedAndResized(toWidth: width, height: height))
    } catch let error as ImageError {
      return .failure(error)
    } catch {
      return .failure(.unreadable(entry.path, reason: "\(error)"))
    }
  }

  /// The sum over images, pixels and colours of the squared difference to the decoded image.
  private func squaredError(
    _ images: [RGBImage], _ codes: [UInt32], _ tokenizer: PatchTokenizer
  ) -> Double {
    let n = options.grid.cellCount
    let sums = BLAS.onCallingThread {
      parallelMap(Array(images.indices)) { i -> Double in
        let decoded = tokenizer.decode(
          Array(codes[(i * n)..<((i + 1) * n)]), rows: options.grid.rows,
          columns: options.grid.columns)
        var sum = 0
        for (a, b) in zip(images[i].pixels, decoded.pixels) {
          let difference = Int(a) - Int(b)
          sum += difference * difference
        }
        return Double(sum)
      }
    }
    return sums.reduce(0, +)
  }
}
