import FileFormats
import NeuralKernels

extension SafetensorsFile {
  /// A two-dimensional floating-point tensor as the weights of a matrix product.
  ///
  /// The mapped bytes themselves where the file holds `precision` already, else a converted copy.
  ///
  /// - Parameter precision: how to keep the weights; nil keeps BF16 and F32 as stored and widens F16 to F32, which
  ///   is exact.
  /// - Throws: ``SafetensorsError`` when there is no such tensor, it has another number of dimensions or holds
  ///   integers.
  public func weights(
    _ name: String, precision: WeightPrecision? = nil
  ) throws(SafetensorsError) -> WeightMatrix {
    let entry = try entry(name)
    guard entry.shape.count == 2 else {
      throw .wrongShape(file: path, tensor: name, found: entry.shape, expected: [0, 0])
    }
    let stored: WeightPrecision? =
      switch entry.type {
      case .float32: .float32
      case .bfloat16: .bfloat16
      default: nil
      }
    let wanted = precision ?? stored ?? .float32
    let alignment = entry.type.byteCount
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    if stored == wanted, entry.bytes.lowerBound % alignment == 0 {
      return WeightMatrix(
        rows: rows, columns: columns, precision: wanted,
        bytes: UnsafeRawBufferPointer(rebasing: file.bytes[entry.bytes]), owner: file)
    }
    return WeightMatrix(
      rows: rows, columns: columns, precision: wanted, elements: try floats(name))
  }
}
