import LinearAlgebra
import NeuralKernels

/// A step of the network from one map to the next.
protocol VQBlock: Sendable {
  func callAsFunction(_ map: FeatureMap) -> FeatureMap
}

extension Convolution: VQBlock {
  func callAsFunction(_ map: FeatureMap) -> FeatureMap { self(map, activation: nil) }
}

/// norm1 → swish → conv1 → norm2 → swish → conv2, plus the input, through a 1×1 convolution where
/// the widths differ.
struct VQResidualBlock: VQBlock {
  let outputs: Int
  private let norm1: GroupNormalization
  private let conv1: Convolution
  private let norm2: GroupNormalization
  private let conv2: Convolution
  private let shortcut: Convolution?

  init(_ checkpoint: inout VQCheckpoint, _ name: String, inputs: Int) throws {
    norm1 = try checkpoint.normalization(name + ".norm1", channels: inputs)
    conv1 = try checkpoint.convolution(name + ".conv1", inputs: inputs, kernel: 3)
    outputs = conv1.outputs
    norm2 = try checkpoint.normalization(name + ".norm2", channels: outputs)
    conv2 = try checkpoint.convolution(
      name + ".conv2", inputs: outputs, outputs: outputs, kernel: 3)
    shortcut =
      inputs == outputs && !checkpoint.has(name + ".nin_shortcut")
      ? nil
      : try checkpoint.convolution(
        name + ".nin_shortcut", inputs: inputs, outputs: outputs, kernel: 1)
  }

  func callAsFunction(_ map: FeatureMap) -> FeatureMap {
    let hidden = conv1(map, activation: norm1.activation(for: map))
    return conv2(
      hidden, activation: norm2.activation(for: hidden), adding: shortcut.map { $0(map) } ?? map)
  }
}

/// Attention of one head over all pixels, plus the input: softmax(q·kᵀ / √C)·v with 1×1
/// convolutions around it.
struct VQAttentionBlock: VQBlock {
  private let norm: GroupNormalization
  private let query: Convolution
  private let key: Convolution
  private let value: Convolution
  private let projection: Convolution

  init(_ checkpoint: inout VQCheckpoint, _ name: String, channels: Int) throws {
    norm = try checkpoint.normalization(name + ".norm", channels: channels)
    func part(_ part: String) throws -> Convolution {
      try checkpoint.convolution(
        "\(name).\(part)", inputs: channels, outputs: channels, kernel: 1)
    }
    query = try part("q")
    key = try part("k")
    value = try part("v")
    projection = try part("proj_out")
  }

  func callAsFunction(_ map: FeatureMap) -> FeatureMap {
    let normal = norm(map)
    let (q, k, v) = (query(normal).matrix, key(normal).matrix, value(normal).matrix)
    var weights = FloatMatrix(rows: map.pixels, columns: map.pixels)
    weights.setProduct(
      scale: 1 / Float(map.channels).squareRoot(), q, k, transposingSecond: true)
    weights.softmaxRows()
    return projection(
      FeatureMap(like: map, elements: FloatMatrix.product(weights, v).elements), adding: map)
  }
}

/// A 3×3 convolution of the map with each pixel counted as 2 × 2.
struct VQUpsampling: VQBlock {
  let convolution: Convolution

  func callAsFunction(_ map: FeatureMap) -> FeatureMap { convolution(map, upsampling: true) }
}

/// The residual and attention blocks of one resolution, or of the middle.
struct VQStage {
  private(set) var blocks: [any VQBlock] = []
  private(set) var channels: Int

  /// The blocks `res.{i}` of a level, each followed by `attn.{i}` where there is one.
  init(level name: String, _ checkpoint: inout VQCheckpoint, inputs: Int) throws {
    channels = inputs
    var index = 0
    repeat {
      try appendResidual(&checkpoint, "\(name).res.\(index)")
      if checkpoint.has("\(name).attn.\(index).norm") {
        blocks.append(
          try VQAttentionBlock(&checkpoint, "\(name).attn.\(index)", channels: channels))
      }
      index += 1
    } while checkpoint.has("\(name).res.\(index).conv1")
  }

  /// The middle: a residual block, attention, and a residual block.
  init(middle name: String, _ checkpoint: inout VQCheckpoint, inputs: Int) throws {
    channels = inputs
    try appendResidual(&checkpoint, name + ".0")
    blocks.append(try VQAttentionBlock(&checkpoint, name + ".1", channels: channels))
    try appendResidual(&checkpoint, name + ".2")
  }

  private mutating func appendResidual(
    _ checkpoint: inout VQCheckpoint, _ name: String
  ) throws {
    let block = try VQResidualBlock(&checkpoint, name, inputs: channels)
    channels = block.outputs
    blocks.append(block)
  }
}
