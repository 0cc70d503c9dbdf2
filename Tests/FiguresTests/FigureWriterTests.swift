import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import Figures

private struct Sample: Figure {
  var name = "sample"
  var script = "script"

  func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    [
      FigureFile(name: "\(name).gp", contents: script),
      FigureFile(name: "\(name).dat", contents: provenance.joined(separator: ";")),
    ]
  }
}

@Test func withoutGnuplotScriptAndDataAreWritten() throws {
  try withTemporaryFolder { folder in
    let inner = folder.appendingPathComponent("a/b")
    let writer = FigureWriter(directory: inner, provenance: ["one", "two"], gnuplot: nil)
    let written = try writer.write(Sample())
    #expect(written.drawing == .gnuplotMissing)
    #expect(written.files.map(\.lastPathComponent) == ["sample.gp", "sample.dat"])
    #expect(try names(in: inner) == ["sample.dat", "sample.gp"])
    #expect(try text(of: inner.appendingPathComponent("sample.dat")) == "one;two")
  }
}

/// Draws an image of any format that is whole; its arguments can be read in an SVG.
private let drawsArguments = #"""
  case "$3" in
  *svg*) echo "$3 $4 </svg>" ;;
  *png*) printf '\211PNG\0\0\0\0IEND\256B\140\202' ;;
  esac
  """#

@Test func imagesAreRenamedAfterSuccess() throws {
  try withTemporaryFolder { folder in
    let output = folder.appendingPathComponent("out")
    let gnuplot = try fakeGnuplot(drawsArguments, in: folder)
    let writer = FigureWriter(directory: output, provenance: [], gnuplot: gnuplot)
    let written = try writer.write(Sample(), formats: [.svg, .png])
    #expect(
      written.drawing
        == .drawn(["sample.svg", "sample.png"].map { output.appendingPathComponent($0) }))
    #expect(try names(in: output) == ["sample.dat", "sample.gp", "sample.png", "sample.svg"])
    let svg = try text(of: output.appendingPathComponent("sample.svg"))
    #expect(svg == "format = 'svg'; output = '/dev/stdout' sample.gp </svg>\n")
  }
}

@Test func aFailureLeavesOldImagesAndNoHalfFile() throws {
  try withTemporaryFolder { folder in
    let output = folder.appendingPathComponent("out")
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    let old = output.appendingPathComponent("sample.png")
    try Data("old".utf8).write(to: old)
    // One that fails, and one that does not know that it has drawn a part only.
    for (commands, message) in [
      ("echo half; echo broken >&2; exit 1", "broken"),
      (#"printf '\211PNG....'"#, "it drew only a part and gave no reason"),
      (":", "it drew nothing and gave no reason"),
    ] {
      let gnuplot = try fakeGnuplot(commands, in: folder)
      let writer = FigureWriter(directory: output, provenance: [], gnuplot: gnuplot)
      #expect(throws: FigureError.gnuplotFailed(script: "sample.gp", message: message)) {
        try writer.write(Sample(), formats: [.png])
      }
      #expect(try text(of: old) == "old")
      #expect(try names(in: output) == ["sample.dat", "sample.gp", "sample.png"])
    }
  }
}

@Test func writingReplacesOlderFiles() throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: nil)
    _ = try writer.write(Sample(script: "a long first script"))
    _ = try writer.write(Sample(script: "second"))
    #expect(try text(of: folder.appendingPathComponent("sample.gp")) == "second")
    #expect(try names(in: folder) == ["sample.dat", "sample.gp"])
  }
}

@Test func aFolderThatCannotBeMadeIsNamed() throws {
  try withTemporaryFolder { folder in
    let file = folder.appendingPathComponent("file")
    try Data("x".utf8).write(to: file)
    for path in ["file", "file/inside"] {
      let directory = folder.appendingPathComponent(path)
      let writer = FigureWriter(directory: directory, provenance: [], gnuplot: nil)
      let expected = FigureError.cannotWrite(
        path: directory.path, reason: "\(file.path) is not a folder")
      #expect(throws: expected) { try writer.write(Sample()) }
      #expect(
        expected.description == "cannot write \(directory.path): \(file.path) is not a folder")
    }
  }
}

// The superuser may write everywhere.
@Test(.enabled(if: getuid() != 0)) func aFolderThatIsReadOnlyIsNamed() throws {
  try withTemporaryFolder { folder in
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: nil)
    let expected = FigureError.cannotWrite(
      path: folder.appendingPathComponent("sample.gp").path, reason: "Permission denied")
    #expect(throws: expected) { try writer.write(Sample()) }
    #expect(try names(in: folder) == [])
    let inner = folder.appendingPathComponent("inner")
    #expect(throws: FigureError.cannotWrite(path: inner.path, reason: "Permission denied")) {
      try FigureWriter(directory: inner, provenance: [], gnuplot: nil).write(Sample())
    }
  }
}

@Test func aFileThatCannotBeReplacedIsNamed() throws {
  try withTemporaryFolder { folder in
    let taken = folder.appendingPathComponent("sample.gp/inside")
    try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: nil)
    let error = #expect(throws: FigureError.self) { try writer.write(Sample()) }
    let path = folder.appendingPathComponent("sample.gp").path
    #expect(error?.description.hasPrefix("cannot write \(path): ") == true)
    #expect(try names(in: folder) == ["sample.gp"])
  }
}

@Test(arguments: ["", ".hidden", "-option", "a/b", "a b", "it's", "two\nlines", "back\\slash"])
func namesThatAreNoFileNamesAreRefused(name: String) throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: nil)
    #expect(throws: FigureError.invalidName(name)) { try writer.write(Sample(name: name)) }
    let left = try names(in: folder)
    #expect(left.isEmpty)
  }
}

// MARK: With gnuplot

@Test(.enabled(if: installedGnuplot != nil))
func everyFormatIsDrawnAndCanBeDrawnAgain() throws {
  try withTemporaryFolder { folder in
    let gnuplot = try #require(installedGnuplot)
    let grid = TokenGrid(rows: 5, columns: 5)
    let figure = ConditionalEntropyFigure(
      name: "map-0_x", grid: grid,
      blocks: [.init(quantity: .entropy, maps: [decayMap(12, on: grid)])], unit: "nats",
      caption: testCaption)
    let writer = FigureWriter(directory: folder, provenance: [hostileText], gnuplot: gnuplot)
    _ = try writer.write(figure)
    func bytes(_ name: String) throws -> Data {
      try Data(contentsOf: folder.appendingPathComponent(name))
    }
    #expect(try bytes("map-0_x.png").prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    #expect(try bytes("map-0_x.pdf").prefix(5) == Data("%PDF-".utf8))
    #expect(try text(of: folder.appendingPathComponent("map-0_x.svg")).contains("</svg>"))

    // As the script's own comments say, and as a reader would.
    for (arguments, image) in [
      (["map-0_x.gp"], "map-0_x.png"), (["-e", "format='svg'", "map-0_x.gp"], "map-0_x.svg"),
      (["-e", "format='pdf'", "map-0_x.gp"], "map-0_x.pdf"),
    ] {
      let file = folder.appendingPathComponent(image)
      let before = try Data(contentsOf: file)
      try FileManager.default.removeItem(at: file)
      let process = Process()
      process.executableURL = gnuplot.executable
      process.currentDirectoryURL = folder
      process.arguments = arguments
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let after = try Data(contentsOf: file)
      // A PDF carries the time it was made.
      if image.hasSuffix("pdf") { #expect(!after.isEmpty) } else { #expect(after == before) }
    }
  }
}

@Test(.enabled(if: installedGnuplot != nil))
func anErrorInAScriptNamesItsLine() throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
    let error = #expect(throws: FigureError.self) {
      try writer.write(Sample(script: "x = 1\nplot nothing_at_all\n"), formats: [.svg])
    }
    #expect(error?.description.hasPrefix("gnuplot could not draw sample.gp: ") == true)
    #expect(error?.description.contains("line 2: ") == true)
    #expect(error?.description.contains("\n") == false)
  }
}

@Test(.enabled(if: installedGnuplot != nil))
func aFormatThatGnuplotLacksIsRefused() throws {
  try withTemporaryFolder { folder in
    let grid = TokenGrid(rows: 2, columns: 2)
    let figure = ConditionalEntropyFigure(
      name: "map", grid: grid, blocks: [.init(quantity: .entropy, maps: [decayMap(0, on: grid)])],
      unit: "nats", caption: testCaption)
    let script = try files(of: figure).script.replacing("'pdfcairo'", with: "'nosuchterminal'")
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
    let error = #expect(throws: FigureError.self) {
      try writer.write(Sample(script: script), formats: [.pdf])
    }
    #expect(error?.description.contains("this gnuplot cannot draw pdf") == true)
    // PNG falls back to the plain terminal.
    let plain = script.replacing("has('pngcairo')", with: "has('nosuchterminal')")
      .replacing("'map.dat'", with: "'data.dat'")
    let data = try files(of: figure).data
    try data.write(
      to: folder.appendingPathComponent("data.dat"), atomically: true, encoding: .utf8)
    _ = try writer.write(Sample(script: plain), formats: [.png])
  }
}
