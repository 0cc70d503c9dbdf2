import ArgumentParser
import Atlas
import FileFormats
import Figures
import Files
import Foundation
import Reporting

extension FigureFormat: ExpressibleByArgument {}

/// Where results go.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(help: "Print the result as comma-separated values.")
  var csv = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Also write all arrays of the result to this file: .npz for numpy, or .h5.",
      valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Also write a page to look at everything in a browser: maps of every reference under the pointer, orders step by step.",
      valueName: "file.html"))
  var atlas: String?

  @Flag(help: "Show the maps in the terminal.")
  var preview = false

  @Flag(help: "Print how far the result can be trusted; always part of --json.")
  var report = false

  @OptionGroup var figures: FigureOptions<FigureFolder>

  func validate() throws {
    if report, csv { throw ValidationError("--report would mix with the output of --csv") }
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
    if preview, json || csv {
      throw ValidationError("--preview would mix with the output of --json and --csv")
    }
    if let output, !ArrayFile.extensions.contains(where: output.hasSuffix) {
      throw ValidationError(
        "--output \(output): the name ends in \(ArrayFile.extensions.joined(separator: " or ")), by which the kind is told"
      )
    }
    if let atlas, ![".html", ".htm"].contains(where: atlas.hasSuffix) {
      throw ValidationError("--atlas \(atlas): the name of a page ends in .html")
    }
    try figures.requireFigures(besides: hasOtherResults)
  }

  /// Whether the result goes to another program or onto a page, so that no figure is drawn unless a folder is named.
  private var hasOtherResults: Bool { json || csv || output != nil || atlas != nil }

  /// Finds out, before the work, whether figures and arrays can be written.
  func checkFigures() throws {
    for path in [output, atlas].compactMap(\.self) { try checkOutput(path, inputs: []) }
    try figures.check(default: hasOtherResults ? nil : ".")
  }

  /// Writes a result's arrays, where that is wanted, and says so.
  ///
  /// - Parameters:
  ///   - facts: All that is no array, as JSON.
  ///   - arrays: Adds the arrays.
  /// - Throws: `FileError`.
  func write(facts: some Encodable, _ arrays: (inout ArrayFile) -> Void) throws {
    guard let output else { return }
    let json = try makeJSONEncoder().encode(VersionedResult(facts))
    var file = ArrayFile()
    file.add("facts", shape: [1], .texts([String(decoding: json, as: UTF8.self)]))
    arrays(&file)
    try file.write(to: output)
    Reporting.report("wrote \(output)")
  }

  /// Writes the page, where that is wanted, and says so.
  ///
  /// - Throws: `FileError`, and what making the page throws.
  func writeAtlas(_ page: () throws -> Atlas) throws {
    guard let atlas else { return }
    try page().write(to: atlas)
    Reporting.report("wrote \(atlas)")
  }

  /// The folder of figures: with `--json`, `--csv`, `--output` and `--atlas` there are none unless a folder is named.
  var figureDirectory: URL? {
    figures.directory(default: hasOtherResults ? nil : ".")
  }

  /// Whether anything is drawn, in a file or on the terminal.
  var isDrawn: Bool { preview || figureDirectory != nil }
}

/// What a command writes into a folder, for help and for the formats of its figures.
protocol ResultFolder {
  /// What help says of `--output-dir`.
  static var help: String { get }
  /// The formats of figures where none is named.
  static var formats: [FigureFormat] { get }
}

extension ResultFolder {
  static var formats: [FigureFormat] { [.png, .svg] }
}

/// Figures beside results that are printed.
enum FigureFolder: ResultFolder {
  static let help =
    "The folder for figures, made if need be. (default: the current folder; none with --json, --csv, --output or --atlas)"
}

/// Figures and nothing else.
enum PlotFolder: ResultFolder {
  static let standard = "Plots"
  static let help = "The folder for figures, made if need be. (default: \(standard))"
  static var formats: [FigureFormat] { FigureFormat.allCases }
}

/// A training run.
enum RunFolder: ResultFolder {
  static let help = "The run's folder, made if need be."
}

