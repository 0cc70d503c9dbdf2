import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Testing
import TokenData
import TokenGrids

/// One set of reference vectors: the weights of a tiny random model and what the published architecture makes of
/// them, computed by an independent implementation.
struct GoldenSet: CustomTestStringConvertible {
  let tokensPerStep: Int
  let weights: PARWeights
  let expected: SafetensorsFile
  let sequence: PARSequence

  static let team = WorkerTeam(workers: 2)
  static let tokensPerStep = [1, 4, 16]

  init(tokensPerStep n: Int, precision: WeightPrecision? = nil) throws {
    tokensPerStep = n
    weights = try PARWeights(
      checkpoint: SafetensorsCheckpoint(path: Self.path("par-tiny-\(n)x.weights")),
      precision: precision)
    expected = try SafetensorsFile(path: Self.path("par-tiny-\(n)x.expected"))
    let permutation = try expected.integers("order.permutation")
    sequence = try PARSequence(
      order: Self.order(permutation, tokensPerStep: n, grid: TokenGrid(rows: 8, columns: 8)),
      tokensPerStep: n)
  }

  var testDescription: String { "n = \(tokensPerStep)" }

  var labels: [Int] {
    get throws { try expected.integers("teacher.class") }
  }

  var codes: [[Int]] {
    get throws { try chunks(expected.integers("teacher.codes_raster"), of: 64) }
  }

  static func path(_ name: String) throws -> String {
    try #require(
      Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Resources"))
  }

  /// n single steps, then groups of n: what every order for a PAR model looks like.
  static func order(
    _ cells: [Int], tokensPerStep n: Int, grid: TokenGrid, singles: Int? = nil
  ) throws -> GenerationOrder {
    let singles = singles ?? n
    let groups = stride(from: singles, to: cells.count, by: n).map {
      Array(cells[$0..<min($0 + n, cells.count)])
    }
    return try GenerationOrder(
      name: "test order", grid: grid, steps: cells.prefix(singles).map { [$0] } + groups)
  }
}

/// Cuts `values` into rows.
func chunks<T>(_ values: [T], of size: Int) -> [[T]] {
  stride(from: 0, to: values.count, by: size).map { Array(values[$0..<$0 + size]) }
}

/// The largest absolute difference of two lists of the same length; not a number where one of them is not.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  precondition(a.count == b.count, "lists of the same length")
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference <= largest ? largest : difference
  }
}
