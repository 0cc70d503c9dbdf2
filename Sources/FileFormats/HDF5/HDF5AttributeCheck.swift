import CHDF5
import Files

/// Makes sure that the attributes in an object's header lie inside their messages.
///
/// HDF5 1.10 parses them without a look at where they end, and copies what stands behind. Headers of version 2 are left to
/// the library: they carry checksums. (Format: HDF5 file format specification, IV.A.1 and IV.A.2.m.)
struct HDF5AttributeCheck {
  private let bytes: UnsafeRawBufferPointer
  private let base: Int
  /// Owns the bytes.
  private let file: MappedFile

  /// Checks the attributes of an open group or dataset.
  ///
  /// - Throws: ``HDF5Failure`` where one reaches beyond its message.
  static func check(_ object: hid_t) throws {
    let action = "read the attributes"
    let address = token_h5_header_address(object)
    guard address != token_h5_no_address() else {
      throw HDF5Failure(action: action, reason: HDF5.firstCause())
    }
    let (file, base) = try HDF5Heap.map(object, action)
    let check = HDF5AttributeCheck(bytes: file.bytes, base: base, file: file)
    guard try withExtendedLifetime(file, { check.holds(Int(clamping: address)) }) else {
      throw HDF5Failure(action: action, reason: "an attribute reaches beyond its place")
    }
  }

  /// Whether all attributes of the header at an address are whole; true for headers of another version.
  private func holds(_ address: Int) -> Bool {
    guard let start = place(address, 16) else { return false }
    guard bytes[start] == 1 else { return true }
    var left = number(start + 2, 2)
    var blocks = [(start + 16, number(start + 8, 4))]
    while left > 0, let (begin, size) = blocks.popLast() {
      guard size >= 0, begin <= bytes.count, size <= bytes.count - begin else { return false }
      var message = begin
      while left > 0, message + 8 <= begin + size {
        let (type, count) = (number(message, 2), number(message + 2, 2))
        let content = message + 8
        guard count <= begin + size - content else { return false }
        if type == 0x10, count >= 16 {
          guard let next = place(number(content, 8), 0) else { return false }
          blocks.append((next, number(content + 8, 8)))
        }
        // Bit 1: the message is shared and stands elsewhere.
        if type == 0x0C, bytes[message + 4] & 2 == 0, !isWhole(content..<content + count) {
          return false
        }
        left -= 1
        message = content + count
      }
    }
    return true
  }

  /// Whether an attribute's name, type, extents and value lie inside its message.
  private func isWhole(_ message: Range<Int>) -> Bool {
    guard message.count >= 9 else { return false }
    let start = message.lowerBound
    let version = bytes[start]
    guard (1...3).contains(version) else { return false }
    // Of version 1 each part begins at a multiple of eight bytes; later ones may refer to types elsewhere.
    func padded(_ size: Int) -> Int { version == 1 ? (size + 7) / 8 * 8 : size }
    let sizes = (1...3).map { number(start + 2 * $0, 2) }
    let name = start + (version == 3 ? 9 : 8)
    let type = name + padded(sizes[0])
    let space = type + padded(sizes[1])
    let value = space + padded(sizes[2])
    guard value <= message.upperBound, bytes[name..<name + sizes[0]].contains(0) else {
      return false
    }
    if version > 1, bytes[start + 1] & 3 != 0 { return true }
    guard isWholeType(type..<type + sizes[1], depth: 0),
      let count = elementCount(space..<space + sizes[2])
    else { return false }
    let size = (try? FileClaim.bytes([count], each: number(type + 4, 4))) ?? .max
    return size <= message.upperBound - value
  }

  /// Whether a type of numbers or text is as long as its kind needs; others are taken as they are.
  private func isWholeType(_ type: Range<Int>, depth: Int) -> Bool {
    guard type.count >= 8, depth < 4 else { return false }
    switch bytes[type.lowerBound] & 0x0F {
    case 0, 4: return type.count >= 12
    case 1: return type.count >= 20
    case 9: return isWholeType(type.lowerBound + 8..<type.upperBound, depth: depth + 1)
    default: return true
    }
  }

  /// The number of elements of a space; nil where it is not whole.
  private func elementCount(_ space: Range<Int>) -> Int? {
    guard space.count >= 4 else { return nil }
    let start = space.lowerBound
    let (version, rank) = (bytes[start], Int(bytes[start + 1]))
    let first = start + (version == 1 ? 8 : 4)
    guard version == 1 || version == 2, rank <= 32 else { return nil }
    if version == 2, bytes[start + 3] == 2 { return 0 }
    let lists = bytes[start + 2] & 1 == 0 ? 1 : 2
    guard first + 8 * rank * lists <= space.upperBound else { return nil }
    return checkedProduct((0..<rank).map { number(first + 8 * $0, 8) })
  }

  /// Where an address of the file lies in the bytes, with so many behind it.
  private func place(_ address: Int, _ count: Int) -> Int? {
    let (place, overflow) = address.addingReportingOverflow(base)
    guard !overflow, place >= 0, place <= bytes.count, count <= bytes.count - place else {
      return nil
    }
    return place
  }

  /// A number, least byte first; one beyond 63 bits is negative.
  private func number(_ place: Int, _ count: Int) -> Int {
    bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
