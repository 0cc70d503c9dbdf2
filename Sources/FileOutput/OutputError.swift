/// Why something could not be written.
public struct OutputError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file as the user named it, or `standard output`.
  public let path: String
  /// The system's words where there are any, as in `No space left on device`.
  public let reason: String

  /// Makes an error.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// One sentence for the user.
  public var description: String { "\(path): cannot be written: \(reason)" }
}
