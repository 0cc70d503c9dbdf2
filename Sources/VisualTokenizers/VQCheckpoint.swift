import FileFormats
import LinearAlgebra
import NeuralKernels
import TokenData

/// The tensors of a VQ-16 checkpoint, taken out layer by layer with their shapes checked.
///
/// Remembers what was taken, so that a checkpoint of another architecture is noticed.
struct VQCheckpoint {
  /// Where checkpoints keep the weights: at the top, or under the names that training programs use.
  private static let prefixes = [
    "", "ema.", "model.", "state_dict.", "model_state_dict.", "module.", "_orig_mod.",
  ].flatMap { outer in
    ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."].map { outer + $0 }
  }

  private let tensors: any TensorSource
  private let prefix: String
  private var used: Set<String> = []

  /// - Throws: ``VQError/missingTensor(file:tensor:)`` when the tensor `probe` is nowhere.
  init(_ tensors: any TensorSource, probe: String) throws {
    self.tensors = tensors
    guard let prefix = Self.prefixes.first(where: { tensors.shape(of: $0 + probe) != nil }) else {
      throw VQError.missingTensor(file: tensors.path, tensor: probe)
    }
    self.prefix = prefix
  }

  /// Whether there is a layer of this name.
  func has(_ layer: String) -> Bool { tensors.shape(of: prefix + layer + ".weight") != nil }

  /// A layer's convolution; its widths are those of its tensor.
  ///
  /// - Parameters:
  ///   - inputs: the channels of its input, or nil where nothing else says them.
  ///   - outputs: the channels its output must have, or nil for any.
  mutating func convolution(
    _ layer: String, inputs: Int?, outputs: Int? = nil, kernel: Int, stride: Int = 1
  ) throws -> Convolution {
    let weights = try tensor(
      layer + ".weight", expected: [outputs ?? 0, inputs ?? 0, kernel, kernel])
    let bias = try tensor(layer + ".bias", expected: [weights.shape[0]])
    return Convolution(
      weights: weights.values, bias: bias.values, inputs: weights.shape[1],
      outputs: weights.shape[0], kernel: kernel, stride: stride)
  }

  /// A layer's group normalisation in 32 groups.
  mutating func normalization(_ layer: String, channels: Int) throws -> GroupNormalization {
    let groups = 32
    let weight = try tensor(layer + ".weight", expected: [channels])
    guard channels.isMultiple(of: groups) else {
      throw VQError.ungroupedChannels(
        file: tensors.path, tensor: prefix + layer + ".weight", channels: channels, groups: groups)
    }
    let bias = try tensor(layer + ".bias", expected: [channels])
    return GroupNormalization(weight: weight.values, bias: bias.values, groups: groups)
  }

  /// The codebook, its rows normalised to length 1.
  mutating func codebook() throws -> FloatMatrix {
    let codebook = try tensor(CodebookFile.tensorName, expected: [0, 0])
    return FloatMatrix(
      rows: codebook.shape[0], columns: codebook.shape[1], elements: codebook.values
    ).normalizingRows()
  }

  /// Makes sure that everything under these names was taken.
  func checkEverythingIsUsed(under names: [String]) throws {
    for name in tensors.tensorNames where name.hasPrefix(prefix) {
      let rest = name.dropFirst(prefix.count)
      guard names.contains(where: { rest.hasPrefix($0) }), !used.contains(name) else { continue }
      throw VQError.unknownTensor(file: tensors.path, tensor: name)
    }
  }

  private mutating func tensor(
    _ name: String, expected: [Int]
  ) throws -> (shape: [Int], values: [Float]) {
    let name = prefix + name
    guard let shape = tensors.shape(of: name) else {
      throw VQError.missingTensor(file: tensors.path, tensor: name)
    }
    guard shape.count == expected.count, shape.allSatisfy({ $0 > 0 }),
      zip(shape, expected).allSatisfy({ $0 == $1 || $1 == 0 })
    else {
      throw VQError.wrongShape(file: tensors.path, tensor: name, found: shape, expected: expected)
    }
    let values = try tensors.floats(name)
    // x·0 is NaN for what is not finite, and the sum keeps it; one pass that vectorises.
    guard values.reduce(Float(0), { $0 + $1 * 0 }) == 0 else {
      throw VQError.notFinite(file: tensors.path, tensor: name)
    }
    used.insert(name)
    return (shape, values)
  }
}
