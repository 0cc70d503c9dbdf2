import Foundation
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
      try gnuplot.draw(script: "x.gp", in: folder, format: .svg, to: "x.svg")
    }
  }
}

@Test(arguments: ["exit 0", ": > \"$out\"; exit 0", "kill -9 $$"])
func drawingNothingIsAnError(commands: String) throws {
  try withTemporaryFolder { folder in
    let gnuplot = try fakeGnuplot(commands, in: folder)
    let expected = FigureError.gnuplotFailed(
      script: "x.gp", message: "it drew nothing and gave no reason")
    #expect(throws: expected) {
      try gnuplot.draw(script: "x.gp", in: folder, format: .svg, to: "x.svg")
    }
  }
}

@Test func manyMessagesDoNotBlock() throws {
  try withTemporaryFolder { folder in
    // More than a pipe holds.
    let gnuplot = try fakeGnuplot(
      "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; head -c 300000 /dev/zero; echo done > \"$out\"",
      in: folder)
    try gnuplot.draw(script: "x.gp", in: folder, format: .svg, to: "x.svg")
    #expect(try text(of: folder.appendingPathComponent("x.svg")) == "done\n")
  }
}

@Test func aProgramThatCannotRunIsNamed() throws {
  let gnuplot = Gnuplot(executable: URL(fileURLWithPath: "/no/such/gnuplot"))
  let expected = FigureError.gnuplotFailed(
    script: "x.gp", message: "/no/such/gnuplot cannot be run")
  #expect(throws: expected) {
    try gnuplot.draw(
      script: "x.gp", in: FileManager.default.temporaryDirectory, format: .png, to: "x.png")
  }
}
