import CZlib
import Files
import Foundation

/// Writes a zip archive of stored members, one after the other, dated 1 January 1980, so that equal contents make equal files.
///
/// Members whose size is known beforehand pass through without being in memory; zip64 where a number has to be. (Format:
/// PKWARE's APPNOTE 6.3.)
///
/// Not safe to use from several threads at once.
package final class ZipWriter {
  /// A member that is written.
  private struct Member {
    let name: String
    let size: UInt64
    let start: UInt64
    var checksum: UInt = 0
    var written: UInt64 = 0
  }

  private let output: OutputFile
  private let largestPlain: UInt64
  private var members: [Member] = []
  private var position: UInt64 = 0

  /// Finds out that a file can be written.
  ///
  /// - Parameter largestPlain: the largest number that is written without zip64; tests choose a small one.
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  init(path: String, largestPlain: UInt64 = 0xFFFF_FFFE) throws(FileError) {
    output = try OutputFile(path: path)
    self.largestPlain = largestPlain
  }

  /// Begins a member of so many bytes.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  /// - Precondition: the member before is complete.
  func begin(_ name: String, size: Int) throws(FileError) {
    precondition(members.last.map { $0.written == $0.size } ?? true, "members are complete")
    let member = Member(name: name, size: UInt64(size), start: position)
    members.append(member)
    try append(localHeader(of: member))
  }

  /// Appends bytes to the member.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  /// - Precondition: they fit into its size.
  func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    let last = members.count - 1
    members[last].written += UInt64(bytes.count)
    precondition(members[last].written <= members[last].size, "a member has the size it was given")
    var checksum = members[last].checksum
    for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
      let part = bytes[start..<min(bytes.count, start + 1 << 30)]
      checksum = UInt(
        crc32(
          uLong(checksum), part.assumingMemoryBound(to: UInt8.self).baseAddress, uInt(part.count))
      )
    }
    members[last].checksum = checksum
    try output.write(bytes)
    position += UInt64(bytes.count)
  }

  /// Writes the directory, and puts the file in its place.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  func finish() throws(FileError) {
    precondition(members.last.map { $0.written == $0.size } ?? true, "members are complete")
    // Checksums are known only now; the headers stand before the bytes.
    for member in members {
      let header = localHeader(of: member)
      let count = header.withUnsafeBytes {
        pwrite(output.descriptor, $0.baseAddress, $0.count, off_t(member.start))
      }
      guard count == header.count else {
        throw .unwritable(output.path, reason: String(cString: strerror(errno)))
      }
    }
    let start = position
    for member in members { try append(directoryEntry(of: member)) }
    let size = position - start
    if isLarge(start) || isLarge(size) || members.count >= 0xFFFF {
      let end = position
      var record = Data()
      record.append(0x0606_4B50 as UInt32)
      record.append(44 as UInt64)
      record.append(Self.zip64Version)
      record.append(Self.zip64Version)
      record.append(0 as UInt64)
      record.append(UInt64(members.count))
      record.append(UInt64(members.count))
      record.append(size)
      record.append(start)
      record.append(0x0706_4B50 as UInt32)
      record.append(0 as UInt32)
      record.append(end)
      record.append(1 as UInt32)
      try append(record)
    }
    let count = UInt16(clamping: members.count)
    var end = Data()
    end.append(0x0605_4B50 as UInt32)
    end.append(0 as UInt32)
    end.append(count)
    end.append(count)
    end.append(plain(size))
    end.append(plain(start))
    end.append(0 as UInt16)
    try append(end)
    try output.commit()
  }

  /// Writes an archive of members in memory, in place of one that may be there.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  package static func write(_ members: [(name: String, data: Data)], to path: String)
    throws(FileError)
  {
    let writer = try ZipWriter(path: path)
    for (name, data) in members {
      try writer.begin(name, size: data.count)
      try writer.write(data)
    }
    try writer.finish()
  }

  /// Appends data to the member.
  private func write(_ data: Data) throws(FileError) {
    let result = data.withUnsafeBytes { bytes in
      Result { () throws(FileError) in try write(bytes) }
    }
    try result.get()
  }

  private static let plainVersion: UInt16 = 20
  private static let zip64Version: UInt16 = 45

  private func isLarge(_ number: UInt64) -> Bool { number > largestPlain }

  /// A number of 32 bits, or the sign that it stands elsewhere.
  private func plain(_ number: UInt64) -> UInt32 { isLarge(number) ? .max : UInt32(number) }

  /// What both headers of a member begin with, from the version on.
  private func fields(of member: Member, isLarge: Bool) -> Data {
    var data = Data()
    data.append(isLarge ? Self.zip64Version : Self.plainVersion)
    // Bit 11: the name is in UTF-8.
    data.append((member.name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 0x800) as UInt16)
    data.append(0 as UInt16)
    data.append(0 as UInt16)
    data.append(0x21 as UInt16)
    data.append(UInt32(truncatingIfNeeded: member.checksum))
    data.append(plain(member.size))
    data.append(plain(member.size))
    data.append(UInt16(member.name.utf8.count))
    return data
  }

  private func localHeader(of member: Member) -> Data {
    let isLarge = isLarge(member.size)
    var data = Data()
    data.append(0x0403_4B50 as UInt32)
    data += fields(of: member, isLarge: isLarge)
    data.append((isLarge ? 20 : 0) as UInt16)
    data += Data(member.name.utf8)
    if isLarge { data += Self.extra([member.size, member.size]) }
    return data
  }

  private func directoryEntry(of member: Member) -> Data {
    var large = isLarge(member.size) ? [member.size, member.size] : []
    if isLarge(member.start) { large.append(member.start) }
    let extra = large.isEmpty ? Data() : Self.extra(large)
    var data = Data()
    data.append(0x0201_4B50 as UInt32)
    // Made on Unix, whose permissions follow.
    data.append((large.isEmpty ? Self.plainVersion : Self.zip64Version) | 3 << 8)
    data += fields(of: member, isLarge: !large.isEmpty)
    data.append(UInt16(extra.count))
    data.append(0 as UInt16)
    data.append(0 as UInt32)
    data.append(0o100644 << 16 as UInt32)
    data.append(plain(member.start))
    return data + Data(member.name.utf8) + extra
  }

  private static func extra(_ numbers: [UInt64]) -> Data {
    var data = Data()
    data.append(1 as UInt16)
    data.append(UInt16(8 * numbers.count))
    for number in numbers { data.append(number) }
    return data
  }

  private func append(_ data: Data) throws(FileError) {
    try output.write(data)
    position += UInt64(data.count)
  }
}

extension Data {
  /// Appends a number, its least significant byte first.
  fileprivate mutating func append(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
