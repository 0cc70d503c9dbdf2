import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Statistics
import TestSupport
import Testing
import TokenGrids

private let configuration = AnyOrderConfiguration(
  layers: 1, heads: 2, width: 8, codes: 5, classes: 2, grid: TokenGrid(rows: 2, columns: 2))

/// The elements of every tensor, some numbers that differ.
private func elements() -> [(AnyOrderParameter, [Float])] {
  var generator = SeededGenerator(seed: 5)
  return configuration.parameters.map { parameter in
    let count = parameter.shape(in: configuration).reduce(1, *)
    return (parameter, (0..<count).map { _ in Float(generator.nextUniform() - 0.5) })
  }
}

private func logits(_ tensors: AnyOrderTensors) throws -> [[Float]] {
  try AnyOrderTransformer.teacherForcedLogits(
    weights: AnyOrderWeights(tensors), codes: [[0, 3, 1, 4]], labels: [1],
    orders: [OrderSpecification("raster:n=2").order(on: configuration.grid)],
    team: WorkerTeam(workers: 1))
}

/// A checkpoint of PyTorch with its weights under `model` and an optimizer's beside them, and the same in two files of
/// safetensors with an index, are one model.
@Test func anyOrderCheckpointsOfEveryFormAreOneModel() throws {
  let folder = try TemporaryFolder()
  var pickle = PickleBuilder()
  var storages: [String: [UInt8]] = [:]
  func add(_ name: String, _ shape: [Int], _ values: [Float]) {
    let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    pickle.text(name)
    pickle.tensor(key: "\(storages.count)", count: values.count, shape: shape, strides: strides)
    storages["\(storages.count)"] = littleEndian(values)
  }
  pickle.code("}(")
  pickle.text("model")
  pickle.code("}(")
  for (parameter, values) in elements() {
    add(parameter.name, parameter.shape(in: configuration), values)
  }
  pickle.code("u")
  pickle.text("optimizer")
  pickle.code("}(")
  add("head.weight", [2], [1, 2])
  pickle.code("uu.")
  let path = folder.file("lpd.pth")
  try Data(try torchArchive(pickle, storages)).write(to: URL(fileURLWithPath: path))
  let torch = try TrainedModel.tensors(of: path)
  #expect(torch is TorchCheckpoint && AnyOrderTensors.areIn(torch))
  let fromTorch = try AnyOrderTensors(torch, heads: 2)
  #expect(fromTorch.configuration == configuration)
  #expect(throws: PARError.unknownHeads(file: path, layers: 1, width: 8)) {
    try AnyOrderTensors(torch)
  }

  var map: [String: String] = [:]
  for half in 0..<2 {
    let name = "part\(half).safetensors"
    try SafetensorsWriter.write(
      elements().enumerated().filter { $0.offset % 2 == half }.map { _, tensor in
        map[tensor.0.name] = name
        return SafetensorsTensor(
          name: tensor.0.name, shape: tensor.0.shape(in: configuration), elements: tensor.1)
      }, metadata: ["heads": "2"], to: folder.file(name))
  }
  try JSONSerialization.data(withJSONObject: ["weight_map": map])
    .write(to: URL(fileURLWithPath: folder.file("lpd.safetensors.index.json")))
  let fromShards = try AnyOrderTensors(
    TrainedModel.tensors(of: folder.file("lpd.safetensors.index.json")))
  #expect(try logits(fromTorch) == logits(fromShards))
}
