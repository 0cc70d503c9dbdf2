import Files
import LinearAlgebra

/// The types of numbers a safetensors file may hold.
public enum SafetensorsType: String, CaseIterable, Sendable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case int64 = "I64"
  case uint64 = "U64"
  case float64 = "F64"

  /// The bytes of one number.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }
}

/// One tensor of a safetensors file.
public struct SafetensorsEntry: Hashable, Sendable {
  /// The tensor's name.
  public let name: String
  /// The type of its numbers.
  public let type: SafetensorsType
  /// Its shape, outermost dimension first; empty for a single number.
  public let shape: [Int]
  /// Where its bytes lie within the file.
  public let bytes: Range<Int>

  /// The number of elements.
  public var elementCount: Int { bytes.count / type.byteCount }
}

/// A safetensors file, mapped: an 8-byte length, a JSON header that places every tensor, and the tensors' bytes.
///
/// The header is validated in full when the file is opened: types, shapes, sizes, and that the tensors cover the
/// data without overlap or gap. (Format: the safetensors project's description, version 0.4.)
public struct SafetensorsFile: Sendable {
  /// The largest header that is read, the format's own limit.
  static let largestHeader = 100_000_000

  /// The path the file was opened by.
  public let path: String
  /// The free-form strings of the header's `__metadata__`.
  public let metadata: [String: String]
  /// The tensors by name.
  public let entries: [String: SafetensorsEntry]
  package let file: MappedFile
  /// The types of the tensors whose numbers this version does not know.
  private let unknownTypes: [String: String]

  /// Whether a file starts as one of the format does: the length of a header that lies in the file, and a brace.
  package static func startsAsHeader(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path), file.bytes.count > 8 else { return false }
    let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    return length <= UInt64(largestHeader) && file.bytes[8] == UInt8(ascii: "{")
  }

  /// Opens and validates the file at `path`.
  ///
  /// - Throws: ``FileError``, or ``SafetensorsError`` that names the tensor at fault.
  /// - Complexity: O(length of the header · log of the number of tensors); no tensor is read.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    self.path = path
    let header = try SafetensorsHeader(bytes: file.bytes, path: path)
    metadata = header.metadata
    unknownTypes = header.unknownTypes
    entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
  }

  /// The tensor called `name`.
  ///
  /// - Throws: ``SafetensorsError`` when there is none.
  public func entry(_ name: String) throws(SafetensorsError) -> SafetensorsEntry {
    if let type = unknownTypes[name] { throw .unknownType(file: path, tensor: name, type: type) }
    guard let entry = entries[name] else { throw .missingTensor(file: path, tensor: name) }
    return entry
  }

  /// The numbers of a tensor of any floating-point type, row-major.
  ///
  /// - Throws: ``SafetensorsError`` when there is no such tensor or it holds integers.
  public func floats(_ name: String) throws(SafetensorsError) -> [Float] {
    let entry = try entry(name)
    let source = UnsafeRawBufferPointer(rebasing: file.bytes[entry.bytes])
    switch entry.type {
    case .float32:
      return (0..<entry.elementCount).map {
        Float(
          bitPattern: UInt32(
            littleEndian: source.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    case .float64:
      return (0..<entry.elementCount).map {
        let bits = source.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)
        return Float(Double(bitPattern: UInt64(littleEndian: bits)))
      }
    case .float16, .bfloat16:
      let halves = (0..<entry.elementCount).map {
        UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
      }
      return entry.type == .float16
        ? HalfPrecision.widenFloat16(halves) : HalfPrecision.widenBFloat16(halves)
    default:
      throw .wrongType(
        file: path, tensor: name, found: entry.type, expected: [.float32, .float16, .bfloat16])
    }
  }

  /// The numbers of a tensor of any integer type, row-major.
  ///
  /// - Throws: ``SafetensorsError`` when there is no such tensor, or it holds other numbers.
  public func integers(_ name: String) throws(SafetensorsError) -> [Int] {
    let entry = try entry(name)
    let source = UnsafeRawBufferPointer(rebasing: file.bytes[entry.bytes])
    func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [Int] {
      (0..<entry.elementCount).map {
        Int(
          truncatingIfNeeded: T(
            littleEndian: source.loadUnaligned(
              fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)))
      }
    }
    return switch entry.type {
    case .bool, .uint8: read(UInt8.self)
    case .int8: read(Int8.self)
    case .int16: read(Int16.self)
    case .uint16: read(UInt16.self)
    case .int32: read(Int32.self)
    case .uint32: read(UInt32.self)
    case .int64: read(Int64.self)
    case .uint64: read(UInt64.self)
    default:
      throw .wrongType(file: path, tensor: name, found: entry.type, expected: [.int32, .int64])
    }
  }
}
