import Foundation
import Synchronization

/// The files that the user named as inputs of this run: no output may take the place of one of them.
public final class InputFiles: Sendable {
  /// The files of this process.
  public static let shared = InputFiles()

  private let paths = Mutex<Set<String>>([])

  /// Makes an empty collection.
  public init() {}

  /// Notes an input.
  public func insert(_ path: String) {
    let isAbsolute = path.hasPrefix("/")
    let absolute = isAbsolute ? path : FileManager.default.currentDirectoryPath + "/" + path
    paths.withLock { _ = $0.insert(absolute) }
  }

  /// Whether a file is one of the inputs, by whatever name: links and hard links are the file they stand for.
  ///
  /// - Complexity: O(inputs): each is looked up again, since a file that is gone has left its number to another.
  func contains(_ file: stat) -> Bool {
    paths.withLock { $0 }.contains { path in
      var input = stat()
      return stat(path, &input) == 0 && input.isSameFile(as: file)
    }
  }
}

extension stat {
  /// Whether both are the same file, by device and inode.
  func isSameFile(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }

  /// What kind of file it is, as in `S_IFREG`.
  var kind: mode_t { st_mode & S_IFMT }
}
