import Foundation
import LinearAlgebra
import PARTransformer
import TokenData
import TokenGrids

/// What turns a model's codes into a token dataset: the codebook, and with it names of classes and a decoder.
struct SampleCodebook {
  private let codebook: SingleMatrix
  private let labelNames: [String]
  private let decoder: TokenDecoderParameters?
  private let tokenizer: String

  /// Reads the codebook of a token dataset or of a VQ-16 tokenizer, whose rows are scaled to length 1.
  ///
  /// - Throws: an error that names the file when it has no codebook, or not one of `codes` entries.
  init(path: String, codes: Int) throws {
    if path.hasSuffix(".safetensors") {
      let file = try SafetensorsFile(path: path)
      let name = "quantize.embedding.weight"
      let shape = try file.entry(name).shape
      guard shape.count == 2, shape[0] == codes, shape[1] > 0 else {
        throw SafetensorsError.wrongShape(
          file: path, tensor: name, found: shape, expected: [codes, 0])
      }
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
      throw SampleCodebookError(
        path: path, found: dataset.codebook?.rows, expected: codes)
    }
    self.codebook = codebook
    labelNames = dataset.labels?.names ?? []
    decoder = dataset.decoder
    tokenizer = dataset.attributes.tokenizer
  }

  /// Writes generated images as a token dataset.
  func write(
    _ images: [[Int]], labels: [Int], grid: TokenGrid, to path: String, source: String,
    createdBy: String
  ) throws {
    // Names that do not reach all classes would be refused.
    let names = labels.allSatisfy { $0 < labelNames.count } ? labelNames : []
    let writer = try TokenDatasetWriter(
      path: path, grid: grid, contents: .codes(codebook: codebook), labelNames: names,
      attributes: TokenAttributes(tokenizer: tokenizer, source: source, createdBy: createdBy),
      decoder: decoder)
    for (image, label) in zip(images, labels) {
      try writer.append(codes: image.map { UInt32($0) }, labels: [UInt32(label)])
    }
    try writer.finish()
  }
}

/// A file whose codebook is not the model's.
struct SampleCodebookError: Error, CustomStringConvertible {
  let path: String
  let found: Int?
  let expected: Int

  var description: String {
    "\(path): \(found.map { "the codebook has \($0) entries" } ?? "there is no codebook");"
      + " the model has \(expected) codes"
  }
}
