import LinearAlgebra
import Statistics
import Testing
import TokenGrids

@testable import NeuralKernels

private let team = WorkerTeam(workers: 2)

private func random(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.nextUniform()) - 0.5 }
}

/// The obvious product, in Double.
private func product(_ w: WeightMatrix, _ x: [Float], rows: Int) -> [Float] {
  let weights = (0..<w.rows).map(w.row)
  return (0..<rows).flatMap { r in
    weights.map { row in
      var sum = 0.0
      for k in 0..<w.columns { sum += Double(row[k]) * Double(x[r * w.columns + k]) }
      return Float(sum)
    }
  }
}

private func multiply(
  _ w: WeightMatrix, _ x: [Float], rows: Int, onto start: [Float]? = nil,
  byBLAS: Bool = false, team: WorkerTeam = team
) -> [Float] {
  let y = FloatBuffer(start ?? Array(repeating: .nan, count: rows * w.rows))
  let scratch = FloatBuffer(
    count: WeightProduct.scratchCount(rows: rows, inputs: w.columns, team: team))
  if byBLAS {
    WeightProduct.multiplyByBLAS(
      w, FloatBuffer(x), rows: rows, into: y, accumulate: start != nil, team: team,
      scratch: scratch)
  } else {
    WeightProduct.multiply(
      w, FloatBuffer(x), rows: rows, into: y, accumulate: start != nil, team: team, scratch: scratch
    )
  }
  return y[0..<y.count]
}

private func difference(_ a: [Float], _ b: [Float]) -> Float {
  // Not `max`, which would pass over what is not a number.
  zip(a, b).reduce(0) { abs($1.0 - $1.1) <= $0 ? $0 : abs($1.0 - $1.1) }
}

// Sums of up to 2,113 products below 1/4: rounding stays below 10⁻⁴ by far.
private let tolerance: Float = 2e-5

/// Every instruction set, every number of rows that a tile or a remainder of tiles can have, and shapes that fill
/// neither blocks of outputs nor vectors nor chunks of columns: a chunk is 512 columns in F32 and 1,024 in BF16.
@Test(
  arguments: WeightPrecision.allCases,
  [(13, 5), (48, 64), (97, 300), (7, 1101), (31, 40), (6, 2113)])
func productsEqualTheObviousOnes(precision: WeightPrecision, shape: (outputs: Int, inputs: Int))
  throws
{
  let w = WeightMatrix(
    rows: shape.outputs, columns: shape.inputs, precision: precision,
    elements: random(shape.outputs * shape.inputs, seed: 1))
  let x = random(70 * shape.inputs, seed: 2)
  let all = product(w, x, rows: 70)
  let start = random(70 * shape.outputs, seed: 3)
  for instructions in InstructionSet.available {
    let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
    for rows in Array(1...33) + [70] {
      let expected = Array(all[..<(rows * shape.outputs)])
      let found = multiply(w, Array(x[..<(rows * shape.inputs)]), rows: rows, team: team)
      #expect(difference(found, expected) < tolerance, "\(instructions), \(rows) rows")
    }
    for rows in [1, 4, 16, 31] {
      let expected = (0..<rows * shape.outputs).map { start[$0] + all[$0] }
      let found = multiply(
        w, Array(x[..<(rows * shape.inputs)]), rows: rows,
        onto: Array(start[..<(rows * shape.outputs)]), team: team)
      #expect(difference(found, expected) < tolerance, "\(instructions), \(rows) rows added")
    }
  }
  #expect(difference(multiply(w, x, rows: 70, byBLAS: true), all) < tolerance)
}

@Test(arguments: WeightPrecision.allCases)
func aRowsResultDoesNotDependOnTheOthers(precision: WeightPrecision) {
  let (outputs, inputs) = (50, 1101)
  let w = WeightMatrix(
    rows: outputs, columns: inputs, precision: precision,
    elements: random(outputs * inputs, seed: 4))
  let x = random(70 * inputs, seed: 5)
  let all = multiply(w, x, rows: 70)
  for row in [0, 1, 5, 63, 64, 69] {
    let alone = multiply(
      w, Array(x[row * inputs..<(row + 1) * inputs]), rows: 1)
    #expect(alone == Array(all[row * outputs..<(row + 1) * outputs]))
  }
}

@Test(arguments: WeightPrecision.allCases, InstructionSet.available)
func gatedProductsEqualTheObviousOnes(precision: WeightPrecision, instructions: InstructionSet)
  throws
{
  let (outputs, inputs) = (130, 70)
  func matrix(_ seed: UInt64) -> WeightMatrix {
    WeightMatrix(
      rows: outputs, columns: inputs, precision: precision,
      elements: random(outputs * inputs, seed: seed))
  }
  let (a, b) = (matrix(6), matrix(7))
  let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
  for rows in [1, 4, 7, 16, 19] {
    let x = random(rows * inputs, seed: 8).map { 4 * $0 }
    let y = FloatBuffer(count: rows * outputs)
    WeightProduct.gated(
      a, b, FloatBuffer(x), rows: rows, into: y, team: team,
      scratch: FloatBuffer(
        count: WeightProduct.scratchCount(rows: rows, inputs: inputs, team: team))
    )
    let expected = zip(product(a, x, rows: rows), product(b, x, rows: rows)).map { gate, up in
      gate / (1 + Float.exp(-gate)) * up
    }
    #expect(difference(y[0..<y.count], expected) < 5 * tolerance)
  }
}

extension Float {
  fileprivate static func exp(_ x: Float) -> Float {
    // The series, which the tests' arguments are small enough for.
    var (sum, term) = (1.0, 1.0)
    for k in 1..<60 {
      term *= Double(x) / Double(k)
      sum += term
    }
    return Float(sum)
  }
}

@Test func randomWeightsDoNotDependOnTheTeam() {
  let one = WorkerTeam(workers: 1)
  let matrices = [one, team].map {
    WeightMatrix(
      randomWithRows: 40, columns: 50, precision: .float32, standardDeviation: 0.02, seed: 9,
      team: $0)
  }
  let elements = (0..<40).flatMap { matrices[0].row($0) }
  #expect(elements == (0..<40).flatMap { matrices[1].row($0) })
  let variance = elements.reduce(0) { $0 + $1 * $1 } / Float(elements.count)
  // 2,000 draws: the standard deviation is known to about 2%.
  #expect(abs(variance.squareRoot() - 0.02) < 0.002)
}

@Test func roundingToBFloat16TakesTheNearest() {
  let values: [Float] = [1, 0x1.01p0, 0x1.03p0, 0x1.010002p0, -.infinity, .nan]
  let nearest: [Float] = [1, 1, 0x1.04p0, 0x1.02p0, -.infinity]
  let rounded = HalfPrecision.widenBFloat16(HalfPrecision.narrowBFloat16(values))
  #expect(Array(rounded[..<5]) == nearest)
  #expect(rounded[5].isNaN)
}
