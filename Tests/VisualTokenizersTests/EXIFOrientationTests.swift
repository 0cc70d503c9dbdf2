import Foundation
import TestSupport
import Testing

@testable import VisualTokenizers

@Suite struct EXIFOrientationTests {
  /// Where the block ends that `data` makes: two bytes that begin the file, two of the marker, two of its length, six that
  /// name it, and a header of eight with a count of two and two tags of twelve.
  private let blockEnd = 2 + 2 + 2 + 6 + 8 + 2 + 2 * 12

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

  /// A block that is cut off gives no orientation, and one that is whole does, however little follows.
  @Test(arguments: [false, true]) func everyTruncationIsSurvived(bigEndian: Bool) throws {
    let data = try data(orientation: 6, bigEndian: bigEndian)
    let found = (0...data.count).filter { EXIFOrientation(jpeg: data.prefix($0)) != nil }
    #expect(found == Array(blockEnd...data.count))
    #expect(found.allSatisfy { EXIFOrientation(jpeg: data.prefix($0)) == .turnClockwise })
  }

  /// A damaged byte hides the tag, or is not looked at; only in the number itself could it give another one, and 0xFF gives none
  /// that there is.
  @Test(arguments: [false, true]) func noDamagedByteGivesAnotherOrientation(bigEndian: Bool) throws
  {
    let data = try data(orientation: 6, bigEndian: bigEndian)
    var hidden = 0
    for place in 0..<blockEnd {
      var damaged = data
      damaged[place] = 0xFF
      let orientation = EXIFOrientation(jpeg: damaged)
      #expect(orientation == nil || orientation == .turnClockwise, "byte \(place)")
      hidden += orientation == nil ? 1 : 0
    }
    #expect(hidden > 0)
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
