import CTurboJPEG
import Foundation
import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import VisualTokenizers

/// A picture of a few soft blobs and fine noise: neighbouring pixels depend on each other, and no
/// two patches are the same.
func syntheticImage(width: Int, height: Int, seed: UInt64) -> RGBImage {
  var generator = SeededGenerator(seed: seed)
  let blobs = (0..<3).map { _ in
    (
      x: generator.nextUniform() * Double(width), y: generator.nextUniform() * Double(height),
      colour: (0..<3).map { _ in generator.nextUniform() * 200 }
    )
  }
  var image = RGBImage(width: width, height: height)
  for row in 0..<height {
    for column in 0..<width {
      for channel in 0..<3 {
        var value = 20 + 20 * generator.nextUniform()
        for blob in blobs {
          let (dx, dy) = (Double(column) - blob.x, Double(row) - blob.y)
          value += blob.colour[channel] * exp(-(dx * dx + dy * dy) / Double(width * height) * 8)
        }
        image.pixels[(row * width + column) * 3 + channel] = UInt8(min(255, value))
      }
    }
  }
  return image
}

/// How a test image is stored.
enum JPEGKind: CaseIterable {
  case colour, grey, progressive, inks
}

/// The image as a JPEG file of the best quality.
func jpegData(_ image: RGBImage, _ kind: JPEGKind = .colour) throws -> Data {
  let handle = tjInitCompress()
  defer { tjDestroy(handle) }
  var buffer: UnsafeMutablePointer<UInt8>?
  var size: UInt = 0
  defer { tjFree(buffer) }
  var pixels = image.pixels
  var format = TJPF_RGB
  if kind == .inks {
    // Without black ink the paper left is the colour itself.
    pixels = []
    for start in stride(from: 0, to: image.pixels.count, by: 3) {
      pixels += image.pixels[start..<(start + 3)] + [255]
    }
    format = TJPF_CMYK
  }
  let status = tjCompress2(
    handle, pixels, Int32(image.width), 0, Int32(image.height), Int32(format.rawValue), &buffer,
    &size, Int32((kind == .grey ? TJSAMP_GRAY : TJSAMP_444).rawValue), 100,
    kind == .progressive ? TJFLAG_PROGRESSIVE : 0)
  try #require(status == 0)
  return Data(bytes: try #require(buffer), count: Int(size))
}

/// The image as a PNG file.
func pngData(_ image: RGBImage) throws -> Data {
  let folder = try TemporaryFolder()
  try image.writePNG(to: folder.file("image.png"))
  return try Data(contentsOf: URL(fileURLWithPath: folder.file("image.png")))
}

/// The largest difference between two images of the same size.
func largestDifference(_ a: RGBImage, _ b: RGBImage) -> Int {
  guard a.width == b.width, a.height == b.height else { return .max }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
}
