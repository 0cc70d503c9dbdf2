import Files
import Foundation
import Statistics
import TestSupport
import Testing
import TokenGrids

@Suite struct ContentHashTests {
  /// Values of the reference implementation, `xxhsum -H64`.
  @Test(arguments: [
    ("", "xxh64:ef46db3751d8e999"),
    ("a", "xxh64:d24ec4f1a98c6e5b"),
    ("abc", "xxh64:44bc2cf5ad770999"),
    ("Nobody inspects the spammish repetition", "xxh64:fbcea83c8a378bf1"),
  ])
  func publishedValues(text: String, expected: String) {
    #expect(ContentHash(of: Data(text.utf8)).description == expected)
  }

  /// Lengths around the block in which files are read, which is no multiple of anything here.
  @Test(arguments: [0, 1, 31, 32, 33, (1 << 20) + 45])
  func filesHashAsTheirBytes(length: Int) throws {
    var rng = SeededGenerator(seed: UInt64(length))
    var bytes = Data((0..<min(length, 100)).map { _ in UInt8.random(in: 0...255, using: &rng) })
    while bytes.count < length { bytes += bytes.prefix(length - bytes.count) }
    let folder = try TemporaryFolder()
    let path = folder.file("bytes")
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(try ContentHash(ofFileAt: path) == ContentHash(of: bytes))
  }

  @Test func everyByteCounts() {
    let bytes = Data(repeating: 7, count: 100)
    var hashes: Set<ContentHash> = [ContentHash(of: bytes)]
    for i in bytes.indices {
      var changed = bytes
      changed[i] = 8
      hashes.insert(ContentHash(of: changed))
    }
    #expect(hashes.count == 101)
  }

  @Test func missingFile() {
    #expect(throws: FileError.missing("/nowhere/file")) {
      try ContentHash(ofFileAt: "/nowhere/file")
    }
  }
}
