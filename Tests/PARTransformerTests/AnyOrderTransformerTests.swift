import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Testing
import TokenGrids

@Test(arguments: AnyOrderGolden.steps)
func anyOrderLogitsAreTheReferences(steps: Int) throws {
  let golden = try AnyOrderGolden(steps: steps)
  let logits = try AnyOrderTransformer.teacherForcedLogits(
    weights: golden.weights, codes: golden.codes, labels: golden.labels, orders: golden.orders,
    team: GoldenSet.team)
  let difference = try largestDifference(
    logits.flatMap(\.self), golden.expected.floats("teacher.logits_sequence"))
  // What single precision leaves of sums of some hundred terms.
  #expect(difference < 1e-4)
}

@Test(arguments: AnyOrderGolden.steps, ["cfg1", "cfg_linear", "cfg_constant"])
func anyOrderGreedyCodesAreTheReferences(steps: Int, guidance: String) throws {
  let golden = try AnyOrderGolden(steps: steps)
  for batch in [1, 3, 4] {
    let (options, codes) = try golden.greedy(guidance, batch: batch)
    let sampler = try AnyOrderSampler(
      weights: golden.weights, orders: golden.orders, options: options, team: GoldenSet.team)
    #expect(sampler.passCount == steps)
    #expect(try sampler.generate(labels: golden.labels) == codes)
  }
}

@Test(arguments: [WeightPrecision.float32, .bfloat16])
func anyOrderSamplesDependOnNothingButTheirNumber(precision: WeightPrecision) throws {
  let golden = try AnyOrderGolden(steps: 12, precision: precision)
  let labels = [3, 1, 4, 1, 5]
  func samples(batch: Int, threads: Int) throws -> [[Int]] {
    try AnyOrderSampler(
      weights: golden.weights, orders: golden.orders,
      options: SamplingOptions(
        guidance: 2, guidanceSchedule: .linear, filter: TokenFilter(topK: 20), seed: 7,
        batchSize: batch), team: WorkerTeam(workers: threads)
    ).generate(labels: labels)
  }
  let reference = try samples(batch: 1, threads: 1)
  #expect(Set(reference).count == labels.count)
  #expect(try samples(batch: 2, threads: 3) == reference)
  #expect(try samples(batch: 8, threads: 2) == reference)
}

@Test func ordersOfOneBatchHaveStepsOfEqualSizes() throws {
  let golden = try AnyOrderGolden(steps: 12)
  let other = try GenerationOrder.raster(on: golden.orders[0].grid, tokensPerStep: 4)
  #expect(throws: PARError.differentGroupSizes(order: "raster", first: "order 0")) {
    try AnyOrderSampler(
      weights: golden.weights, orders: [golden.orders[0], other], options: SamplingOptions(),
      team: GoldenSet.team)
  }
  // Alone any partition serves: here of another grid, to which the position embeddings are resized.
  let coarse = try OrderSpecification("halton:schedule=cosine,steps=5")
    .order(on: TokenGrid(rows: 4, columns: 6))
  let images = try AnyOrderSampler(
    weights: golden.weights, orders: [coarse], options: SamplingOptions(seed: 1),
    team: GoldenSet.team
  ).generate(labels: [0, 9])
  #expect(images.map(\.count) == [24, 24] && images[0] != images[1])
}

@Test func anyOrderPresetsHaveThePublishedSizes() throws {
  // Every tensor of the table of the published implementation, summed by hand for LPD-L.
  let (d, l) = (1024, 24)
  let configuration = AnyOrderPreset.large.configuration
  #expect(
    configuration.parameterCount == l * (12 * d * d + 13 * d) + d * (1000 + 2 * 16_384 + 257 + 6))
  for preset in AnyOrderPreset.allCases {
    try preset.configuration.validate()
    #expect(preset.configuration.headWidth == 64)
  }
}

private func message(
  metadata: [String: String] = ["heads": "4"],
  _ change: (inout [String: (shape: [Int], elements: [Float])]) -> Void
) throws -> String {
  let source = try SafetensorsFile(path: GoldenSet.path("lpd-tiny-12.weights"))
  var tensors: [String: (shape: [Int], elements: [Float])] = [:]
  for (name, entry) in source.entries { tensors[name] = (entry.shape, try source.floats(name)) }
  change(&tensors)
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("\(UUID().uuidString).safetensors").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try SafetensorsWriter.write(
    tensors.sorted { $0.key < $1.key }.map {
      SafetensorsTensor(name: $0.key, shape: $0.value.shape, elements: $0.value.elements)
    }, metadata: metadata, to: path)
  do {
    let checkpoint = try SafetensorsCheckpoint(path: path)
    #expect(AnyOrderTensors.areIn(checkpoint))
    let weights = try AnyOrderWeights(AnyOrderTensors(checkpoint))
    return "\(weights.configuration.grid), \(weights.configuration.heads) heads"
  } catch {
    return "\(error)".replacingOccurrences(of: path, with: "FILE")
  }
}

@Test func faultyAnyOrderCheckpointsAreNamed() throws {
  #expect(try message { _ in } == "8x8, 4 heads")
  #expect(
    try message { tensors in
      for (name, tensor) in tensors {
        tensors[name] = nil
        tensors["model.module." + name] = tensor
      }
      tensors["epoch"] = ([1], [3])
      tensors["adamw.first.head.weight"] = ([1], [3])
    } == "8x8, 4 heads")
  #expect(
    try message { $0["blocks.1.mlp.fc2.bias"] = nil }
      == "FILE: there is no tensor blocks.1.mlp.fc2.bias")
  #expect(
    try message { $0["blocks.0.attn.qkv.bias"] = ([64], Array(repeating: 0, count: 64)) }
      == "FILE: tensor blocks.0.attn.qkv.bias has the shape [64]; expected [192]")
  #expect(
    try message { $0["pos_embed"] = ([1, 64, 64], Array(repeating: 0, count: 64 * 64)) }
      == "FILE: pos_embed has 64 rows; expected one for the class and one for each cell of a square"
      + " grid, or metadata with the grid")
  #expect(
    try message { $0["extra"] = ([1], [0]) }
      == "FILE: not an any-order checkpoint: unexpected tensor extra")
  #expect(
    try message { $0["norm.bias"] = ([64], Array(repeating: .nan, count: 64)) }
      == "FILE: tensor norm.bias: element 0 is not a finite number")
  #expect(try message(metadata: [:]) { _ in }.contains("give it with --heads"))
}
