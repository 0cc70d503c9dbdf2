import LinearAlgebra
import Testing

@testable import GenerationMetrics

@Suite struct FrechetExtrapolationTests {
  /// N(0, 1) against N(0, 1.2²) in six dimensions: 6·0.2² = 0.24; the plain distance of 150 images is biased upwards.
  @Test func theBiasIsExtrapolatedAway() throws {
    var (plain, extrapolated, covered) = (0.0, 0.0, 0)
    let repetitions = 12
    for seed in 0..<repetitions {
      let a = set(normals(150, 6, seed: UInt64(2 * seed + 100)).single)
      let b = set(normals(150, 6, seed: UInt64(2 * seed + 101), scale: 1.2).single)
      plain += try FrechetDistance(a.gaussian, b.gaussian).value / Double(repetitions)
      let result = try #require(try FrechetExtrapolation.extrapolate(a, b, seed: 1))
      extrapolated += result.estimate.value / Double(repetitions)
      #expect(result.slope > 0)
      if abs(result.estimate.value - 0.24) < 3 * result.estimate.standardError { covered += 1 }
    }
    #expect(plain > 0.4)
    #expect(abs(extrapolated - 0.24) < 0.5 * (plain - 0.24))
    #expect(covered >= repetitions - 3)
  }

  @Test func tooFewImagesGiveNoExtrapolation() throws {
    let a = set(normals(30, 20, seed: 1).single)
    #expect(try FrechetExtrapolation.extrapolate(a, a, seed: 1) == nil)
    let needed = FrechetExtrapolation.imagesNeeded(dimensions: 5)
    let b = set(normals(needed, 5, seed: 1).single)
    #expect(try FrechetExtrapolation.extrapolate(b, b, seed: 1) != nil)
  }

  @Test func aLineIsFitted() {
    let line = fittedLine([(0, 1), (1, 3), (2, 5)])
    #expect(abs(line.intercept - 1) < 1e-14 && abs(line.slope - 2) < 1e-14)
  }
}
