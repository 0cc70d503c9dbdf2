import NeuralKernels
import PARTransformer
import Testing
import TokenGrids

@Test func parTransformerExample() throws {
  // README.md:
  let configuration = PARConfiguration(
    layers: 1, heads: 2, width: 16, codes: 32, classes: 3, tokensPerStep: 4)
  let order = try GenerationOrder.distant(on: TokenGrid(rows: 4, columns: 4), tokensPerStep: 4)
  let team = WorkerTeam(workers: 2)
  let sampler = try PARSampler(
    weights: PARWeights(randomFor: configuration, precision: .float32, team: team),
    sequence: PARSequence(order: order, tokensPerStep: 4), options: SamplingOptions(seed: 1),
    team: team)
  let images = try sampler.generate(labels: [0, 2])  // 16 codes for each of two images
  // What it says is so:
  #expect(images.count == 2)
  #expect(images.allSatisfy { $0.count == 16 && $0.allSatisfy { (0..<32).contains($0) } })
}
