import CZlib
import Foundation

/// How a camera was held, after the tag 0x0112 of the EXIF standard: where row 0 and column 0 of
/// the stored picture belong in the upright one.
enum EXIFOrientation: Int {
  case upright = 1
  case mirrored = 2
  case upsideDown = 3
  case mirroredUpsideDown = 4
  case transposed = 5
  case turnClockwise = 6
  case transverse = 7
  case turnCounterclockwise = 8

  /// Finds the tag in a JPEG file; nil where there is none that makes sense.
  init?(jpeg data: Data) {
    let bytes = [UInt8](data.prefix(1 << 17))
    // Segments follow one another, each with its length, up to the start of the scan.
    var offset = 2
    while offset + 4 <= bytes.count, bytes[offset] == 0xFF {
      let marker = bytes[offset + 1]
      if marker == 0xFF {
        offset += 1
        continue
      }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      let content = (offset + 4)..<(offset + 2 + max(2, length))
      guard marker != 0xDA, content.upperBound <= bytes.count else { return nil }
      if marker == 0xE1, bytes[content].starts(with: Array("Exif\0\0".utf8)) {
        self.init(tiff: Array(bytes[content].dropFirst(6)))
        return
      }
      offset = content.upperBound
    }
    return nil
  }

  /// Finds the tag in the `eXIf` chunk of a PNG file, or else in the text that ImageMagick writes in place of it; nil where
  /// there is none that makes sense.
  ///
  /// (PNG, third edition, 11.3.4.1; ImageMagick's "Raw profile type exif".)
  init?(png data: Data) {
    let bytes = [UInt8](data)
    // Chunks follow one another after the signature: length, type, content, checksum.
    var offset = 8
    var profile: EXIFOrientation?
    while offset + 12 <= bytes.count {
      let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      let content = (offset + 8)..<(offset + 8 + length)
      guard content.upperBound + 4 <= bytes.count else { break }
      let type = bytes[offset + 4..<offset + 8]
      if type.elementsEqual("eXIf".utf8) {
        self.init(tiff: Array(bytes[content]))
        return
      }
      if type.elementsEqual("tEXt".utf8) || type.elementsEqual("zTXt".utf8) {
        profile =
          profile
          ?? Self.rawProfile(bytes[content], isCompressed: type.elementsEqual("zTXt".utf8))
          .flatMap { EXIFOrientation(tiff: $0) }
      }
      if type.elementsEqual("IEND".utf8) { break }
      offset = content.upperBound + 4
    }
    guard let profile else { return nil }
    self = profile
  }

  /// The TIFF block in a text chunk: after the keyword a name, a length and the bytes in hexadecimal digits, in lines.
  private static func rawProfile(_ chunk: ArraySlice<UInt8>, isCompressed: Bool) -> [UInt8]? {
    guard let end = chunk.firstIndex(of: 0),
      ["Raw profile type exif", "Raw profile type APP1"].contains(where: {
        chunk[..<end].elementsEqual($0.utf8)
      })
    else { return nil }
    var text = Array(chunk[(end + 1)...])
    if isCompressed {
      guard text.first == 0 else { return nil }
      // An EXIF block has at most 64 kB, each byte of which takes two digits.
      var count = uLong(1 << 18)
      let stream = Array(text.dropFirst())
      text = [UInt8](repeating: 0, count: Int(count))
      guard uncompress(&text, &count, stream, uLong(stream.count)) == Z_OK else { return nil }
      text.removeLast(text.count - Int(count))
    }
    let words = text.split { $0 == 0x0A || $0 == 0x20 }
    guard words.count > 2 else { return nil }
    let digits = words[2...].joined().map { Character(Unicode.Scalar($0)).hexDigitValue }
    var block = stride(from: 0, to: digits.count - 1, by: 2).map { place in
      UInt8((digits[place] ?? 0) << 4 | (digits[place + 1] ?? 0))
    }
    guard !digits.contains(nil) else { return nil }
    if block.starts(with: Array("Exif\0\0".utf8)) { block.removeFirst(6) }
    return block
  }

  /// Finds the tag in the first directory of a TIFF block.
  private init?(tiff bytes: [UInt8]) {
    let isBigEndian = bytes.starts(with: [0x4D, 0x4D])
    guard isBigEndian || bytes.starts(with: [0x49, 0x49]) else { return nil }
    func number(at offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset + count <= bytes.count else { return nil }
      let digits = bytes[offset..<(offset + count)]
      return (isBigEndian ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      guard let tag = number(at: offset, bytes: 2) else { return nil }
      if tag == 0x0112, let value = number(at: offset + 8, bytes: 2) {
        self.init(rawValue: value)
        return
      }
    }
    return nil
  }

  /// Turns and mirrors a stored picture so that it stands upright.
  func uprightImage(_ image: RGBImage) -> RGBImage {
    guard self != .upright else { return image }
    let (w, h) = (image.width, image.height)
    let swapsSides = rawValue >= 5
    var result = RGBImage(width: swapsSides ? h : w, height: swapsSides ? w : h)
    for row in 0..<result.height {
      for column in 0..<result.width {
        let (sourceRow, sourceColumn) =
          switch self {
          case .upright: (row, column)
          case .mirrored: (row, w - 1 - column)
          case .upsideDown: (h - 1 - row, w - 1 - column)
          case .mirroredUpsideDown: (h - 1 - row, column)
          case .transposed: (column, row)
          case .turnClockwise: (h - 1 - column, row)
          case .transverse: (h - 1 - column, w - 1 - row)
          case .turnCounterclockwise: (column, w - 1 - row)
          }
        for channel in 0..<3 {
          result.pixels[(row * result.width + column) * 3 + channel] =
            image.pixels[(sourceRow * w + sourceColumn) * 3 + channel]
        }
      }
    }
    return result
  }
}
