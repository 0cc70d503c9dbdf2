import Foundation

extension RGBImage {
  /// The largest part with the aspect of `width` × `height` around the centre, resized to that size.
  ///
  /// Each output pixel is a weighted mean of the pixels it covers, with the cubic kernel of Keys
  /// (a = −½) stretched by the factor of reduction, so that fine detail does not turn into false
  /// coarse detail. An image of the right size is returned unchanged.
  ///
  /// - Complexity: O(width of the image · height of the image).
  public func croppedAndResized(toWidth width: Int, height: Int) -> RGBImage {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    guard width != self.width || height != self.height else { return self }
    // The crop need not start at a whole pixel: it is only a shift of the kernel.
    let scale = min(Double(self.width) / Double(width), Double(self.height) / Double(height))
    let left = (Double(self.width) - scale * Double(width)) / 2
    let top = (Double(self.height) - scale * Double(height)) / 2
    let columns = ResamplingWeights(
      input: self.width, output: width, start: left, scale: scale)
    let rows = ResamplingWeights(input: self.height, output: height, start: top, scale: scale)

    // Only the rows that an output row reads are resized horizontally.
    let usedRows = rows.usedInputs
    var narrow = [Float](repeating: 0, count: usedRows.count * width * 3)
    for (line, row) in usedRows.enumerated() {
      for column in 0..<width {
        var sum = SIMD3<Float>.zero
        for (k, weight) in columns.weights(of: column).enumerated() {
          let source = (row * self.width + columns.first(of: column) + k) * 3
          sum +=
            weight
            * SIMD3(
              Float(pixels[source]), Float(pixels[source + 1]), Float(pixels[source + 2]))
        }
        let target = (line * width + column) * 3
        for channel in 0..<3 { narrow[target + channel] = sum[channel] }
      }
    }
    var result = RGBImage(width: width, height: height)
    var line = [Float](repeating: 0, count: width * 3)
    for row in 0..<height {
      for i in line.indices { line[i] = 0 }
      for (k, weight) in rows.weights(of: row).enumerated() {
        let source = (rows.first(of: row) + k - usedRows.lowerBound) * width * 3
        for i in line.indices { line[i] += weight * narrow[source + i] }
      }
      for i in line.indices {
        result.pixels[row * width * 3 + i] = UInt8(min(255, max(0, line[i].rounded())))
      }
    }
    return result
  }
}

/// For each output pixel of one direction, the first input pixel that it covers and the weights of
/// that and the following ones; the weights add up to 1.
struct ResamplingWeights {
  private let firsts: [Int]
  private let weights: [[Float]]

  /// - Parameters:
  ///   - start: where the first output pixel begins, in input pixels.
  ///   - scale: how many input pixels an output pixel covers.
  init(input: Int, output: Int, start: Double, scale: Double) {
    // Where the image is enlarged the kernel keeps its width of two pixels either side.
    let stretch = max(1, scale)
    var firsts: [Int] = []
    var weights: [[Float]] = []
    for pixel in 0..<output {
      let centre = start + (Double(pixel) + 0.5) * scale
      let first = max(0, Int((centre - 2 * stretch).rounded(.down)))
      let last = min(input - 1, Int((centre + 2 * stretch).rounded(.up)))
      var values = (first...last).map { Self.cubic((Double($0) + 0.5 - centre) / stretch) }
      let total = values.reduce(0, +)
      values = values.map { $0 / total }
      firsts.append(first)
      weights.append(values.map { Float($0) })
    }
    self.firsts = firsts
    self.weights = weights
  }

  func first(of output: Int) -> Int { firsts[output] }
  func weights(of output: Int) -> [Float] { weights[output] }

  /// The input pixels that any output pixel covers.
  var usedInputs: Range<Int> {
    guard let first = firsts.first, let last = firsts.last, let width = weights.last?.count else {
      return 0..<0
    }
    return first..<(last + width)
  }

  /// R. Keys, "Cubic convolution interpolation for digital image processing" (1981), a = −½.
  static func cubic(_ x: Double) -> Double {
    let x = abs(x)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return ((-0.5 * x + 2.5) * x - 4) * x + 2 }
    return 0
  }
}
