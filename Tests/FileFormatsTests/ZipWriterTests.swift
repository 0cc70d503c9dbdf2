import CZip
import Files
import Foundation
import Statistics
import TestSupport
import Testing

@testable import FileFormats

/// Archives by the project's own writer, read by the library and by numpy.
struct ZipWriterTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("a.npz") }

  init() throws { folder = try TemporaryFolder() }

  /// Members of 0, 5 and 3,000 random bytes, whose names are plain and not.
  private let members: [(name: String, data: Data)] = [
    ("empty.npy", 0), ("a.npy", 5), ("größe.npy", 3000),
  ].map { name, count in
    var generator = SeededGenerator(seed: UInt64(count) + 1)
    return (name, Data((0..<count).map { _ in UInt8(generator.nextIndex(below: 256)) }))
  }

  /// As plain numbers, with zip64 for places alone, and with zip64 for everything.
  @Test(arguments: [0xFFFF_FFFE, 3000, 50, 0] as [UInt64])
  func theLibraryReadsEveryForm(largestPlain: UInt64) throws {
    let writer = try ZipWriter(path: path, largestPlain: largestPlain)
    for (name, data) in members {
      try writer.begin(name, size: data.count)
      // In two parts, as images come.
      for part in [data.prefix(2), data.dropFirst(2)] {
        let result = part.withUnsafeBytes { bytes in
          Result { () throws(FileError) in try writer.write(bytes) }
        }
        try result.get()
      }
    }
    try writer.finish()
    let archive = try ZipArchive(path: path)
    #expect(archive.memberNames == members.map(\.name))
    for (name, data) in members {
      #expect(try archive.size(of: name) == data.count)
      #expect(try archive.read(name) == [UInt8](data))
    }
    #expect(try folder.contents() == ["a.npz"])
    // Every byte is checked by somebody: the library's strictest reading finds no fault.
    var code: Int32 = 0
    let strict = try #require(zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code), "\(code)")
    zip_discard(strict)
  }

  @Test(
    .enabled(if: Python.hasNumPy, "python3 with numpy is not installed"),
    arguments: [0xFFFF_FFFE, 10] as [UInt64])
  func pythonReadsEveryForm(largestPlain: UInt64) throws {
    let writer = try ZipWriter(path: path, largestPlain: largestPlain)
    for name in ["arr_0", "arr_1"] {
      let bytes = NpyWriter.bytes([3, 1, 2] as [Int64], shape: [3])
      try writer.begin(name + ".npy", size: bytes.count)
      let result = bytes.withUnsafeBytes { bytes in
        Result { () throws(FileError) in try writer.write(bytes) }
      }
      try result.get()
    }
    try writer.finish()
    let output = try Python.run(
      """
      import numpy, zipfile
      assert zipfile.ZipFile("\(path)").testzip() is None
      with numpy.load("\(path)") as archive:
          print(archive.files, archive["arr_0"].tolist(), archive["arr_1"].tolist())
      """)
    #expect(output == "['arr_0', 'arr_1'] [3, 1, 2] [3, 1, 2]\n")
  }

  @Test func nothingIsLeftOfAnUnfinishedArchive() throws {
    do {
      let writer = try ZipWriter(path: path)
      try writer.begin("a", size: 10)
    }
    #expect(try folder.contents() == [])
    #expect(throws: FileError.self) { try ZipWriter(path: folder.file("none/a.zip")) }
  }

  @Test func arraysAreReadInRuns() throws {
    let values = (0..<100_000).map { Int64($0) }
    try NpzArchive.write([("x", NpyWriter.bytes(values, shape: [1000, 100]))], to: path)
    let stream = try NpzArchive(path: path).stream("x")
    #expect(stream.shape == [1000, 100] && stream.type.description == "<i8")
    var found: [Int64] = []
    for run in [1, 8191, 60_000, 31_808] {
      let bytes = try stream.next(run)
      #expect(bytes.count == 8 * run)
      found += bytes.withUnsafeBytes { $0.bindMemory(to: Int64.self).map(\.littleEndian) }
    }
    #expect(found == values)
  }

  /// A wrong checksum is found by whoever reads to the end.
  @Test func damageInARunIsFound() throws {
    try NpzArchive.write(
      [("x", NpyWriter.bytes([Int64](repeating: 3, count: 1000), shape: [1000]))], to: path)
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    data[500] ^= 1
    try data.write(to: URL(fileURLWithPath: path))
    let stream = try NpzArchive(path: path).stream("x")
    _ = try stream.next(900)
    #expect(throws: ZipError.self) { try stream.next(100) }
  }
}
