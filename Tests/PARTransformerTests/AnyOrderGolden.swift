import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Testing
import TokenGrids

/// Reference vectors of a tiny any-order transformer with random weights, computed by an independent implementation.
struct AnyOrderGolden {
  let weights: AnyOrderWeights
  let expected: SafetensorsFile
  let orders: [GenerationOrder]
  let guidance: Float

  static let steps = [12, 20]

  init(steps: Int, precision: WeightPrecision? = nil) throws {
    let checkpoint = try SafetensorsCheckpoint(path: GoldenSet.path("lpd-tiny-\(steps).weights"))
    weights = try AnyOrderWeights(AnyOrderTensors(checkpoint, heads: 4), precision: precision)
    expected = try SafetensorsFile(path: GoldenSet.path("lpd-tiny-\(steps).expected"))
    let sizes = try expected.integers("teacher.group_sizes")
    orders = try chunks(expected.integers("teacher.orders"), of: 64).enumerated().map {
      try GenerationOrder(
        name: "order \($0)", grid: TokenGrid(rows: 8, columns: 8), sequence: $1,
        groupSizes: sizes)
    }
    guidance = try #require(expected.metadata["guidance"].flatMap { Float($0) })
  }

  var labels: [Int] {
    get throws { try expected.integers("teacher.class") }
  }

  var codes: [[Int]] {
    get throws { try chunks(expected.integers("teacher.codes_raster"), of: 64) }
  }

  /// The options of the greedy codes of this name, and those codes.
  func greedy(_ name: String, batch: Int = 4) throws -> (SamplingOptions, [[Int]]) {
    let options = SamplingOptions(
      guidance: name == "cfg1" ? 1 : guidance,
      guidanceSchedule: name == "cfg_linear" ? .linear : .constant, isGreedy: true,
      batchSize: batch)
    return (options, try chunks(expected.integers("greedy.\(name).codes_raster"), of: 64))
  }
}
