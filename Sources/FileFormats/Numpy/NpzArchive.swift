import Foundation

/// An archive of arrays as `numpy.savez` writes it: a zip file with a `.npy` file for each name.
public struct NpzArchive: Sendable {
  /// What to call the archive in messages: the path as the user typed it.
  public let name: String
  private let archive: ZipArchive

  /// Opens a file; no array is read.
  ///
  /// - Throws: ``ZipError`` or ``TokenDataError``.
  public init(path: String) throws {
    archive = try ZipArchive(path: path)
    name = path
  }

  /// Opens an archive in memory.
  ///
  /// - Throws: ``ZipError``.
  public init(bytes: [UInt8], name: String) throws {
    archive = try ZipArchive(bytes: bytes, name: name)
    self.name = name
  }

  /// The names of the arrays, in the order of the archive.
  public var arrayNames: [String] {
    archive.memberNames.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
  }

  /// Reads one array into memory where it has at most so many elements; its header alone tells.
  ///
  /// - Throws: ``NpyError/impossibleShape(file:shape:)`` for more, and as ``array(_:)``.
  /// - Complexity: O(bytes of this array).
  public func array(_ array: String, largest: Int) throws -> NpyArray {
    let (member, label) = (array + ".npy", "\(name): \(array).npy")
    let start = try archive.read(member, range: 0..<NpyHeader.largestHeader + 12)
    let size = try archive.size(of: member)
    let header = try start.withUnsafeBytes {
      try NpyHeader(prefix: $0, byteCount: size, file: label)
    }
    guard header.elementCount <= largest else {
      throw NpyError.impossibleShape(file: label, shape: header.shape)
    }
    return try self.array(array)
  }

  /// Reads one array into memory.
  ///
  /// - Throws: ``ZipError`` or ``NpyError`` that names the archive and the member.
  /// - Complexity: O(bytes of this array).
  public func array(_ array: String) throws -> NpyArray {
    try NpyArray(bytes: archive.read(array + ".npy"), name: "\(name): \(array).npy")
  }

  /// Opens one array to be read once, from its first element to its last.
  ///
  /// - Throws: ``ZipError`` or ``NpyError`` that names the archive and the member.
  public func stream(_ array: String) throws -> NpyStream {
    try NpyStream(
      ZipMemberStream(archive, member: array + ".npy"), name: "\(name): \(array).npy")
  }

  /// Writes arrays, uncompressed as `numpy.savez` does, in place of a file that may be there.
  ///
  /// - Parameter arrays: names, and the bytes that ``NpyWriter/bytes(_:shape:)`` makes.
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  public static func write(_ arrays: [(name: String, npy: Data)], to path: String) throws {
    try ZipWriter.write(arrays.map { ($0.name + ".npy", $0.npy) }, to: path)
  }
}
