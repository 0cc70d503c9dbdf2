import Files
import Foundation

/// An array of an archive that is read once, from its first element to its last: a batch of images need not fit into memory.
public final class NpyStream {
  /// What to call the array in messages: the archive, a colon and the member.
  public let name: String
  private let member: ZipMemberStream
  private let header: NpyHeader
  /// What was read with the header.
  private var rest: ArraySlice<UInt8>

  /// Reads the header.
  init(_ member: ZipMemberStream, name: String) throws {
    self.name = name
    self.member = member
    let start = try member.next(min(member.size, NpyHeader.largestHeader + 12))
    header = try start.withUnsafeBytes {
      try NpyHeader(prefix: $0, byteCount: member.size, file: name)
    }
    guard !header.isFortranOrder || header.shape.count < 2 else {
      throw NpyError.fortranOrder(file: name)
    }
    rest = start[header.dataOffset...]
  }

  /// The extents, outermost first.
  public var shape: [Int] { header.shape }
  /// The type of the elements as they are stored.
  public var type: NpyType { header.type }

  /// The bytes of the next elements, as they are stored.
  ///
  /// - Throws: ``ZipError`` where the archive is damaged, at the last element where its checksum is wrong.
  /// - Precondition: there are so many elements left.
  public func next(_ elements: Int) throws -> [UInt8] {
    let count = elements * type.byteCount
    var bytes = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    bytes += try member.next(count - bytes.count)
    if rest.isEmpty, member.position == member.size { try member.finish() }
    return bytes
  }
}

/// Writes an archive of arrays one after the other, as `numpy.savez` does, without their being in memory.
///
/// Until ``finish()`` a file of that name stays as it was. Not safe to use from several threads at once.
public final class NpzWriter {
  private let zip: ZipWriter

  /// Finds out that a file can be written.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  public init(path: String) throws(FileError) {
    zip = try ZipWriter(path: path)
  }

  /// Begins an array of unsigned bytes.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  /// - Precondition: the array before is complete.
  public func beginBytes(_ name: String, shape: [Int]) throws(FileError) {
    let header = NpyWriter.header(type: "|u1", shape: shape)
    try begin(name, header, bytes: shape.reduce(1, *))
  }

  /// Appends bytes to the array.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  /// - Precondition: the array takes so many.
  public func append(_ bytes: [UInt8]) throws(FileError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(FileError) in try zip.write(bytes) }
    }
    try result.get()
  }

  /// Writes a whole array.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``.
  public func write<Element: NpyElement>(
    _ name: String, _ elements: [Element], shape: [Int]
  ) throws(FileError) {
    let array = NpyWriter.bytes(elements, shape: shape)
    try begin(name, array, bytes: 0)
  }

  /// Puts the file in its place.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  /// - Precondition: the last array is complete.
  public func finish() throws(FileError) { try zip.finish() }

  private func begin(_ name: String, _ start: Data, bytes: Int) throws(FileError) {
    try zip.begin(name + ".npy", size: start.count + bytes)
    try append([UInt8](start))
  }
}
