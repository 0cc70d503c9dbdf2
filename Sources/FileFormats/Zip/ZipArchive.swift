import CZip
import Files
import Foundation

/// A zip archive that is read member by member: stored or deflated, zip64 where it is large.
///
/// Threads may share it and take turns. Checksums are verified by the library.
final class ZipArchive: @unchecked Sendable {
  /// What to call the archive in messages: the path as the user typed it.
  let name: String
  /// The names of the members, in the order of the directory.
  let memberNames: [String]

  private let archive: OpaquePointer
  private let indices: [String: zip_uint64_t]
  private let lock = NSLock()

  /// Opens a file.
  ///
  /// - Throws: ``ZipError/notZip(file:reason:)``, or ``TokenDataError`` when there is no such file.
  convenience init(path: String) throws {
    try checkIsReadableFile(path)
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_RDONLY, &code) else {
      throw ZipError.notZip(file: path, reason: Self.reason(code))
    }
    self.init(archive, name: path)
  }

  /// Opens an archive in memory.
  ///
  /// - Throws: ``ZipError/notZip(file:reason:)``.
  convenience init(bytes: [UInt8], name: String) throws {
    // The library frees the copy together with the source.
    guard let copy = malloc(max(1, bytes.count)) else {
      throw ZipError.notZip(file: name, reason: "there is no memory for it")
    }
    bytes.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { copy.copyMemory(from: base, byteCount: bytes.count) }
    }
    var failure = zip_error_t()
    guard
      let source = zip_source_buffer_create(copy, zip_uint64_t(bytes.count), 1, &failure)
    else {
      free(copy)
      throw ZipError.notZip(file: name, reason: String(cString: zip_error_strerror(&failure)))
    }
    guard let archive = zip_open_from_source(source, ZIP_RDONLY, &failure) else {
      zip_source_free(source)
      throw ZipError.notZip(file: name, reason: String(cString: zip_error_strerror(&failure)))
    }
    self.init(archive, name: name)
  }

  private init(_ archive: OpaquePointer, name: String) {
    self.archive = archive
    self.name = name
    var names: [String] = []
    var indices: [String: zip_uint64_t] = [:]
    for index in 0..<max(0, zip_get_num_entries(archive, 0)) {
      guard let text = zip_get_name(archive, zip_uint64_t(index), 0) else { continue }
      let member = String(cString: text)
      if indices.updateValue(zip_uint64_t(index), forKey: member) == nil { names.append(member) }
    }
    memberNames = names
    self.indices = indices
  }

  deinit { zip_discard(archive) }

  /// Whether there is a member of this name.
  func contains(_ member: String) -> Bool { indices[member] != nil }

  /// How many bytes a member has, by the archive's directory.
  ///
  /// - Throws: ``ZipError``.
  func size(of member: String) throws(ZipError) -> Int {
    guard let index = indices[member] else { throw .missingMember(file: name, member: member) }
    lock.lock()
    defer { lock.unlock() }
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_stat_index(archive, index, 0, &status) == 0,
      status.valid & zip_uint64_t(ZIP_STAT_SIZE) != 0
    else { throw damaged(member) }
    return Int(clamping: status.size)
  }

  /// Some of the bytes of a member; the rest is not kept.
  ///
  /// - Throws: ``ZipError``; also where a compressed member is so much longer than its compressed bytes that nobody would have
  ///   written it in earnest.
  /// - Complexity: reads the whole member, for its checksum.
  func read(_ member: String, range: Range<Int>) throws(ZipError) -> [UInt8] {
    try read(member, keeping: range, limit: 1 << 36)
  }

  /// The bytes of a member.
  ///
  /// - Parameter limit: the most bytes to read: what a directory says may be a lie.
  /// - Throws: ``ZipError``.
  func read(_ member: String, limit: UInt64 = 1 << 36) throws(ZipError) -> [UInt8] {
    try read(member, keeping: 0..<Int.max, limit: limit)
  }

  private func read(
    _ member: String, keeping range: Range<Int>, limit: UInt64
  ) throws(ZipError) -> [UInt8] {
    let stream = try ZipMemberStream(self, member: member, limit: limit)
    var bytes: [UInt8] = []
    // Grown as bytes arrive, so that a wrong size costs no more memory than the archive can fill.
    bytes.reserveCapacity(min(stream.size, range.count, 1 << 26))
    while stream.position < stream.size {
      let start = stream.position
      let chunk = try stream.next(min(stream.size - start, 1 << 20))
      let kept = range.clamped(to: start..<stream.position)
      bytes += chunk[kept.lowerBound - start..<kept.upperBound - start]
    }
    try stream.finish()
    return bytes
  }

  /// Opens a member whose size is no lie that could be told by its directory entry.
  fileprivate func open(
    _ member: String, limit: UInt64
  ) throws(ZipError) -> (file: OpaquePointer, size: Int) {
    guard let index = indices[member] else { throw .missingMember(file: name, member: member) }
    lock.lock()
    defer { lock.unlock() }
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_stat_index(archive, index, 0, &status) == 0,
      status.valid & zip_uint64_t(ZIP_STAT_SIZE) != 0
    else { throw damaged(member) }
    let size = UInt64(status.size)
    guard size <= limit else {
      throw .oversizedMember(file: name, member: member, bytes: size, limit: limit)
    }
    if status.valid & zip_uint64_t(ZIP_STAT_COMP_SIZE) != 0,
      (try? FileClaim.check(Int(clamping: size), compressedTo: Int(clamping: status.comp_size)))
        == nil
    {
      throw .oversizedMember(
        file: name, member: member, bytes: size, limit: UInt64(FileClaim.harmless))
    }
    guard let file = zip_fopen_index(archive, index, 0) else { throw damaged(member) }
    return (file, Int(size))
  }

  /// Threads take turns at the file behind the archive.
  fileprivate func taking<Result>(turn body: () -> Result) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return body()
  }

  private func damaged(_ member: String) -> ZipError {
    .damagedMember(
      file: name, member: member, reason: String(cString: zip_strerror(archive)))
  }

  private static func reason(_ code: Int32) -> String {
    var failure = zip_error_t()
    zip_error_init_with_code(&failure, code)
    defer { zip_error_fini(&failure) }
    return String(cString: zip_error_strerror(&failure))
  }
}

