import Files
import Foundation
import LinearAlgebra
import TokenData
import VisualTokenizers

/// Features of the decoded images of a dataset by a ``PixelNetwork``.
public struct PixelExtractor: FeatureExtractor {
  /// `pixels`.
  public let name = ExtractorName.pixels.rawValue
  /// The network, its seed and the decoder.
  public let definition: String
  /// 224.
  public let dimensions = PixelNetwork.dimensions
  /// 1.
  public let samplesPerImage = 1

  private let network: PixelNetwork

  /// Draws the weights.
  ///
  /// - Throws: ``MetricError/imagesTooSmall(source:width:height:side:)``, or `ImageDecoderError` when the dataset has no
  ///   decoder.
  public init(for dataset: TokenDataset, seed: UInt64) throws {
    let sample = try TokenImages(of: dataset).image(0)
    network = try PixelNetwork(
      seed: seed, width: sample.width, height: sample.height, source: dataset.name)
    definition = "\(network.definition) by the decoder \(Self.hash(of: dataset.decoder))"
  }

  /// One feature an image; see ``FeatureExtractor/features(of:images:)``.
  public func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    let decoder = try TokenImages(of: dataset)
    return try network.features(count: images.count) {
      try decoder.image(images.lowerBound + $0)
    }
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
