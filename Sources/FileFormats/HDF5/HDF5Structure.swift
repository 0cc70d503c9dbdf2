import Files
import Foundation

/// Makes sure that what names and describes the objects of an HDF5 file is whole, before the library reads it.
///
/// HDF5 1.10 parses the messages of an object's header without a look at where they end: of a name without a zero byte it
/// copies what stands behind it, a type or a list of filters is read on into other memory, and a tree that leads back to
/// itself is followed for ever. So each object that is opened is first looked at here: every message of its header with all
/// continuations (``check(_:members:)``), the tables of a group's members, and what its members' names lead to.
///
/// What is reached only through the fractal heaps and the trees of version 2, such as members of groups with very many, is left
/// to the library: all of it carries checksums.
///
/// Used only inside ``HDF5/locked(_:)``. (Format: HDF5 file format specification, II to IV.)
final class HDF5Structure: @unchecked Sendable {
  /// What a member of a group leads to.
  enum Link {
    /// The address of an object's header.
    case object(Int)
    /// A path in this file.
    case path(String)
    /// A path in another file.
    case external(file: String, path: String)
    /// Nothing that is opened here.
    case other
  }

  /// What a name leads to, once all links are followed.
  enum Target {
    case object(Int)
    case external(file: String, path: String)
    /// Its group keeps its members where only the library looks.
    case unknown
    case nothing
  }

  /// A message of an object's header.
  struct Message {
    let kind: Int
    let isShared: Bool
    let content: Range<Int>
  }

  /// What is known of a group's members.
  struct Members {
    var links: [String: Link] = [:]
    /// Whether there are others, in a fractal heap.
    var areIncomplete = false
  }

  let bytes: UnsafeRawBufferPointer
  /// Where the addresses of the file count from.
  let base: Int
  /// The header of the group that all others are in.
  let root: Int
  /// Owns the bytes.
  let file: MappedFile
  private var headers: [Int: [Message]] = [:]
  private var groups: [Int: Members] = [:]

  /// Looks at the file's superblock and at the headers that it leads to.
  ///
  /// - Throws: ``HDF5Damage`` where they are not whole, or ``HDF5Failure`` where there is no file.
  init(path: String) throws {
    do {
      file = try MappedFile(path: path)
    } catch {
      throw HDF5Failure(action: "open the file", reason: error.reason)
    }
    bytes = file.bytes
    guard let start = Self.signature(in: bytes) else {
      throw HDF5Damage("there is no signature of HDF5")
    }
    base = start
    var block = HDF5Cursor(bytes, start + 8..<bytes.count)
    let version = try block.number(1)
    if version < 2 { try block.skip(4) }
    let (addressBytes, lengthBytes) = (try block.number(1), try block.number(1))
    guard addressBytes == 8, lengthBytes == 8 else {
      throw HDF5Damage("its addresses have \(addressBytes) bytes, and 8 are expected")
    }
    // The base address with them: the library replaces it by where it found the signature.
    try block.skip(version == 0 ? 17 : version == 1 ? 21 : 9)
    let second = try block.number(8)
    let end = try block.number(8)
    guard end >= 0, end <= bytes.count else {
      throw HDF5Damage("it has \(bytes.count) bytes, and \(end) are expected")
    }
    // Of the first versions: the driver's block, and the root's name.
    if version < 2 { try block.skip(16) }
    root = try block.number(8)
    if version >= 2, second != -1 { try check([second]) }
    try check([root])
  }

  /// The signature stands at the beginning, or behind a block of the user of 512, 1024 and so on bytes.
  private static func signature(in bytes: UnsafeRawBufferPointer) -> Int? {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var place = 0
    while place <= bytes.count - signature.count {
      if bytes[place..<place + signature.count].elementsEqual(signature) { return place }
      place = place == 0 ? 512 : 2 * place
    }
    return nil
  }

  /// Where an address of the file lies in its bytes, with so many behind it.
  func place(_ address: Int, _ count: Int) throws(HDF5Damage) -> Int {
    let (place, overflow) = address.addingReportingOverflow(base)
    guard address >= 0, !overflow, count >= 0, place <= bytes.count, count <= bytes.count - place
    else { throw HDF5Damage("an address lies beyond the end of the file") }
    return place
  }

  // MARK: Objects

  /// Checks the object whose header is at an address, called `name`.
  ///
  /// - Throws: ``HDF5Damage`` where it is not whole.
  /// - Complexity: O(its messages and members), once.
  func check(_ address: Int, name: String) throws {
    try naming(name) { () throws(HDF5Damage) in try check([address]) }
  }

  private func naming<Result>(
    _ name: String, _ body: () throws(HDF5Damage) -> Result
  ) throws(HDF5Damage) -> Result {
    do throws(HDF5Damage) { return try body() } catch {
      throw HDF5Damage("/\(name.drop { $0 == "/" }): \(error.description)")
    }
  }

  /// Checks objects, and the named types that they refer to.
  private func check(_ addresses: [Int]) throws(HDF5Damage) {
    var left = addresses
    while let address = left.popLast() {
      guard groups[address] == nil else { continue }
      var members = Members()
      let messages = try messages(at: address)
      for message in messages { left += try check(message, members: &members) }
      try checkIndex(messages)
      groups[address] = members
    }
  }

  /// What a name leads to from the group whose header is at an address.
  ///
  /// - Throws: ``HDF5Damage`` where that, or a group on the way, is not whole.
  func target(of name: String, from group: Int) throws -> Target {
    try naming(name) { () throws(HDF5Damage) in
      var hops = 0
      return try target(name, group, &hops)
    }
  }

