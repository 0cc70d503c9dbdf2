import LinearAlgebra
import TokenData
import TokenGrids

extension VQEncoder {
  /// The codes of an image, in raster order.
  ///
  /// - Throws: ``VQError`` when a side is no multiple of ``downsampling``, or the output is not
  ///   finite.
  public func encode(_ image: RGBImage) throws -> [UInt32] {
    try codes(
      image: image.pixels.map { Float($0) / 127.5 - 1 }, height: image.height, width: image.width)
  }
}

extension VQDecoder {
  /// The image of a grid of codes in raster order.
  ///
  /// - Throws: ``VQError`` when a code is outside the codebook, or the output is not finite.
  public func decode(_ codes: [UInt32], rows: Int, columns: Int) throws -> RGBImage {
    RGBImage(
      width: columns * upsampling, height: rows * upsampling,
      pixels: try bytes(codes: codes, rows: rows, columns: columns))
  }
}

extension VQDecoder {
  /// Image `index` of a file or dataset of codes; of a video, its frames from left to right.
  ///
  /// - Throws: ``VQError`` when the file has no codes of this tokenizer's codebook, or what the
  ///   file throws.
  public func decode(image index: Int, of tokens: some DescribedTokens) throws -> RGBImage {
    guard let stored = tokens.codebook, stored.rows == codebook.rows else {
      throw VQError.otherCodebook(
        file: tokens.place, found: tokens.codebook?.rows, expected: codebook.rows)
    }
    if let entry = firstOtherEntry(of: stored) {
      throw VQError.otherEntries(file: tokens.place, entry: entry)
    }
    let grid = tokens.grid
    let codes = try tokens.checkedCodes(ofImages: index..<index + 1)
    let frame = grid.rows * grid.columns
    let (width, height) = (grid.columns * upsampling, grid.rows * upsampling)
    var picture = RGBImage(width: width * grid.frames, height: height)
    for number in 0..<grid.frames {
      picture.draw(
        try decode(
          Array(codes[number * frame..<(number + 1) * frame]), rows: grid.rows,
          columns: grid.columns), left: number * width, top: 0)
    }
    return picture
  }

  /// The first entry of a codebook that differs from this tokenizer's, in its direction or its number of channels.
  ///
  /// Files may hold the entries before they are normalised, and rounded to half precision: of rows of length 1 that
  /// changes a number by less than 2⁻⁸.
  private func firstOtherEntry(of stored: FloatMatrix) -> Int? {
    guard stored.columns == codebook.columns else { return 0 }
    let entries = stored.normalizingRows().elements
    return zip(entries, codebook.elements).enumerated()
      .first { abs($0.element.0 - $0.element.1) > 0.01 }.map { $0.offset / codebook.columns }
  }
}

/// Turns a folder of images into a token dataset with a VQ-16 tokenizer.
public struct VQTokenization: Sendable {
  /// The name of the tokenizer in a dataset's attributes.
  public static let tokenizerName = "VQ-16"

  /// What was made.
  public struct Summary: Sendable {
    /// How many images are in the dataset.
    public var imageCount = 0
    /// Why each of the other images is not.
    public var leftOut: [ImageError] = []
    /// How many tokens have each code.
    public var codeCounts: [Int]
  }

  /// The images.
  public let folder: ImageFolder
  /// The width and height, in pixels, to which images are cropped and resized.
  public let side: Int
  /// The grid of tokens.
  public var grid: TokenGrid {
    TokenGrid(rows: side / encoder.downsampling, columns: side / encoder.downsampling)
  }

  private let encoder: VQEncoder
  private let enlarges: Bool

  /// Checks that the tokenizer can take images of this size.
  ///
  /// - Parameters:
  ///   - side: the width and height of the images, in pixels.
  ///   - enlarges: whether smaller images are enlarged instead of left out.
  /// - Throws: ``VQError/imageSize(height:width:factor:)``.
  public init(folder: ImageFolder, encoder: VQEncoder, side: Int, enlarges: Bool = false) throws {
    guard side > 0, side.isMultiple(of: encoder.downsampling) else {
      throw VQError.imageSize(height: side, width: side, factor: encoder.downsampling)
    }
    (self.folder, self.encoder, self.side, self.enlarges) = (folder, encoder, side, enlarges)
  }

  /// Does the work and writes the dataset.
  ///
  /// - Parameters:
  ///   - path: the file to write.
  ///   - progress: is told how many images have been looked at.
  ///   - leftOut: is told why an image is not used.
  /// - Throws: `TokenDataError` when the output cannot be written, ``ImageError/noUsableImages`` or
  ///   ``VQError``. Then nothing is left behind.
  public func run(
    writingTo path: String, attributes: TokenAttributes, progress: (Int) -> Void = { _ in },
    leftOut: (ImageError) -> Void = { _ in }
  ) throws -> Summary {
    let writer = try TokenDatasetWriter(
      path: path, grid: grid, contents: .codes(codebook: encoder.codebook),
      labelNames: folder.classNames, attributes: attributes)
    var summary = Summary(codeCounts: Array(repeating: 0, count: encoder.codebook.rows))
    for (index, entry) in folder.entries.enumerated() {
      do {
        let image = try RGBImage(contentsOf: entry.path)
        guard enlarges || (image.width >= side && image.height >= side) else {
          throw ImageError.tooSmall(
            entry.path, width: image.width, height: image.height, neededWidth: side,
            neededHeight: side)
        }
        // One image at a time: the network itself works on all cores.
        let codes = try encoder.encode(image.croppedAndResized(toWidth: side, height: side))
        try writer.append(codes: codes, labels: entry.label.map { [$0] } ?? [])
        for code in codes { summary.codeCounts[Int(code)] += 1 }
      } catch let error as ImageError {
        summary.leftOut.append(error)
        leftOut(error)
      }
      progress(index + 1)
    }
    if writer.imageCount == 0, let first = summary.leftOut.first {
      throw ImageError.noUsableImages(
        folder.path, count: folder.entries.count, first: first.description)
    }
    try writer.finish()
    summary.imageCount = writer.imageCount
    return summary
  }
}
