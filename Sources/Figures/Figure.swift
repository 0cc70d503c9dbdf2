/// A figure: a gnuplot script and the plain data it draws, which belong together.
///
/// A figure knows what it shows, not where it goes: ``FigureWriter`` puts its files into a folder
/// and runs gnuplot.
public protocol Figure: Sendable {
  /// The name of its files, without extension: `NAME.gp`, `NAME.dat`, `NAME.png`.
  var name: String { get }

  /// The script and the data files.
  ///
  /// - Parameter provenance: how the figure was made, one fact a line; each file begins with these
  ///   as comments.
  /// - Throws: ``FigureError/nothingToDraw(figure:what:)`` when no value is a finite number.
  func files(provenance: [String]) throws(FigureError) -> [FigureFile]
}

/// One text file of a figure.
public struct FigureFile: Equatable, Sendable {
  /// Its name in the figure's folder.
  public let name: String
  /// Its text, UTF-8.
  public let contents: String

  /// Makes a file from its name and text.
  public init(name: String, contents: String) {
    self.name = name
    self.contents = contents
  }
}

/// What a figure is drawn as.
public enum FigureFormat: String, CaseIterable, Sendable {
  /// Pixels, at twice the resolution of a screen.
  case png
  /// Vectors, for web pages.
  case svg
  /// Vectors, for print.
  case pdf
}
