import Foundation

/// The right to work in a folder, which one process has at a time, or several that share it.
///
/// The system takes it back when the process ends, however it does, so that a run that was killed keeps nobody out. The
/// file of the lock goes with the lock; one that a killed run left means nothing.
public final class FolderLock: Sendable {
  private let descriptor: Int32
  private let path: String
  private let isShared: Bool

  /// Takes the lock; nil where another process has it, and the two do not share it.
  ///
  /// On a file system without locks everybody gets one.
  /// - Parameters:
  ///   - folder: a folder that exists.
  ///   - name: the name of the lock's file.
  ///   - isShared: whether others that say so, too, may have it at the same time.
  /// - Throws: ``FileError`` when the file cannot be made.
  public init?(folder: String, name: String, isShared: Bool = false) throws(FileError) {
    path = folder + "/" + name
    self.isShared = isShared
    while true {
      let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else {
        throw FileError.unwritable(path, reason: SystemError.last.description)
      }
      while flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
        if errno == EINTR { continue }
        guard errno == EWOULDBLOCK else { break }
        close(descriptor)
        return nil
      }
      // The one who had it may have removed the file between the two calls.
      if Self.isNamed(path, descriptor) {
        self.descriptor = descriptor
        // What others share is not this one's to remove.
        if !isShared { TemporaryFiles.shared.insert(path) }
        return
      }
      close(descriptor)
    }
  }

  deinit {
    // While it is held by nobody else: otherwise it could be the next one's. Of those that share it the last one removes it.
    if !isShared || flock(descriptor, LOCK_EX | LOCK_NB) == 0 && Self.isNamed(path, descriptor) {
      unlink(path)
    }
    TemporaryFiles.shared.remove(path)
    close(descriptor)
  }

  /// Whether an open file is the one of this name.
  private static func isNamed(_ path: String, _ descriptor: Int32) -> Bool {
    var (held, named) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.isSameFile(as: named)
  }
}
