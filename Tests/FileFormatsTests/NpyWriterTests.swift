import Files
import Foundation
import TestSupport
import Testing

@testable import FileFormats

struct NpyWriterTests {
  let folder: TemporaryFolder
  var path: String { folder.file("a.npy") }

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [[6], [2, 3], [1, 1, 6]])
  func whatIsWrittenIsReadBack(shape: [Int]) throws {
    try NpyWriter.write([0.5, -1, 2, 3, 4, .infinity] as [Float], shape: shape, to: path)
    let array = try NpyArray(path: path)
    #expect(array.shape == shape && array.type.description == "<f4" && !array.isFortranOrder)
    #expect(array.floats() == [0.5, -1, 2, 3, 4, .infinity])
    #expect(array.floats(1..<3) == [-1, 2])
    #expect(try folder.contents() == ["a.npy"])
  }

  @Test func theElementsAreAligned() {
    for extent in [1, 10, 12345] {
      let bytes = NpyWriter.bytes([UInt16](repeating: 7, count: extent), shape: [extent])
      #expect((bytes.count - 2 * extent) % 64 == 0)
      #expect(bytes.dropFirst(10).prefix { $0 != 0x0a }.allSatisfy { $0 >= 0x20 })
    }
  }

  @Test func failuresLeaveNothingBehind() throws {
    #expect(throws: FileError.self) {
      try NpyWriter.write([1.0], shape: [1], to: folder.file("none/a.npy"))
    }
    #expect(try folder.contents() == [])
  }

  @Test(.enabled(if: Python.hasNumPy, "python3 with numpy is not installed"))
  func numpyReadsWhatIsWritten() throws {
    try NpyWriter.write([1, -2, 3] as [Int64], shape: [3, 1], to: folder.file("i.npy"))
    try NpyWriter.write([0.1, 0.2] as [Double], shape: [2], to: folder.file("d.npy"))
    try NpyWriter.write([UInt16](0..<4), shape: [2, 2], to: folder.file("u.npy"))
    let output = try Python.run(
      """
      import numpy
      for name in "idu":
          a = numpy.load("\(folder.path)/" + name + ".npy")
          print(a.dtype, a.shape, a.ravel().tolist())
      """)
    #expect(
      output == """
        int64 (3, 1) [1, -2, 3]
        float64 (2,) [0.1, 0.2]
        uint16 (2, 2) [0, 1, 2, 3]

        """)
  }

  @Test(.enabled(if: Python.hasNumPy, "python3 with numpy is not installed"))
  func whatNumpyWritesIsRead() throws {
    try Python.run(
      """
      import numpy
      a = numpy.arange(24).reshape(2, 3, 4)
      for type in "i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 >i2 >u4 >i8 >f2 >f4 >f8".split():
          numpy.save("\(folder.path)/c" + type + ".npy", a.astype(type))
          numpy.save("\(folder.path)/f" + type + ".npy", numpy.asfortranarray(a.astype(type)))
      numpy.save("\(folder.path)/objects", numpy.array([{}, 1], dtype=object))
      """)
    let files = try folder.contents().filter { $0 != "objects.npy" }
    #expect(files.count == 34)
    for file in files {
      let array = try NpyArray(path: folder.file(file))
      #expect(array.shape == [2, 3, 4])
      #expect(array.isFortranOrder == file.hasPrefix("f"))
      #expect(array.doubles() == (0..<24).map { Double($0) }, "\(file)")
    }
    let objects = folder.file("objects.npy")
    #expect(throws: NpyError.pythonObjects(file: objects)) { try NpyArray(path: objects) }
  }
}
