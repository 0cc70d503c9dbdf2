import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData

/// The decoder of a VQ-16 tokenizer: a grid of codes to an image.
///
/// Levels, blocks and widths are read off the names and shapes of the checkpoint's tensors.
public struct VQDecoder: Sendable {
  /// The entries of the codebook as rows of length 1, `K × d`.
  public let codebook: FloatMatrix
  /// How many pixels along a side come from one token.
  public let upsampling: Int

  private let blocks: [any VQBlock]
  private let normOut: GroupNormalization
  private let convOut: Convolution
  private let file: String
  private let pool: FeatureMapPool

  /// Takes the decoder out of a checkpoint.
  ///
  /// - Throws: ``VQError`` that names the tensor that is missing or does not fit, or what the file
  ///   throws.
  /// - Complexity: O(weights); the packed weights take about four times the memory of the
  ///   decoder's.
  public init(_ tensors: any TensorSource) throws {
    var checkpoint = try VQCheckpoint(tensors, probe: "decoder.conv_in.weight")
    codebook = try checkpoint.codebook()
    let projection = try checkpoint.convolution(
      "post_quant_conv", inputs: codebook.columns, kernel: 1)
    let convIn = try checkpoint.convolution(
      "decoder.conv_in", inputs: projection.outputs, kernel: 3)
    let middle = try VQStage(middle: "decoder.mid", &checkpoint, inputs: convIn.outputs)
    var blocks: [any VQBlock] = [projection, convIn] + middle.blocks
    var channels = middle.channels
    var (level, factor) = (0, 1)
    repeat {
      let name = "decoder.conv_blocks.\(level)"
      let stage = try VQStage(level: name, &checkpoint, inputs: channels)
      blocks += stage.blocks
      channels = stage.channels
      if checkpoint.has(name + ".upsample.conv") {
        blocks.append(
          VQUpsampling(
            convolution: try checkpoint.convolution(
              name + ".upsample.conv", inputs: channels, outputs: channels, kernel: 3)))
        factor *= 2
      }
      level += 1
    } while checkpoint.has("decoder.conv_blocks.\(level).res.0.conv1")
    normOut = try checkpoint.normalization("decoder.norm_out", channels: channels)
    convOut = try checkpoint.convolution(
      "decoder.conv_out", inputs: channels, outputs: 3, kernel: 3)
    try checkpoint.checkEverythingIsUsed(under: ["decoder.", "post_quant_conv."])
    self.blocks = blocks
    upsampling = factor
    file = tensors.path
    pool = FeatureMapPool(workers: ProcessInfo.processInfo.activeProcessorCount)
  }

  /// The image of a grid of codes: red, green and blue, about −1 to 1, row-major `rows·f ×
  /// columns·f × 3` with f = ``upsampling``.
  ///
  /// - Throws: ``VQError`` when a code is outside the codebook, or the output is not finite.
  /// - Precondition: there are rows · columns codes.
  public func image(codes: [UInt32], rows: Int, columns: Int) throws -> [Float] {
    precondition(codes.count == rows * columns && rows > 0 && columns > 0, "the codes fill a grid")
    if let bad = codes.first(where: { $0 >= codebook.rows }) {
      throw VQError.codeOutsideCodebook(code: bad, codebookSize: codebook.rows)
    }
    var map = FeatureMap(
      height: rows, width: columns, channels: codebook.columns,
      elements: codebook.gatherRows(codes[...]), pool: pool)
    for block in blocks { map = block(map) }
    map = convOut(map, activation: normOut.activation(for: map))
    let image = map.elements
    guard image.allSatisfy(\.isFinite) else { throw VQError.outputNotFinite(file: file) }
    return image
  }

  /// The same as bytes from 0 to 255: 127.5·x + 128, cut to the range and rounded down.
  ///
  /// - Throws: ``VQError`` when a code is outside the codebook, or the output is not finite.
  public func bytes(codes: [UInt32], rows: Int, columns: Int) throws -> [UInt8] {
    try image(codes: codes, rows: rows, columns: columns).map {
      UInt8(max(0, min(255, 127.5 * $0 + 128)))
    }
  }
}
