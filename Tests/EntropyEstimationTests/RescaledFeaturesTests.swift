import Foundation
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

@Suite struct RescaledFeaturesTests {
  let grid = TokenGrid(rows: 2, columns: 3)

  /// Tokens that depend on each other, times a number.
  func features(times factor: Float) throws -> TokenDataset {
    var rng = SeededGenerator(seed: 3)
    var values: [Float] = []
    for _ in 0..<200 {
      let common = Float.random(in: -1...1, using: &rng)
      for _ in 0..<(grid.cellCount * 2) {
        values.append((common + Float.random(in: -1...1, using: &rng)) * factor)
      }
    }
    return try TokenDataset(name: "field", grid: grid, tokens: .features(values, dimensions: 2))
  }

  /// H(ax) = H(x) + log a for each number, and increases do not change: also where a² leaves single precision's range.
  @Test(arguments: [-100, -60, 60, 100]) func entropiesFollowTheUnit(exponent: Int) throws {
    let (one, scaled) = (
      try features(times: 1),
      try features(times: Float(sign: .plus, exponent: exponent, significand: 1))
    )
    let shift = 2 * Double(exponent) * log(2)
    let order = try GenerationOrder.raster(on: grid)
    func profile(_ dataset: TokenDataset) throws -> OrderProfile {
      try OrderEstimator(EstimationSettings()).profiles(of: [order], in: dataset)[0]
    }
    let (a, b) = (try profile(one), try profile(scaled))
    // The scaled features differ by a power of two exactly; log-determinants of size 100 are rounded to 10⁻¹³.
    #expect(abs(b.totalIncrease.value - a.totalIncrease.value) < 1e-9)
    #expect(abs(b.jointEntropy.value - a.jointEntropy.value - 6 * shift) < 1e-9)
    for index in a.sequential.indices {
      #expect(abs(b.sequential[index].value - a.sequential[index].value - shift) < 1e-9)
      #expect(abs(b.parallel[index].value - a.parallel[index].value - shift) < 1e-9)
    }
    func map(_ dataset: TokenDataset) throws -> ConditionalEntropyMap {
      try MapEstimator(EstimationSettings()).maps(
        references: [GridCell(row: 0, column: 1)], in: dataset)[0]
    }
    let (c, d) = (try map(one), try map(scaled))
    for index in 0..<grid.cellCount {
      #expect(abs(d.marginal[index].value - c.marginal[index].value - shift) < 1e-9)
      #expect((c.information[index] == nil) == (d.information[index] == nil))
      if let x = c.information[index], let y = d.information[index] {
        #expect(abs(x.value - y.value) < 1e-9)
      }
    }
    let untouched = try RescaledFeatures(one)
    #expect(untouched == nil)
  }
}
