import Foundation
import Testing

@testable import Figures

@Test(arguments: [DarkEnd.low, .high], [0.5, 1])
func darknessRunsFromZeroToOne(darkEnd: DarkEnd, gamma: Double) {
  let scale = ColorScale(low: -3, high: 5, darkEnd: darkEnd, gamma: gamma)
  let (light, dark) = darkEnd == .high ? (-3.0, 5.0) : (5.0, -3.0)
  #expect(scale.darkness(of: light) == 0)
  #expect(scale.darkness(of: dark) == 1)
  #expect(abs(scale.darkness(of: 1) - pow(0.5, gamma)) < 1e-15)
  #expect(scale.darkness(of: dark * 10) == 1)
  #expect(scale.darkness(of: .nan).isNaN)
}

@Test func rangeCoversAllFiniteValues() throws {
  let scale = try #require(
    ColorScale.fitting([3, .nan, -1, .infinity, 2, -.infinity], darkEnd: .low))
  #expect(scale.low == -1)
  #expect(scale.high == 3)
}

@Test func constantValuesStillGiveARange() throws {
  let scale = try #require(ColorScale.fitting([-2, -2], darkEnd: .low))
  #expect(scale.low < -2 && scale.high > -2)
  #expect(scale.darkness(of: -2).isFinite)
  #expect(ColorScale.fitting([.nan], darkEnd: .low) == nil)
}

@Test func gammaBringsOutFaintDependence() throws {
  let even = try #require(ColorScale.fitting((0...100).map(Double.init), darkEnd: .low))
  #expect(even.gamma == 1)
  // A few strong neighbours, many cells that are faintly dependent: u = 0.05, so gamma =
  // ln(1/6)/ln(0.05).
  let values = [0, 0, 0] + [Double](repeating: 95, count: 80) + [100]
  let decay = try #require(ColorScale.fitting(values, darkEnd: .low))
  #expect(decay.gamma == 0.6)
  #expect(abs(decay.darkness(of: 95) - 1.0 / 6) < 0.02)
  let steep = try #require(
    ColorScale.fitting([0] + [Double](repeating: 99.9, count: 80) + [100], darkEnd: .low))
  #expect(steep.gamma == 0.5)
}
