import Statistics
import Testing

@testable import GenerationMetrics

@Suite struct CorrelationIntervalTests {
  /// Orthogonal columns of zero mean and equal length, from a Hadamard matrix.
  private let z = [1.0, 1, 1, 1, -1, -1, -1, -1]
  private let a = [1.0, 1, -1, -1, 1, 1, -1, -1]
  private let b = [1.0, -1, 1, -1, 1, -1, 1, -1]

  @Test func whatAThirdQuantitySaysIsTakenOff() throws {
    let x = zip(z, a).map(+)
    // r_xy = 1/2 and r_xz = r_yz = 1/√2: nothing is left.
    let common = try #require(Correlation.partial(x, zip(z, b).map(+), given: z))
    #expect(abs(common) < 1e-12)
    // r_xy = 2/√6, r_xz = 1/√2, r_yz = 1/√3.
    let more = zip(x, b).map(+)
    let left = try #require(Correlation.partial(x, more, given: z))
    #expect(abs(left - 0.5.squareRoot()) < 1e-12)
    // A third that has nothing to do with either changes nothing.
    let plain = try #require(Correlation.pearson(x, zip(z, z).map(+)))
    let same = try #require(Correlation.partial(x, zip(z, z).map(+), given: b))
    #expect(abs(plain - same) < 1e-12)
  }

  @Test func nothingIsLeftWhereTheThirdSaysAll() {
    #expect(Correlation.partial([1, 2, 3, 4], [2, 1, 4, 3], given: [2, 4, 6, 8]) == nil)
    #expect(Correlation.partial([1, 2, 3], [2, 1, 3], given: [3, 1, 2]) == nil)
  }

  @Test func ranksAreAllThatCountsForSpearman() throws {
    let (x, y) = ([1.0, 2, 3, 4, 5, 6], [1.0, 3, 2, 5, 4, 6])
    let control = [2.0, 1, 3, 6, 5, 4]
    let plain = try #require(Correlation.partial(x, y, given: control))
    let stretched = try #require(
      Correlation.partialSpearman(
        x.map { $0 * $0 * $0 }, y.map { $0 * $0 }, given: control.map { $0 * 7 - 1 }))
    #expect(abs(plain - stretched) < 1e-12)
  }

  @Test func aMonotoneRelationIsCertain() throws {
    let x = (0..<20).map(Double.init)
    let interval = try #require(
      CorrelationInterval([x, x.map { $0 * $0 }]) { Correlation.spearman($0[0], $0[1]) })
    #expect(interval.value == 1 && interval.cases == 20)
    // Rounding of a resample's ranks.
    #expect(abs((interval.lower ?? 0) - 1) < 1e-12 && abs((interval.upper ?? 0) - 1) < 1e-12)
  }

  /// Of 200 samples with a correlation of 0.6 the interval holds it in some 190; the percentile bootstrap of forty cases holds it
  /// a little less often than it should. The seed is fixed.
  @Test func intervalsHoldTheTruth() throws {
    var generator = SeededGenerator(seed: 5)
    var held = 0
    for sample in 0..<200 {
      var (x, y): ([Double], [Double]) = ([], [])
      for _ in 0..<40 {
        let first = generator.nextNormal()
        x.append(first)
        y.append(0.6 * first + 0.8 * generator.nextNormal())
      }
      let interval = try #require(
        CorrelationInterval([x, y], resamples: 400, seed: UInt64(sample)) {
          Correlation.pearson($0[0], $0[1])
        })
      if let lower = interval.lower, let upper = interval.upper, lower <= 0.6, upper >= 0.6 {
        held += 1
      }
    }
    #expect(held >= 176 && held < 200)
  }

  @Test func resamplesAreSeeded() throws {
    let (x, y) = ([1.0, 4, 2, 8, 5, 7], [2.0, 3, 1, 9, 4, 8])
    func interval(_ seed: UInt64) -> CorrelationInterval? {
      CorrelationInterval([x, y], resamples: 300, seed: seed) {
        Correlation.pearson($0[0], $0[1])
      }
    }
    let first = try #require(interval(1))
    #expect(interval(1) == first && interval(2) != first)
    #expect(
      CorrelationInterval([x, x.map { _ in 1 }]) { Correlation.pearson($0[0], $0[1]) } == nil)
  }
}
