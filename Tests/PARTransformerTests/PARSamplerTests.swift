import LinearAlgebra
import NeuralKernels
import Testing
import TokenGrids

@testable import PARTransformer

private func tinyModel(n: Int, codes: Int = 5) throws -> PARWeights {
  try PARWeights(
    randomFor: PARConfiguration(
      layers: 2, heads: 2, width: 32, hiddenWidth: 48, codes: codes, classes: 3, tokensPerStep: n),
    precision: .float32, seed: 11, team: GoldenSet.team)
}

private func sequence(_ grid: TokenGrid, n: Int) throws -> PARSequence {
  try PARSequence(
    order: OrderSpecification("raster").order(on: grid, tokensPerStep: n), tokensPerStep: n)
}

private func images(
  _ weights: PARWeights, _ sequence: PARSequence, _ options: SamplingOptions, labels: [Int],
  team: WorkerTeam = GoldenSet.team
) throws -> [[Int]] {
  try PARSampler(weights: weights, sequence: sequence, options: options, team: team)
    .generate(labels: labels)
}

@Test(arguments: [Float(1), 1.75], WeightPrecision.allCases)
func anImageDependsOnNeitherBatchNorThreads(guidance: Float, precision: WeightPrecision) throws {
  let golden = try GoldenSet(tokensPerStep: 4, precision: precision)
  func run(batch: Int, seed: UInt64 = 5, team: WorkerTeam = GoldenSet.team) throws -> [[Int]] {
    try images(
      golden.weights, golden.sequence,
      SamplingOptions(
        guidance: guidance, filter: TokenFilter(temperature: 0.9, topK: 40, topP: 0.95),
        seed: seed, batchSize: batch), labels: [0, 1, 2, 3, 9], team: team)
  }
  let reference = try run(batch: 1)
  #expect(Set(reference).count == 5)
  #expect(try run(batch: 2) == reference)
  #expect(try run(batch: 5, team: WorkerTeam(workers: 1)) == reference)
  #expect(try run(batch: 5, seed: 6) != reference)
}

@Test func guidanceOutsideItsIntervalIsOff() throws {
  let golden = try GoldenSet(tokensPerStep: 4)
  func run(_ guidance: Float, _ interval: ClosedRange<Int>?) throws -> [[Int]] {
    try images(
      golden.weights, golden.sequence,
      SamplingOptions(guidance: guidance, guidanceInterval: interval, seed: 1), labels: [1, 2])
  }
  let guided = try run(3, nil)
  let plain = try run(1, nil)
  #expect(guided != plain)
  #expect(try run(3, 1...19) == guided)
  #expect(try run(3, 20...99) == plain)
  // The first steps are the guided run's, for as long as the interval lasts.
  let early = try run(3, 1...6)
  let known = golden.sequence.cells.prefix(golden.sequence.passes[5].tokens.upperBound)
  #expect(known.map { early[0][$0] } == known.map { guided[0][$0] })
  #expect(early != guided)
}

@Test func causalAttentionIsAnotherModel() throws {
  let golden = try GoldenSet(tokensPerStep: 4)
  let groupwise = try images(
    golden.weights, golden.sequence, SamplingOptions(isGreedy: true), labels: [1])
  let causal = try images(
    golden.weights, golden.sequence, SamplingOptions(isGreedy: true, attention: .causal),
    labels: [1])
  // Within the single steps the two are the same.
  let singles = golden.sequence.cells.prefix(4)
  #expect(singles.map { groupwise[0][$0] } == singles.map { causal[0][$0] })
  #expect(groupwise != causal)
}

@Test func videoIsSampledLikeImages() throws {
  let weights = try PARWeights(
    randomFor: PARConfiguration(
      layers: 1, heads: 2, width: 32, hiddenWidth: 48, codes: 5, classes: 3, tokensPerStep: 4),
    precision: .float32, team: GoldenSet.team)
  let grid = TokenGrid(frames: 2, rows: 4, columns: 4)
  let order = try OrderSpecification("distant").order(on: grid, tokensPerStep: 4)
  let sequence = try PARSequence(order: order, tokensPerStep: 4)
  let videos = try images(weights, sequence, SamplingOptions(), labels: [0, 1])
  #expect(videos.allSatisfy { $0.count == 32 && $0.allSatisfy((0..<5).contains) })
}

/// The first token of a model is drawn with the probabilities of the class's logits; so is the second, given the
/// first. Pearson's statistic of 2,000 images over 4 cells has 3 degrees of freedom; it exceeds 31 with a
/// probability below 10⁻⁶.
@Test func frequenciesFollowTheProbabilities() throws {
  let weights = try tinyModel(n: 1, codes: 4)
  let grid = TokenGrid(rows: 1, columns: 2)
  let sequence = try sequence(grid, n: 1)
  // A low temperature spreads the tiny model's almost equal probabilities.
  let filter = TokenFilter(temperature: 0.02)
  let draws = try images(
    weights, sequence, SamplingOptions(filter: filter, seed: 3, batchSize: 50),
    labels: Array(repeating: 1, count: 2000))
  func statistic(_ values: [Int], _ probabilities: [Float]) -> Float {
    (0..<4).reduce(0) { sum, code in
      let expected = probabilities[code] * Float(values.count)
      let observed = Float(values.count { $0 == code })
      return sum + (observed - expected) * (observed - expected) / expected
    }
  }
  func probabilities(_ codes: [Int], token: Int) throws -> [Float] {
    let logits = try PARTransformer.teacherForcedLogits(
      weights: weights, sequence: sequence, codes: [codes], labels: [1], team: GoldenSet.team)[0]
    return filter.probabilities(Array(logits[4 * token..<4 * token + 4]))
  }
  let first = try probabilities([0, 0], token: 0)
  #expect(first.max() ?? 1 > 0.27)
  #expect(statistic(draws.map { $0[0] }, first) < 31)
  let most = SamplingStep.indexOfLargest(first)
  let second = try probabilities([most, 0], token: 1)
  #expect(statistic(draws.filter { $0[0] == most }.map { $0[1] }, second) < 31)
}

@Test func badRequestsAreNamed() throws {
  let golden = try GoldenSet(tokensPerStep: 4)
  #expect(throws: PARError.classOutOfRange(label: 10, classes: 10)) {
    try images(golden.weights, golden.sequence, SamplingOptions(), labels: [3, 10])
  }
  let other = try sequence(TokenGrid(rows: 8, columns: 8), n: 2)
  #expect(throws: PARError.wrongTokensPerStep(asked: 2, model: 4)) {
    try images(golden.weights, other, SamplingOptions(), labels: [3])
  }
  for options in [
    SamplingOptions(guidance: .nan), SamplingOptions(batchSize: 0),
    SamplingOptions(guidanceInterval: 0...3), SamplingOptions(filter: TokenFilter(temperature: -1)),
    SamplingOptions(filter: TokenFilter(topK: -1)), SamplingOptions(filter: TokenFilter(topP: 0)),
  ] {
    #expect(throws: PARError.self) { try options.validate() }
  }
  #expect(
    throws: PARError.codeOutOfRange(
      code: 64, image: 0, cell: GridCell(row: 0, column: 1), codes: 64)
  ) {
    try PARTransformer.teacherForcedLogits(
      weights: golden.weights, sequence: golden.sequence,
      codes: [[0, 64] + Array(repeating: 0, count: 62)], labels: [0], team: GoldenSet.team)
  }
}
