import FileFormats
import TokenData

/// A VQ-16 tokenizer of the published size with random weights.
struct RandomCheckpoint {
  private(set) var tensors: [SafetensorsTensor] = []
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  private let multipliers = [1, 1, 2, 2, 4]
  private let width = 128

  init(imageSide: Int) {
    let z = 256
    convolution("encoder.conv_in", 3, width, 3)
    var channels = width
    for (level, multiplier) in multipliers.enumerated() {
      let name = "encoder.conv_blocks.\(level)"
      self.level(name, &channels, multiplier * width, blocks: 2, attends: level == 4)
      if level < 4 { convolution(name + ".downsample.conv", channels, channels, 3) }
    }
    middle("encoder.mid", channels)
    normalization("encoder.norm_out", channels)
    convolution("encoder.conv_out", channels, z, 3)
    convolution("quant_conv", z, 8, 1)
    convolution("post_quant_conv", 8, z, 1)
    convolution("decoder.conv_in", z, channels, 3)
    middle("decoder.mid", channels)
    for (level, multiplier) in multipliers.reversed().enumerated() {
      let name = "decoder.conv_blocks.\(level)"
      self.level(name, &channels, multiplier * width, blocks: 3, attends: level == 0)
      if level < 4 { convolution(name + ".upsample.conv", channels, channels, 3) }
    }
    normalization("decoder.norm_out", channels)
    convolution("decoder.conv_out", channels, 3, 3)
    add("quantize.embedding.weight", [16384, 8], scale: 1)
    add("benchmark.image", [1, 3, imageSide, imageSide], scale: 1)
  }

  private mutating func level(
    _ name: String, _ channels: inout Int, _ outputs: Int, blocks: Int, attends: Bool
  ) {
    for block in 0..<blocks {
      residual("\(name).res.\(block)", channels, outputs)
      channels = outputs
      if attends { attention("\(name).attn.\(block)", channels) }
    }
  }

  private mutating func middle(_ name: String, _ channels: Int) {
    residual(name + ".0", channels, channels)
    attention(name + ".1", channels)
    residual(name + ".2", channels, channels)
  }

  private mutating func residual(_ name: String, _ inputs: Int, _ outputs: Int) {
    normalization(name + ".norm1", inputs)
    convolution(name + ".conv1", inputs, outputs, 3)
    normalization(name + ".norm2", outputs)
    convolution(name + ".conv2", outputs, outputs, 3)
    if inputs != outputs { convolution(name + ".nin_shortcut", inputs, outputs, 1) }
  }

  private mutating func attention(_ name: String, _ channels: Int) {
    normalization(name + ".norm", channels)
    for part in ["q", "k", "v", "proj_out"] {
      convolution("\(name).\(part)", channels, channels, 1)
    }
  }

  private mutating func convolution(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int) {
    // Uniform numbers whose sum over the inputs has a variance near 1.
    let scale = (3 / Float(inputs * kernel * kernel)).squareRoot()
    add(name + ".weight", [outputs, inputs, kernel, kernel], scale: scale)
    add(name + ".bias", [outputs], scale: 0.1)
  }

  private mutating func normalization(_ name: String, _ channels: Int) {
    add(name + ".weight", [channels], scale: 0.5, offset: 1)
    add(name + ".bias", [channels], scale: 0.2)
  }

  private mutating func add(_ name: String, _ shape: [Int], scale: Float, offset: Float = 0) {
    let elements = (0..<shape.reduce(1, *)).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23) * scale + offset
    }
    tensors.append(SafetensorsTensor(name: name, shape: shape, elements: elements))
  }
}