/// A member that is read once, from its start to its end, so that it need not fit into memory.
final class ZipMemberStream {
  /// The bytes of the member, by the archive's directory.
  let size: Int
  /// How many were read.
  private(set) var position = 0

  private let archive: ZipArchive
  private let member: String
  private let file: OpaquePointer

  /// - Parameter limit: the most bytes to read: what a directory says may be a lie.
  /// - Throws: ``ZipError``; also where a compressed member is so much longer than its compressed bytes that nobody would
  ///   have written it in earnest.
  init(_ archive: ZipArchive, member: String, limit: UInt64 = 1 << 40) throws(ZipError) {
    self.archive = archive
    self.member = member
    (file, size) = try archive.open(member, limit: limit)
  }

  deinit { _ = archive.taking { zip_fclose(file) } }

  /// The next bytes.
  ///
  /// - Throws: ``ZipError/damagedMember(file:member:reason:)`` where the member ends earlier.
  func next(_ count: Int) throws(ZipError) -> [UInt8] {
    var done = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while done < count, let place = buffer.baseAddress?.advanced(by: done) {
        let read = archive.taking { zip_fread(file, place, zip_uint64_t(count - done)) }
        guard read > 0 else { break }
        done += Int(read)
      }
      initialized = done
    }
    position += done
    guard done == count else {
      let failure = zip_file_get_error(file)
      let isAtEnd = failure.map { zip_error_code_zip($0) == ZIP_ER_OK } ?? true
      throw .damagedMember(
        file: archive.name, member: member,
        reason: isAtEnd
          ? "it ends after \(position) of \(size) bytes"
          : failure.map { String(cString: zip_error_strerror($0)) } ?? "it cannot be read")
    }
    return bytes
  }

  /// Makes sure that the end was met; the library compares the checksum there.
  ///
  /// - Throws: ``ZipError/damagedMember(file:member:reason:)``.
  func finish() throws(ZipError) {
    var rest: UInt8 = 0
    guard archive.taking(turn: { zip_fread(file, &rest, 1) }) == 0 else {
      throw .damagedMember(
        file: archive.name, member: member,
        reason: "its checksum or size does not fit its bytes")
    }
  }
}
