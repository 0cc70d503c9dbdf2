import Foundation
import Testing

@testable import Files

/// A folder that goes when the test ends.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/file-output-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: file(name), encoding: .utf8)
  }
}

private func write(_ text: String, to path: String) throws {
  let output = try OutputFile(path: path)
  try output.write(Data(text.utf8))
  try output.commit()
}

/// What a file is, without following a link.
private func kind(of path: String) -> mode_t? {
  var status = stat()
  return lstat(path, &status) == 0 ? status.kind : nil
}

@Suite struct OutputFileTests {
  let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func aNewFileIsCompleteOrNotThere() throws {
    do {
      let output = try OutputFile(path: folder.file("result"))
      try output.write(Data("new".utf8))
      #expect(try folder.contents().count == 1 && folder.contents() != ["result"])
    }
    #expect(try folder.contents() == [])
    try write("new", to: folder.file("result"))
    #expect(try folder.contents() == ["result"] && folder.text("result") == "new")
  }

  @Test func aLinkIsFollowed() throws {
    let manager = FileManager.default
    try manager.createDirectory(
      atPath: folder.file("inner"), withIntermediateDirectories: true)
    try folder.put("old", "inner/target")
    for (link, target) in [
      ("relative", "inner/target"), ("absolute", folder.file("inner/target")),
      ("chain", "relative"), ("dangling", "inner/new"),
    ] {
      try manager.createSymbolicLink(atPath: folder.file(link), withDestinationPath: target)
      try write(link, to: folder.file(link))
      #expect(try manager.destinationOfSymbolicLink(atPath: folder.file(link)) == target)
      #expect(try folder.text(link) == link)
    }
    #expect(try folder.text("inner/target") == "chain" && folder.text("inner/new") == "dangling")
    try manager.createSymbolicLink(atPath: folder.file("loop"), withDestinationPath: "loop")
    #expect(throws: FileError.self) { try OutputFile(path: folder.file("loop")) }
    #expect(throws: FileError.self) { try OutputFile(path: folder.file("loop/file")) }
  }

  @Test func aFIFOIsWrittenToAndStays() throws {
    let path = folder.file("fifo")
    #expect(mkfifo(path, 0o600) == 0)
    // Opened for both, so that neither side waits for the other.
    let reader = open(path, O_RDWR)
    defer { close(reader) }
    try write("through", to: path)
    var bytes = [UInt8](repeating: 0, count: 100)
    #expect(read(reader, &bytes, 100) == 7)
    #expect(String(decoding: bytes.prefix(7), as: UTF8.self) == "through")
    #expect(kind(of: path) == S_IFIFO)
    #expect(try folder.contents() == ["fifo"])
  }

