import Testing

@testable import VisualTokenizers

@Suite struct ImageResizingTests {
  /// One output pixel as a double sum over all input pixels, straight from the definition.
  func reference(_ image: RGBImage, width: Int, height: Int, row: Int, column: Int, channel: Int)
    -> Double
  {
    let scale = min(Double(image.width) / Double(width), Double(image.height) / Double(height))
    let stretch = max(1, scale)
    let x = (Double(image.width) - scale * Double(width)) / 2 + (Double(column) + 0.5) * scale
    let y = (Double(image.height) - scale * Double(height)) / 2 + (Double(row) + 0.5) * scale
    var (sum, total) = (0.0, 0.0)
    for r in 0..<image.height {
      for c in 0..<image.width {
        let weight =
          ResamplingWeights.cubic((Double(c) + 0.5 - x) / stretch)
          * ResamplingWeights.cubic((Double(r) + 0.5 - y) / stretch)
        sum += weight * Double(image.pixels[(r * image.width + c) * 3 + channel])
        total += weight
      }
    }
    return min(255, max(0, sum / total))
  }

  @Test(arguments: [
    (24, 24, 12, 12), (31, 17, 8, 8), (17, 31, 6, 9), (10, 10, 25, 25), (9, 14, 9, 7), (5, 5, 1, 1),
  ])
  func agreesWithTheDefinition(width: Int, height: Int, newWidth: Int, newHeight: Int) {
    let image = syntheticImage(width: width, height: height, seed: 3)
    let resized = image.croppedAndResized(toWidth: newWidth, height: newHeight)
    #expect(resized.width == newWidth && resized.height == newHeight)
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        for channel in 0..<3 {
          let expected = reference(
            image, width: newWidth, height: newHeight, row: row, column: column, channel: channel)
          let value = Double(resized.pixels[(row * newWidth + column) * 3 + channel])
          // Half a grey level of rounding to a byte, and single precision.
          #expect(abs(value - expected) <= 0.501)
        }
      }
    }
  }

  @Test func theRightSizeIsUnchanged() {
    let image = syntheticImage(width: 12, height: 8, seed: 4)
    #expect(image.croppedAndResized(toWidth: 12, height: 8) == image)
  }

  @Test func oneColourStaysOneColour() {
    let image = RGBImage(width: 37, height: 23, red: 200, green: 3, blue: 90)
    #expect(
      image.croppedAndResized(toWidth: 9, height: 11)
        == RGBImage(width: 9, height: 11, red: 200, green: 3, blue: 90))
  }

  /// The sides of a wide picture are cut off equally.
  @Test func cropsAroundTheCentre() {
    var image = RGBImage(width: 30, height: 10)
    image.draw(RGBImage(width: 10, height: 10, red: 255, green: 255, blue: 255), left: 10, top: 0)
    #expect(
      image.croppedAndResized(toWidth: 5, height: 5).pixels.allSatisfy { $0 >= 230 })
  }

  /// Stripes finer than the new pixels become grey instead of coarser stripes.
  @Test func fineDetailIsAveraged() {
    var image = RGBImage(width: 64, height: 64)
    for row in 0..<64 {
      for column in stride(from: 0, to: 64, by: 2) {
        image.draw(
          RGBImage(width: 1, height: 1, red: 255, green: 255, blue: 255), left: column, top: row)
      }
    }
    let resized = image.croppedAndResized(toWidth: 8, height: 8)
    // The border pixels see the end of the stripes.
    for column in 1..<7 { #expect(abs(Int(resized.pixels[(4 * 8 + column) * 3]) - 127) <= 3) }
  }

  @Test func theKernelIsThatOfKeys() {
    #expect(ResamplingWeights.cubic(0) == 1)
    #expect(ResamplingWeights.cubic(1) == 0 && ResamplingWeights.cubic(2) == 0)
    #expect(ResamplingWeights.cubic(0.5) == 0.5625 && ResamplingWeights.cubic(-1.5) == -0.0625)
  }
}
