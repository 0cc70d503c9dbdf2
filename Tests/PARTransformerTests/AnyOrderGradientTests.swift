import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import Testing
import TokenGrids

@testable import PARTransformer

private func images(_ golden: AnyOrderGolden) throws -> [AnyOrderImage] {
  let (codes, labels) = (try golden.codes, try golden.labels)
  return golden.orders.enumerated().map { index, order in
    AnyOrderImage(
      codes: codes[index].map { UInt32($0) }[...], label: labels[index], cells: order.sequence,
      groupSizes: order.steps.map(\.count))
  }
}

private func trainer(_ golden: AnyOrderGolden, steps: Int, shards: Int) throws -> AnyOrderTrainer {
  let trainer = try AnyOrderTrainer(
    configuration: golden.weights.configuration, shards: shards, team: GoldenSet.team)
  let file = try SafetensorsFile(path: GoldenSet.path("lpd-tiny-\(steps).weights"))
  for parameter in golden.weights.configuration.parameters {
    trainer.parameters[parameter].write(try file.floats(parameter.name))
  }
  return trainer
}

/// Loss and gradients of an independent implementation, to 1e-4 of each tensor's largest element: single precision, sums
/// of some ten thousand products.
@Test(arguments: AnyOrderGolden.steps, [1, 3])
func anyOrderLossAndGradientsAreThePublishedOnes(steps: Int, shards: Int) throws {
  let golden = try AnyOrderGolden(steps: steps)
  let trainer = try trainer(golden, steps: steps, shards: shards)
  let images = try images(golden)
  let result = trainer.computeGradient(images) { _, _ in .none }
  let loss = Double(try golden.expected.floats("teacher.loss")[0])
  #expect(abs(result.loss - loss) <= 1e-4 * loss)
  for parameter in golden.weights.configuration.parameters {
    let expected = try golden.expected.floats("grad.\(parameter.name)")
    let largest = expected.map { abs($0) }.max() ?? 0
    let difference = largestDifference(trainer.gradient[parameter].values, expected)
    #expect(difference <= 1e-4 * largest, "\(parameter.name): \(difference) of \(largest)")
  }
  // The losses are those of the pass with a cache, step by step.
  let logits = try AnyOrderTransformer.teacherForcedLogits(
    weights: golden.weights, codes: golden.codes, labels: golden.labels, orders: golden.orders,
    team: GoldenSet.team)
  let losses = trainer.losses(images)
  for (index, image) in images.enumerated() {
    for place in image.cells.indices {
      var probabilities = Array(logits[index][place * 64..<(place + 1) * 64])
      TransformerKernels.softmax(&probabilities)
      let expected = -log(probabilities[Int(image.code(place))])
      #expect(abs(losses[index * 64 + place] - expected) < 1e-4)
    }
  }
}

/// Directional derivatives of the loss by central differences, with dropout and the null class, for images whose steps
/// differ: to 1 %, what differences of single precision losses allow at this step length.
@Test(arguments: [Float(0), 0.3])
func anyOrderGradientsAreThoseOfFiniteDifferences(dropout: Float) throws {
  let grid = TokenGrid(rows: 3, columns: 5)
  let configuration = AnyOrderConfiguration(
    layers: 2, heads: 3, width: 18, codes: 7, classes: 2, grid: grid)
  let trainer = try AnyOrderTrainer(configuration: configuration, shards: 2, team: GoldenSet.team)
  var generator = SeededGenerator(seed: 3)
  let start = (0..<configuration.parameterCount).map { _ in
    Float(generator.nextUniform() - 0.5)
  }
  trainer.parameters.buffer.write(start, at: 0)
  let images = [[15], [1, 2, 3, 9], Array(repeating: 1, count: 15), [5, 5, 5]].enumerated().map {
    index, sizes in
    var cells = Array(0..<15)
    generator.shuffle(&cells)
    return AnyOrderImage(
      codes: (0..<15).map { _ in UInt32(generator.nextIndex(below: 7)) }[...], label: index % 3,
      cells: cells, groupSizes: sizes)
  }
  @Sendable func mask(_ place: Int, _ first: Int) -> TrainingKernels.Dropout {
    dropout == 0 ? .none : .init(probability: dropout, key: UInt64(place + 1) << 20, first: first)
  }
  _ = trainer.computeGradient(images, dropout: mask)
  let gradient = trainer.gradient.buffer[0..<start.count]
  for parameter in configuration.parameters {
    let range = trainer.parameters.range(parameter)
    var direction = [Float](repeating: 0, count: start.count)
    for i in range { direction[i] = Float(generator.nextUniform() - 0.5) }
    let expected = range.reduce(0.0) { $0 + Double(gradient[$1]) * Double(direction[$1]) }
    let step: Float = 2e-3
    let losses = [step, -step].map { step in
      trainer.parameters.buffer.write(zip(start, direction).map { $0 + step * $1 }, at: 0)
      for part in [trainer] { part.gradient.buffer.clear() }
      return trainer.computeGradient(images, dropout: mask).loss
    }
    let found = (losses[0] - losses[1]) / Double(2 * step)
    #expect(abs(found - expected) < 0.01 * abs(expected) + 2e-4, "\(parameter.name)")
  }
}
