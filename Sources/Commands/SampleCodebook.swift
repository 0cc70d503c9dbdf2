import Foundation
import LinearAlgebra
import PARTransformer
import TokenData
import TokenGrids
import VisualTokenizers

/// What turns a model's codes into a token dataset: the codebook, and with it names of classes and a decoder.
struct SampleCodebook {
  private let codebook: SingleMatrix
  private let labelNames: [String]
  private let decoder: TokenDecoderParameters?
  private let tokenizer: String

  /// Reads the codebook of a token dataset or of a VQ-16 tokenizer, whose rows are scaled to length 1.
  ///
  /// - Parameter isForImages: whether the file must also tell how codes are turned into images.
  /// - Throws: an error that names the file when it has no codebook, not one of `codes` entries, or no decoder
  ///   where one is needed.
  init(path: String, codes: Int, isForImages: Bool) throws {
    if path.hasSuffix(".safetensors") {
      let file = try SafetensorsFile(path: path)
      let name = "quantize.embedding.weight"
      let shape = try file.entry(name).shape
      guard shape.count == 2, shape[0] == codes, shape[1] > 0 else {
        throw SafetensorsError.wrongShape(
          file: path, tensor: name, found: shape, expected: [codes, 0])
      }
      if isForImages { throw SampleCodebookError.codebookOnly(path: path) }
      var elements = try file.floats(name)
      for row in 0..<shape[0] {
        let range = row * shape[1]..<(row + 1) * shape[1]
        let length = elements[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
        for i in range { elements[i] /= max(length, .leastNormalMagnitude) }
      }
      codebook = SingleMatrix(rows: shape[0], columns: shape[1], elements: elements)
      (labelNames, decoder, tokenizer) = ([], nil, "VQ-16")
      return
    }
    let dataset = try TokenDatasetFile(path: path)
    guard let codebook = dataset.codebook, codebook.rows == codes else {
      throw SampleCodebookError.otherSize(
        path: path, found: dataset.codebook?.rows, expected: codes)
    }
    // Found out before anything is generated.
    if isForImages { _ = try TokenImages(of: dataset) }
    self.codebook = codebook
    labelNames = dataset.labels?.names ?? []
    decoder = dataset.decoder
    tokenizer = dataset.attributes.tokenizer
  }

  /// Generated images with what their codes mean.
  func dataset(
    _ images: [[Int]], labels: [Int], grid: TokenGrid, source: String, createdBy: String
  ) throws -> TokenDataset {
    // Names that do not reach all classes would be refused.
    let names = labels.allSatisfy { $0 < labelNames.count } ? labelNames : []
    return try TokenDataset(
      name: "samples", grid: grid,
      tokens: .codes(images.flatMap { $0.map { UInt32($0) } }, codebook: codebook),
      labels: TokenLabels(values: labels.map { UInt32($0) }, names: names),
      attributes: TokenAttributes(tokenizer: tokenizer, source: source, createdBy: createdBy),
      decoder: decoder)
  }
}

/// A folder of generated images, one PNG file each; of a video, its frames from left to right.
struct SampleImageFolder {
  private let url: URL

  /// Makes the folder if need be.
  ///
  /// - Throws: `TokenDataError.cannotWrite` when that is impossible.
  init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw TokenDataError.cannotWrite(
        path, reason: "it cannot be a folder: \((error as NSError).systemReason)")
    }
  }

  /// Writes `0000-class-207.png` and so on, in the order of the samples.
  func write(_ dataset: TokenDataset, labels: [Int]) throws {
    let images = try TokenImages(of: dataset)
    for (index, label) in labels.enumerated() {
      let number = String(index)
      let name = String(repeating: "0", count: max(0, 4 - number.count)) + number
      try images.image(index)
        .writePNG(to: url.appendingPathComponent("\(name)-class-\(label).png").path)
    }
  }
}

extension NSError {
  /// The words of the system where there are any, as in `Permission denied`.
  fileprivate var systemReason: String {
    (userInfo[NSUnderlyingErrorKey] as? NSError)?.localizedDescription ?? localizedDescription
  }
}

/// A file that does not tell what the model's codes mean.
enum SampleCodebookError: Error, CustomStringConvertible {
  /// The codebook is of another size, or there is none.
  case otherSize(path: String, found: Int?, expected: Int)
  /// A tokenizer's codebook without a decoder that this program knows.
  case codebookOnly(path: String)

  var description: String {
    switch self {
    case .otherSize(let path, let found, let expected):
      "\(path): \(found.map { "the codebook has \($0) entries" } ?? "there is no codebook");"
        + " the model has \(expected) codes"
    case .codebookOnly(let path):
      "\(path): only its codebook is used; --images needs a token dataset with a decoder"
    }
  }
}
