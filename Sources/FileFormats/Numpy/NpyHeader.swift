/// The first part of a `.npy` array: its type, shape and memory order, checked in full.
///
/// The header is a Python dictionary in text, read by a parser that knows only the three keys it
/// must have. (Format: NumPy enhancement proposal 1 and the documentation of `numpy.lib.format`,
/// versions 1.0 to 3.0.)
package struct NpyHeader: Hashable, Sendable {
  /// The longest header that is read: a shape of sixty-four extents needs no two kilobytes.
  static let largestHeader = 1 << 16

  /// The type of the elements.
  let type: NpyType
  /// The extents, outermost first; empty for a single number.
  let shape: [Int]
  /// Whether the first index runs fastest in memory.
  let isFortranOrder: Bool
  /// Where the elements begin.
  let dataOffset: Int
  /// The number of elements.
  let elementCount: Int

  /// Reads the header of an array of `byteCount` bytes that starts with `prefix`.
  ///
  /// - Parameters:
  ///   - prefix: the first bytes: all of them, or at least ``largestHeader`` + 12.
  ///   - byteCount: how many bytes there are with the elements.
  ///   - file: what to call the array in a message.
  /// - Throws: ``NpyError``.
  init(prefix: UnsafeRawBufferPointer, byteCount: Int, file: String) throws(NpyError) {
    let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    guard prefix.count >= 6, prefix.prefix(6).elementsEqual(magic) else {
      throw .notNpy(file: file)
    }
    guard prefix.count >= 10 else {
      throw .truncatedHeader(file: file, found: prefix.count, expected: 10)
    }
    let (major, minor) = (Int(prefix[6]), Int(prefix[7]))
    guard (1...3).contains(major), minor == 0 else {
      throw .unknownVersion(file: file, major: major, minor: minor)
    }
    let start = major == 1 ? 10 : 12
    guard prefix.count >= start else {
      throw .truncatedHeader(file: file, found: prefix.count, expected: start)
    }
    let length = prefix[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.largestHeader else { throw .oversizedHeader(file: file, bytes: length) }
    dataOffset = start + length
    guard prefix.count >= dataOffset else {
      throw .truncatedHeader(file: file, found: prefix.count, expected: dataOffset)
    }

    var parser = Parser(bytes: prefix, position: start, end: dataOffset, file: file)
    (type, shape, isFortranOrder) = try parser.dictionary()
    let bytes: Int
    do {
      // Extents beside a zero must make sense too: rows are counted without the first.
      let claimed = try FileClaim.bytes(shape.filter { $0 != 0 }, each: type.byteCount)
      bytes = shape.contains(0) ? 0 : claimed
    } catch { throw .impossibleShape(file: file, shape: shape) }
    elementCount = bytes / type.byteCount
    guard byteCount - dataOffset == bytes else {
      throw .wrongSize(
        file: file, shape: shape, type: type.description, found: byteCount - dataOffset,
        expected: bytes)
    }
  }

  /// A shape as Python writes it.
  package static func tuple(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
  }

  /// Reads the dictionary; offsets in messages count from the start of the file.
  private struct Parser {
    let bytes: UnsafeRawBufferPointer
    var position: Int
    let end: Int
    let file: String

    mutating func dictionary() throws(NpyError) -> (NpyType, [Int], Bool) {
      var type: NpyType?
      var order: Bool?
      var shape: [Int]?
      try expect("{")
      while !take("}") {
        let start = position
        let key = try string()
        try expect(":")
        switch key {
        case "descr" where type == nil: type = try elementType()
        case "fortran_order" where order == nil: order = try boolean()
        case "shape" where shape == nil: shape = try tuple()
        default:
          throw .malformedHeader(
            file: file, offset: start,
            expected: "the keys descr, fortran_order and shape, once each")
        }
        guard take(",") || peek == UInt8(ascii: "}") else { throw failure("\",\" or \"}\"") }
      }
      skipSpace()
      guard position == end else { throw failure("nothing but spaces after the dictionary") }
      guard let type, let shape, let order else {
        throw failure("the keys descr, fortran_order and shape")
      }
      return (type, shape, order)
    }

    private mutating func elementType() throws(NpyError) -> NpyType {
      skipSpace()
      guard peek != UInt8(ascii: "[") else {
        throw .unsupportedType(file: file, type: "a record of several fields")
      }
      let name = try string()
      if let type = NpyType(name) { return type }
      if name.hasSuffix("O") { throw .pythonObjects(file: file) }
      throw .unsupportedType(file: file, type: name)
    }

    private mutating func boolean() throws(NpyError) -> Bool {
      skipSpace()
      for (word, value) in [("True", true), ("False", false)]
      where bytes[position..<end].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw failure("True or False")
    }

    private mutating func tuple() throws(NpyError) -> [Int] {
      var extents: [Int] = []
      try expect("(")
      while !take(")") {
        skipSpace()
        let start = position
        var number = 0
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
          let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
          let (sum, overflowToo) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
          guard !overflow, !overflowToo else {
            throw .malformedHeader(file: file, offset: start, expected: "an extent below 2^63")
          }
          number = sum
          position += 1
        }
        guard position > start else { throw failure("an extent, a whole number from 0 on") }
        // Python 2 marked long integers.
        _ = take("L")
        extents.append(number)
        guard extents.count <= 64 else { throw failure("at most 64 extents") }
        // (3) is a number to Python, (3,) is a tuple; the former is never written.
        guard take(",") || (peek == UInt8(ascii: ")") && extents.count > 1) else {
          throw failure("\",\"")
        }
      }
      return extents
    }

    private mutating func string() throws(NpyError) -> String {
      skipSpace()
      guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw failure("a quoted word")
      }
      let start = position + 1
      guard let close = bytes[start..<end].firstIndex(of: quote), close - start <= 1024 else {
        throw failure("the end of a quoted word")
      }
      position = close + 1
      return String(decoding: bytes[start..<close], as: UTF8.self)
    }

    private var peek: UInt8? { position < end ? bytes[position] : nil }

    private mutating func skipSpace() {
      while let byte = peek, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
    }

    /// Steps over `character` and the space around it, if it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard peek == UInt8(ascii: character) else { return false }
      position += 1
      skipSpace()
      return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(NpyError) {
      guard take(character) else { throw failure("\"\(character)\"") }
    }

    private func failure(_ expected: String) -> NpyError {
      .malformedHeader(file: file, offset: position, expected: expected)
    }
  }
}
