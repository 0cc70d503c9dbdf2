import CPNG
import Files
import Foundation
import TestSupport
import Testing
import TokenData

@testable import VisualTokenizers

@Suite struct RGBImageTests {
  let folder: TemporaryFolder
  let image = syntheticImage(width: 20, height: 13, seed: 1)

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [JPEGKind.colour, .progressive, .inks])
  func readsJPEG(kind: JPEGKind) throws {
    try folder.write(jpegData(image, kind), "image.jpg")
    // Quality 100 without subsampling: the rounding of the transform and of the colours remains.
    #expect(largestDifference(try RGBImage(contentsOf: folder.file("image.jpg")), image) <= 4)
  }

  @Test func readsGreyJPEGAsThreeEqualChannels() throws {
    try folder.write(jpegData(image, .grey), "image.jpg")
    let read = try RGBImage(contentsOf: folder.file("image.jpg"))
    for pixel in 0..<(20 * 13) {
      let (r, g, b) = (
        Int(image.pixels[3 * pixel]), Int(image.pixels[3 * pixel + 1]),
        Int(image.pixels[3 * pixel + 2])
      )
      let luminance = 0.299 * Double(r) + 0.587 * Double(g) + 0.114 * Double(b)
      #expect(abs(Double(read.pixels[3 * pixel]) - luminance) <= 3)
      #expect(read.pixels[3 * pixel + 1] == read.pixels[3 * pixel])
      #expect(read.pixels[3 * pixel + 2] == read.pixels[3 * pixel])
    }
  }

  /// The bytes of a PNG file as it is described, its pixels stored without compression.
  func png(
    width: Int, height: Int, depth: UInt8, colour: UInt8, samples: [UInt8],
    chunks: [(String, [UInt8])] = []
  ) -> Data {
    func bigEndian(_ value: Int) -> [UInt8] {
      (0..<4).reversed().map { UInt8(value >> (8 * $0) & 0xff) }
    }
    func checksum(_ bytes: [UInt8]) -> Int {
      var crc: UInt32 = .max
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
      }
      return Int(~crc)
    }
    func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
      bigEndian(content.count) + Array(type.utf8) + content
        + bigEndian(checksum(Array(type.utf8) + content))
    }
    let rowBytes = samples.count / height
    let lines = (0..<height).flatMap { [0] + samples[$0 * rowBytes..<($0 + 1) * rowBytes] }
    var (a, b) = (1, 0)
    for byte in lines { (a, b) = ((a + Int(byte)) % 65521, (a + Int(byte) + b) % 65521) }
    let length = [UInt8(lines.count & 0xff), UInt8(lines.count >> 8)]
    let stream = [0x78, 0x01, 1] + length + length.map(~) + lines + bigEndian(b << 16 | a)
    let header = bigEndian(width) + bigEndian(height) + [depth, colour, 0, 0, 0]
    return Data(
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
        + chunks.flatMap { chunk($0.0, $0.1) } + chunk("IDAT", stream) + chunk("IEND", []))
  }

  /// Numbers of 16 bits that name no colour space are sRGB, as those of 8 bits are: 257·x is x.
  @Test(arguments: [0, 2] as [UInt8]) func sixteenBitsReadAsEightDo(colour: UInt8) throws {
    let count = colour == 0 ? 16 : 48
    let levels = (0..<count).map { UInt8($0 * 255 / (count - 1)) }
    try folder.write(
      png(width: 4, height: 4, depth: 8, colour: colour, samples: levels), "8.png")
    try folder.write(
      png(
        width: 4, height: 4, depth: 16, colour: colour, samples: levels.flatMap { [$0, $0] }),
      "16.png")
    let eight = try RGBImage(contentsOf: folder.file("8.png"))
    #expect(eight.pixels == (colour == 0 ? levels.flatMap { [$0, $0, $0] } : levels))
    #expect(try RGBImage(contentsOf: folder.file("16.png")) == eight)
  }

  /// c·α + 255·(1 − α) on the numbers as they are stored, rounded to nearest: what Pillow and browsers show.
  @Test(arguments: [8, 16] as [UInt8]) func greyWithOpacityIsBlendedInSRGB(depth: UInt8) throws {
    let (grey, opacity) = ([0, 40, 128, 255] as [UInt8], [0, 85, 128, 255] as [UInt8])
    var (samples, expected): ([UInt8], [UInt8]) = ([], [])
    for g in grey {
      for a in opacity {
        samples += depth == 8 ? [g, a] : [g, g, a, a]
        let value = (Double(g) * Double(a) + 255 * (255 - Double(a))) / 255
        expected += Array(repeating: UInt8(value.rounded()), count: 3)
      }
    }
    try folder.write(
      png(width: 4, height: 4, depth: depth, colour: 4, samples: samples), "ga.png")
    #expect(try RGBImage(contentsOf: folder.file("ga.png")).pixels == expected)
  }

  @Test(arguments: 1...8) func orientationOfAPNGIsApplied(orientation: Int) throws {
    let samples = (0..<6 * 3).map { UInt8(10 * $0) }
    let tiff =
      Array("MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0".utf8)
      + [UInt8(orientation), 0, 0, 0, 0, 0, 0]
    try folder.write(
      png(
        width: 3, height: 2, depth: 8, colour: 2, samples: samples, chunks: [("eXIf", tiff)]),
      "turned.png")
    let stored = RGBImage(width: 3, height: 2, pixels: samples)
    let expected = try #require(EXIFOrientation(rawValue: orientation)).uprightImage(stored)
    #expect(try RGBImage(contentsOf: folder.file("turned.png")) == expected)
  }

  /// ImageMagick keeps the block as text, in hexadecimal digits.
  @Test(arguments: [false, true], [3, 6, 8]) func orientationInATextIsApplied(
    isCompressed: Bool, orientation: Int
  ) throws {
    let samples = (0..<6 * 3).map { UInt8(10 * $0) }
    let tiff =
      Array("Exif\0\0MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0".utf8)
      + [UInt8(orientation), 0, 0, 0, 0, 0, 0]
    let digits = tiff.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let text = Array(
      "\nexif\n      \(tiff.count)\n\(digits.prefix(20))\n\(digits.dropFirst(20))\n".utf8)
    var content = Array("Raw profile type exif".utf8) + [0]
    if isCompressed {
      // Stored, with the sum that ends the stream.
      var (a, b) = (1, 0)
      for byte in text { (a, b) = ((a + Int(byte)) % 65521, (a + Int(byte) + b) % 65521) }
      let length = [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
      content += [0, 0x78, 1, 1] + length + length.map(~) + text
      content += [UInt8(b >> 8), UInt8(b & 0xFF), UInt8(a >> 8), UInt8(a & 0xFF)]
    } else {
      content += text
    }
    try folder.write(
      png(
        width: 3, height: 2, depth: 8, colour: 2, samples: samples,
        chunks: [(isCompressed ? "zTXt" : "tEXt", content)]), "turned.png")
    let stored = RGBImage(width: 3, height: 2, pixels: samples)
    let expected = try #require(EXIFOrientation(rawValue: orientation)).uprightImage(stored)
    #expect(try RGBImage(contentsOf: folder.file("turned.png")) == expected)
  }

  @Test func pngIsExact() throws {
    try image.writePNG(to: folder.file("image.png"))
    #expect(try RGBImage(contentsOf: folder.file("image.png")) == image)
    #expect(try folder.contents() == ["image.png"])
  }

  @Test func theNameDoesNotMatter() throws {
    try folder.write(pngData(image), "image.jpg")
    try folder.write(jpegData(image), "image")
    #expect(try RGBImage(contentsOf: folder.file("image.jpg")) == image)
    #expect(largestDifference(try RGBImage(contentsOf: folder.file("image")), image) <= 4)
  }

  /// Writes a PNG in one of libpng's other formats.
  func writePNG(_ pixels: [UInt8], width: Int, height: Int, format: UInt32) throws -> String {
    var png = token_png_image()
    (png.width, png.height, png.format) = (UInt32(width), UInt32(height), format)
    let path = folder.file("other.png")
    try #require(png_image_write_to_file(&png, path, 0, pixels, 0, nil) != 0)
    return path
  }

  @Test func readsGreyPNG() throws {
    let path = try writePNG([0, 100, 200, 255], width: 2, height: 2, format: 0)
    #expect(
      try RGBImage(contentsOf: path).pixels
        == [0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255])
  }

  @Test func laysTransparencyOnWhite() throws {
    let opaque: [UInt8] = [10, 20, 30, 255]
    let invisible: [UInt8] = [10, 20, 30, 0]
    let path = try writePNG(opaque + invisible, width: 2, height: 1, format: 3)
    #expect(try RGBImage(contentsOf: path).pixels == [10, 20, 30, 255, 255, 255])
  }

  // MARK: Files that cannot be read

  @Test func missingFile() {
    let path = folder.file("none.jpg")
    #expect(throws: ImageError.missing(path)) { try RGBImage(contentsOf: path) }
  }

  @Test(arguments: ["", "GIF89a", "no image at all"])
  func unknownFormat(text: String) throws {
    try folder.write(Data(text.utf8), "text.jpg")
    let path = folder.file("text.jpg")
    #expect(throws: ImageError.unknownFormat(path)) { try RGBImage(contentsOf: path) }
  }

  @Test(arguments: [0.1, 0.5, 0.9], JPEGKind.allCases)
  func truncatedJPEG(share: Double, kind: JPEGKind) throws {
    let data = try jpegData(syntheticImage(width: 64, height: 64, seed: 2), kind)
    try folder.write(data.prefix(Int(Double(data.count) * share)), "half.jpg")
    let error = #expect(throws: ImageError.self) {
      try RGBImage(contentsOf: folder.file("half.jpg"))
    }
    #expect(error?.description.hasPrefix(folder.file("half.jpg") + ": is broken: ") == true)
  }

  @Test(arguments: [0.1, 0.5, 0.9])
  func truncatedPNG(share: Double) throws {
    let data = try pngData(syntheticImage(width: 64, height: 64, seed: 2))
    try folder.write(data.prefix(max(10, Int(Double(data.count) * share))), "half.png")
    let error = #expect(throws: ImageError.self) {
      try RGBImage(contentsOf: folder.file("half.png"))
    }
    #expect(error?.description.hasPrefix(folder.file("half.png") + ": is broken: ") == true)
  }

  /// The width and height of a JPEG are not protected by a checksum.
  @Test func aHeaderThatClaimsAnEnormousImage() throws {
    var data = try jpegData(image)
    let frame = try #require(data.firstRange(of: Data([0xFF, 0xC0])))
    data.replaceSubrange((frame.lowerBound + 5)..<(frame.lowerBound + 9), with: [255, 0, 255, 0])
    try folder.write(data, "enormous.jpg")
    let path = folder.file("enormous.jpg")
    #expect(
      throws: ImageError.broken(
        path, reason: "it claims 65280x65280 pixels; at most 268435456 are read")
    ) { try RGBImage(contentsOf: path) }
  }

  /// Nothing but a blank can be so small for its size, and a damaged header is the likelier reason.
  @Test func aHeaderThatClaimsMoreThanTheFileHolds() throws {
    let whole = png(
      width: 16_000, height: 2, depth: 8, colour: 0, samples: [UInt8](repeating: 1, count: 32_000))
    try folder.write(whole, "wide.png")
    #expect(try RGBImage(contentsOf: folder.file("wide.png")).width == 16_000)
    let tall = png(
      width: 16_000, height: 16_000, depth: 1, colour: 0,
      samples: [UInt8](repeating: 1, count: 16_000))
    try folder.write(tall, "tall.png")
    #expect(
      throws: ImageError.broken(
        folder.file("tall.png"),
        reason: "it claims 16000x16000 pixels, and its \(tall.count) bytes hold hardly any")
    ) { try RGBImage(contentsOf: folder.file("tall.png")) }
  }

  @Test func strayBytesAreHarmless() throws {
    var data = try jpegData(image)
    // Between the last of the compressed data and the end of the image.
    data.insert(contentsOf: [0x17, 0x18, 0x19], at: data.count - 2)
    try folder.write(data, "stray.jpg")
    #expect(largestDifference(try RGBImage(contentsOf: folder.file("stray.jpg")), image) <= 4)
  }

  @Test func unwritableOutput() throws {
    let path = folder.file("missing/image.png")
    #expect(throws: FileError.unwritable(path, reason: "No such file or directory")) {
      try image.writePNG(to: path)
    }
  }

  // MARK: Drawing

  @Test func drawsAtAPlace() {
    var canvas = RGBImage(width: 4, height: 3, red: 1, green: 2, blue: 3)
    canvas.draw(RGBImage(width: 2, height: 1, red: 9, green: 8, blue: 7), left: 1, top: 2)
    for row in 0..<3 {
      for column in 0..<4 {
        let isDrawn = row == 2 && (1...2).contains(column)
        let pixel = Array(canvas.pixels[((row * 4 + column) * 3)...].prefix(3))
        #expect(pixel == (isDrawn ? [9, 8, 7] : [1, 2, 3]))
      }
    }
  }

  @Test(arguments: [(1, nil, 1, 1), (5, nil, 3, 2), (5, 5, 5, 1), (5, 9, 5, 1), (16, nil, 4, 4)])
  func contactSheet(count: Int, columns: Int?, wide: Int, high: Int) {
    let images = (0..<count).map { RGBImage(width: 6, height: 5, red: UInt8($0)) }
    let sheet = RGBImage(contactSheetOf: images, columns: columns)
    #expect(sheet.width == 4 + wide * 10 && sheet.height == 4 + high * 9)
    for i in 0..<count {
      let pixel = ((4 + i / wide * 9) * sheet.width + 4 + i % wide * 10) * 3
      #expect(Array(sheet.pixels[pixel..<(pixel + 3)]) == [UInt8(i), 0, 0])
    }
  }
}
