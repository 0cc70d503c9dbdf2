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
    defer { zip_fclose(file) }
    var bytes: [UInt8] = []
    // Grown as bytes arrive, so that a wrong size costs no more memory than the archive can fill.
    bytes.reserveCapacity(Int(min(size, UInt64(range.count), 1 << 26)))
    var position = 0
    while UInt64(position) < size {
      let wanted = Int(min(size - UInt64(position), 1 << 20))
      var count: zip_int64_t = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
        count = zip_fread(file, buffer.baseAddress, zip_uint64_t(wanted))
        initialized = max(0, Int(count))
      }
      guard count > 0 else {
        let failure = zip_file_get_error(file)
        throw .damagedMember(
          file: name, member: member,
          reason: count == 0
            ? "it ends after \(position) of \(size) bytes"
            : failure.map { String(cString: zip_error_strerror($0)) } ?? "it cannot be read")
      }
      let kept = range.clamped(to: position..<position + chunk.count)
      bytes += chunk[kept.lowerBound - position..<kept.upperBound - position]
      position += chunk.count
    }
    // The library compares the checksum when it meets the end.
    var rest: UInt8 = 0
    guard zip_fread(file, &rest, 1) == 0 else {
      throw .damagedMember(
        file: name, member: member, reason: "its checksum or size does not fit its bytes")
    }
    return bytes
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

/// Writes zip archives of stored members, dated 1 January 1980, so that equal contents make equal
/// files.
enum ZipWriter {
  /// Writes an archive in place of one that may be there; zip64 where it has to be.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  static func write(_ members: [(name: String, data: Data)], to path: String) throws {
    let replacement = try OutputFile(path: path)
    // In memory: the library would write a temporary file of its own, which nobody removes after an interrupt.
    var failure = zip_error_t()
    zip_error_init(&failure)
    defer { zip_error_fini(&failure) }
    guard let bytes = zip_source_buffer_create(nil, 0, 0, &failure) else {
      throw FileError.unwritable(path, reason: String(cString: zip_error_strerror(&failure)))
    }
    // The archive takes over one reference; this one is for reading what it has become.
    zip_source_keep(bytes)
    defer { zip_source_free(bytes) }
    guard let archive = zip_open_from_source(bytes, ZIP_CREATE | ZIP_TRUNCATE, &failure) else {
      zip_source_free(bytes)
      throw FileError.unwritable(path, reason: String(cString: zip_error_strerror(&failure)))
    }
    func fail() -> FileError {
      let reason = String(cString: zip_strerror(archive))
      zip_discard(archive)
      return .unwritable(path, reason: reason)
    }
    for (name, data) in members {
      guard let copy = malloc(max(1, data.count)) else { throw fail() }
      data.copyBytes(to: copy.assumingMemoryBound(to: UInt8.self), count: data.count)
      guard let source = zip_source_buffer(archive, copy, zip_uint64_t(data.count), 1) else {
        free(copy)
        throw fail()
      }
      let index = zip_file_add(archive, name, source, token_zip_utf8)
      guard index >= 0 else {
        zip_source_free(source)
        throw fail()
      }
      guard zip_set_file_compression(archive, zip_uint64_t(index), ZIP_CM_STORE, 0) == 0,
        zip_file_set_dostime(archive, zip_uint64_t(index), 0, 0x21, 0) == 0
      else { throw fail() }
    }
    guard zip_close(archive) == 0 else { throw fail() }
    try replacement.write(try Self.bytes(of: bytes, path))
    try replacement.commit()
  }

  /// Everything that a source in memory holds.
  private static func bytes(of source: OpaquePointer, _ path: String) throws -> Data {
    func fail() -> FileError {
      .unwritable(path, reason: String(cString: zip_error_strerror(zip_source_error(source))))
    }
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_source_stat(source, &status) == 0, zip_source_open(source) == 0 else { throw fail() }
    defer { zip_source_close(source) }
    var data = Data(count: Int(status.size))
    let count = data.withUnsafeMutableBytes {
      zip_source_read(source, $0.baseAddress, zip_uint64_t($0.count))
    }
    guard count == data.count else { throw fail() }
    return data
  }
}
