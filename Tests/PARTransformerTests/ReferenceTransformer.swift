import Foundation
import LinearAlgebra
import NeuralKernels
import TokenGrids

@testable import PARTransformer

/// The whole forward pass as the paper writes it, in Double, without cache or kernels: every position of a sequence is
/// computed from all others under an explicit mask.
struct ReferenceTransformer {
  let weights: PARWeights
  let sequence: PARSequence

  private typealias Row = [Double]

  private func rows(_ matrix: WeightMatrix) -> [[Double]] {
    (0..<matrix.rows).map { matrix.row($0).map(Double.init) }
  }

  private func product(_ x: Row, _ matrix: [[Double]]) -> Row {
    matrix.map { weights in
      var sum = 0.0
      for k in 0..<x.count { sum += x[k] * weights[k] }
      return sum
    }
  }

  private func norm(_ x: Row, _ weight: FloatBuffer) -> Row {
    var squares = 0.0
    for value in x { squares += value * value }
    let scale = 1 / (squares / Double(x.count) + 1e-5).squareRoot()
    return zip(x, weight[0..<weight.count]).map { $0 * scale * Double($1) }
  }

  private func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

  /// The code, or rather what stands there, at each position: class, n tokens, n − 1 transitions, the rest.
  private func embedding(_ codes: [Int], label: Int) -> [Row] {
    let n = sequence.tokensPerStep
    let tokens = sequence.cells.map { weights.tokenEmbedding.row(codes[$0]).map(Double.init) }
    let transitions = weights.transitionEmbedding.map(rows) ?? []
    var all: [Row] = [weights.classEmbedding.row(label).map(Double.init)]
    all += tokens.prefix(n)
    all += transitions
    all += tokens.dropFirst(n)
    // What the last group would predict is not asked for.
    return Array(all.prefix(tokens.count))
  }

  /// The cell of the token at each position; nil for the class and the transitions.
  private var cells: [Int?] {
    let n = sequence.tokensPerStep
    let tokens: [Int?] = sequence.cells
    var cells: [Int?] = [nil]
    cells += tokens.prefix(n)
    cells += Array(repeating: nil, count: n - 1)
    cells += tokens.dropFirst(n)
    return Array(cells.prefix(tokens.count))
  }

  /// Whether position `row` sees position `column`: what precedes it, and all of its own group of n.
  private func sees(_ row: Int, _ column: Int) -> Bool {
    let n = sequence.tokensPerStep
    return column <= row || (row >= n && column < (row / n + 1) * n)
  }

  /// The pairs (2i, 2i + 1) of a head, turned by row and column; zero at positions without a cell.
  private func turned(_ x: Row, cell: Int?) -> Row {
    guard let cell else { return Array(repeating: 0, count: x.count) }
    let quarter = x.count / 4
    var out = x
    for i in 0..<x.count / 2 {
      let columns = sequence.order.grid.columns
      let place = i < quarter ? cell / columns : cell % columns
      let angle = Double(place) * pow(10_000, -Double(i % quarter) / Double(quarter))
      out[2 * i] = x[2 * i] * cos(angle) - x[2 * i + 1] * sin(angle)
      out[2 * i + 1] = x[2 * i] * sin(angle) + x[2 * i + 1] * cos(angle)
    }
    return out
  }

  private func attention(_ qkv: [Row], _ cells: [Int?]) -> [Row] {
    let heads = weights.configuration.heads
    let width = weights.configuration.width
    let headWidth = width / heads
    var out = qkv.map { _ in Array(repeating: 0.0, count: width) }
    for head in 0..<heads {
      func part(_ number: Int, _ position: Int) -> Row {
        let start = number * width + head * headWidth
        return Array(qkv[position][start..<start + headWidth])
      }
      let queries = qkv.indices.map { turned(part(0, $0), cell: cells[$0]) }
      let keys = qkv.indices.map { turned(part(1, $0), cell: cells[$0]) }
      let values = qkv.indices.map { part(2, $0) }
      for row in qkv.indices {
        let seen = qkv.indices.filter { sees(row, $0) }
        let scores = seen.map { column in
          var score = 0.0
          for i in 0..<headWidth { score += queries[row][i] * keys[column][i] }
          return exp(score / Double(headWidth).squareRoot())
        }
        let total = scores.reduce(0, +)
        for (column, score) in zip(seen, scores) {
          for i in 0..<headWidth {
            out[row][head * headWidth + i] += score / total * values[column][i]
          }
        }
      }
    }
    return out
  }

  /// The logits of all tokens, `N × K`; row k predicts token k.
  func logits(codes: [Int], label: Int) -> [Float] {
    var x = embedding(codes, label: label)
    let cells = cells
    func add(_ y: [Row]) {
      for position in x.indices {
        for i in x[position].indices { x[position][i] += y[position][i] }
      }
    }
    for layer in weights.layers {
      let qkv = rows(layer.queriesKeysValues)
      let attended = attention(x.map { product(norm($0, layer.attentionNorm), qkv) }, cells)
      let output = rows(layer.attentionOutput)
      add(attended.map { product($0, output) })
      let (gate, up, down) = (rows(layer.gate), rows(layer.up), rows(layer.down))
      add(
        x.map { row in
          let normed = norm(row, layer.feedForwardNorm)
          let hidden = zip(product(normed, gate), product(normed, up)).map { silu($0) * $1 }
          return product(hidden, down)
        })
    }
    let output = rows(weights.output)
    return x.flatMap { product(norm($0, weights.norm), output).map { Float($0) } }
  }
}