/// A comparison of models.
enum ComparisonFolder: ResultFolder {
  static let standard = "fid-compare"
  static let help =
    "The folder for everything that is made, itself made if need be. (default: \(standard))"
}

/// `--output-dir`.
struct FolderOption<Folder: ResultFolder>: ParsableArguments {
  @Option(
    name: .customLong("output-dir"), help: ArgumentHelp("\(Folder.help)", valueName: "folder"))
  var path: String?
}

/// `--figure-format`.
struct FigureFormatOption<Folder: ResultFolder>: ParsableArguments {
  @Option(
    name: .customLong("figure-format"),
    help: ArgumentHelp(
      "png, svg or pdf; may be repeated. (default: \(Folder.formats.map(\.rawValue).joined(separator: ", ")))",
      valueName: "format"))
  var given: [FigureFormat] = []

  /// The formats, with their default.
  var formats: [FigureFormat] { given.isEmpty ? Folder.formats : given }
}

/// Whether, where and how figures are drawn.
struct FigureOptions<Folder: ResultFolder>: ParsableArguments {
  @OptionGroup var folder: FolderOption<Folder>

  @Flag(help: "Draw no figure.")
  var noFigure = false

  @OptionGroup var format: FigureFormatOption<Folder>

  func validate() throws {
    guard noFigure else { return }
    if Folder.self == FigureFolder.self, folder.path != nil {
      throw ValidationError("--no-figure leaves nothing for --output-dir")
    }
    if !format.given.isEmpty {
      throw ValidationError("--no-figure leaves nothing for --figure-format")
    }
  }

  /// Refuses formats of figures that are not drawn because results go to standard output for another program.
  ///
  /// - Parameter hasOtherResults: Whether there are results beside which figures are drawn only into a folder that is named.
  func requireFigures(besides hasOtherResults: Bool) throws {
    if hasOtherResults, folder.path == nil, !format.given.isEmpty {
      throw ValidationError(
        "--figure-format needs --output-dir beside --json, --csv, --output and --atlas, which draw no figure without a folder"
      )
    }
  }

  func directory(default folder: String?) -> URL? {
    noFigure
      ? nil : (self.folder.path ?? folder).map { URL(fileURLWithPath: $0, isDirectory: true) }
  }

  /// Finds out, before the work, whether the folder can be written that figures will go to.
  ///
  /// - Throws: `FileError`.
  func check(default folder: String?) throws {
    if let directory = directory(default: folder) { try OutputFolder.check(directory.path) }
  }

  /// Draws figures into a folder, as ``writeFigures(_:to:formats:provenance:)`` does.
  func write(_ figures: [any Figure], to directory: URL, provenance: Provenance) throws {
    try writeFigures(figures, to: directory, formats: format.formats, provenance: provenance)
  }
}

/// Draws figures into a folder and says on standard error what was written.
///
/// - Throws: ``MissingGnuplot`` after everything that can be written without gnuplot has been.
func writeFigures(
  _ figures: [any Figure], to directory: URL, formats: [FigureFormat], provenance: Provenance
) throws {
  let writer = FigureWriter(directory: directory, provenance: provenance.lines)
  var scripts: [String] = []
  for figure in figures {
    let written = try writer.write(figure, formats: formats.removingRepeats)
    switch written.drawing {
    case .drawn(let images):
      report("wrote \(images.map(\.relativeDisplayPath).joined(separator: ", "))")
    case .gnuplotMissing:
      scripts += written.sources.filter { $0.pathExtension == "gp" }.map(\.relativeDisplayPath)
    }
  }
  if !scripts.isEmpty { throw MissingGnuplot(scripts: scripts) }
}

/// There is no gnuplot; the scripts and data are there.
struct MissingGnuplot: Error, CustomStringConvertible {
  let scripts: [String]

  var description: String {
    "\(Gnuplot.installationAdvice): \(scripts.joined(separator: ", "))"
  }
}

extension URL {
  /// The path as the user would type it: relative where the file is below the current folder.
  var relativeDisplayPath: String {
    let current = URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
      .standardizedFileURL.path
    let path = standardizedFileURL.path
    let prefix = current.hasSuffix("/") ? current : current + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }
}