  #if os(Linux)
    /// A null device of its own: those of the system are not for tests.
    @Test(.enabled(if: getuid() == 0)) func aDeviceIsWrittenToAndStays() throws {
      let path = folder.file("device")
      guard mknod(path, S_IFCHR | 0o600, 1 << 8 | 3) == 0 else { return }
      // Where the folder's file system has no devices there is nothing to write to.
      let descriptor = open(path, O_WRONLY)
      guard descriptor >= 0 else { return }
      close(descriptor)
      try write("into nothing", to: path)
      #expect(kind(of: path) == S_IFCHR)
      // A disk is not written over.
      let disk = folder.file("disk")
      guard mknod(disk, S_IFBLK | 0o600, 250 << 8 | 250) == 0 else { return }
      #expect(throws: FileError.unwritable(disk, reason: "it is no regular file")) {
        try OutputFile(path: disk)
      }
      #expect(kind(of: disk) == S_IFBLK)
    }
  #endif

  @Test func foldersAndNoNamesAreRefused() throws {
    func reason(_ path: String) -> String? {
      do { _ = try OutputFile(path: path) } catch { return error.reason }
      return nil
    }
    #expect(reason(folder.path) == "it is a directory")
    #expect(reason(folder.file("none/file")) == "No such file or directory")
    #expect(reason(folder.file("none/")) == "there is no such folder")
    #expect(reason("") == "the name is empty")
    try folder.put("x", "file")
    #expect(reason(folder.file("file/inside")) == "Not a directory")
    #expect(try folder.contents() == ["file"])
  }

  @Test func anInputIsRefusedByWhateverName() throws {
    try folder.put("input", "input")
    try folder.put("other", "other")
    #expect(link(folder.file("input"), folder.file("hard")) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("soft"), withDestinationPath: "input")
    InputFiles.shared.insert(folder.file("input"))
    let own = URL(fileURLWithPath: folder.path).lastPathComponent
    for name in ["input", "hard", "soft", "../\(own)/input"] {
      let expected = FileError.unwritable(
        folder.file(name), reason: "it is an input of the same command")
      #expect(throws: expected) { try OutputFile(path: folder.file(name)) }
    }
    try write("new", to: folder.file("other"))
    #expect(try folder.text("input") == "input" && folder.text("other") == "new")
    // A file that has the number of an input that is gone is no input.
    try FileManager.default.removeItem(atPath: folder.file("input"))
    try write("new", to: folder.file("hard"))
  }

  @Test func longNamesCanBeWritten() throws {
    for name in [String(repeating: "n", count: 255), String(repeating: "é", count: 127)] {
      try write(name, to: folder.file(name))
      #expect(try folder.text(name) == name)
    }
    #expect(try folder.contents().count == 2)
    #expect(throws: FileError.self) {
      try write("", to: folder.file(String(repeating: "n", count: 256)))
    }
    #expect(try folder.contents().count == 2)
  }

  @Test func thePermissionsOfAnOlderFileStay() throws {
    try folder.put("secret", "file")
    #expect(chmod(folder.file("file"), 0o600) == 0)
    try write("new", to: folder.file("file"))
    var status = stat()
    #expect(stat(folder.file("file"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  // MARK: What killed runs leave

  @Test func namesOfTemporaryFilesAreTold() {
    for name in ["a", "a.b.c", ".hidden", "x.partial", String(repeating: "漢", count: 80), ""] {
      let temporary = TemporaryFiles.name(for: name)
      #expect(TemporaryFiles.isTemporary(temporary) && temporary.utf8.count <= 143)
    }
    for name in [
      "a.0123456789abcdef.partial", ".a.partial", ".0123456789abcdef.partial",
      ".a.0123456789abcdeg.partial", ".a.0123456789abcde.partial", ".a.0123456789abcdef.part",
      ".a.0123456789ABCDEF.partial", ".partial", "",
    ] { #expect(!TemporaryFiles.isTemporary(name), "\(name)") }
  }

  @Test func onlyWhatNobodyWritesIsRemoved() throws {
    let output = try OutputFile(path: folder.file("alive"))
    try folder.put("half", TemporaryFiles.name(for: "dead"))
    try folder.put("half", ".old.0123456789abcdef.partial")
    try folder.put("half", ".elsewhere.0123456789abcdef.partial")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7200)],
      ofItemAtPath: folder.file(".old.0123456789abcdef.partial"))
    try folder.put("mine", ".other.partial")
    #expect(mkfifo(folder.file(".fifo.0123456789abcdef.partial"), 0o600) == 0)
    TemporaryFiles.removeDead(in: folder.path)
    let names = try folder.contents()
    #expect(names.count == 4 && names.contains(".other.partial"))
    #expect(names.contains(".fifo.0123456789abcdef.partial"))
    // Another machine may be writing it.
    #expect(names.contains(".elsewhere.0123456789abcdef.partial"))
    #expect(FileManager.default.fileExists(atPath: output.temporaryPath))
    try output.commit()
  }

  @Test func filesThatAreBegunAreRemovedAtTheEnd() throws {
    let files = TemporaryFiles()
    for name in ["begun", "complete", "other"] { try folder.put(name, name) }
    files.insert(folder.file("begun"))
    files.insert(folder.file("not created yet"))
    files.insert(folder.file("complete"))
    files.remove(folder.file("complete"))
    var contents: [String]?
    files.removeAll { contents = try? folder.contents() }
    #expect(contents == ["complete", "other"])
  }

  // MARK: Locks and folders

  @Test func oneHasTheLockAtATime() throws {
    do {
      let lock = try FolderLock(folder: folder.path, name: ".lock")
      let second = try FolderLock(folder: folder.path, name: ".lock")
      #expect(lock != nil && second == nil)
    }
    #expect(try folder.contents() == [])
    // A file that a killed run left keeps nobody out.
    try folder.put("", ".lock")
    let lock = try FolderLock(folder: folder.path, name: ".lock")
    #expect(lock != nil)
    #expect(throws: FileError.self) { try FolderLock(folder: folder.file("no"), name: ".lock") }
  }

  @Test func foldersAreCheckedAndMade() throws {
    try folder.put("x", "file")
    try OutputFolder.check(folder.file("a/b/../c/"))
    #expect(try folder.contents() == ["file"])
    try OutputFolder.make(folder.file("a/b/c"))
    try OutputFolder.make(folder.file("a/b/c"))
    try OutputFolder.check(folder.file("a/b/c"))
    for path in ["file", "file/inside"] {
      #expect(throws: FileError.self) { try OutputFolder.check(folder.file(path)) }
      #expect(throws: FileError.self) { try OutputFolder.make(folder.file(path)) }
    }
    let all = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(all.sorted() == ["a", "a/b", "a/b/c", "file"])
  }

  // MARK: Every byte

  /// A pipe that is full most of the time and does not wait: a call takes a part, or nothing.
  @Test func shortWritesAreCompleted() throws {
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
    let bytes = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    nonisolated(unsafe) var received = Data()
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      var buffer = [UInt8](repeating: 0, count: 10_007)
      while case let count = read(reading, &buffer, buffer.count), count > 0 {
        received.append(contentsOf: buffer[..<count])
      }
      done.signal()
    }
    try writeAll(bytes, to: writing)
    close(writing)
    done.wait()
    close(reading)
    #expect(received == bytes)
    #expect(throws: SystemError(code: EBADF)) { try writeAll("x", to: -1) }
  }
}
