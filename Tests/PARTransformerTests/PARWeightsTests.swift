import FileFormats
import Foundation
import LinearAlgebra
import Testing
import TokenData

@testable import PARTransformer

private let small = PARConfiguration(
  layers: 2, heads: 2, width: 8, hiddenWidth: 12, codes: 6, classes: 3, tokensPerStep: 4)

/// Writes a checkpoint of zeros after `change`, reads it and removes it.
private func load(
  heads: Int? = nil, metadata: [String: String] = ["heads": "2"],
  _ change: (inout [(name: String, shape: [Int], value: Float)]) -> Void = { _ in }
) throws -> PARWeights {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("\(UUID().uuidString).safetensors").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  var tensors = small.parameters.map {
    (name: $0.name, shape: $0.shape(in: small), value: Float(0))
  }
  change(&tensors)
  try SafetensorsWriter.write(
    tensors.map {
      SafetensorsTensor(
        name: $0.name, shape: $0.shape,
        elements: Array(repeating: $0.value, count: $0.shape.reduce(1, *)))
    }, metadata: metadata, to: path)
  return try PARWeights(checkpoint: SafetensorsCheckpoint(path: path), heads: heads)
}

@Test(arguments: [
  (PARPreset.base, 110_890_752), (.large, 342_914_048), (.extraLarge, 774_703_360),
  (.doubleExtraLarge, 1_410_977_280), (.threeBillion, 3_096_668_800),
])
func presetsHaveThePublishedSizes(preset: PARPreset, parameters: Int) throws {
  let configuration = preset.configuration()
  try configuration.validate()
  #expect(configuration.parameterCount == parameters)
}

@Test func extentsAreReadOffTheShapes() throws {
  #expect(try load().configuration == small)
  #expect(try load(heads: 1, metadata: [:]).configuration.heads == 1)
}

@Test func wrappersAndBuffersAreTolerated() throws {
  let weights = try load { tensors in
    for i in tensors.indices { tensors[i].name = "module.model." + tensors[i].name }
    tensors.append((name: "model.freqs_cis", shape: [3, 2], value: 0))
  }
  #expect(weights.configuration == small)
  for prefix in ["_orig_mod.", "model_state_dict.", "model_state_dict._orig_mod.module."] {
    let wrapped = try load { tensors in
      for i in tensors.indices { tensors[i].name = prefix + tensors[i].name }
    }
    #expect(wrapped.configuration == small)
  }
}

@Test func faultyCheckpointsAreNamed() throws {
  func message(
    heads: Int? = nil, metadata: [String: String] = ["heads": "2"],
    _ change: (inout [(name: String, shape: [Int], value: Float)]) -> Void
  ) -> String {
    do {
      _ = try load(heads: heads, metadata: metadata, change)
      return "no error"
    } catch { return "\(error)" }
  }
  func index(_ name: String, _ tensors: [(name: String, shape: [Int], value: Float)]) -> Int {
    tensors.firstIndex { $0.name == name } ?? 0
  }
  #expect(message { _ = $0.removeLast() }.hasSuffix("there is no tensor output.weight"))
  #expect(
    message { $0.append((name: "extra.weight", shape: [1], value: 0)) }
      .hasSuffix("unexpected tensor extra.weight"))
  #expect(
    message { $0[index("layers.1.attention.wo.weight", $0)].shape = [8, 9] }
      .hasSuffix("tensor layers.1.attention.wo.weight has the shape [8, 9]; expected [8, 8]"))
  #expect(
    message { $0[index("tok_embeddings.weight", $0)].shape = [48] }
      .hasSuffix("tensor tok_embeddings.weight has the shape [48]; expected [any, any]"))
  #expect(message(metadata: [:]) { _ in }.contains("give it with --heads"))
  // Numbers in names may be any; the sentence is about the layer, whatever else is missing.
  for number in ["9223372036854775807", "4611686018427387904", "99999999999999999999", "3", "2"] {
    for metadata in [["heads": "2"], [:]] {
      let text = message(metadata: metadata) {
        $0.append((name: "layers.\(number).attention.wo.weight", shape: [8, 8], value: 0))
      }
      #expect(
        text.hasSuffix(
          "tensor layers.\(number).attention.wo.weight is of a layer that there is not: the file has the layers 0 to 1"
        ),
        "\(text)")
    }
  }
  #expect(message(heads: 3, metadata: [:]) { _ in }.contains("does not divide into 3 heads"))
  #expect(message(heads: 4, metadata: [:]) { _ in }.contains("multiple of 4"))
  #expect(message(heads: 2) { _ in } == "no error")
  #expect(
    message(heads: 4) { _ in }
      .hasSuffix("4 heads were asked for, but the model says that it has 2; leave --heads out"))
  #expect(
    message { $0[index("norm.weight", $0)].value = .nan }
      .hasSuffix("tensor norm.weight: element 0 is not a finite number"))
  #expect(
    message { $0.append((name: "model.norm.weight", shape: [8], value: 0)) }
      .contains("tensor norm.weight is there 2 times"))
}

@Test func weightsThatAreNotNumbersAreNoticedWhenSampling() throws {
  let weights = try load { tensors in
    for i in tensors.indices { tensors[i].value = tensors[i].shape == [6, 8] ? .infinity : 1 }
  }
  let golden = try GoldenSet(tokensPerStep: 4)
  let sampler = try PARSampler(
    weights: weights, sequence: golden.sequence, options: SamplingOptions(), team: GoldenSet.team)
  #expect(throws: PARError.logitsNotFinite(image: 0, token: 0)) {
    try sampler.generate(labels: [0])
  }
}
