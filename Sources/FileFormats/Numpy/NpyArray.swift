import Files
import LinearAlgebra

/// An array of numbers in numpy's `.npy` format: a mapped file, or bytes in memory.
///
/// Any integer and floating-point type, both byte orders, both memory orders, versions 1.0 to 3.0
/// of the format. Only the parts that are asked for are read. Element `i` is the one at place `i`
/// when the last index runs fastest, whatever the order in memory.
public struct NpyArray: Sendable {
  /// What to call the array in messages: the path as the user typed it.
  public let name: String
  private let header: NpyHeader
  private let storage: Storage

  private enum Storage: Sendable {
    case mapped(MappedFile)
    case memory([UInt8])
  }

  /// Maps a file and reads its header.
  ///
  /// - Throws: ``NpyError`` or ``FileError``.
  public init(path: String) throws {
    let file = try MappedFile(path: path)
    switch FileContent(file.bytes.prefix(512)) {
    case .zip:
      let names = (try? NpzArchive(path: path))?.arrayNames ?? []
      throw FileError.otherContent(
        path,
        found: names.isEmpty
          ? "a zip archive"
          : "an archive with \(names.count == 1 ? "the array" : "the arrays") \(names.prefix(8).joined(separator: ", "));"
            + " save the one that is meant with numpy.save",
        expected: "a .npy array")
    case .npy, .other: break
    case let content:
      throw FileError.otherContent(
        path, found: content.explanation ?? "", expected: "a .npy array")
    }
    name = path
    header = try NpyHeader(prefix: file.bytes, byteCount: file.bytes.count, file: path)
    storage = .mapped(file)
  }

  /// Reads an array from the bytes of a whole file.
  ///
  /// - Throws: ``NpyError``.
  public init(bytes: [UInt8], name: String) throws {
    self.name = name
    header = try bytes.withUnsafeBytes {
      try NpyHeader(prefix: $0, byteCount: $0.count, file: name)
    }
    storage = .memory(bytes)
  }

  /// The extents, outermost first; empty for a single number.
  public var shape: [Int] { header.shape }
  /// The type of the elements as they are stored.
  public var type: NpyType { header.type }
  /// Whether the first index runs fastest in the file.
  public var isFortranOrder: Bool { header.isFortranOrder }
  /// The number of elements.
  public var elementCount: Int { header.elementCount }

  /// The whole numbers in a range of elements; all of them by default.
  ///
  /// - Throws: ``NpyError`` when the elements are not whole numbers or one does not fit.
  /// - Complexity: O(range), at the speed of memory; other elements are not read.
  public func integers(_ range: Range<Int>? = nil) throws(NpyError) -> [Int64] {
    let range = range ?? 0..<elementCount
    switch (type.kind, type.byteCount) {
    case (.signedInteger, 1): return read(range, as: UInt8.self) { Int64(Int8(bitPattern: $0)) }
    case (.signedInteger, 2): return read(range, as: UInt16.self) { Int64(Int16(bitPattern: $0)) }
    case (.signedInteger, 4): return read(range, as: UInt32.self) { Int64(Int32(bitPattern: $0)) }
    case (.signedInteger, _): return read(range, as: UInt64.self) { Int64(bitPattern: $0) }
    case (.unsignedInteger, 1): return read(range, as: UInt8.self) { Int64($0) }
    case (.unsignedInteger, 2): return read(range, as: UInt16.self) { Int64($0) }
    case (.unsignedInteger, 4): return read(range, as: UInt32.self) { Int64($0) }
    case (.unsignedInteger, _):
      let values = read(range, as: UInt64.self) { Int64(bitPattern: $0) }
      if let bad = values.firstIndex(where: { $0 < 0 }) {
        throw .integerTooLarge(
          file: name, element: range.lowerBound + bad, value: UInt64(bitPattern: values[bad]))
      }
      return values
    case (.floatingPoint, _):
      throw .wrongType(file: name, type: type.description, expected: "whole numbers")
    }
  }

