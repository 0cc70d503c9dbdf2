import Foundation
import TestSupport
import Testing

@testable import FileFormats

struct ArrayFileTests {
  private func sample() -> ArrayFile {
    var file = ArrayFile()
    file.add("facts", shape: [1], .texts(["{\"ü\":1}"]))
    file.add("maps/entropy", shape: [2, 1, 3], .numbers([1, .nan, 3, 4, 5, 6e-300]))
    file.add("maps/reference", shape: [2, 2], .counts([0, -1, 2, Int.max]))
    return file
  }

  @Test func numpyFindsTheArraysByName() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.npz")
    try sample().write(to: path)
    let archive = try NpzArchive(path: path)
    #expect(archive.arrayNames == ["facts", "maps/entropy", "maps/reference"])
    let entropy = try archive.array("maps/entropy")
    #expect(entropy.shape == [2, 1, 3])
    #expect(entropy.doubles()[1].isNaN && entropy.doubles()[5] == 6e-300)
    #expect(try archive.array("maps/reference").integers() == [0, -1, 2, Int64.max])
    #expect(try folder.contents() == ["a.npz"])
  }

  @Test func groupsOfHDF5HoldTheSame() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try sample().write(to: path)
    let root = try HDF5Group.openFile(path)
    let maps = try #require(try root.group("maps"))
    let entropy = try #require(try maps.dataset("entropy"))
    #expect(entropy.shape == [2, 1, 3])
    #expect(try entropy.readAll(as: Double.self)[2...] == [3, 4, 5, 6e-300])
    #expect(try maps.dataset("reference")?.readAll(as: Int64.self) == [0, -1, 2, Int64.max])
    #expect(try root.dataset("facts")?.readStrings() == ["{\"ü\":1}"])
  }

  @Test func textsAreOfEqualWidthInUTF8() throws {
    let bytes = NpyWriter.bytes(texts: ["a", "dé", ""])
    #expect(bytes.count == 128 + 9)
    #expect(String(decoding: bytes[10..<40], as: UTF8.self).contains("'descr': '|S3'"))
    #expect(bytes.suffix(9) == Data("a\0\0dé\0\0\0".utf8))
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    let folder = try TemporaryFolder()
    for name in ["none/a.npz", "none/a.h5"] {
      #expect {
        try sample().write(to: folder.file(name))
      } throws: { "\($0)".contains(name) }
    }
  }
}
