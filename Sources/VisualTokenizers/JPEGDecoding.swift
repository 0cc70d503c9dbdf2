import CTurboJPEG
import Foundation

/// Decodes a JPEG file, upright.
///
/// - Parameter path: what to call the file in an error.
/// - Throws: ``ImageError/broken(_:reason:)``; also for a file that is cut short, of which the
///   library could show the first part.
func decodedJPEG(_ data: Data, path: String) throws -> RGBImage {
  let handle = tjInitDecompress()
  defer { tjDestroy(handle) }
  func failure() -> ImageError {
    .broken(path, reason: String(cString: tjGetErrorStr2(handle)))
  }
  return try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
    let base = bytes.bindMemory(to: UInt8.self).baseAddress
    let length = UInt(bytes.count)
    var (width, height, sampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard tjDecompressHeader3(handle, base, length, &width, &height, &sampling, &space) == 0 else {
      throw failure()
    }
    try checkSize(width: Int(width), height: Int(height), fileBytes: bytes.count, path: path)
    // Four inks cannot be decoded to RGB directly; they are converted below.
    let isInk = space == TJCS_CMYK.rawValue || space == TJCS_YCCK.rawValue
    let channels = isInk ? 4 : 3
    let format = isInk ? TJPF_CMYK.rawValue : TJPF_RGB.rawValue
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * channels)
    let status = tjDecompress2(
      handle, base, length, &pixels, width, 0, height, Int32(format),
      // A picture of thousands of scans, each over all of it, is made to take hours.
      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
    if status != 0 {
      // Stray bytes between the parts of a file are common and harmless; every other warning means
      // that part of the picture is made up.
      let isHarmless =
        tjGetErrorCode(handle) == TJERR_WARNING.rawValue
        && String(cString: tjGetErrorStr2(handle)).contains("extraneous bytes")
      guard isHarmless else { throw failure() }
    }
    let image = RGBImage(
      width: Int(width), height: Int(height), pixels: isInk ? rgb(fromInks: pixels) : pixels)
    return (EXIFOrientation(jpeg: data) ?? .upright).uprightImage(image)
  }
}

/// Red, green and blue from the inks of a CMYK file, which stores the paper left without ink.
private func rgb(fromInks inks: [UInt8]) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: inks.count / 4 * 3)
  for pixel in 0..<(inks.count / 4) {
    let black = Int(inks[4 * pixel + 3])
    for channel in 0..<3 {
      result[3 * pixel + channel] = UInt8((Int(inks[4 * pixel + channel]) * black + 127) / 255)
    }
  }
  return result
}
