import LinearAlgebra
import NeuralKernels
import Testing

private struct Numbers {
  var state: UInt64
  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
  }
}

private let (inputs, hidden, outputs) = (5, 7, 3)

private func network() -> Perceptron {
  var numbers = Numbers(state: 1)
  let count = Perceptron.parameterCount(inputs: inputs, hidden: hidden, outputs: outputs)
  return Perceptron(
    inputs: inputs, hidden: hidden, outputs: outputs,
    parameters: (0..<count).map { _ in 0.7 * numbers.next() })
}

private func matrix(_ rows: Int, _ columns: Int, seed: UInt64) -> FloatMatrix {
  var numbers = Numbers(state: seed)
  return FloatMatrix(
    rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in 2 * numbers.next() })
}

/// One unit after the other; single precision over a dozen products.
@Test func outputsAreThoseOfUnitsOneByOne() {
  let (network, rows) = (network(), matrix(6, inputs, seed: 99))
  let (active, output) = network.forward(rows)
  let p = network.parameters
  for i in 0..<6 {
    let units = (0..<hidden).map { u in
      max((0..<inputs).reduce(p[hidden * inputs + u]) { $0 + p[u * inputs + $1] * rows[i, $1] }, 0)
    }
    for u in 0..<hidden { #expect(abs(active[i, u] - units[u]) < 1e-5) }
    let readout = hidden * (inputs + 1)
    for o in 0..<outputs {
      let value = (0..<hidden).reduce(p[readout + outputs * hidden + o]) {
        $0 + p[readout + o * hidden + $1] * units[$1]
      }
      #expect(abs(output[i, o] - value) < 1e-5)
    }
  }
  #expect(network.forward(FloatMatrix(rows: 0, columns: inputs)).output.rows == 0)
}

/// Central differences of ½·Σ (y − t)², parameter by parameter, in double precision from outputs rounded to about 1e-7;
/// over a step of 4e-3 that is 1e-4 of a derivative of this size. Kinks of the ReLU that lie within a step are left out by
/// asking for 97% of the parameters.
@Test func gradientsMatchFiniteDifferences() {
  var network = network()
  let (rows, targets) = (matrix(8, inputs, seed: 5), matrix(8, outputs, seed: 6))
  func loss() -> Double {
    zip(network.forward(rows).output.elements, targets.elements).reduce(0) {
      $0 + 0.5 * Double($1.0 - $1.1) * Double($1.0 - $1.1)
    }
  }
  let (active, output) = network.forward(rows)
  let error = FloatMatrix(
    rows: 8, columns: outputs, elements: zip(output.elements, targets.elements).map { $0 - $1 })
  let gradient = network.gradient(rows, active: active, outputGradient: error)
  let step: Float = 2e-3
  var wrong = 0
  for index in network.parameters.indices {
    let value = network.parameters[index]
    network.parameters[index] = value + step
    let above = loss()
    network.parameters[index] = value - step
    let below = loss()
    network.parameters[index] = value
    let slope = (above - below) / Double(2 * step)
    if abs(slope - Double(gradient[index])) > 2e-3 * max(1, abs(slope)) { wrong += 1 }
  }
  #expect(
    Double(wrong) < 0.03 * Double(network.parameters.count),
    "\(wrong) of \(network.parameters.count)")
  #expect(gradient.contains { $0 != 0 })
}

/// The first step of AdamW is the rate times the sign of the gradient, and decay shrinks what has no gradient; a quadratic
/// is brought to its minimum.
@Test func adamWStepsAndConverges() {
  var parameters: [Float] = [1, -2, 3]
  var optimizer = AdamW(parameterCount: 3, weightDecay: 0.1)
  optimizer.step(&parameters, gradient: [4, -0.5, 0], rate: 0.01)
  #expect(parameters.count == 3)
  for (a, b) in zip(parameters, [0.999 - 0.01, -1.998 + 0.01, 2.997] as [Float]) {
    #expect(abs(a - b) < 1e-5)
  }
  var place: [Float] = [5]
  var descent = AdamW(parameterCount: 1, weightDecay: 0)
  for _ in 0..<2000 { descent.step(&place, gradient: [place[0] - 2], rate: 0.02) }
  #expect(abs(place[0] - 2) < 1e-2)
}

@Test func rowsAreGatheredFromBlocks() {
  let gather = BlockGather(
    blockSize: 2,
    template: FloatMatrix(rows: 2, columns: 5, elements: [9, 9, 9, 9, 1, 8, 8, 8, 8, 2]),
    copies: [(block: 1, row: 0, column: 2), (block: 0, row: 1, column: 0)])
  let rows = gather.rows(
    of: FloatMatrix(rows: 2, columns: 4, elements: [10, 11, 12, 13, 20, 21, 22, 23]))
  #expect(
    rows.elements == [
      9, 9, 12, 13, 1, 10, 11, 8, 8, 2, 9, 9, 22, 23, 1, 20, 21, 8, 8, 2,
    ])
}

/// w − K·y and −Kᵀ·g, row by row with the matrices in turn, against sums written out.
@Test func rowsAreTransformedByMatricesInTurn() {
  let matrices: [[Float]] = [[1, 2, 3, 4], [0, 1, -1, 2]]
  let rows = FloatMatrix(rows: 3, columns: 2, elements: [1, 1, 2, 3, 5, 8])
  let other = FloatMatrix(rows: 3, columns: 2, elements: [1, 0, 2, 1, 0, 1])
  #expect(
    rows.subtractingProducts(matrices, other).elements == [0, -2, 1, 3, 3, 4])
  #expect(
    rows.negativeTransposedProducts(matrices).elements == [-4, -6, 3, -8, -29, -42])
}
