import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import PARTransformer

/// A trainer with the weights of a reference set.
private func trainer(_ golden: GoldenSet, shards: Int) throws -> PARTrainer {
  let trainer = try PARTrainer(
    configuration: golden.weights.configuration, sequence: golden.sequence,
    attention: .groupwise, shards: shards, team: GoldenSet.team)
  let file = try SafetensorsFile(path: GoldenSet.path("par-tiny-\(golden.tokensPerStep)x.weights"))
  for parameter in golden.weights.configuration.parameters {
    trainer.parameters[parameter].write(try file.floats(parameter.name))
  }
  return trainer
}

private func images(_ golden: GoldenSet) throws -> [TrainingImage] {
  try zip(golden.codes, golden.labels).map {
    TrainingImage(codes: $0.map { UInt32($0) }[...], label: $1)
  }
}

/// Loss and gradients of an independent implementation, to 1e-4 of each tensor's largest element: single precision, sums
/// of some ten thousand products.
@Test(arguments: GoldenSet.tokensPerStep, [1, 2])
func lossAndGradientsAreThePublishedOnes(tokensPerStep: Int, shards: Int) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep)
  let trainer = try trainer(golden, shards: shards)
  let result = trainer.computeGradient(try images(golden)) { _, _ in .none }
  let loss = Double(try golden.expected.floats("teacher.loss")[0])
  #expect(abs(result.loss - loss) <= 1e-4 * loss)
  for parameter in golden.weights.configuration.parameters {
    let expected = try golden.expected.floats("grad.\(parameter.name)")
    let largest = expected.map { abs($0) }.max() ?? 0
    let difference = largestDifference(trainer.gradient[parameter].values, expected)
    #expect(difference <= 1e-4 * largest, "\(parameter.name): \(difference) of \(largest)")
  }
}

/// A trainer of random weights, none of them zero, for a tiny grid.
private func randomTrainer(
  _ sequence: PARSequence, _ attention: AttentionPattern, shards: Int = 2
) throws -> PARTrainer {
  let trainer = try PARTrainer(
    configuration: PARConfiguration(
      layers: 2, heads: 2, width: 24, hiddenWidth: 20, codes: 11, classes: 3,
      tokensPerStep: sequence.tokensPerStep),
    sequence: sequence, attention: attention, shards: shards, team: GoldenSet.team)
  var generator = SeededGenerator(seed: 2)
  trainer.parameters.buffer.write(
    (0..<trainer.parameters.buffer.count).map { _ in Float(generator.nextUniform() - 0.5) }, at: 0)
  return trainer
}

private func randomImages(_ count: Int, cells: Int) -> [TrainingImage] {
  var generator = SeededGenerator(seed: 4)
  return (0..<count).map { index in
    TrainingImage(
      codes: (0..<cells).map { _ in UInt32(generator.nextIndex(below: 11)) }[...],
      label: index % 4)
  }
}

struct GradientCase: CustomTestStringConvertible, Sendable {
  let tokensPerStep: Int
  let singles: Int
  let attention: AttentionPattern
  let dropout: Float

  var testDescription: String {
    "n = \(tokensPerStep), \(singles) single steps, \(attention), dropout \(dropout)"
  }
}

