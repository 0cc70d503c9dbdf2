import Files
import Foundation

/// Puts figures into a folder and draws them.
///
/// Every file is written beside its final name and renamed, so that an interrupted run leaves no
/// half file.
public struct FigureWriter: Sendable {
  /// The folder; it is made when a figure is written.
  public let directory: URL
  /// The program that draws, or nil where there is none.
  public let gnuplot: Gnuplot?
  /// How the figures are made, one fact a line; scripts and data begin with these as comments.
  public let provenance: [String]

  /// Makes a writer.
  public init(directory: URL, provenance: [String], gnuplot: Gnuplot? = .installed()) {
    self.directory = directory
    self.provenance = provenance
    self.gnuplot = gnuplot
  }

  /// Writes the script and data of a figure, then draws it in every format.
  ///
  /// Without gnuplot the script and data are written all the same, and the result says so. Data that are there and differ by no more
  /// than processors do stay as they are.
  /// - Throws: ``FigureError``. When gnuplot fails the script and data are left for inspection, and
  ///   images that were there before stay.
  public func write(
    _ figure: some Figure, formats: [FigureFormat] = FigureFormat.allCases
  ) throws(FigureError) -> WrittenFigure {
    try check(name: figure.name)
    let files = try figure.files(provenance: provenance)
    try makeDirectory()
    try replace(
      files.map { (directory.appendingPathComponent($0.name), $0.contents) }
        .filter { !holds($0, dataOf: $1) }
        .map { ($0.path, Data($1.utf8)) })
    let sources = files.map { directory.appendingPathComponent($0.name) }
    guard let gnuplot else { return WrittenFigure(sources: sources, drawing: .gnuplotMissing) }
    var images: [URL] = []
    for format in formats {
      let file = directory.appendingPathComponent("\(figure.name).\(format.rawValue)")
      let image = try gnuplot.draw(
        script: "\(figure.name).gp", in: directory, format: format)
      try replace([(file.path, image)])
      images.append(file)
    }
    return WrittenFigure(sources: sources, drawing: .drawn(images))
  }

  private func check(name: String) throws(FigureError) {
    let isUsable = name.allSatisfy { $0.isLetter || $0.isNumber || "._-+=,:".contains($0) }
    guard isUsable, let first = name.first, first.isLetter || first.isNumber else {
      throw .invalidName(name)
    }
  }

  /// Whether a file has these data already, so that nothing changes in a folder under version control.
  private func holds(_ file: URL, dataOf text: String) -> Bool {
    guard file.pathExtension == "dat",
      let present = try? String(contentsOf: file, encoding: .utf8)
    else { return false }
    return DataTable.agree(present, text)
  }

  private func makeDirectory() throws(FigureError) {
    do throws(FileError) {
      try OutputFolder.make(directory.path)
    } catch {
      throw .cannotWrite(path: error.path, reason: error.reason)
    }
  }

  /// Writes all files beside their names, then renames them all.
  private func replace(_ files: [(path: String, contents: Data)]) throws(FigureError) {
    do throws(FileError) {
      var outputs: [OutputFile] = []
      for (path, contents) in files {
        let output = try OutputFile(path: path)
        try output.write(contents)
        outputs.append(output)
      }
      for output in outputs { try output.commit() }
    } catch {
      throw .cannotWrite(path: error.path, reason: error.reason)
    }
  }
}

/// What was written for a figure.
public struct WrittenFigure: Equatable, Sendable {
  /// Whether the figure was drawn.
  public enum Drawing: Equatable, Sendable {
    /// The images, in the order of the formats asked for.
    case drawn([URL])
    /// There is no gnuplot; see ``Gnuplot/installationAdvice``.
    case gnuplotMissing
  }

  /// The script and the data files.
  public let sources: [URL]
  /// The images, if they could be drawn.
  public let drawing: Drawing

  /// Every file that was written.
  public var files: [URL] {
    switch drawing {
    case .drawn(let images): sources + images
    case .gnuplotMissing: sources
    }
  }
}
