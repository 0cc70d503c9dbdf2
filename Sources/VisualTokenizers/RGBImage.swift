import FileFormats
import Foundation
import TokenData

/// An image of 8-bit red, green and blue.
public struct RGBImage: Hashable, Sendable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The pixels from the top left, row-major `height × width × 3`.
  public var pixels: [UInt8]

  /// Makes an image from its pixels.
  ///
  /// - Precondition: there are `height · width · 3` numbers.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "an image has height × width × 3 numbers")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Makes an image of one colour.
  public init(width: Int, height: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) {
    var pixels = [UInt8](repeating: red, count: width * height * 3)
    if green != red || blue != red {
      for i in 0..<(width * height) {
        pixels[3 * i + 1] = green
        pixels[3 * i + 2] = blue
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// Reads a JPEG or PNG file; which of the two is told by its content, not by its name.
  ///
  /// Grey becomes three equal channels, transparency is laid on white, 16 bits become 8, and the
  /// orientation noted by a camera is applied.
  ///
  /// - Throws: ``ImageError`` that names the file.
  /// - Complexity: O(width · height).
  public init(contentsOf path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw FileManager.default.fileExists(atPath: path)
        ? ImageError.unreadable(path, reason: reasonOfSystem(error)) : ImageError.missing(path)
    }
    switch ImageFormat(data) {
    case .jpeg: self = try decodedJPEG(data, path: path)
    case .png: self = try decodedPNG(data, path: path)
    case nil: throw ImageError.unknownFormat(path)
    }
  }

  /// Copies `image` into this one with its top left corner at (`left`, `top`).
  ///
  /// - Precondition: the image fits.
  public mutating func draw(_ image: RGBImage, left: Int, top: Int) {
    precondition(
      left >= 0 && top >= 0 && left + image.width <= width && top + image.height <= height,
      "the image fits")
    for row in 0..<image.height {
      let source = row * image.width * 3
      let target = ((top + row) * width + left) * 3
      pixels.replaceSubrange(
        target..<(target + image.width * 3), with: image.pixels[source..<(source + image.width * 3)]
      )
    }
  }
}

/// How many pixels an image may have, 2²⁸: a damaged header may claim any number.
private let largestPixelCount = 1 << 28

/// Checks the size that the header of a file of `fileBytes` claims.
///
/// - Throws: ``ImageError/broken(_:reason:)`` when there are no pixels or too many, or so many that the file can hold
///   nothing but a blank.
func checkSize(width: Int, height: Int, fileBytes: Int, path: String) throws {
  guard width > 0, height > 0,
    let bytes = try? FileClaim.bytes([width, height], each: 3, limit: 3 * largestPixelCount)
  else {
    throw ImageError.broken(
      path,
      reason: "it claims \(width)x\(height) pixels; at most \(largestPixelCount) are read")
  }
  do throws(FileClaim.Refusal) {
    try FileClaim.check(bytes, compressedTo: fileBytes)
  } catch {
    throw ImageError.broken(
      path,
      reason: "it claims \(width)x\(height) pixels, and its \(fileBytes) bytes hold hardly any")
  }
}

/// The image formats that are read.
enum ImageFormat {
  case jpeg
  case png

  /// The longest of the signatures.
  static let signatureLength = 8

  /// Recognises a format by the first bytes of a file.
  init?(_ bytes: some Sequence<UInt8>) {
    let start = Array(bytes.prefix(Self.signatureLength))
    if start.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if start == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] {
      self = .png
    } else {
      return nil
    }
  }
}

/// The words of the system for a failure of Foundation's, as in `Permission denied`.
func reasonOfSystem(_ error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(underlying.code)))
  }
  return error.localizedDescription
}
