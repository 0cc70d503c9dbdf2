import FileFormats
import Foundation
import LinearAlgebra
import Testing
import TokenData

@testable import VisualTokenizers

/// The reference vectors of a small VQ-16 with random weights, computed by an independent
/// implementation.
struct VQGolden {
  static let images = 2
  static let (height, width) = (32, 48)

  let weights: SafetensorsCheckpoint
  let expected: SafetensorsFile

  init() throws {
    weights = try SafetensorsCheckpoint(path: Self.path("vq-tiny.weights"))
    expected = try SafetensorsFile(path: Self.path("vq-tiny.expected"))
  }

  static func path(_ name: String) throws -> String {
    try #require(
      Bundle.module.path(forResource: "Resources/\(name)", ofType: "safetensors"))
  }

  /// One image of a tensor `images × channels × height × width`, channels last.
  func image(_ index: Int, of name: String) throws -> [Float] {
    let shape = try expected.entry(name).shape
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    let values = try expected.floats(name)
    return (0..<pixels * channels).map {
      values[(index * channels + $0 % channels) * pixels + $0 / channels]
    }
  }

  func codes(_ index: Int) throws -> [UInt32] {
    let values = try expected.integers("codes").map { UInt32($0) }
    let count = values.count / Self.images
    return Array(values[index * count..<(index + 1) * count])
  }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}

struct VQGoldenTests {
  // The agreement that is asked for; single precision in another order of sums gives about 10⁻⁶.
  static let tolerance: Float = 1e-4

  @Test(arguments: 0..<VQGolden.images)
  func encoding(index: Int) throws {
    let golden = try VQGolden()
    let encoder = try VQEncoder(golden.weights)
    #expect(encoder.downsampling == 2)
    #expect(encoder.codebook.rows == 64 && encoder.codebook.columns == 8)
    let image = try golden.image(index, of: "image")
    let result = try encoder.activations(
      image: image, height: VQGolden.height, width: VQGolden.width)
    let encoded = try golden.image(index, of: "encoder.output")
    let projected = try golden.image(index, of: "quant_conv.output")
    #expect(largestDifference(result.encoded.elements, encoded) <= Self.tolerance)
    #expect(largestDifference(result.projected.elements, projected) <= Self.tolerance)
    #expect(try encoder.codes(projected: result.projected) == golden.codes(index))
  }

  @Test(arguments: 0..<VQGolden.images)
  func decoding(index: Int) throws {
    let golden = try VQGolden()
    let decoder = try VQDecoder(golden.weights)
    #expect(decoder.upsampling == 2)
    let codes = try golden.codes(index)
    // The quantised vectors are rows of the normalised codebook.
    #expect(
      largestDifference(
        decoder.codebook.gatherRows(codes[...]), try golden.image(index, of: "quantized")) < 1e-6)
    let image = try decoder.image(
      codes: codes, rows: VQGolden.height / 2, columns: VQGolden.width / 2)
    let difference = largestDifference(image, try golden.image(index, of: "decoded"))
    #expect(difference <= Self.tolerance)
    let bytes = try decoder.bytes(
      codes: codes, rows: VQGolden.height / 2, columns: VQGolden.width / 2)
    #expect(bytes == image.map { UInt8(min(max(127.5 * $0 + 128, 0), 255)) })
  }
}
