import FileFormats
import Files
import Foundation
import Statistics
import TestSupport
import Testing

@testable import VisualTokenizers

/// Images that other programs exchange: archives as ADM's evaluator reads them, arrays, and folders.
struct ImageSetTests {
  private let folder: TemporaryFolder
  /// More than one run of them.
  private let images: [RGBImage]

  init() throws {
    folder = try TemporaryFolder()
    var generator = SeededGenerator(seed: 4)
    images = (0..<70).map { _ in
      RGBImage(
        width: 5, height: 3, pixels: (0..<45).map { _ in UInt8(generator.nextIndex(below: 256)) })
    }
  }

  private func read(_ set: ImageSet) throws -> [RGBImage] {
    var result: [RGBImage] = []
    try set.forEachRun { first, images in
      #expect(first == result.count)
      result += images
    }
    return result
  }

  private func writeArchive(_ path: String, labels: [Int64]? = nil) throws {
    let writer = try ImageArchiveWriter(path: path, count: images.count, width: 5, height: 3)
    for image in images { try writer.append(image) }
    try writer.finish(labels: labels)
  }

  @Test func anArchiveIsWrittenAndRead() throws {
    let path = folder.file("images.npz")
    try writeArchive(path, labels: (0..<70).map { $0 % 3 })
    let archive = try NpzArchive(path: path)
    #expect(archive.arrayNames == ["arr_0", "arr_1"])
    #expect(try archive.array("arr_0").shape == [70, 3, 5, 3])
    #expect(try archive.array("arr_0").type.description == "|u1")
    #expect(try archive.array("arr_1").integers(3..<6) == [0, 1, 2])
    let set = try ImageSet(archive: path)
    #expect(set.count == 70 && set.width == 5 && set.height == 3)
    #expect(try read(set) == images)
  }

  /// As ADM's own evaluator asks for it.
  @Test(.enabled(if: Python.hasNumPy, "python3 with numpy is not installed"))
  func numpyReadsTheArchive() throws {
    try writeArchive(folder.file("images.npz"))
    let output = try Python.run(
      """
      import numpy
      with numpy.load("\(folder.file("images.npz"))") as archive:
          images = archive["arr_0"]
          print(archive.files, images.dtype, images.shape, images[69, 2, 4].tolist())
      numpy.savez_compressed("\(folder.file("packed.npz"))", arr_0=images)
      numpy.savez("\(folder.file("fortran.npz"))", arr_0=numpy.asfortranarray(images))
      """)
    let last = images[69].pixels.suffix(3).map(String.init).joined(separator: ", ")
    #expect(output == "['arr_0'] uint8 (70, 3, 5, 3) [\(last)]\n")
    #expect(try read(ImageSet(archive: folder.file("packed.npz"))) == images)
    #expect(
      throws: NpyError.fortranOrder(file: "\(folder.file("fortran.npz")): arr_0.npy")
    ) { try ImageSet(archive: folder.file("fortran.npz")) }
  }

  @Test func foldersAndArraysHoldTheSameImages() throws {
    try folder.makeFolder("png")
    for (i, image) in images.enumerated() {
      let number = String(i)
      try image.writePNG(
        to: folder.file("png/\(String(repeating: "0", count: 3 - number.count))\(i).png"))
    }
    let set = try ImageSet(folder: folder.file("png"))
    #expect(set.count == 70 && set.width == 5 && set.height == 3)
    #expect(try read(set) == images)
    let writer = try NpzWriter(path: folder.file("x.npz"))
    try writer.beginBytes("x", shape: [70, 3, 5, 3])
    for image in images { try writer.append(image.pixels) }
    try writer.finish()
    #expect(try read(ImageSet(NpzArchive(path: folder.file("x.npz")).array("x"))) == images)
    try RGBImage(width: 4, height: 3).writePNG(to: folder.file("png/070.png"))
    #expect(
      throws: ImageError.otherSize(
        folder.file("png/070.png"), width: 4, height: 3, first: folder.file("png/000.png"),
        firstWidth: 5, firstHeight: 3)
    ) { try read(ImageSet(folder: folder.file("png"))) }
  }

  @Test func whatIsNoImagesIsRefused() throws {
    let path = folder.file("x.npz")
    try NpzArchive.write(
      [("arr_0", NpyWriter.bytes([Float](repeating: 1, count: 24), shape: [2, 2, 2, 3]))], to: path)
    #expect(
      throws: NpyError.wrongType(
        file: "\(path): arr_0.npy", type: "<f4",
        expected: "images of unsigned bytes, |u1, 0 to 255,")
    ) { try ImageSet(archive: path) }
    try NpzArchive.write(
      [("arr_0", NpyWriter.bytes([Float](repeating: 1, count: 24), shape: [2, 3, 2, 2]))], to: path)
    #expect(
      throws: NpyError.wrongShape(
        file: "\(path): arr_0.npy", found: [2, 3, 2, 2], expected: "(images, rows, columns, 3)")
    ) { try ImageSet(archive: path) }
    try NpzArchive.write([("x", NpyWriter.bytes([1] as [Int64], shape: [1]))], to: path)
    #expect(throws: ZipError.missingMember(file: path, member: "arr_0.npy")) {
      try ImageSet(archive: path)
    }
  }

  @Test func nothingIsLeftOfAnUnfinishedArchive() throws {
    do {
      let writer = try ImageArchiveWriter(
        path: folder.file("a.npz"), count: 2, width: 5, height: 3)
      try writer.append(images[0])
    }
    #expect(try folder.contents() == [])
  }
}
