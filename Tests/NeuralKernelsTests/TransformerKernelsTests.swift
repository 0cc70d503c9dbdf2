import Foundation
import LinearAlgebra
import Statistics
import TokenGrids
import Testing

@testable import NeuralKernels

private func random(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in scale * (Float(generator.nextUniform()) - 0.5) }
}

@Suite struct TransformerKernelsTests {
  @Test(arguments: InstructionSet.available)
  func normsEqualTheDefinition(instructions: InstructionSet) throws {
    let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
    // The last of them is shared by the workers.
    for (rows, width) in [(1, 1), (3, 17), (2, 64), (5, 131), (33, 300)] {
      let x = random(rows * width, seed: 1, scale: 6)
      let weight = random(width, seed: 2)
      let out = FloatBuffer(count: rows * width)
      TransformerKernels.rmsNorm(
        FloatBuffer(x), weight: FloatBuffer(weight), rows: rows, epsilon: 1e-5, into: out,
        team: team)
      for r in 0..<rows {
        let row = x[r * width..<(r + 1) * width].map(Double.init)
        let mean = row.reduce(0) { $0 + $1 * $1 } / Double(width)
        for (i, value) in row.enumerated() {
          let expected = value / (mean + 1e-5).squareRoot() * Double(weight[i])
          // A mean of up to 300 squares in single precision is good to a few 10⁻⁷; results are below 2.
          #expect(abs(Double(out[r * width + i..<r * width + i + 1][0]) - expected) < 2e-6)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func layerNormsAndBiasesEqualTheDefinition(instructions: InstructionSet) throws {
    let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
    for (rows, width) in [(1, 2), (3, 17), (2, 64), (5, 131), (33, 300)] {
      // A shift that a norm without a mean would not take off.
      let x = random(rows * width, seed: 1, scale: 6).map { $0 + 3 }
      let (weight, bias) = (random(width, seed: 2), random(width, seed: 3))
      let out = FloatBuffer(x)
      TransformerKernels.layerNorm(
        out, weight: FloatBuffer(weight), bias: FloatBuffer(bias), rows: rows, epsilon: 1e-6,
        into: out, team: team)
      let (plain, active) = (FloatBuffer(x), FloatBuffer(x))
      TransformerKernels.addBias(FloatBuffer(bias), to: plain, rows: rows, team: team)
      TransformerKernels.addBias(FloatBuffer(bias), to: active, rows: rows, gelu: true, team: team)
      let (norms, sums, gelus) = (
        out[0..<x.count], plain[0..<x.count], active[0..<x.count]
      )
      for r in 0..<rows {
        let row = x[r * width..<(r + 1) * width].map(Double.init)
        let mean = row.reduce(0, +) / Double(width)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
        for (i, value) in row.enumerated() {
          let place = r * width + i
          let expected = (value - mean) / (variance + 1e-6).squareRoot()
          // Single precision of values up to 9 in means of 300; near equal values lose what their difference lacks.
          let tolerance = 4e-6 * (1 + 1 / variance.squareRoot())
          #expect(
            abs(Double(norms[place]) - expected * Double(weight[i]) - Double(bias[i])) < tolerance)
          #expect(sums[place] == x[place] + bias[i])
          let sum = Double(sums[place])
          // The formula of the error function is good to 1.5·10⁻⁷, times up to 10.
          #expect(abs(Double(gelus[place]) - sum * 0.5 * erfc(-sum / 2.0.squareRoot())) < 3e-6)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func softmaxEqualsTheDefinition(instructions: InstructionSet) throws {
    let team = try #require(WorkerTeam(workers: 1, instructions: instructions))
    for count in Array(1...33) + [1000] {
      for (scale, shift) in [(1, 0), (60, 0), (10, 1e4)] as [(Float, Float)] {
        var values = random(count, seed: UInt64(count), scale: scale).map { $0 + shift }
        let largest = values.max() ?? 0
        let exponentials = values.map { exp(Double($0) - Double(largest)) }
        let total = exponentials.reduce(0, +)
        TransformerKernels.softmax(&values, asBy: team)
        for (value, e) in zip(values, exponentials) {
          // The exponential is good to some two units in the last place, the sum of 1,000 to fewer than 32.
          #expect(abs(Double(value) - e / total) < 4e-6 * e / total + 1e-30)
        }
      }
    }
  }
}
