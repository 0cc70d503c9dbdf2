import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

@Test func momentsOfPartsMergeToThoseOfTheWhole() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 2).samples(90, seed: 12)
  let whole = try TokenMoments(of: samples, precision: .double)
  var merged = try TokenMoments(of: samples, images: 0..<1, precision: .double)
  for part in [1..<40, 40..<40, 40..<90] {
    try merged.merge(TokenMoments(of: samples, images: part, precision: .double))
  }
  #expect(merged.imageCount == 90)
  #expect(merged.mean.count == 12 && whole.mean.count == 12)
  for (a, b) in zip(merged.mean, whole.mean) { #expect(abs(a - b) < 1e-12) }
  for i in 0..<12 {
    for j in 0...i { #expect(abs(merged.scatter[i, j] - whole.scatter[i, j]) < 1e-9) }
  }
}

/// 1e-6 nats is what the mixed precision promises for any printed number.
@Test func mixedPrecisionKeepsEntropies() throws {
  let grid = TokenGrid(rows: 4, columns: 4)
  let samples = try GaussianField(grid: grid, channels: 3).samples(400, seed: 14)
  let order = try GenerationOrder(
    name: "fours", grid: grid, steps: stride(from: 0, to: 16, by: 4).map { Array($0..<$0 + 4) })
  let mixed = try OrderProfile(of: order, moments: TokenMoments(of: samples))
  let double = try OrderProfile(of: order, moments: TokenMoments(of: samples, precision: .double))
  for cell in 0..<16 {
    #expect(abs(mixed.sequential[cell].value - double.sequential[cell].value) < 1e-6)
    #expect(abs(mixed.parallel[cell].value - double.parallel[cell].value) < 1e-6)
  }
  #expect(abs(mixed.totalIncrease.value - double.totalIncrease.value) < 1e-6)
}

@Test func momentsOfOtherGridsDoNotMerge() throws {
  let a = try GaussianField(grid: TokenGrid(rows: 1, columns: 2), channels: 1).samples(5, seed: 1)
  let b = try GaussianField(grid: TokenGrid(rows: 2, columns: 1), channels: 1).samples(5, seed: 1)
  var moments = try TokenMoments(of: a)
  let other = try TokenMoments(of: b)
  #expect(throws: EstimationError.self) { try moments.merge(other) }
}
