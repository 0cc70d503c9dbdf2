import FileFormats
import Files
import Foundation
import LinearAlgebra

/// A codebook in a file of another program.
public enum CodebookFile {
  /// The name of the codebook among the tensors of a VQ-16 checkpoint.
  package static let tensorName = "quantize.embedding.weight"

  /// Reads a codebook `K × d`.
  ///
  /// - Parameter path: a `.npy` array of `K × d` numbers, taken as they are; or a VQ-16 checkpoint
  ///   (`.safetensors` or `.pt`), whose codebook is normalised to rows of length 1, as that
  ///   tokenizer does.
  /// - Throws: an error that names the file and what is wrong with it.
  /// - Complexity: O(K·d).
  public static func read(_ path: String) throws -> FloatMatrix {
    try checkIsReadableFile(path)
    let codebook: FloatMatrix
    let content = FileContent(ofFileAt: path)
    let names = [".safetensors", ".pt", ".pth", ".ckpt", ".bin"]
    let isNamed = names.contains { path.lowercased().hasSuffix($0) }
    switch content {
    case .npy:
      codebook = try Self.codebook(of: NpyArray(path: path))
    case .zip where !path.lowercased().hasSuffix(".npz"), .legacyPickle:
      codebook = try read(from: TensorFile.open(path))
    case .other where isNamed || SafetensorsFile.startsAsHeader(path):
      codebook = try read(from: TensorFile.open(path))
    case .other where path.hasSuffix(".npy"): throw NpyError.notNpy(file: path)
    case .other: throw TokenImportError.codebookFormat(file: path)
    default:
      throw FileError.otherContent(
        path, found: content.explanation ?? "",
        expected: "a codebook: a .npy array or a VQ-16 checkpoint (.safetensors or .pt)")
    }
    try TokenCheck(file: path, grid: .init(rows: 1, columns: 1)).codebook(codebook)
    return codebook
  }

  /// The codebook in an array `K × d`, taken as it is.
  ///
  /// - Throws: `NpyError` for another shape.
  static func codebook(of array: NpyArray) throws(NpyError) -> FloatMatrix {
    guard array.shape.count == 2, array.elementCount > 0 else {
      throw .wrongShape(
        file: array.name, found: array.shape, expected: "a codebook (entries, channels)")
    }
    return FloatMatrix(
      rows: array.shape[0], columns: array.shape[1], elements: array.floats())
  }

  /// The tensor of a file that holds nothing but a codebook, which is taken as it is, like that of a `.npy` file: a matrix
  /// that is alone and does not have the name of a VQ-16 tokenizer's. Nil for any other file.
  package static func bareTensor(of tensors: any TensorSource) -> String? {
    guard tensors.tensorNames.count == 1, let only = tensors.tensorNames.first,
      !only.hasSuffix(tensorName), tensors.shape(of: only)?.count == 2
    else { return nil }
    return only
  }

  /// The codebook of a VQ-16 checkpoint, its rows normalised to length 1.
  ///
  /// - Throws: ``TokenImportError/codebookFormat(file:)`` when there is no such tensor, or what the
  ///   file throws.
  package static func read(from tensors: any TensorSource) throws -> FloatMatrix {
    if let only = bareTensor(of: tensors), let shape = tensors.shape(of: only) {
      return FloatMatrix(
        rows: shape[0], columns: shape[1], elements: try tensors.floats(only))
    }
    // Training programs keep the weights one level down.
    let name = tensors.tensorNames.first { $0 == tensorName || $0.hasSuffix("." + tensorName) }
    guard let name, let shape = tensors.shape(of: name), shape.count == 2 else {
      throw TokenImportError.codebookFormat(file: tensors.path)
    }
    return FloatMatrix(
      rows: shape[0], columns: shape[1], elements: try tensors.floats(name)
    ).normalizingRows()
  }
}

extension FloatMatrix {
  /// The matrix with every row divided by its Euclidean length; rows shorter than 10⁻¹² by that.
  ///
  /// The lower bound is that of PyTorch's `normalize`.
  /// - Complexity: O(rows · columns).
  package func normalizingRows() -> FloatMatrix {
    var result = self
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      var sum: Float = 0
      for value in elements[range] { sum += value * value }
      let length = max(sum.squareRoot(), 1e-12)
      for place in range { result.elements[place] = elements[place] / length }
    }
    return result
  }
}
