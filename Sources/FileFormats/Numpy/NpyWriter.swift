import Files
import Foundation

/// A number that can be written to a `.npy` array.
public protocol NpyElement: BitwiseCopyable {
  /// The type's name in the file; little-endian.
  static var npyType: NpyType { get }
  /// The bits of a number that has the machine's byte order, with the least significant byte first.
  var littleEndianBits: Bits { get }
  /// An integer as wide as the number.
  associatedtype Bits: FixedWidthInteger & BitwiseCopyable
}

extension UInt16: NpyElement {
  /// Two bytes without a sign.
  public static var npyType: NpyType { NpyType(.unsignedInteger, byteCount: 2) }
  /// The number itself.
  public var littleEndianBits: UInt16 { littleEndian }
}

extension Int64: NpyElement {
  /// Eight bytes with a sign.
  public static var npyType: NpyType { NpyType(.signedInteger, byteCount: 8) }
  /// The number itself.
  public var littleEndianBits: Int64 { littleEndian }
}

extension Float: NpyElement {
  /// Single precision.
  public static var npyType: NpyType { NpyType(.floatingPoint, byteCount: 4) }
  /// The bit pattern.
  public var littleEndianBits: UInt32 { bitPattern.littleEndian }
}

extension Double: NpyElement {
  /// Double precision.
  public static var npyType: NpyType { NpyType(.floatingPoint, byteCount: 8) }
  /// The bit pattern.
  public var littleEndianBits: UInt64 { bitPattern.littleEndian }
}

/// Writes arrays in numpy's `.npy` format, version 1.0, row-major and little-endian.
public enum NpyWriter {
  /// The bytes of a file that holds `elements`, row-major in `shape`.
  ///
  /// - Precondition: the product of the extents is the number of elements.
  /// - Complexity: O(elements).
  public static func bytes<Element: NpyElement>(_ elements: [Element], shape: [Int]) -> Data {
    precondition(shape.reduce(1, *) == elements.count, "the elements fill the shape")
    var data = header(type: "\(Element.npyType)", shape: shape)
    elements.map(\.littleEndianBits).withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }

  /// All that stands before the elements.
  static func header(type: String, shape: [Int]) -> Data {
    var header =
      "{'descr': '\(type)', 'fortran_order': False, 'shape': \(NpyHeader.tuple(shape)), }"
    // The elements begin at a multiple of 64 bytes, so that a reader may map them.
    let rest = (10 + header.utf8.count + 1) % 64
    header += String(repeating: " ", count: (64 - rest) % 64) + "\n"
    precondition(header.utf8.count <= Int(UInt16.max), "a shape has at most 64 extents")
    var data = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    return data
  }

  /// Writes a file that holds `elements`, row-major in `shape`, in place of one that may be there.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  public static func write<Element: NpyElement>(
    _ elements: [Element], shape: [Int], to path: String
  ) throws {
    try OutputFile.write(bytes(elements, shape: shape), to: path)
  }
}