  /// The numbers in a range of elements, of any type, rounded to single precision; all of them by
  /// default.
  ///
  /// - Complexity: O(range), at the speed of memory; other elements are not read.
  public func floats(_ range: Range<Int>? = nil) -> [Float] {
    let range = range ?? 0..<elementCount
    switch (type.kind, type.byteCount) {
    case (.floatingPoint, 2):
      return HalfPrecision.widenFloat16(read(range, as: UInt16.self) { $0 })
    case (.floatingPoint, 4): return read(range, as: UInt32.self) { Float(bitPattern: $0) }
    default: return doubles(range).map { Float($0) }
    }
  }

  /// The numbers in a range of elements, of any type, rounded to double precision; all of them by
  /// default.
  ///
  /// - Complexity: O(range), at the speed of memory; other elements are not read.
  public func doubles(_ range: Range<Int>? = nil) -> [Double] {
    let range = range ?? 0..<elementCount
    switch (type.kind, type.byteCount) {
    case (.signedInteger, 1): return read(range, as: UInt8.self) { Double(Int8(bitPattern: $0)) }
    case (.signedInteger, 2): return read(range, as: UInt16.self) { Double(Int16(bitPattern: $0)) }
    case (.signedInteger, 4): return read(range, as: UInt32.self) { Double(Int32(bitPattern: $0)) }
    case (.signedInteger, _): return read(range, as: UInt64.self) { Double(Int64(bitPattern: $0)) }
    case (.unsignedInteger, 1): return read(range, as: UInt8.self) { Double($0) }
    case (.unsignedInteger, 2): return read(range, as: UInt16.self) { Double($0) }
    case (.unsignedInteger, 4): return read(range, as: UInt32.self) { Double($0) }
    case (.unsignedInteger, _): return read(range, as: UInt64.self) { Double($0) }
    case (.floatingPoint, 2):
      return HalfPrecision.widenFloat16(read(range, as: UInt16.self) { $0 }).map { Double($0) }
    case (.floatingPoint, 4): return read(range, as: UInt32.self) { Double(Float(bitPattern: $0)) }
    case (.floatingPoint, _): return read(range, as: UInt64.self) { Double(bitPattern: $0) }
    }
  }

  /// Gives back the memory that reading a range of elements has taken, where they lie together in a mapped file.
  public func release(_ range: Range<Int>) {
    guard case .mapped(let file) = storage, !isFortranOrder else { return }
    let (base, width) = (header.dataOffset, type.byteCount)
    file.release(base + range.lowerBound * width..<base + range.upperBound * width)
  }

  /// Reads a range of elements whose bits are a `Bits` each.
  private func read<Bits: FixedWidthInteger & BitwiseCopyable, Value>(
    _ range: Range<Int>, as _: Bits.Type, _ value: (Bits) -> Value
  ) -> [Value] {
    precondition(range.lowerBound >= 0 && range.upperBound <= elementCount, "the elements exist")
    switch storage {
    case .mapped(let file): return read(range, from: file.bytes, value)
    case .memory(let bytes): return bytes.withUnsafeBytes { read(range, from: $0, value) }
    }
  }

  private func read<Bits: FixedWidthInteger & BitwiseCopyable, Value>(
    _ range: Range<Int>, from bytes: UnsafeRawBufferPointer, _ value: (Bits) -> Value
  ) -> [Value] {
    let (base, width) = (header.dataOffset, type.byteCount)
    func load(_ place: Int) -> Bits {
      let bits = bytes.loadUnaligned(fromByteOffset: base + place * width, as: Bits.self)
      return type.isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits)
    }
    guard isFortranOrder, shape.count > 1, !range.isEmpty else {
      return range.map { value(load($0)) }
    }
    // Walks through the elements like an odometer whose last wheel turns first.
    var index = [Int](repeating: 0, count: shape.count)
    var strides = [Int](repeating: 1, count: shape.count)
    var rest = range.lowerBound
    for axis in shape.indices.reversed() {
      index[axis] = rest % shape[axis]
      rest /= shape[axis]
    }
    for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    var place = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return range.map { _ in
      let result = value(load(place))
      for axis in shape.indices.reversed() {
        index[axis] += 1
        place += strides[axis]
        guard index[axis] == shape[axis] else { break }
        index[axis] = 0
        place -= strides[axis] * shape[axis]
      }
      return result
    }
  }
}
