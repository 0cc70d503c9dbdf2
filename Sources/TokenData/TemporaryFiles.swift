import Foundation
import Synchronization

/// The temporary files that are being written at this moment.
///
/// A program that is told to stop (an interrupt from the keyboard) calls ``removeAll(thenEnd:)``,
/// so that no half-written file stays behind.
public final class TemporaryFiles: Sendable {
  /// The files of this process.
  public static let shared = TemporaryFiles()

  private let paths = Mutex<Set<String>>([])

  /// Notes a file, before it is begun, that is to be removed should the program stop.
  func insert(_ path: String) {
    paths.withLock { _ = $0.insert(path) }
  }

  /// Forgets a file that is complete or gone.
  func remove(_ path: String) {
    paths.withLock { _ = $0.remove(path) }
  }

  /// Removes every file that is not complete, and ends the program.
  ///
  /// - Parameter end: ends the program; no file can be begun any more when it is called.
  public func removeAll(thenEnd end: () -> Void) {
    paths.withLock { paths in
      for path in paths { unlink(path) }
      paths = []
      // Under the lock: another thread that is about to begin a file waits for it in vain.
      end()
    }
  }
}
