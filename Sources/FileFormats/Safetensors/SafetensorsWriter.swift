import Files
import Foundation

/// A tensor to be written to a safetensors file.
public struct SafetensorsTensor: Sendable {
  /// The tensor's name.
  public let name: String
  /// Its shape, outermost dimension first.
  public let shape: [Int]
  /// Its numbers, row-major.
  public let elements: [Float]

  /// Makes a tensor of `shape` from its elements.
  ///
  /// - Precondition: there are as many elements as the shape has places.
  public init(name: String, shape: [Int], elements: [Float]) {
    precondition(elements.count == shape.reduce(1, *), "the elements fill the shape")
    self.name = name
    self.shape = shape
    self.elements = elements
  }
}

/// Writes tensors of Float32 as a safetensors file.
public enum SafetensorsWriter {
  /// Writes `tensors` to `path`, beside the final name first, so that an interrupted run leaves no half file.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  public static func write(
    _ tensors: [SafetensorsTensor], metadata: [String: String] = [:], to path: String
  ) throws {
    var header: [String: Any] = [:]
    if !metadata.isEmpty { header["__metadata__"] = metadata }
    var offset = 0
    for tensor in tensors {
      let end = offset + 4 * tensor.elements.count
      header[tensor.name] = [
        "dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end],
      ]
      offset = end
    }
    var json = try JSONSerialization.data(
      withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    // Spaces align the data, so that a reader may map it.
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    let replacement = try OutputFile(path: path)
    try replacement.write(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) })
    try replacement.write(json)
    for tensor in tensors {
      try replacement.write(
        tensor.elements.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Data($0) })
    }
    try replacement.commit(synchronized: true)
  }
}
