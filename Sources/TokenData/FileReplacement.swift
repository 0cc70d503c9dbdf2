import FileOutput
import Foundation

/// An output of this library: an `OutputFile` whose errors are ``TokenDataError/cannotWrite(_:reason:)``.
///
/// Until ``commit(synchronized:)`` a file of that name stays as it was; a replacement that is dropped without a
/// commit, because the writing failed, removes what was written so far.
public final class FileReplacement {
  private let output: OutputFile
  /// The final name.
  public var path: String { output.path }
  /// Where the bytes are meanwhile: a hidden file in the same folder.
  public var temporaryPath: String { output.temporaryPath }
  /// That file, open for writing.
  var descriptor: Int32 { output.descriptor }

  /// Chooses the temporary name and creates an empty file there, to find out early that it can be.
  ///
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)`` when the folder does not exist or may not
  ///   be written, or when `path` is something that an `OutputFile` refuses.
  public init(path: String) throws {
    output = try Self.reporting { () throws(OutputError) in try OutputFile(path: path) }
  }

  /// Appends data.
  ///
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)``, as when the disk is full.
  public func write(_ data: Data) throws {
    try Self.reporting { () throws(OutputError) in try output.write(data) }
  }

  /// Moves the complete file to its final name, in place of one that may be there.
  ///
  /// - Parameter synchronized: whether the bytes are to be on the disk before the name is.
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)`` when that fails.
  public func commit(synchronized: Bool = false) throws {
    try Self.reporting { () throws(OutputError) in try output.commit(synchronized: synchronized) }
  }

  /// Writes a whole file, in place of one that may be there.
  ///
  /// - Throws: ``TokenDataError/cannotWrite(_:reason:)``; then nothing is left behind.
  public static func write(_ data: Data, to path: String) throws {
    let replacement = try FileReplacement(path: path)
    try replacement.write(data)
    try replacement.commit()
  }

  private static func reporting<Result>(_ body: () throws(OutputError) -> Result) throws -> Result {
    do { return try body() } catch {
      throw TokenDataError.cannotWrite(error.path, reason: error.reason)
    }
  }

  /// What the system says about the call that failed last, as in `Permission denied`.
  static func lastSystemError() -> String { String(cString: strerror(errno)) }
}
