import Foundation
import TestSupport
import Testing

@testable import Figures

@Test func gnuplotIsFoundInTheFirstFolderThatHasIt() throws {
  try withTemporaryFolder { folder in
    let places = try ["empty", "first", "second"].map { name in
      let place = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      return place
    }
    let first = try fakeGnuplot("exit 0", in: places[1])
    _ = try fakeGnuplot("exit 0", in: places[2])
    let path = "/no/such/folder::" + places.map(\.path).joined(separator: ":")
    #expect(Gnuplot.installed(path: path)?.executable.path == first.executable.path)
    #expect(Gnuplot.installed(path: places[0].path) == nil)
    #expect(Gnuplot.installed(path: "") == nil)
    #expect(Gnuplot.installed(path: nil) == nil)
  }
}

@Test func foldersAndTextFilesAreNotGnuplot() throws {
  try withTemporaryFolder { folder in
    let asFolder = folder.appendingPathComponent("a/gnuplot")
    try FileManager.default.createDirectory(at: asFolder, withIntermediateDirectories: true)
    let asText = folder.appendingPathComponent("b")
    try FileManager.default.createDirectory(at: asText, withIntermediateDirectories: true)
    try Data("text".utf8).write(to: asText.appendingPathComponent("gnuplot"))
    let path = "\(folder.path)/a:\(asText.path)"
    #expect(Gnuplot.installed(path: path) == nil)
  }
}

@Test func adviceNamesThePackages() {
  #expect(Gnuplot.installationAdvice.contains("apt-get install gnuplot-nox"))
  #expect(Gnuplot.installationAdvice.contains("brew install gnuplot"))
}

@Test func gnuplotsOwnMessageIsPassedOn() throws {
  try withTemporaryFolder { folder in
    let gnuplot = try fakeGnuplot(
      "echo '\"x.gp\" line 3: undefined variable: foo' >&2; echo '   ^' >&2; exit 1", in: folder)
    let expected = FigureError.gnuplotFailed(
      script: "x.gp", message: "\"x.gp\" line 3: undefined variable: foo")
    #expect(throws: expected) {
      try gnuplot.draw(script: "x.gp", in: folder, format: .svg)
    }
  }
}

@Test(arguments: ["exit 0", "kill -9 $$"])
func drawingNothingIsAnError(commands: String) throws {
  try withTemporaryFolder { folder in
    let gnuplot = try fakeGnuplot(commands, in: folder)
    let expected = FigureError.gnuplotFailed(
      script: "x.gp", message: "it drew nothing and gave no reason")
    #expect(throws: expected) {
      try gnuplot.draw(script: "x.gp", in: folder, format: .svg)
    }
  }
}

@Test func manyMessagesDoNotBlock() throws {
  try withTemporaryFolder { folder in
    // More than a pipe holds.
    let gnuplot = try fakeGnuplot(
      "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; head -c 300000 /dev/zero; echo '</svg>'",
      in: folder)
    let image = try gnuplot.draw(script: "x.gp", in: folder, format: .svg)
    #expect(image == Data(count: 300_000) + Data("</svg>\n".utf8))
  }
}

@Test func aProgramThatCannotRunIsNamed() throws {
  let gnuplot = Gnuplot(executable: URL(fileURLWithPath: "/no/such/gnuplot"))
  let expected = FigureError.gnuplotFailed(
    script: "x.gp", message: "/no/such/gnuplot cannot be run")
  #expect(throws: expected) {
    try gnuplot.draw(
      script: "x.gp", in: FileManager.default.temporaryDirectory, format: .png)
  }
}

@Test func imagesThatWereCutShortAreNotWhole() throws {
  let ends: [FigureFormat: (start: [UInt8], end: [UInt8])] = [
    .png: (
      [0x89, 0x50, 0x4E, 0x47], [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
    ),
    .svg: (Array("<svg>".utf8), Array("</svg>".utf8)),
    .pdf: (Array("%PDF-1.7".utf8), Array("%%EOF".utf8)),
  ]
  for format in FigureFormat.allCases {
    let (start, end) = try #require(ends[format])
    let whole = Data(start) + Data("contents".utf8) + Data(end)
    #expect(format.isWhole(whole))
    if format != .png { #expect(format.isWhole(whole + Data("\r\n\n".utf8))) }
    for count in 0..<whole.count { #expect(!format.isWhole(whole.prefix(count)), "\(count)") }
    for other in FigureFormat.allCases where other != format { #expect(!other.isWhole(whole)) }
  }
}

/// Quotes in a row, at the ends, alone and among other text come out of gnuplot as they went in.
@Test(.enabled(if: installedGnuplot != nil)) func quotesInARowAreText() throws {
  let gnuplot = try #require(installedGnuplot)
  let texts = [
    "a@@b.h5", "@", "@@", "@@@", "a@", "@a", "@@a@@", "a@b@@c@@@d", "", #"\@@"@@`date`"#,
  ].map { $0.replacing("@", with: "'") }
  let process = Process()
  process.executableURL = gnuplot.executable
  process.arguments = [
    "-d", "-e", texts.map { "print \(GnuplotText.quoted($0))" }.joined(separator: "; "),
  ]
  let said = Pipe()
  process.standardError = said
  try process.run()
  let output = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  #expect(output == texts.map { $0 + "\n" }.joined())
}
