import Foundation

/// The right to work in a folder, which one process has at a time.
///
/// The system takes it back when the process ends, however it does, so that a run that was killed keeps nobody out. The
/// file of the lock goes with the lock; one that a killed run left means nothing.
public final class FolderLock: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Takes the lock; nil where another process has it.
  ///
  /// On a file system without locks everybody gets one.
  /// - Parameters:
  ///   - folder: a folder that exists.
  ///   - name: the name of the lock's file.
  /// - Throws: ``FileError`` when the file cannot be made.
  public init?(folder: String, name: String) throws(FileError) {
    path = folder + "/" + name
    while true {
      let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else {
        throw FileError.unwritable(path, reason: SystemError.last.description)
      }
      while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        if errno == EINTR { continue }
        guard errno == EWOULDBLOCK else { break }
        close(descriptor)
        return nil
      }
      // The one who had it may have removed the file between the two calls.
      var (held, named) = (stat(), stat())
      if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.isSameFile(as: named) {
        self.descriptor = descriptor
        TemporaryFiles.shared.insert(path)
        return
      }
      close(descriptor)
    }
  }

  deinit {
    // While it is held: otherwise it could be the next one's.
    unlink(path)
    TemporaryFiles.shared.remove(path)
    close(descriptor)
  }
}
