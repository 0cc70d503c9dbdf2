import CTurboJPEG
import Foundation
import Statistics
import TokenGrids
import VisualTokenizers

/// A file that the test itself could not make.
struct OriginalError: Error, CustomStringConvertible {
  let description: String
}

extension FuzzedReader {
  private static func picture() -> RGBImage {
    var rng = SeededGenerator(seed: 3)
    return RGBImage(
      width: 24, height: 17,
      pixels: (0..<24 * 17 * 3).map { UInt8($0 / 5 & 0xFF) &+ UInt8(rng.nextIndex(below: 32)) })
  }

  /// A TIFF block that says that the picture was held at an angle.
  private static let orientation =
    Array("MM\0*\0\0\0\u{8}\0\u{1}\u{1}\u{12}\0\u{3}\0\0\0\u{1}\0".utf8) + [6, 0, 0, 0, 0, 0, 0]

  private static func jpegBytes(
    sampling: TJSAMP, format: TJPF = TJPF_RGB, flags: Int32 = 0
  ) throws -> [UInt8] {
    let handle = tjInitCompress()
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    defer { tjFree(buffer) }
    let image = picture()
    let width = format == TJPF_CMYK ? 18 : image.width
    let status = tjCompress2(
      handle, image.pixels, Int32(width), 0, Int32(image.height), Int32(format.rawValue), &buffer,
      &size, Int32(sampling.rawValue), 80, flags)
    guard status == 0, let buffer else {
      throw OriginalError(description: String(cString: tjGetErrorStr2(handle)))
    }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }

  static func jpeg(_ name: String, _ folder: String) throws -> FuzzedReader {
    let plain = try jpegBytes(sampling: TJSAMP_420)
    let exif = Array("Exif\0\0".utf8) + orientation
    let turned =
      plain.prefix(2) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + plain.dropFirst(2)
    return FuzzedReader(
      name, fileName: "f.jpg",
      originals: [
        plain, Array(turned), try jpegBytes(sampling: TJSAMP_GRAY),
        try jpegBytes(sampling: TJSAMP_444, flags: TJFLAG_PROGRESSIVE),
        try jpegBytes(sampling: TJSAMP_444, format: TJPF_CMYK),
      ]
    ) { _ = try RGBImage(contentsOf: $0) }
  }

  static func png(_ name: String, _ folder: String) throws -> FuzzedReader {
    func lines(_ rowBytes: Int, rows: Int = 6) -> [[UInt8]] {
      (0..<rows).map { row in (0..<rowBytes).map { UInt8(truncatingIfNeeded: 31 * row + 7 * $0) } }
    }
    let palette = (0..<48).map { UInt8(5 * $0) }
    return FuzzedReader(
      name, fileName: "f.png",
      originals: [
        try bytes(folder) { try picture().writePNG(to: $0) },
        PNGBytes.file(
          width: 5, depth: 8, colour: 2, lines: lines(15), chunks: [("eXIf", orientation)]),
        PNGBytes.file(
          width: 5, depth: 8, colour: 0, lines: lines(5),
          chunks: [
            (
              "tEXt",
              Array("Raw profile type exif\0\nexif\n 26\n".utf8)
                + orientation.flatMap {
                  Array("\($0 < 16 ? "0" : "")\(String($0, radix: 16))".utf8)
                }
            )
          ]),
        PNGBytes.file(width: 5, depth: 16, colour: 2, lines: lines(30)),
        PNGBytes.file(width: 5, depth: 16, colour: 4, lines: lines(20)),
        PNGBytes.file(width: 5, depth: 8, colour: 6, lines: lines(20)),
        PNGBytes.file(
          width: 6, depth: 4, colour: 3, lines: lines(3),
          chunks: [("PLTE", palette), ("tRNS", Array(palette.prefix(9)))]),
        PNGBytes.file(
          width: 9, depth: 1, colour: 0, lines: lines(2),
          chunks: [("gAMA", [0, 0, 0xB1, 0x8F]), ("tRNS", [0, 1])]),
      ], repair: .pngChecksums
    ) { _ = try RGBImage(contentsOf: $0) }
  }
}
