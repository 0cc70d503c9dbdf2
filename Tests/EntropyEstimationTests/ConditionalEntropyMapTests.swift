import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

/// H(v_i|v_j) is the second token's sequential entropy in an order that begins with j, then i.
@Test(arguments: EntropyBound.closedForm)
func mapsAgreeWithOrdersOfTwoSteps(bound: EntropyBound) throws {
  let grid = TokenGrid(rows: 3, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 3).samples(300, seed: 21)
  let moments = try TokenMoments(of: samples, precision: .double)
  let j = 4
  let map = try #require(
    try MapEstimator.maps(references: [grid.cell(at: j)], moments: moments, bound: bound)
      .first)
  #expect(map.entropy[j] == nil)
  for i in 0..<grid.cellCount where i != j {
    let rest = (0..<grid.cellCount).filter { $0 != i && $0 != j }
    let order = try GenerationOrder(name: "two", grid: grid, steps: [[j], [i], rest])
    let expected = try OrderProfile(of: order, moments: moments, bound: bound).sequential[i]
    let entropy = try #require(map.entropy[i])
    #expect(abs(entropy.value - expected.value) < 1e-9)
    #expect(abs(entropy.standardError - expected.standardError) < 1e-12)
    let slow = leastSquaresEntropy(of: i, given: [j], in: samples, bound: bound)
    #expect(abs(entropy.value - slow) < 1e-9)
  }
}

/// The route through a few references sums products in single precision over 64 images; 1e-6 nats is what is promised.
@Test(arguments: [1, 3, 8])
func mapsFromFeaturesAgreeWithMapsFromMoments(channels: Int) throws {
  let grid = TokenGrid(frames: 2, rows: 3, columns: 4)
  let samples = try GaussianField(grid: grid, channels: channels).samples(700, seed: 4)
  let references = [GridCell(row: 1, column: 2), GridCell(frame: 1, row: 0, column: 3)]
  let fast = try MapEstimator(EstimationSettings(bound: .wishart)).maps(
    references: references, in: samples)
  let exact = try MapEstimator.maps(
    references: references, moments: TokenMoments(of: samples, precision: .double))
  try #require(fast.count == references.count && exact.count == references.count)
  for (a, b) in zip(fast, exact) {
    try #require(a.entropy.count == grid.cellCount && b.entropy.count == grid.cellCount)
    #expect(a.reference == b.reference)
    for (x, y) in zip(a.entropy, b.entropy) {
      #expect(abs((x?.value ?? 0) - (y?.value ?? 0)) < 1e-6)
      #expect((x == nil) == (y == nil))
    }
  }
}

@Test func neighboursShareTheMostInAnIsotropicField() throws {
  let grid = TokenGrid(rows: 5, columns: 5)
  let samples = try GaussianField(grid: grid, channels: 2).samples(4000, seed: 9)
  let reference = GridCell(row: 2, column: 2)
  let map = try #require(
    try MapEstimator().maps(references: [reference], in: samples).first)
  let darkest = grid.rasterCells.filter { map.entropy[grid.index(of: $0)] != nil }
    .sorted {
      (map.entropy[grid.index(of: $0)]?.value ?? 0) < (map.entropy[grid.index(of: $1)]?.value ?? 0)
    }
    .prefix(4)
  #expect(darkest.allSatisfy { abs($0.row - 2) + abs($0.column - 2) == 1 })
  #expect(
    map.largestInformation(4).allSatisfy { abs($0.row - 2) + abs($0.column - 2) == 1 })
  #expect(map.byDistance.map(\.distance) == [1, 2, 3])
  #expect(map.byDistance.map(\.tokens).reduce(0, +) == 24)
  #expect(map.byDistance[0].entropy.value < map.byDistance[2].entropy.value)
  #expect(map.byDistance[0].information.value > map.byDistance[2].information.value)
}

@Test func badReferencesAndTooFewImagesAreRefused() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 4).samples(8, seed: 1)
  let outside = #expect(throws: EstimationError.self) {
    try MapEstimator().maps(references: [GridCell(row: 2, column: 0)], in: samples)
  }
  #expect(
    outside?.description
      == "reference (2, 0) is outside the 2x3 grid of samples: rows are 0 to 1, columns 0 to 2")
  let few = #expect(throws: EstimationError.self) {
    try MapEstimator().maps(references: [GridCell(row: 0, column: 0)], in: samples)
  }
  #expect(few?.description.contains("8 images are too few") == true)
}

@Test func constantChannelsOfMapsAreNamed() throws {
  let grid = TokenGrid(rows: 1, columns: 3)
  var samples = try GaussianField(grid: grid, channels: 1).samples(40, seed: 6)
  for image in 0..<40 { samples.values[image * 3 + 2] = 7 }
  let error = #expect(throws: EstimationError.self) {
    try MapEstimator().maps(references: [GridCell(row: 0, column: 0)], in: samples)
  }
  #expect(error?.description.contains("channel 0 of token (0, 2) has the same value") == true)
  #expect(
    try MapEstimator(EstimationSettings(jitter: 1e-4)).maps(
      references: [GridCell(row: 0, column: 0)], in: samples)[0].entropy[2] != nil)
}

extension ConditionalEntropyMap {
  /// The tokens that share the most with the reference.
  func largestInformation(_ count: Int) -> [GridCell] {
    information.enumerated().compactMap { index, estimate in
      estimate.map { (cell: grid.cell(at: index), value: $0.value) }
    }.sorted { $0.value > $1.value }.prefix(count).map(\.cell)
  }
}
