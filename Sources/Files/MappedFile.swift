import Foundation

/// A file whose bytes are read straight from the page cache, without a copy.
///
/// The mapping is private and read-only and lives as long as this object. Whoever truncates the file meanwhile
/// makes later reads of the lost pages fail with a bus error, as with every mapped file.
public final class MappedFile: @unchecked Sendable {
  /// The path the file was opened by.
  public let path: String
  /// The mapped bytes; valid as long as this object.
  public let bytes: UnsafeRawBufferPointer

  /// Maps the file at `path`.
  ///
  /// - Throws: ``FileError`` when it cannot be opened or mapped or is not a regular file.
  public init(path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.unreadable(path, reason: Self.lastFailure()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError.unreadable(path, reason: Self.lastFailure())
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError.unreadable(path, reason: "not a regular file")
    }
    self.path = path
    let count = Int(status.st_size)
    // An empty mapping is an error to the system, an empty file is not.
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw FileError.unreadable(path, reason: Self.lastFailure()) }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// Gives the memory of some bytes back; they are read from the file again when they are wanted.
  ///
  /// Whoever walks through a large file has otherwise all of it counted as the program's memory in the end. Of pages only
  /// whole ones are given back.
  public func release(_ range: Range<Int>) {
    guard let base = bytes.baseAddress else { return }
    let page = Int(getpagesize())
    let first = (max(range.lowerBound, 0) + page - 1) / page * page
    let end = min(range.upperBound, bytes.count) / page * page
    guard first < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
  }

  private static func lastFailure() -> String { String(cString: strerror(errno)) }
}
