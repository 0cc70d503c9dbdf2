import LinearAlgebra
import NeuralKernels
import Statistics
import Synchronization
import VisualTokenizers

/// A convolutional network of random weights, and what it makes of images: the mean and the standard deviation of every
/// channel after each of three layers, 224 numbers.
///
/// The layers are 3 × 3 convolutions of stride 2 to 16, 32 and 64 channels with weights N(0, 2/(9·inputs)) and a ReLU each,
/// on pixels in −1 … 1. Random features see contrast, colour and edges; nothing in them was learned.
public struct PixelNetwork: Sendable {
  /// The numbers of one feature, 224.
  public static let dimensions = 2 * widths.dropFirst().reduce(0, +)
  /// Everything that features depend on besides the images, in words and numbers.
  public let definition: String

  private static let widths = [3, 16, 32, 64]
  private static let smallestSide = 8
  private let layers: [Convolution]

  /// Draws the weights.
  ///
  /// - Parameters:
  ///   - width: The pixels of every image in a row.
  ///   - height: The rows of every image.
  ///   - source: Where the images are, for the message.
  /// - Throws: ``MetricError/imagesTooSmall(source:width:height:side:)``.
  public init(seed: UInt64, width: Int, height: Int, source: String) throws(MetricError) {
    guard min(width, height) >= Self.smallestSide else {
      throw .imagesTooSmall(
        source: source, width: width, height: height, side: Self.smallestSide)
    }
    layers = zip(Self.widths, Self.widths.dropFirst()).enumerated().map { layer, width in
      var generator = SeededGenerator(seed: seed, stream: UInt64(layer) + 1)
      let scale = (2 / Double(9 * width.0)).squareRoot()
      return Convolution(
        weights: (0..<width.1 * width.0 * 9).map { _ in Float(scale * generator.nextNormal()) },
        bias: [Float](repeating: 0, count: width.1), inputs: width.0, outputs: width.1, kernel: 3,
        stride: 2)
    }
    definition = """
      pixels 1: mean and standard deviation of each channel after each of three 3x3 convolutions of stride 2, \
      \(Self.widths.map(String.init).joined(separator: "-")) channels, weights N(0, 2/(9 inputs)), ReLU; seed \(seed); \
      images of \(width)x\(height) pixels
      """
  }

  /// The features of images, `count × 224`, computed on all cores.
  ///
  /// - Parameter image: The image of a number from 0; called from several threads at once.
  /// - Throws: What `image` throws.
  /// - Complexity: O(count · pixels).
  public func features(
    count: Int, image: @Sendable (Int) throws -> RGBImage
  ) throws -> FloatMatrix {
    let rows = Mutex([[Float]](repeating: [], count: count))
    try BLAS.onCallingThread {
      try parallelFor(count) { index in
        let row = features(of: try image(index))
        rows.withLock { $0[index] = row }
      }
    }
    return FloatMatrix(
      rows: count, columns: Self.dimensions, elements: rows.withLock { $0.flatMap(\.self) })
  }

  /// The features of all images of a set, `N × 224`.
  ///
  /// - Parameter progress: Told how many images are done.
  /// - Throws: What is wrong with the images.
  public func features(
    of images: ImageSet, progress: (Int) -> Void = { _ in }
  ) throws -> FloatMatrix {
    var elements: [Float] = []
    elements.reserveCapacity(images.count * Self.dimensions)
    try images.forEachRun { first, run in
      elements += try features(count: run.count) { run[$0] }.elements
      progress(first + run.count)
    }
    return FloatMatrix(rows: images.count, columns: Self.dimensions, elements: elements)
  }

  private func features(of image: RGBImage) -> [Float] {
    let pool = FeatureMapPool(workers: 1)
    var map = FeatureMap(
      height: image.height, width: image.width, channels: 3,
      elements: image.pixels.map { Float($0) / 127.5 - 1 }, pool: pool)
    var result: [Float] = []
    for layer in layers {
      let output = layer(map)
      map = FeatureMap(like: output, elements: output.elements.map { max($0, 0) })
      result += map.channelMoments
    }
    return result
  }
}

extension FeatureMap {
  /// The mean of every channel, then the standard deviation of every channel.
  fileprivate var channelMoments: [Float] {
    var sums = [Double](repeating: 0, count: channels)
    var squares = sums
    let elements = elements
    for pixel in 0..<pixels {
      for c in 0..<channels {
        let value = Double(elements[pixel * channels + c])
        sums[c] += value
        squares[c] += value * value
      }
    }
    let count = Double(pixels)
    let means = sums.map { $0 / count }
    let deviations = zip(squares, means).map { max($0 / count - $1 * $1, 0).squareRoot() }
    return (means + deviations).map { Float($0) }
  }
}
