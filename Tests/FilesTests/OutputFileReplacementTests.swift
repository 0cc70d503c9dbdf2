import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct OutputFileReplacementTests {
  let folder: TemporaryFolder
  var path: String { folder.file("result") }

  init() throws { folder = try TemporaryFolder() }

  @Test func nothingHappensBeforeTheCommit() throws {
    try Data("old".utf8).write(to: URL(fileURLWithPath: path))
    let replacement = try OutputFile(path: path)
    try replacement.write(Data("new".utf8))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    try replacement.commit()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
    #expect(try folder.contents() == ["result"])
  }

  @Test func aReplacementThatIsDroppedLeavesNothing() throws {
    do {
      _ = try OutputFile(path: path)
    }
    #expect(try folder.contents() == [])
  }

  @Test func refusesFoldersThatAreNotThere() {
    #expect(
      throws: FileError.unwritable(
        folder.file("none/result"), reason: "No such file or directory")
    ) { try OutputFile(path: folder.file("none/result")) }
    #expect(throws: FileError.unwritable(folder.path, reason: "it is a directory")) {
      try OutputFile(path: folder.path)
    }
  }
}
