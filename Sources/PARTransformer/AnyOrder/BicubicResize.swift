/// Resizes a table of vectors as PyTorch's `interpolate` does with `mode="bicubic"`: Keys' cubic convolution with
/// a = −0.75, centres of the corner cells not aligned, places beyond the edge taken from it. (Keys, "Cubic convolution
/// interpolation for digital image processing", 1981.)
struct BicubicResize {
  private typealias Tap = (source: Int, weight: Float)
  private let rows: [[Tap]]
  private let columns: [[Tap]]
  private let sourceColumns: Int

  init(fromRows: Int, columns fromColumns: Int, toRows: Int, columns toColumns: Int) {
    rows = Self.taps(from: fromRows, to: toRows)
    columns = Self.taps(from: fromColumns, to: toColumns)
    sourceColumns = fromColumns
  }

  /// The four places of the source, and their weights, that make each place of the result.
  private static func taps(from: Int, to: Int) -> [[Tap]] {
    let a = -0.75
    func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
    func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return (0..<to).map { place in
      let centre = (Double(place) + 0.5) * Double(from) / Double(to) - 0.5
      let first = centre.rounded(.down)
      let t = centre - first
      return zip(-1...2, [far(t + 1), near(t), near(1 - t), far(2 - t)]).map { offset, weight in
        (min(max(Int(first) + offset, 0), from - 1), Float(weight))
      }
    }
  }

  /// Resizes `rows × columns × channels` numbers, row-major.
  func resize(_ values: ArraySlice<Float>, channels: Int) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(rows.count * columns.count * channels)
    for row in rows {
      for column in columns {
        for channel in 0..<channels {
          var sum: Float = 0
          for (y, rowWeight) in row {
            var line: Float = 0
            for (x, weight) in column {
              let place = (y * sourceColumns + x) * channels + channel
              line += weight * values[values.startIndex + place]
            }
            sum += rowWeight * line
          }
          result.append(sum)
        }
      }
    }
    return result
  }
}
