import Foundation
import LinearAlgebra
import Statistics
import TokenGrids
import Testing

@testable import NeuralKernels

/// Attention as its definition says, in Double, from all positions at once.
private struct ReferenceAttention {
  let heads: Int
  let width: Int
  let angles: [Double]
  /// positions × 3·heads·width.
  let qkv: [Float]

  private func vector(_ part: Int, _ position: Int, _ head: Int) -> [Double] {
    let start = (position * 3 + part) * heads * width + head * width
    return qkv[start..<start + width].map(Double.init)
  }

  /// The pairs (2i, 2i + 1) turned by the position's angles; not at all of length where the angle is not a number.
  private func turned(_ x: [Double], _ position: Int) -> [Double] {
    var out = x
    for i in 0..<width / 2 {
      let angle = angles[position * (width / 2) + i]
      let (c, s) = angle.isNaN ? (0, 0) : (cos(angle), sin(angle))
      out[2 * i] = x[2 * i] * c - x[2 * i + 1] * s
      out[2 * i + 1] = x[2 * i] * s + x[2 * i + 1] * c
    }
    return out
  }

  /// What one position of one head gets from the first `visible` positions.
  func output(position: Int, head: Int, visible: Int) -> [Double] {
    let query = turned(vector(0, position, head), position)
    var weights: [Double] = []
    for other in 0..<visible {
      let key = turned(vector(1, other, head), other)
      var score = 0.0
      for i in 0..<width { score += query[i] * key[i] }
      weights.append(exp(score / Double(width).squareRoot()))
    }
    let total = weights.reduce(0, +)
    var out = Array(repeating: 0.0, count: width)
    for other in 0..<visible {
      let value = vector(2, other, head)
      for i in 0..<width { out[i] += weights[other] / total * value[i] }
    }
    return out
  }
}

/// Two sequences are run pass by pass, passes as long as a tile of queries, longer and shorter, with head widths that
/// fill tiles of coordinates and that do not, under both masks; and some positions have no rotation.
@Test(arguments: InstructionSet.available, [4, 16, 24, 64, 80])
func attentionEqualsTheDefinition(instructions: InstructionSet, width: Int) throws {
  let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
  let (heads, slots) = (3, 2)
  let passes = [1, 1, 4, 16, 7, 33, 12, 3]
  let capacity = passes.reduce(0, +)
  var generator = SeededGenerator(seed: 1)
  var angles = (0..<capacity * width / 2).map { _ in 6 * generator.nextUniform() }
  for i in 0..<width / 2 {
    angles[i] = .nan
    angles[5 * (width / 2) + i] = .nan
  }
  let rotation = TransformerKernels.Rotation(
    cosines: angles.map { $0.isNaN ? 0 : Float(cos($0)) },
    sines: angles.map { $0.isNaN ? 0 : Float(sin($0)) }, pairs: width / 2)
  let references = (0..<slots).map { _ in
    ReferenceAttention(
      heads: heads, width: width, angles: angles,
      qkv: (0..<capacity * 3 * heads * width).map { _ in 4 * Float(generator.nextUniform()) - 2 })
  }
  for isCausal in [false, true] {
    let cache = AttentionCache(
      layers: 1, slots: slots, capacity: capacity, heads: heads, headWidth: width)
    var first = 0
    for rows in passes {
      let positions = first..<first + rows
      let model = heads * width
      let qkv = FloatBuffer(
        references.flatMap { $0.qkv[first * 3 * model..<(first + rows) * 3 * model] })
      let out = FloatBuffer(Array(repeating: .nan, count: slots * rows * model))
      let visible = positions.map { isCausal ? $0 + 1 : first + rows }
      cache.attend(
        layer: 0, qkv: qkv, slots: slots, positions: positions, rotation: rotation,
        visible: visible.map(Int32.init), into: out, team: team,
        scratch: FloatBuffer(count: cache.scratchCount(rows: rows, team: team)))
      let found = out[0..<out.count]
      var largest = 0.0
      for slot in 0..<slots {
        // The first, the last and one in the middle stand for the rows of a long pass.
        for row in Set([0, rows / 2, rows - 1]) {
          for head in 0..<heads {
            let expected = references[slot].output(
              position: first + row, head: head, visible: visible[row])
            let start = (slot * rows + row) * model + head * width
            for i in 0..<width {
              let difference = abs(Double(found[start + i]) - expected[i])
              if !(difference <= largest) { largest = difference }
            }
          }
        }
      }
      // Scores reach some tens, known to 10⁻⁵ in single precision, so that weights of values up to 2 are off by 10⁻⁵.
      #expect(largest < 5e-5, "\(rows) rows from position \(first)")
      first += rows
    }
  }
}

/// What a position gets is the same to the last bit whether it comes alone or in a pass of any length: tiles of one, of
/// four and of the most queries, blocks that are full and that are not.
@Test(arguments: InstructionSet.available)
func aPositionsResultDoesNotDependOnItsPass(instructions: InstructionSet) throws {
  let team = try #require(WorkerTeam(workers: 2, instructions: instructions))
  let (heads, width, capacity) = (2, 40, 150)
  var generator = SeededGenerator(seed: 2)
  let model = heads * width
  let qkv = (0..<capacity * 3 * model).map { _ in 2 * Float(generator.nextUniform()) - 1 }
  let angles = (0..<capacity * width / 2).map { _ in Float(6 * generator.nextUniform()) }
  let rotation = TransformerKernels.Rotation(
    cosines: angles.map { Float(cos(Double($0))) }, sines: angles.map { Float(sin(Double($0))) },
    pairs: width / 2)
  func outputs(passes: [Int]) -> [Float] {
    let cache = AttentionCache(
      layers: 1, slots: 1, capacity: capacity, heads: heads, headWidth: width)
    var first = 0
    return passes.flatMap { rows in
      let positions = first..<first + rows
      first += rows
      let out = FloatBuffer(count: rows * model)
      cache.attend(
        layer: 0,
        qkv: FloatBuffer(
          Array(qkv[positions.lowerBound * 3 * model..<positions.upperBound * 3 * model])),
        slots: 1, positions: positions, rotation: rotation,
        visible: positions.map { Int32($0 + 1) }, into: out, team: team,
        scratch: FloatBuffer(count: cache.scratchCount(rows: rows, team: team)))
      return out[0..<out.count]
    }
  }
  let alone = outputs(passes: Array(repeating: 1, count: capacity))
  #expect(alone == outputs(passes: [capacity]))
  #expect(alone == outputs(passes: [4, 16, 17, 33, 10, 64, 6]))
}
