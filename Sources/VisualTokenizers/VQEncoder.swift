import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData
import TokenGrids

/// The encoder of a VQ-16 tokenizer: an image to a grid of codes.
///
/// Levels, blocks and widths are read off the names and shapes of the checkpoint's tensors.
/// (LlamaGen's `VQ-16`, Sun et al., 2024; after Esser et al., "Taming transformers", 2021.)
public struct VQEncoder: Sendable {
  /// The entries of the codebook as rows of length 1, `K × d`.
  public var codebook: FloatMatrix { nearest.rows }
  /// How many pixels along a side become one token.
  public let downsampling: Int

  private let nearest: NearestRows
  private let blocks: [any VQBlock]
  private let normOut: GroupNormalization
  private let convOut: Convolution
  private let quantization: Convolution
  private let file: String
  private let pool: FeatureMapPool

  /// Takes the encoder out of a checkpoint.
  ///
  /// - Throws: ``VQError`` that names the tensor that is missing or does not fit, or what the file
  ///   throws.
  /// - Complexity: O(weights); the packed weights take about four times the memory of the
  ///   encoder's.
  public init(_ tensors: any TensorSource) throws {
    var checkpoint = try VQCheckpoint(tensors, probe: "encoder.conv_in.weight")
    let convIn = try checkpoint.convolution("encoder.conv_in", inputs: 3, kernel: 3)
    var blocks: [any VQBlock] = [convIn]
    var channels = convIn.outputs
    var (level, factor) = (0, 1)
    repeat {
      let name = "encoder.conv_blocks.\(level)"
      let stage = try VQStage(level: name, &checkpoint, inputs: channels)
      blocks += stage.blocks
      channels = stage.channels
      if checkpoint.has(name + ".downsample.conv") {
        blocks.append(
          try checkpoint.convolution(
            name + ".downsample.conv", inputs: channels, outputs: channels, kernel: 3, stride: 2))
        factor *= 2
      }
      level += 1
    } while checkpoint.has("encoder.conv_blocks.\(level).res.0.conv1")
    let middle = try VQStage(middle: "encoder.mid", &checkpoint, inputs: channels)
    blocks += middle.blocks
    normOut = try checkpoint.normalization("encoder.norm_out", channels: middle.channels)
    convOut = try checkpoint.convolution("encoder.conv_out", inputs: middle.channels, kernel: 3)
    nearest = NearestRows(try checkpoint.codebook())
    quantization = try checkpoint.convolution(
      "quant_conv", inputs: convOut.outputs, outputs: nearest.rows.columns, kernel: 1)
    try checkpoint.checkEverythingIsUsed(under: ["encoder.", "quant_conv."])
    self.blocks = blocks
    downsampling = factor
    file = tensors.path
    pool = FeatureMapPool(workers: ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The activations on the way from an image to its codes.
  public struct Activations: Sendable {
    /// The encoder's output.
    public let encoded: FeatureMap
    /// The output of `quant_conv`, before normalisation: one row of d numbers for each token.
    public let projected: FeatureMap
  }

  /// Runs the network.
  ///
  /// - Parameter image: red, green and blue from −1 to 1, row-major `height × width × 3`.
  /// - Throws: ``VQError/imageSize(height:width:factor:)`` when a side is no multiple of
  ///   ``downsampling``.
  public func activations(image: [Float], height: Int, width: Int) throws -> Activations {
    guard height > 0, width > 0, height.isMultiple(of: downsampling),
      width.isMultiple(of: downsampling)
    else { throw VQError.imageSize(height: height, width: width, factor: downsampling) }
    var map = FeatureMap(height: height, width: width, channels: 3, elements: image, pool: pool)
    for block in blocks { map = block(map) }
    map = convOut(map, activation: normOut.activation(for: map))
    return Activations(encoded: map, projected: quantization(map))
  }

  /// The codes of an image in raster order, `height/f × width/f` with f = ``downsampling``.
  ///
  /// - Parameter image: red, green and blue from −1 to 1, row-major `height × width × 3`.
  /// - Throws: ``VQError`` when the size does not fit, or the output is not finite.
  /// - Complexity: for the published tokenizer about 2 · 10⁶ products a pixel, a quarter of them
  ///   computed.
  public func codes(image: [Float], height: Int, width: Int) throws -> [UInt32] {
    try codes(projected: activations(image: image, height: height, width: width).projected)
  }

  /// The nearest entry of the codebook for each token, after both are normalised to length 1.
  func codes(projected: FeatureMap) throws -> [UInt32] {
    let tokens = projected.matrix.normalizingRows()
    guard tokens.elements.allSatisfy(\.isFinite) else { throw VQError.outputNotFinite(file: file) }
    return nearest.nearest(to: tokens)
  }
}
