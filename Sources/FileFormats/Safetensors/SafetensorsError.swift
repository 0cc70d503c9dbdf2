/// Why a file is not a safetensors file, or not the one that is needed.
public enum SafetensorsError: Error, Equatable {
  /// A file that ends before its header does.
  case truncatedHeader(file: String, fileBytes: Int, headerBytes: UInt64)
  /// A header longer than the format allows.
  case oversizedHeader(file: String, headerBytes: UInt64)
  /// Text that is not the JSON the format asks for.
  case malformedHeader(file: String, offset: Int, expected: String)
  /// Two tensors of one name.
  case repeatedTensor(file: String, tensor: String)
  /// A type the format does not know.
  case unknownType(file: String, tensor: String, type: String)
  /// A size that no memory could hold.
  case impossibleShape(file: String, tensor: String, shape: [Int])
  /// Offsets that do not lie in the file's data, in order.
  case offsetsOutsideData(file: String, tensor: String, offsets: [Int], dataBytes: Int)
  /// Offsets that span another number of bytes than the shape needs.
  case sizeMismatch(file: String, tensor: String, shape: [Int], type: SafetensorsType, bytes: Int)
  /// Two tensors that share bytes.
  case overlap(file: String, first: String, second: String)
  /// Bytes that belong to no tensor.
  case gap(file: String, before: String?, bytes: Int)
  /// A tensor that is needed and not there.
  case missingTensor(file: String, tensor: String)
  /// A tensor of a type that does not serve here.
  case wrongType(
    file: String, tensor: String, found: SafetensorsType, expected: [SafetensorsType])
  /// A tensor of a shape that does not serve here; 0 stands for any extent.
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  /// An index of shards that cannot be followed.
  case malformedIndex(file: String, reason: String)
  /// A shard that lacks a tensor that the index promises.
  case missingFromShard(index: String, tensor: String, shard: String)
}

extension SafetensorsError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .truncatedHeader(let file, let fileBytes, let headerBytes):
      "\(file): not a safetensors file, or cut short: \(fileBytes) bytes cannot hold the 8-byte length"
        + " and a header of \(headerBytes) bytes"
    case .oversizedHeader(let file, let headerBytes):
      "\(file): not a safetensors file: its header would be \(headerBytes) bytes long, and the format"
        + " allows \(SafetensorsFile.largestHeader)"
    case .malformedHeader(let file, let offset, let expected):
      "\(file): the header is corrupt at byte \(offset): expected \(expected)"
    case .repeatedTensor(let file, let tensor):
      "\(file): the header lists \"\(tensor)\" twice"
    case .unknownType(let file, let tensor, let type):
      "\(file): tensor \(tensor) has the unknown type \"\(type)\"; known are"
        + " \(SafetensorsType.allCases.map(\.rawValue).joined(separator: ", "))"
    case .impossibleShape(let file, let tensor, let shape):
      "\(file): tensor \(tensor) has the shape \(shape), more elements than can be addressed"
    case .offsetsOutsideData(let file, let tensor, let offsets, let dataBytes):
      "\(file): tensor \(tensor) lies at bytes \(offsets) of the data, which has \(dataBytes) bytes;"
        + " the file is corrupt or cut short"
    case .sizeMismatch(let file, let tensor, let shape, let type, let bytes):
      "\(file): tensor \(tensor) of shape \(shape) and type \(type.rawValue) needs"
        + " \(shape.reduce(type.byteCount, *)) bytes, but its offsets span \(bytes)"
    case .overlap(let file, let first, let second):
      "\(file): tensors \(first) and \(second) share bytes"
    case .gap(let file, .some(let before), let bytes):
      "\(file): \(bytes) bytes before tensor \(before) belong to no tensor"
    case .gap(let file, nil, let bytes):
      "\(file): \(bytes) bytes after the last tensor belong to none"
    case .missingTensor(let file, let tensor):
      "\(file): there is no tensor \(tensor)"
    case .wrongType(let file, let tensor, let found, let expected):
      "\(file): tensor \(tensor) is of type \(found.rawValue); expected"
        + " \(expected.map(\.rawValue).joined(separator: ", "))"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor \(tensor) has the shape \(found); expected"
        + " [\(expected.map { $0 == 0 ? "any" : "\($0)" }.joined(separator: ", "))]"
    case .malformedIndex(let file, let reason):
      "\(file): not an index of safetensors files: \(reason)"
    case .missingFromShard(let index, let tensor, let shard):
      "\(index): tensor \(tensor) should be in \(shard), which does not have it"
    }
  }
}
