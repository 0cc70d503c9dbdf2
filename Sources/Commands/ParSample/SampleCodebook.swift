import FileFormats
import Files
import Foundation
import LinearAlgebra
import PARTransformer
import TokenData
import TokenGrids
import VisualTokenizers

/// What turns a model's codes into a token dataset and images: the codebook, and with it names of classes and a decoder.
struct SampleCodebook {
  private let codebook: FloatMatrix
  private let labelNames: [String]
  private let decoder: TokenDecoderParameters?
  private let vq: VQDecoder?
  private let tokenizer: String

  /// Reads the codebook of a token dataset or of a VQ-16 tokenizer, or a plain one.
  ///
  /// - Parameter isForImages: whether the file must also tell how codes are turned into images.
  /// - Throws: an error that names the file when it has no codebook, not one of `codes` entries, or no decoder
  ///   where one is needed.
  init(path: String, codes: Int, isForImages: Bool) throws {
    let isDataset =
      FileContent(ofFileAt: path) == .hdf5 || !FileManager.default.fileExists(atPath: path)
    if !isDataset {
      codebook = try CodebookFile.read(path)
      guard codebook.rows == codes else {
        throw SampleCodebookError.otherSize(path: path, found: codebook.rows, expected: codes)
      }
      let isPlain =
        try FileContent(ofFileAt: path) == .npy
        || CodebookFile.bareTensor(of: TensorFile.open(path)) != nil
      if isForImages, isPlain { throw SampleCodebookError.codebookOnly(path: path) }
      vq = isForImages ? try VQDecoder(TensorFile.open(path)) : nil
      (labelNames, decoder) = ([], nil)
      tokenizer = isPlain ? "" : VQTokenization.tokenizerName
      return
    }
    let dataset = try DatasetArgument(argument: path).open()
    guard let codebook = dataset.codebook, codebook.rows == codes else {
      throw SampleCodebookError.otherSize(
        path: path, found: dataset.codebook?.rows, expected: codes)
    }
    // Found out before anything is generated.
    if isForImages { _ = try TokenImages(of: dataset) }
    self.codebook = codebook
    labelNames = dataset.labels?.names ?? []
    decoder = dataset.decoder
    vq = nil
    tokenizer = dataset.attributes.tokenizer
  }

  /// The names of the classes; empty where the file has none.
  var classNames: [String] { labelNames }

  /// The hash of the codebook's numbers, as a model's metadata have it.
  var hash: String { TrainedModel.hash(ofCodebook: codebook) }

  /// Generated images with what their codes mean.
  ///
  /// - Parameters:
  ///   - labelsOfRun: The classes of all images of which these are a part: all parts name their classes, or none does.
  ///   - part: Which part that is; nil for all.
  func dataset(
    _ images: [[Int]], labels: [Int], labelsOfRun: [Int], grid: TokenGrid, source: String,
    createdBy: String, part: RunPart?
  ) throws -> TokenDataset {
    // Names that do not reach all classes would be refused.
    let names = labelsOfRun.allSatisfy { $0 < labelNames.count } ? labelNames : []
    return try TokenDataset(
      name: "samples", grid: grid,
      tokens: .codes(images.flatMap { $0.map { UInt32($0) } }, codebook: codebook),
      labels: TokenLabels(values: labels.map { UInt32($0) }, names: names),
      attributes: TokenAttributes(
        tokenizer: tokenizer, source: source, createdBy: createdBy, part: part),
      decoder: decoder)
  }

  /// What shows the images of a dataset made here; of a video, the frames from left to right.
  func pictures(of dataset: TokenDataset) throws -> (Int) throws -> RGBImage {
    guard let vq else { return try TokenImages(of: dataset).image }
    let grid = dataset.grid
    return { index in
      let codes = Array(dataset.codes(ofImages: index..<index + 1) ?? [])
      let frame = grid.rows * grid.columns
      let pictures = try (0..<grid.frames).map {
        try vq.decode(
          Array(codes[$0 * frame..<($0 + 1) * frame]), rows: grid.rows, columns: grid.columns)
      }
      let width = grid.columns * vq.upsampling
      var strip = RGBImage(width: width * grid.frames, height: grid.rows * vq.upsampling)
      for (i, picture) in pictures.enumerated() { strip.draw(picture, left: i * width, top: 0) }
      return strip
    }
  }
}

/// A folder of generated images, one PNG file each; of a video, its frames from left to right.
struct SampleImageFolder {
  private let url: URL

  /// Makes the folder if need be.
  ///
  /// - Throws: `FileError` when that is impossible, or the folder cannot be written.
  init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    try OutputFolder.make(path)
    try OutputFolder.check(path)
  }

  /// Writes `0000-class-207.png` and so on, in the order of the samples, by their numbers in the run.
  func write(labels: [Int], firstImage: Int, _ picture: (Int) throws -> RGBImage) throws {
    for (index, label) in labels.enumerated() {
      let number = String(firstImage + index)
      let name = String(repeating: "0", count: max(0, 4 - number.count)) + number
      try picture(index)
        .writePNG(to: url.appendingPathComponent("\(name)-class-\(label).png").path)
    }
  }
}

/// A file that does not tell what the model's codes mean.
enum SampleCodebookError: Error, CustomStringConvertible {
  /// The codebook is of another size, or there is none.
  case otherSize(path: String, found: Int?, expected: Int)
  /// A codebook and nothing else.
  case codebookOnly(path: String)

  var description: String {
    switch self {
    case .otherSize(let path, let found, let expected):
      "\(path): \(found.map { "the codebook has \($0) entries" } ?? "there is no codebook");"
        + " the model has \(expected) codes"
    case .codebookOnly(let path):
      "\(path): holds a codebook only; --images and --npz need a token dataset or a VQ-16 checkpoint with its decoder"
    }
  }
}
