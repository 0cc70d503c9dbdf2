import Testing

@testable import GenerationMetrics

@Suite struct CorrelationTests {
  let x = [0, 0, 85.2, 1.14, 3.2, 5.9, 1.14]
  let y = [2.62, 2.64, 5.64, 2.61, 3.67, 3.02, 3.64]

  @Test func scipyAgrees() throws {
    // scipy.stats.spearmanr and pearsonr.
    #expect(abs(try #require(Correlation.spearman(x, y)) - 0.7092081432669753) < 1e-12)
    #expect(abs(try #require(Correlation.pearson(x, y)) - 0.9140914964987189) < 1e-12)
  }

  @Test func equalValuesShareTheirRank() {
    #expect(Correlation.ranks([5, 1, 5, 3]) == [3.5, 1, 3.5, 2])
    #expect(Correlation.ranks([]) == [])
  }

  @Test func monotoneIsOne() {
    #expect(Correlation.spearman([1, 2, 9], [3, 4, 5]).map { abs($0 - 1) < 1e-15 } == true)
    #expect(Correlation.spearman([1, 2, 9], [5, 4, 3]).map { abs($0 + 1) < 1e-15 } == true)
  }

  @Test func whatDoesNotVaryHasNone() {
    #expect(Correlation.pearson([1, 1, 1], [1, 2, 3]) == nil)
    #expect(Correlation.pearson([1, 2], [1, 2]) == nil)
  }
}
