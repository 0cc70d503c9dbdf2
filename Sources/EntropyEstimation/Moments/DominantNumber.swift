import LinearAlgebra
import TokenData
import TokenGrids

/// A number that has most of its channel's variance by itself: a slip in the data as often as not, and what every regression
/// on the channel is then about.
public struct DominantNumber: Equatable, Sendable {
  /// The image it belongs to.
  public let image: Int
  /// The token's cell.
  public let cell: GridCell
  /// The channel of the token.
  public let channel: Int
  /// Its share of the sum of squares about the mean, of all images.
  public let share: Double
}

extension TokenFeatures {
  /// The numbers that have more than half of the variance of their channel, by themselves, the largest share first.
  ///
  /// A hundred images are asked for: of so many Gaussian numbers one is as large less than once in 10¹² channels.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·n·d), on all cores; the images are read again where there is such a number.
  public func dominantNumbers() throws -> [DominantNumber] {
    let (m, size) = (imageCount, grid.cellCount * featureDimensions)
    guard m >= 100 else { return [] }
    let shift = mean(ofRows: try spreadSample(of: 0..<m))
    // A few long runs, since each has sums of its own.
    let tasks = min(16, m / 100 + 1)
    var parts = Array(repeating: Spread(size: 0), count: tasks)
    try parts.withUnsafeMutableBufferPointer { parts in
      guard let base = parts.baseAddress else { return }
      let shared = SharedPointer(base)
      try parallelFor(tasks) { task in
        var spread = Spread(size: size)
        try forEachBlock(of: task * m / tasks..<(task + 1) * m / tasks) { rows, _ in
          spread.add(rows, shift: shift)
        }
        shared.base[task] = spread
      }
    }
    var spread = parts[0]
    for part in parts.dropFirst() { spread.merge(part) }
    let found = (0..<size).compactMap { index in
      spread.dominant(index, of: m).map { (index: index, value: $0.value, share: $0.share) }
    }
    guard !found.isEmpty else { return [] }
    var images = Array(repeating: 0, count: found.count)
    try forEachBlock(of: 0..<m) { rows, first in
      for row in 0..<rows.count / size {
        for (place, number) in found.enumerated()
        where Double(rows[row * size + number.index]) - shift[number.index] == number.value {
          images[place] = first + row
        }
      }
    }
    return zip(found, images).map { number, image in
      let (token, channel) = number.index.quotientAndRemainder(dividingBy: featureDimensions)
      return DominantNumber(
        image: image, cell: grid.cell(at: token), channel: channel, share: number.share)
    }
    .sorted { $0.share > $1.share }
  }

  private func forEachBlock(
    of images: Range<Int>, _ body: (_ rows: [Float], _ firstImage: Int) -> Void
  ) throws {
    for start in stride(from: images.lowerBound, to: images.upperBound, by: 64) {
      body(try features(ofImages: start..<min(start + 64, images.upperBound)), start)
    }
  }
}

/// Sums and extremes of each number of an image about a shift, over some images.
private struct Spread: Sendable {
  private var sums, squares, lowest, highest: [Double]

  init(size: Int) {
    sums = Array(repeating: 0, count: size)
    squares = sums
    lowest = Array(repeating: .infinity, count: size)
    highest = Array(repeating: -.infinity, count: size)
  }

  mutating func add(_ rows: [Float], shift: [Double]) {
    let size = shift.count
    rows.withUnsafeBufferPointer { rows in
      shift.withUnsafeBufferPointer { shift in
        sums.withUnsafeMutableBufferPointer { sums in
          squares.withUnsafeMutableBufferPointer { squares in
            lowest.withUnsafeMutableBufferPointer { lowest in
              highest.withUnsafeMutableBufferPointer { highest in
                for start in stride(from: 0, to: rows.count, by: size) {
                  for j in 0..<size {
                    let value = Double(rows[start + j]) - shift[j]
                    sums[j] += value
                    squares[j] += value * value
                    lowest[j] = value < lowest[j] ? value : lowest[j]
                    highest[j] = value > highest[j] ? value : highest[j]
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  mutating func merge(_ other: Spread) {
    for j in sums.indices {
      sums[j] += other.sums[j]
      squares[j] += other.squares[j]
      lowest[j] = min(lowest[j], other.lowest[j])
      highest[j] = max(highest[j], other.highest[j])
    }
  }

  /// The number farthest from the mean of `m`, less the shift, where it has more than half of the variance.
  func dominant(_ index: Int, of m: Int) -> (value: Double, share: Double)? {
    let mean = sums[index] / Double(m)
    let scatter = squares[index] - sums[index] * mean
    // Of a constant channel there is nothing but rounding.
    guard scatter > 1e-9 * squares[index] else { return nil }
    let (low, high) = (lowest[index], highest[index])
    let value = mean - low > high - mean ? low : high
    let share = (value - mean) * (value - mean) / scatter
    return share > 0.5 ? (value, share) : nil
  }
}
