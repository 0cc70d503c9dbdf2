import CPNG
import Foundation
import TokenData

/// Decodes a PNG file to 8-bit sRGB, transparency laid on white.
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
    image.format = token_png_rgb()
    let (width, height) = (Int(image.width), Int(image.height))
    try checkSize(width: width, height: height, path: path)
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    var white = png_color(red: 255, green: 255, blue: 255)
    guard png_image_finish_read(&image, &white, &pixels, 0, nil) != 0 else {
      throw ImageError.broken(path, reason: message(of: image))
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}

extension RGBImage {
  /// Writes the image as a PNG file, in place of one that may be there.
  ///
  /// - Throws: `TokenDataError.cannotWrite` when the file cannot be written; then nothing is left
  ///   behind and an earlier file of that name stays as it was.
  /// - Complexity: O(width · height).
  public func writePNG(to path: String) throws {
    let replacement = try FileReplacement(path: path)
    var image = token_png_image()
    defer { png_image_free(&image) }
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.format = token_png_rgb()
    guard png_image_write_to_file(&image, replacement.temporaryPath, 0, pixels, 0, nil) != 0 else {
      throw TokenDataError.cannotWrite(path, reason: message(of: image))
    }
    try replacement.commit()
  }
}

/// What libpng says about the call that failed.
private func message(of image: png_image) -> String {
  withUnsafeBytes(of: image.message) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
