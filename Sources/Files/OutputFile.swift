import Foundation

/// A file that is written beside its final name and moved there when it is complete.
///
/// Until ``commit(synchronized:)`` a file of that name stays as it was; an output that is dropped without a commit,
/// because the writing failed, removes what was written so far.
///
/// The rules are the same for every output of the project. A link is followed, and the file that it names is replaced. A
/// FIFO or a character device is written to, at the commit. Everything else that is no regular file, an input of the same
/// run (``InputFiles``) and the file or pipe that takes standard output are refused.
///
/// Not safe to use from several threads at once.
public final class OutputFile {
  /// The final name, as it was given.
  public let path: String
  /// What is written so far: a hidden file in the folder of the final one; for a FIFO or device, one of the folder for
  /// temporary files.
  public let temporaryPath: String
  /// The open temporary file, for a library that writes by itself. What is written there is in place at the commit.
  public let descriptor: Int32

  private let destination: Destination
  private var isFinished = false

  private enum Destination {
    /// A file of this name is replaced or made.
    case file(String)
    /// What stands there is written to.
    case stream(String)
  }

  /// Finds out what the name stands for and creates an empty file beside it, to learn early that it can be.
  ///
  /// - Throws: ``FileError`` when the folder does not exist or may not be written, or when the rules above refuse it.
  public init(path: String) throws(FileError) {
    self.path = path
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists { try Self.check(status, path) }
    destination =
      exists && status.kind != S_IFREG ? .stream(path) : .file(try Self.followed(path))
    let (folder, name) =
      switch destination {
      case .file(let file): try Self.split(file, path)
      case .stream: (FileManager.default.temporaryDirectory.path, "output")
      }
    TemporaryFiles.shared.removeDeadOnce(in: folder)
    (descriptor, temporaryPath) = try Self.create(in: folder, for: name, path)
    // Who could not read the old file shall not read the new one.
    if exists, status.kind == S_IFREG { fchmod(descriptor, status.st_mode & 0o777) }
  }

  /// Appends bytes.
  ///
  /// - Throws: ``FileError``, as when the disk is full.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    do { try writeAll(bytes, to: descriptor) } catch {
      throw FileError.unwritable(path, reason: error.description)
    }
  }

  /// Appends data.
  ///
  /// - Throws: ``FileError``, as when the disk is full.
  public func write(_ data: Data) throws(FileError) {
    do { try writeAll(data, to: descriptor) } catch {
      throw FileError.unwritable(path, reason: error.description)
    }
  }

  /// Moves the complete file to its final name, in place of one that may be there; or writes it to the FIFO or device of
  /// that name, and waits for a FIFO's reader.
  ///
  /// - Parameter synchronized: whether the bytes are to be on the disk before the name is: what a power cut must not cost.
  /// - Throws: ``FileError``; then a file that was there stays.
  public func commit(synchronized: Bool = false) throws(FileError) {
    precondition(!isFinished, "an output is complete once")
    do throws(SystemError) {
      if synchronized, fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP { throw .last }
      switch destination {
      case .file(let file):
        // Network file systems tell at a close that something could not be written; the lock that says somebody is at
        // work goes with the last one only.
        let second = dup(descriptor)
        guard second >= 0, close(second) == 0 else { throw .last }
        guard rename(temporaryPath, file) == 0 else { throw .last }
      case .stream(let file):
        try copy(to: file)
        unlink(temporaryPath)
      }
    } catch {
      throw FileError.unwritable(path, reason: error.description)
    }
    finish()
  }

  /// Writes a whole file, in place of one that may be there.
  ///
  /// - Throws: ``FileError``; then nothing is left behind.
  public static func write(_ data: Data, to path: String) throws(FileError) {
    let output = try OutputFile(path: path)
    try output.write(data)
    try output.commit()
  }

  deinit {
    guard !isFinished else { return }
    unlink(temporaryPath)
    finish()
  }

  private func finish() {
    isFinished = true
    TemporaryFiles.shared.remove(temporaryPath)
    close(descriptor)
  }

  /// Writes everything to what stands at `file`, which is neither made nor emptied.
  private func copy(to file: String) throws(SystemError) {
    let stream = open(file, O_WRONLY | O_NOCTTY | O_CLOEXEC)
    guard stream >= 0 else { throw .last }
    defer { close(stream) }
    var offset: off_t = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .last }
      if count == 0 { return }
      try writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: stream)
      offset += off_t(count)
    }
  }

  // MARK: What a name stands for

  private static func check(_ status: stat, _ path: String) throws(FileError) {
    switch status.kind {
    case S_IFDIR: throw FileError.unwritable(path, reason: "it is a directory")
    case S_IFCHR: return
    case S_IFIFO, S_IFREG: break
    default: throw FileError.unwritable(path, reason: "it is no regular file")
    }
    if InputFiles.shared.contains(status) {
      throw FileError.unwritable(path, reason: "it is an input of the same command")
    }
    for (stream, name) in [(STDOUT_FILENO, "standard output"), (STDERR_FILENO, "standard error")] {
      var open = stat()
      if fstat(stream, &open) == 0, open.isSameFile(as: status) {
        throw FileError.unwritable(path, reason: "it is where \(name) goes")
      }
    }
  }

  /// The name at the end of a chain of links; that file need not exist.
  private static func followed(_ path: String) throws(FileError) -> String {
    var place = path
    // As many as Linux follows.
    for _ in 0..<40 {
      var status = stat()
      guard lstat(place, &status) == 0, status.kind == S_IFLNK else { return place }
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink(place, &buffer, buffer.count)
      guard count > 0 else {
        throw FileError.unwritable(path, reason: SystemError.last.description)
      }
      let target = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      place =
        target.hasPrefix("/") ? target : place.prefix(upTo: place.endOfFolder) + target
    }
    throw FileError.unwritable(path, reason: SystemError(code: ELOOP).description)
  }

  private static func split(
    _ file: String, _ path: String
  ) throws(FileError) -> (folder: String, name: String) {
    let name = String(file.suffix(from: file.endOfFolder))
    guard !name.isEmpty else {
      throw FileError.unwritable(
        path, reason: path.isEmpty ? "the name is empty" : "there is no such folder")
    }
    let folder = String(file.prefix(upTo: file.endOfFolder))
    return (folder.isEmpty ? "." : folder, name)
  }

  private static func create(
    in folder: String, for name: String, _ path: String
  ) throws(FileError) -> (descriptor: Int32, path: String) {
    while true {
      let place =
        folder + (folder.hasSuffix("/") ? "" : "/") + TemporaryFiles.name(for: name)
      TemporaryFiles.shared.insert(place)
      let descriptor = open(place, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        let error = SystemError.last
        TemporaryFiles.shared.remove(place)
        if error.code == EINTR || error.code == EEXIST { continue }
        throw FileError.unwritable(path, reason: error.description)
      }
      while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (descriptor, place) }
      // Between the creation and the lock another process took it for one that is dead.
      TemporaryFiles.shared.remove(place)
      close(descriptor)
    }
  }
}

extension String {
  /// Behind the last slash; the start where there is none.
  fileprivate var endOfFolder: Index {
    utf8.lastIndex(of: UInt8(ascii: "/")).map { utf8.index(after: $0) } ?? startIndex
  }
}
