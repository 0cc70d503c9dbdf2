import NeuralKernels
import Testing

@Test func neuralKernelsExample() throws {
  // README.md:
  let team = WorkerTeam(workers: 2)
  let weights = WeightMatrix(
    rows: 2, columns: 3, precision: .bfloat16, elements: [1, 2, 3, 4, 5, 6])
  let input = FloatBuffer([1, 0, -1])
  let output = FloatBuffer(count: 2)
  let scratch = FloatBuffer(count: WeightProduct.scratchCount(rows: 1, inputs: 3, team: team))
  WeightProduct.multiply(weights, input, rows: 1, into: output, team: team, scratch: scratch)
  let products = output[0..<2]  // [-2, -2]
  // What it says is so:
  #expect(products == [-2, -2])
}
