import NeuralKernels
import PARTransformer
import Testing

@testable import LinearAlgebra

@Test(arguments: GoldenSet.tokensPerStep)
func teacherForcedLogitsAreThePublishedOnes(tokensPerStep: Int) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep)
  let logits = try PARTransformer.teacherForcedLogits(
    weights: golden.weights, sequence: golden.sequence, codes: golden.codes,
    labels: golden.labels, team: GoldenSet.team)
  let difference = largestDifference(
    logits.flatMap(\.self), try golden.expected.floats("teacher.logits"))
  #expect(difference <= 1e-4)
}

/// Feeds the golden codes pass by pass through the cache and collects the logits of the predicted tokens.
private func cachedLogits(_ golden: GoldenSet) throws -> [Float] {
  let labels = try golden.labels
  let codes = try golden.codes
  let model = try PARTransformer(
    weights: golden.weights, sequence: golden.sequence, slots: labels.count, team: GoldenSet.team)
  let codeCount = golden.weights.configuration.codes
  let tokens = golden.sequence.tokenCount
  var logits = [Float](repeating: .nan, count: labels.count * tokens * codeCount)
  for pass in golden.sequence.passes {
    model.forward(positions: pass.positions, labels: labels) { slot, k in
      codes[slot][golden.sequence.cells[k]]
    }
    for image in labels.indices {
      for (place, token) in pass.tokens.enumerated() {
        let start = (image * tokens + token) * codeCount
        logits.replaceSubrange(
          start..<start + codeCount, with: model.logits(row: image * pass.positions.count + place))
      }
    }
  }
  return logits
}

@Test(arguments: GoldenSet.tokensPerStep)
func cachedLogitsEqualTeacherForcedOnes(tokensPerStep: Int) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep)
  let difference = largestDifference(
    try cachedLogits(golden), try golden.expected.floats("teacher.logits"))
  #expect(difference <= 1e-4)
}

/// The cached, parallel, packed forward pass against the obvious one, with both precisions of weights.
@Test(arguments: GoldenSet.tokensPerStep, WeightPrecision.allCases)
func cachedLogitsEqualTheObviousForwardPass(tokensPerStep: Int, precision: WeightPrecision) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep, precision: precision)
  let reference = ReferenceTransformer(weights: golden.weights, sequence: golden.sequence)
  let codes = try golden.codes
  let found = try cachedLogits(golden)
  let perImage = found.count / codes.count
  // The first image stands for all; two layers of sums in single precision stay well below 10⁻⁴.
  let expected = reference.logits(codes: codes[0], label: try golden.labels[0])
  #expect(largestDifference(Array(found[..<perImage]), expected) <= 1e-4)
  if precision == .float32 {
    // The reference itself is the published model.
    let published = try golden.expected.floats("teacher.logits")
    #expect(largestDifference(Array(published[..<perImage]), expected) <= 1e-4)
  }
}

@Test(arguments: GoldenSet.tokensPerStep, [false, true])
func greedyCodesAreThePublishedOnes(tokensPerStep: Int, guided: Bool) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep)
  let sampler = try PARSampler(
    weights: golden.weights, sequence: golden.sequence,
    options: SamplingOptions(guidance: guided ? 1.75 : 1, isGreedy: true), team: GoldenSet.team)
  let images = try sampler.generate(labels: golden.labels)
  let name = guided ? "greedy.cfg" : "greedy.cfg1"
  #expect(try images.flatMap(\.self) == golden.expected.integers("\(name).codes_raster"))
  let inSequence = images.flatMap { image in golden.sequence.cells.map { image[$0] } }
  #expect(try inSequence == golden.expected.integers("\(name).codes_sequence_order"))
}
