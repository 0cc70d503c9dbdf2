import LinearAlgebra
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