/// The change of the loss along a random direction of each tensor, by central differences, equals the gradient's product
/// with that direction. Single precision leaves some 1e-6 of the loss to a difference over 2·1e-2·|direction|.
@Test(arguments: [
  GradientCase(tokensPerStep: 3, singles: 3, attention: .groupwise, dropout: 0.3),
  GradientCase(tokensPerStep: 3, singles: 0, attention: .groupwise, dropout: 0.1),
  GradientCase(tokensPerStep: 4, singles: 4, attention: .causal, dropout: 0.2),
  GradientCase(tokensPerStep: 1, singles: 1, attention: .groupwise, dropout: 0.2),
])
func gradientsAreDifferencesOfTheLoss(_ one: GradientCase) throws {
  let grid = TokenGrid(rows: 5, columns: 4)
  let sequence = try PARSequence(
    order: shuffledOrder(on: grid, tokensPerStep: one.tokensPerStep, singles: one.singles),
    tokensPerStep: one.tokensPerStep)
  let trainer = try randomTrainer(sequence, one.attention)
  let images = randomImages(5, cells: grid.cellCount)
  let dropout: @Sendable (Int, Int) -> TrainingKernels.Dropout = { place, first in
    TrainingKernels.Dropout(
      probability: one.dropout, key: UInt64(place + 1) &* 0x9e37_79b9_7f4a_7c15, first: first)
  }
  _ = trainer.computeGradient(images, dropout: dropout)
  let gradient = trainer.gradient.buffer[0..<trainer.gradient.buffer.count]
  func loss() -> Double {
    trainer.gradient.buffer.clear()
    return trainer.computeGradient(images, dropout: dropout).loss
  }
  var generator = SeededGenerator(seed: 8)
  for parameter in trainer.parameters.configuration.parameters {
    let view = trainer.parameters[parameter]
    let range = trainer.parameters.range(parameter)
    let values = view.values
    // Along the gradient with some noise: far from zero, and no direction that hides a wrong element.
    let slope = gradient[range]
    let size = slope.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let typical = size / Float(slope.count).squareRoot()
    let direction = slope.map { $0 + typical * Float(generator.nextUniform() - 0.5) }
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let h: Float = 1e-2
    view.write(zip(values, direction).map { $0 + h * $1 / length })
    let above = loss()
    view.write(zip(values, direction).map { $0 - h * $1 / length })
    let below = loss()
    view.write(values)
    let expected = zip(slope, direction).reduce(0.0) { $0 + Double($1.0 * $1.1 / length) }
    let found = (above - below) / (2 * Double(h))
    #expect(
      abs(found - expected) <= 0.01 * abs(expected) + 1e-4,
      "\(parameter.name): \(found), expected \(expected)")
  }
}

/// The passes divide a batch among shards, and rows among passes; neither changes a loss.
@Test func lossesAreThoseOfTheModelForInference() throws {
  let grid = TokenGrid(rows: 5, columns: 4)
  for (n, singles) in [(3, 3), (3, 0), (1, 1)] {
    let sequence = try PARSequence(
      order: shuffledOrder(on: grid, tokensPerStep: n, singles: singles), tokensPerStep: n)
    let trainer = try randomTrainer(sequence, .groupwise, shards: 3)
    let images = randomImages(7, cells: grid.cellCount)
    let losses = chunks(trainer.losses(images), of: grid.cellCount)
    let weights = try weights(of: trainer)
    let logits = try PARTransformer.teacherForcedLogits(
      weights: weights, sequence: sequence, codes: images.map { $0.codes.map { Int($0) } },
      labels: images.map(\.label), team: GoldenSet.team)
    for (image, rows) in zip(images, logits.map { chunks($0, of: 11) }).map({ ($0, $1) }) {
      let found = losses[images.firstIndex { $0.codes == image.codes } ?? 0]
      for (k, row) in rows.enumerated() {
        let largest = row.max() ?? 0
        let sum = row.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        let expected = log(sum) + Double(largest - row[Int(image.codes[sequence.cells[k]])])
        #expect(abs(Double(found[k]) - expected) <= 1e-4)
      }
    }
  }
}

/// The trainer's parameters as a model for inference, by way of a file.
private func weights(of trainer: PARTrainer) throws -> PARWeights {
  try withTrainingFolder { folder in
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/weights.safetensors"
    let configuration = trainer.parameters.configuration
    try SafetensorsWriter.write(
      configuration.parameters.map {
        SafetensorsTensor(
          name: $0.name, shape: $0.shape(in: configuration),
          elements: trainer.parameters[$0].values)
      }, metadata: ["heads": "\(configuration.heads)"], to: path)
    return try PARWeights(checkpoint: SafetensorsCheckpoint(path: path))
  }
}
