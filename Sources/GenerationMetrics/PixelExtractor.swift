import Files
import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import Synchronization
import TokenData
import TokenGrids
import VisualTokenizers

/// Features of the decoded images by a convolutional network of random weights: the mean and the standard deviation of
/// every channel after each of three layers, 224 numbers.
///
/// The layers are 3 × 3 convolutions of stride 2 to 16, 32 and 64 channels with weights N(0, 2/(9·inputs)) and a ReLU each,
/// on pixels in −1 … 1. Random features see contrast, colour and edges; nothing in them was learned.
public struct PixelExtractor: FeatureExtractor {
  /// `pixels`.
  public let name = ExtractorName.pixels.rawValue
  /// The network, its seed and the decoder.
  public let definition: String
  /// 224.
  public let dimensions = 2 * PixelExtractor.widths.dropFirst().reduce(0, +)
  /// 1.
  public let samplesPerImage = 1

  private static let widths = [3, 16, 32, 64]
  private static let smallestSide = 8
  private let layers: [Convolution]

  /// Draws the weights.
  ///
  /// - Throws: ``MetricError/imagesTooSmall(source:width:height:side:)``, or `ImageDecoderError` when the dataset has no
  ///   decoder.
  public init(for dataset: TokenDataset, seed: UInt64) throws {
    let sample = try TokenImages(of: dataset).image(0)
    guard min(sample.width, sample.height) >= Self.smallestSide else {
      throw MetricError.imagesTooSmall(
        source: dataset.name, width: sample.width, height: sample.height, side: Self.smallestSide)
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
      images of \(sample.width)x\(sample.height) pixels by the decoder \(Self.hash(of: dataset.decoder))
      """
  }

  /// One feature an image; see ``FeatureExtractor/features(of:images:)``.
  public func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    let decoder = try TokenImages(of: dataset)
    let rows = Mutex([[Float]](repeating: [], count: images.count))
    try BLAS.onCallingThread {
      try parallelFor(images.count) { index in
        let row = features(of: try decoder.image(images.lowerBound + index))
        rows.withLock { $0[index] = row }
      }
    }
    return FloatMatrix(
      rows: images.count, columns: dimensions, elements: rows.withLock { $0.flatMap(\.self) })
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

  /// The decoder's kind and the hash of its numbers.
  private static func hash(of decoder: TokenDecoderParameters?) -> String {
    guard let decoder else { return "none" }
    var bytes = Data()
    for (name, array) in decoder.arrays.sorted(by: { $0.key < $1.key }) {
      bytes += Data("\(name) \(array.shape)".utf8)
      for value in array.values {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return "\(decoder.kind) \(ContentHash(of: bytes))"
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
