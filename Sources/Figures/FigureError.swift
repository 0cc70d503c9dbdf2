/// Why a figure could not be made.
public enum FigureError: Error, Equatable {
  /// None of the values that a figure, or one of its panels, should show is a finite number.
  case nothingToDraw(figure: String, what: String)
  /// A figure's name that cannot be the name of a file.
  case invalidName(String)
  /// A folder or file that could not be written, and the system's reason.
  case cannotWrite(path: String, reason: String)
  /// gnuplot did not draw the script; its own message follows.
  case gnuplotFailed(script: String, message: String)
}

extension FigureError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .nothingToDraw(let figure, let what):
      "figure \(figure): \(what) has no finite value to draw"
    case .invalidName(let name):
      "'\(name)' cannot name a figure's files; expected letters, digits and . _ - + = , : with a"
        + " letter or digit first"
    case .cannotWrite(let path, let reason):
      "cannot write \(path): \(reason)"
    case .gnuplotFailed(let script, let message):
      "gnuplot could not draw \(script): \(message)"
    }
  }
}
