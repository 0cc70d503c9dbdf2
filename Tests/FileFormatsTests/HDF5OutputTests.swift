import Foundation
import TestSupport
import Testing

@testable import FileFormats

@Suite struct HDF5OutputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Several rows of chunks, some of which are read again, changed and written again.
  private func fill(_ root: HDF5Group) throws {
    try root.setAttribute("format", "test")
    let rows = try root.createGrowingDataset(
      "rows", of: UInt16.self, rowShape: [10], rowsPerChunk: 16)
    for first in stride(from: 0, to: 100, by: 5) {
      try rows.append((0..<50).map { UInt16(truncatingIfNeeded: $0 * $0 + first) }, after: first)
      if first % 20 == 0 { try root.flush() }
    }
    let group = try root.createGroup("group")
    try group.write((0..<5000).map { Float($0) }, shape: [50, 100], to: "numbers")
    try root.write(["one", "two", "drei"], to: "strings")
    try root.flush()
  }

  private func written() throws -> (bytes: Data, reason: String?) {
    let path = folder.file("driver")
    let descriptor = open(path, O_CREAT | O_TRUNC | O_RDWR, 0o600)
    let output = HDF5Output(descriptor: descriptor)
    defer { close(descriptor) }
    do {
      let root = try HDF5Group.createFile(output)
      try fill(root)
    }
    return (try Data(contentsOf: URL(fileURLWithPath: path)), output.reason)
  }

  /// The driver of the project writes the bytes that the library's own writes.
  @Test func theBytesAreThoseOfTheLibrary() throws {
    let path = folder.file("library")
    do { try fill(HDF5Group.createFile(path)) }
    let (bytes, reason) = try written()
    #expect(reason == nil && bytes.count > 20_000)
    #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Whatever cannot be written, the library is left in a state in which it works, and the first reason is kept.
  @Test func aFileThatCannotBeWrittenIsClosedInPeace() throws {
    let path = folder.file("read-only")
    try Data().write(to: URL(fileURLWithPath: path))
    for _ in 0..<6 {
      let descriptor = open(path, O_RDONLY)
      let output = HDF5Output(descriptor: descriptor)
      defer { close(descriptor) }
      do {
        let root = try HDF5Group.createFile(output)
        // What was dropped cannot be read again; that may be an error here.
        try? fill(root)
      }
      #expect(output.reason == "Bad file descriptor")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
    #expect(try written().reason == nil)
  }
}
