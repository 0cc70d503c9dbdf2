import Foundation

/// A file that is written beside its final name and moved there when it is complete.
///
/// Until ``commit()`` a file of that name stays as it was; a replacement that is dropped without a
/// commit, because the writing failed, removes what was written so far.
public final class FileReplacement {
  /// The final name.
  public let path: String
  /// Where to write: a hidden file in the same folder.
  public let temporaryPath: String
  private var isCommitted = false

  /// Chooses the temporary name and creates an empty file there, to find out early that it can be.
  ///
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)`` when the folder does not exist or may not
  ///   be written, or when `path` is a directory.
  public init(path: String) throws {
    self.path = path
    let url = URL(fileURLWithPath: path)
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    {
      throw TokenDataError.cannotWrite(path, reason: "it is a directory")
    }
    temporaryPath =
      url.deletingLastPathComponent().appendingPathComponent(
        ".\(url.lastPathComponent).\(UInt64.random(in: 0...UInt64.max)).partial"
      ).path
    TemporaryFiles.shared.insert(temporaryPath)
    let descriptor = open(temporaryPath, O_CREAT | O_EXCL | O_WRONLY, 0o666)
    guard descriptor >= 0 else {
      let reason = Self.lastSystemError()
      TemporaryFiles.shared.remove(temporaryPath)
      throw TokenDataError.cannotWrite(path, reason: reason)
    }
    close(descriptor)
  }

  /// Moves the complete file to its final name, in place of one that may be there.
  ///
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)`` when the move fails.
  public func commit() throws {
    guard rename(temporaryPath, path) == 0 else {
      throw TokenDataError.cannotWrite(path, reason: Self.lastSystemError())
    }
    isCommitted = true
    TemporaryFiles.shared.remove(temporaryPath)
  }

  deinit {
    guard !isCommitted else { return }
    unlink(temporaryPath)
    TemporaryFiles.shared.remove(temporaryPath)
  }

  /// What the system says about the call that failed last, as in `Permission denied`.
  static func lastSystemError() -> String { String(cString: strerror(errno)) }
}
