import LinearAlgebra
import Testing

@testable import GenerationMetrics

@Suite struct FrechetExtrapolationTests {
  /// The mean and the standard deviation of what `body` gives for seeds.
  private func statistics(
    _ count: Int, _ body: (UInt64) throws -> Double
  ) rethrows -> (mean: Double, deviation: Double) {
    let values = try (0..<count).map { try body(UInt64($0)) }
    let mean = values.reduce(0, +) / Double(count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(count - 1)).squareRoot())
  }

  private func pair(
    _ images: Int, scale: Double, seed: UInt64
  ) -> (FeatureSet, FeatureSet) {
    (
      set(normals(images, 6, seed: 2 * seed + 100).single),
      set(normals(images, 6, seed: 2 * seed + 101, scale: scale).single)
    )
  }

  /// N(0, 1) against N(0, s²) in six dimensions: 6·(s − 1)². The distance itself is 0.1 to 1 too large; what is left of
  /// that in the mean of 60 is within five of its standard errors, whatever the number of images.
  @Test(arguments: [(40, 1.0), (160, 1.0), (60, 1.3), (240, 1.3)])
  func infinityDoesNotDependOnTheNumberOfImages(images: Int, scale: Double) throws {
    let truth = 6 * (scale - 1) * (scale - 1)
    var (squares, covered, plain, corrected) = (0.0, 0, 0.0, [Double]())
    let repetitions = 60
    let found = try statistics(repetitions) { seed in
      let (a, b) = pair(images, scale: scale, seed: seed)
      let result = try #require(try FrechetExtrapolation.extrapolate(a, b))
      let distance = try FrechetDistance(a.gaussian, b.gaussian)
      #expect(abs(result.bias + result.estimate.value - distance.value) < 1e-12)
      plain += distance.value / Double(repetitions)
      corrected.append(distance.correctedValue ?? .nan)
      let error = result.estimate.standardError
      squares += error * error / Double(repetitions)
      // 95% of Student's t with nine degrees of freedom.
      if abs(result.estimate.value - truth) < 2.26 * error { covered += 1 }
      return result.estimate.value
    }
    let error = found.deviation / Double(repetitions).squareRoot()
    #expect(abs(found.mean - truth) < 5 * error, "\(found)")
    #expect(plain - truth > 10 * error)
    // Fewer than 46 of 60 intervals of 95% once in 10⁷.
    #expect(covered >= 46)
    // The error is that of the estimate, or a little larger; standard deviations of 60 are off by a tenth.
    let ratio = squares.squareRoot() / found.deviation
    #expect(ratio > 0.7 && ratio < 1.8, "\(ratio)")
    // Nothing is lost to what subsets happen to hold: the spread is that of the distance itself.
    let spread = statistics(repetitions) { corrected[Int($0)] }.deviation
    #expect(found.deviation < 1.4 * spread, "\(found.deviation) \(spread)")
  }

  /// For ‖z̄‖² the extrapolation is the mean of z_g·z_h over pairs of groups, and q the variance that it has where z is noise;
  /// for z̄ itself it is z̄ with its usual error.
  @Test func theFormulasAreThoseOfUStatistics() {
    let z = normals(10, 3, seed: 5)
    func statistic(_ left: [Int], _ of: ([Double]) -> Double) -> Double {
      let kept = (0..<10).filter { !left.contains($0) }
      return of(
        (0..<3).map { c in kept.reduce(0) { $0 + z[$1, c] } / Double(kept.count) })
    }
    func result(_ of: ([Double]) -> Double) -> (value: Double, error: Double) {
      var two = Matrix(rows: 10, columns: 10)
      for g in 0..<10 {
        for h in 0..<10 where h != g { two[g, h] = statistic([g, h], of) }
      }
      let estimate = extrapolated(
        statistic([], of), withoutOne: (0..<10).map { statistic([$0], of) }, withoutTwo: two)
      return (estimate.value, estimate.standardError)
    }
    let square = result { $0.reduce(0) { $0 + $1 * $1 } }
    var products = 0.0
    for g in 0..<10 {
      for h in 0..<10 where h != g {
        products += (0..<3).reduce(0) { $0 + z[g, $1] * z[h, $1] } / 90
      }
    }
    #expect(abs(square.value - products) < 1e-12)
    let linear = result { $0[0] }
    let values = (0..<10).map { z[$0, 0] }
    let mean = values.reduce(0, +) / 10
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9
    #expect(abs(linear.value - mean) < 1e-12)
    #expect(abs(linear.error - (variance / 10).squareRoot()) < 1e-12)
  }

  @Test func tooFewImagesGiveNoExtrapolation() throws {
    let a = set(normals(40, 20, seed: 1).single)
    #expect(try FrechetExtrapolation.extrapolate(a, a) == nil)
    let needed = FrechetExtrapolation.imagesNeeded(dimensions: 20)
    #expect(needed == 50)
    for (images, isGiven) in [(needed - 10, false), (needed, true)] {
      let b = set(normals(images, 20, seed: 1).single)
      #expect(try (FrechetExtrapolation.extrapolate(b, b) != nil) == isGiven)
    }
  }
}
