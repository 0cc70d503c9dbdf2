/// Why a file could not be read or written, whatever it holds.
///
/// Every file is named as the user named it; standard output by that word.
public enum FileError: Error, Equatable, Sendable {
  /// There is nothing at this path.
  case missing(String)
  /// The path names a directory where a file is wanted.
  case isDirectory(String)
  /// The file exists, but may not or cannot be read.
  case unreadable(String, reason: String)
  /// Something could not be written; `reason` is the system's words where there are any, as in `No space left on device`.
  case unwritable(String, reason: String)
  /// A file of another kind, by its content.
  case otherContent(String, found: String, expected: String)
}

extension FileError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .missing(let file): "\(file): there is no such file"
    case .isDirectory(let file): "\(file): is a directory; a file is expected"
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
    case .otherContent(let file, let found, let expected):
      "\(file): \(expected) is expected; this file is \(found)"
    }
  }
}

extension FileError {
  /// The file as the user named it.
  public var path: String {
    switch self {
    case .missing(let file), .isDirectory(let file), .unreadable(let file, _),
      .unwritable(let file, _), .otherContent(let file, _, _):
      file
    }
  }

  /// Why it could not be read or written, without its name.
  public var reason: String {
    switch self {
    case .missing: "there is no such file"
    case .isDirectory: "it is a directory"
    case .unreadable(_, let reason), .unwritable(_, let reason): reason
    case .otherContent(_, let found, _): "it is \(found)"
    }
  }
}
