import CPNG
import Files
import Foundation
import TokenData

/// Decodes a PNG file to 8-bit sRGB, upright, transparency laid on white.
///
/// Numbers of 16 bits mean what those of 8 bits do: sRGB, unless the file says otherwise. Transparency is blended in sRGB, as
/// browsers and Pillow blend it, and not in linear light, as libpng would.
///
/// - Parameter path: what to call the file in an error.
/// - Throws: ``ImageError/broken(_:reason:)``.
func decodedPNG(_ data: Data, path: String) throws -> RGBImage {
  var image = token_png_image()
  defer { png_image_free(&image) }
  return try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw ImageError.broken(path, reason: message(of: image))
    }
    let hasAlpha = token_png_has_alpha(&image) != 0
    image.format = hasAlpha ? token_png_rgba() : token_png_rgb()
    token_png_assume_srgb(&image)
    let (width, height) = (Int(image.width), Int(image.height))
    try checkSize(width: width, height: height, fileBytes: bytes.count, path: path)
    var pixels = [UInt8](repeating: 0, count: width * height * (hasAlpha ? 4 : 3))
    guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
      throw ImageError.broken(path, reason: message(of: image))
    }
    let decoded = RGBImage(
      width: width, height: height, pixels: hasAlpha ? laidOnWhite(pixels) : pixels)
    return (EXIFOrientation(png: data) ?? .upright).uprightImage(decoded)
  }
}

/// Red, green and blue of pixels with an opacity, on white paper: c·α + 255·(1 − α), rounded to nearest.
private func laidOnWhite(_ pixels: [UInt8]) -> [UInt8] {
  var result = [UInt8](repeating: 255, count: pixels.count / 4 * 3)
  for pixel in 0..<(pixels.count / 4) {
    let opacity = Int(pixels[4 * pixel + 3])
    for channel in 0..<3 {
      let blended = Int(pixels[4 * pixel + channel]) * opacity + 255 * (255 - opacity)
      result[3 * pixel + channel] = UInt8((blended + 127) / 255)
    }
  }
  return result
}

extension RGBImage {
  /// Writes the image as a PNG file, in place of one that may be there.
  ///
  /// - Throws: `FileError.unwritable` when the file cannot be written; then nothing is left
  ///   behind and an earlier file of that name stays as it was.
  /// - Complexity: O(width · height).
  public func writePNG(to path: String) throws {
    let replacement = try OutputFile(path: path)
    let data: Data
    do { data = try pngData() } catch {
      throw FileError.unwritable(path, reason: error.description)
    }
    try replacement.write(data)
    try replacement.commit()
  }

  /// The image as the bytes of a PNG file.
  ///
  /// - Throws: ``PNGFailure``, which only a lack of memory causes.
  /// - Complexity: O(width · height).
  public func pngData() throws(PNGFailure) -> Data {
    var image = token_png_image()
    defer { png_image_free(&image) }
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.format = token_png_rgb()
    // In memory, so that the one writer of all files says whether the disk took it. Noise takes somewhat more room than its
    // pixels.
    let raw = height * (1 + 3 * width)
    var data = Data(count: raw + raw / 64 + 4096)
    var size = png_alloc_size_t(data.count)
    let isWritten = data.withUnsafeMutableBytes {
      png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels, 0, nil) != 0
    }
    guard isWritten else { throw PNGFailure(description: message(of: image)) }
    return data.prefix(Int(size))
  }
}

/// Why an image became no PNG file, in libpng's words.
public struct PNGFailure: Error, CustomStringConvertible {
  /// The words.
  public let description: String
}

/// What libpng says about the call that failed.
private func message(of image: png_image) -> String {
  withUnsafeBytes(of: image.message) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
