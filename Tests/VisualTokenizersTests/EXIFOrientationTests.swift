import Foundation
import TestSupport
import Testing

@testable import VisualTokenizers

@Suite struct EXIFOrientationTests {
  /// A JPEG file with an EXIF block that holds two tags, orientation the second.
  func data(orientation: UInt16, bigEndian: Bool) throws -> Data {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
    }
    var tiff: [UInt8] = Array((bigEndian ? "MM" : "II").utf8) + bytes(UInt16(42)) + bytes(UInt32(8))
    tiff += bytes(UInt16(2))
    tiff +=
      bytes(UInt16(0x0100)) + bytes(UInt16(3)) + bytes(UInt32(1)) + bytes(UInt16(77)) + [0, 0]
    tiff +=
      bytes(UInt16(0x0112)) + bytes(UInt16(3)) + bytes(UInt32(1)) + bytes(orientation) + [0, 0]
    let content = Array("Exif\0\0".utf8) + tiff
    var segment: [UInt8] = [0xFF, 0xE1]
    segment += [UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
    var data = try jpegData(RGBImage(width: 3, height: 2))
    data.insert(contentsOf: segment, at: 2)
    return data
  }

  @Test(arguments: 1...8, [false, true])
  func findsTheTag(orientation: Int, bigEndian: Bool) throws {
    let data = try data(orientation: UInt16(orientation), bigEndian: bigEndian)
    #expect(EXIFOrientation(jpeg: data)?.rawValue == orientation)
  }

  @Test func filesWithoutASensibleTag() throws {
    #expect(EXIFOrientation(jpeg: try jpegData(RGBImage(width: 3, height: 2))) == nil)
    #expect(EXIFOrientation(jpeg: try data(orientation: 9, bigEndian: true)) == nil)
    #expect(EXIFOrientation(jpeg: Data()) == nil)
  }

  /// A damaged block gives no orientation, and never a crash.
  @Test func everyTruncationIsSurvived() throws {
    let data = try data(orientation: 6, bigEndian: true)
    for length in 0..<60 { _ = EXIFOrientation(jpeg: data.prefix(length)) }
    for place in 2..<60 {
      var damaged = data
      damaged[place] = 0xFF
      _ = EXIFOrientation(jpeg: damaged)
    }
  }

  /// The pixel that is stored first, and the one stored to its right, in the upright picture.
  @Test(arguments: [
    (1, 0, 0, 0, 1), (2, 0, 2, 0, 1), (3, 1, 2, 1, 1), (4, 1, 0, 1, 1),
    (5, 0, 0, 1, 0), (6, 0, 1, 1, 1), (7, 2, 1, 1, 1), (8, 2, 0, 1, 0),
  ])
  func turnsThePicture(
    orientation: Int, row: Int, column: Int, nextRow: Int, nextColumn: Int
  ) throws {
    var stored = RGBImage(width: 3, height: 2)
    stored.pixels[0] = 100
    stored.pixels[3] = 200
    let upright = try #require(EXIFOrientation(rawValue: orientation)).uprightImage(stored)
    #expect(upright.width == (orientation < 5 ? 3 : 2))
    #expect(upright.pixels[(row * upright.width + column) * 3] == 100)
    #expect(upright.pixels[(nextRow * upright.width + nextColumn) * 3] == 200)
  }

  @Test func readingAppliesTheOrientation() throws {
    let folder = try TemporaryFolder()
    try folder.write(data(orientation: 6, bigEndian: false), "turned.jpg")
    let image = try RGBImage(contentsOf: folder.file("turned.jpg"))
    #expect(image.width == 2 && image.height == 3)
  }
}