  private func target(_ path: String, _ group: Int, _ hops: inout Int) throws(HDF5Damage) -> Target
  {
    var here = path.hasPrefix("/") ? root : group
    let parts = path.split(separator: "/").filter { $0 != "." }
    for (place, part) in parts.enumerated() {
      try check([here])
      guard let members = groups[here] else { return .nothing }
      let rest = parts[(place + 1)...].joined(separator: "/")
      switch members.links[String(part)] {
      case .object(let address): here = address
      case .path(let path):
        hops += 1
        guard hops <= 16 else { return .nothing }
        return try target(rest.isEmpty ? path : path + "/" + rest, here, &hops)
      case .external(let file, let path):
        return .external(file: file, path: rest.isEmpty ? path : path + "/" + rest)
      case .other: return .nothing
      case nil: return members.areIncomplete ? .unknown : .nothing
      }
    }
    try check([here])
    return .object(here)
  }

  // MARK: Headers

  /// The messages of the header at an address, its continuations included.
  func messages(at address: Int) throws(HDF5Damage) -> [Message] {
    if let known = headers[address] { return known }
    let start = try place(address, 16)
    var messages: [Message] = []
    var blocks: [Range<Int>]
    // Of a message: its kind, size and flags, and what is left out here.
    let isNew = bytes[start..<start + 4].elementsEqual("OHDR".utf8)
    var isTracked = false
    if isNew {
      var prefix = HDF5Cursor(bytes, start + 4..<bytes.count)
      guard try prefix.number(1) == 2 else { throw HDF5Damage("its header has another version") }
      let flags = try prefix.number(1)
      isTracked = flags & 4 != 0
      try prefix.skip((flags & 0x20 == 0 ? 0 : 16) + (flags & 0x10 == 0 ? 0 : 4))
      let size = try prefix.number(1 << (flags & 3))
      let begin = prefix.place
      try prefix.skip(size)
      blocks = [begin..<prefix.place]
      try prefix.skip(4)  // A checksum.
    } else {
      guard bytes[start] == 1 else { throw HDF5Damage("there is no header of an object") }
      var prefix = HDF5Cursor(bytes, start + 8..<bytes.count)
      let size = try prefix.number(4)
      try prefix.skip(4)
      let begin = prefix.place
      try prefix.skip(size)
      blocks = [begin..<prefix.place]
    }
    // Blocks of one header do not overlap, so that together they are no longer than the file.
    var room = bytes.count
    while let block = blocks.popLast() {
      room -= block.count
      guard room >= 0 else { throw HDF5Damage("its header leads back to itself") }
      var cursor = HDF5Cursor(bytes, block)
      let least = isNew ? (isTracked ? 6 : 4) : 8
      // What is left over is a gap in new headers, and is not in old ones.
      while isNew ? cursor.left >= least : cursor.left > 0 {
        let kind = try cursor.number(isNew ? 1 : 2)
        let size = try cursor.number(2)
        let flags = try cursor.number(1)
        try cursor.skip(isNew ? (isTracked ? 2 : 0) : 3)
        let begin = cursor.place
        try cursor.skip(size)
        if kind == 0x10 {
          var next = HDF5Cursor(bytes, begin..<cursor.place)
          let (address, length) = (try next.number(8), try next.number(8))
          let start = try place(address, length)
          let ends = isNew ? (4, 4) : (0, 0)  // A signature and a checksum.
          guard length >= ends.0 + ends.1 else {
            throw HDF5Damage("its header continues in \(length) bytes")
          }
          blocks.append(start + ends.0..<start + length - ends.1)
        }
        messages.append(
          Message(kind: kind, isShared: flags & 2 != 0, content: begin..<cursor.place))
      }
    }
    headers[address] = messages
    return messages
  }
}

/// What is wrong in the structure of an HDF5 file.
package struct HDF5Damage: Error, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

/// Reads a part of a file front to back, and no byte behind it.
struct HDF5Cursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var place: Int
  let end: Int

  init(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) {
    self.bytes = bytes
    (place, end) = (part.lowerBound, part.upperBound)
  }

  var left: Int { end - place }

  mutating func skip(_ count: Int) throws(HDF5Damage) {
    guard count >= 0, count <= left else {
      throw HDF5Damage("a part of its header reaches beyond its place")
    }
    place += count
  }

  /// A number, least byte first; one of eight bytes beyond 63 bits is negative.
  mutating func number(_ count: Int) throws(HDF5Damage) -> Int {
    let start = place
    try skip(count)
    var value = 0
    for offset in (0..<count).reversed() { value = value << 8 | Int(bytes[start + offset]) }
    return value
  }

  /// Text that a zero byte ends; where it is `padded`, up to a multiple of eight bytes.
  @discardableResult
  mutating func text(padded: Bool = false) throws(HDF5Damage) -> String {
    guard let zero = bytes[place..<end].firstIndex(of: 0) else {
      throw HDF5Damage("a name in its header does not end")
    }
    let text = String(decoding: bytes[place..<zero], as: UTF8.self)
    let count = zero - place + 1
    try skip(padded ? (count + 7) / 8 * 8 : count)
    return text
  }

  /// The next bytes, to be read by themselves.
  mutating func part(_ count: Int) throws(HDF5Damage) -> HDF5Cursor {
    let start = place
    try skip(count)
    return HDF5Cursor(bytes, start..<place)
  }

  /// The next bytes as text.
  mutating func text(bytes count: Int) throws(HDF5Damage) -> String {
    let start = place
    try skip(count)
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }
}
