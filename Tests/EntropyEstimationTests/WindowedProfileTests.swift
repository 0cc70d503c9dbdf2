import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

private let grid = TokenGrid(rows: 3, columns: 4)

private func order() throws -> GenerationOrder {
  try GenerationOrder(
    name: "groups", grid: grid, steps: [[5], [0, 11, 1], [2, 3, 7, 6], [4, 8, 9, 10]])
}

@Test(arguments: EntropyBound.closedForm)
func windowedEntropiesAreThoseOfFitsOnTheWindow(bound: EntropyBound) throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(90, seed: 6)
  let order = try order()
  let profile = try OrderEstimator(EstimationSettings(bound: bound, contextWindow: 1)).profiles(
    of: [order], in: samples)[0]
  for cell in 0..<grid.cellCount {
    func near(_ context: [Int]) -> [Int] {
      let target = grid.cell(at: cell)
      return context.filter {
        let other = grid.cell(at: $0)
        return max(abs(other.row - target.row), abs(other.column - target.column)) <= 1
      }
    }
    let sequential = leastSquaresEntropy(
      of: cell, given: near(order.sequentialContext(of: cell)), in: samples, bound: bound)
    let parallel = leastSquaresEntropy(
      of: cell, given: near(order.parallelContext(of: cell)), in: samples, bound: bound)
    #expect(abs(profile.sequential[cell].value - sequential) < 1e-6)
    #expect(abs(profile.parallel[cell].value - parallel) < 1e-6)
    #expect(abs(profile.increase[cell].value - (parallel - sequential)) < 1e-6)
  }
}

/// A window as large as the grid is no window, and few images do with a small one, as the refusal says.
@Test func windowsEndWhereTheGridDoes() throws {
  let field = try GaussianField(grid: grid, channels: 2)
  let order = try order()
  let moments = try TokenMoments(of: field.samples(60, seed: 6), precision: .double)
  let whole = try OrderProfile(of: order, moments: moments)
  let wide = try OrderProfile(of: order, moments: moments, window: 4)
  for cell in 0..<grid.cellCount {
    #expect(abs(whole.parallel[cell].value - wide.parallel[cell].value) < 1e-9)
    #expect(abs(whole.increase[cell].value - wide.increase[cell].value) < 1e-9)
  }
  let few = try TokenMoments(of: field.samples(20, seed: 6), precision: .double)
  let error = #expect(throws: EstimationError.self) { try OrderProfile(of: order, moments: few) }
  #expect(error?.remedies == [.featureDimensions(atMost: 1), .contextWindow(atMost: 1)])
  #expect(try OrderProfile(of: order, moments: few, window: 1).jointEntropy.value.isFinite)
}

/// What a window's regressions are not made for is refused before any work.
@Test(arguments: [
  EstimationSettings(bound: .heldOut, contextWindow: 1),
  EstimationSettings(regressor: .features(count: 2, kind: .relu), contextWindow: 1),
  EstimationSettings(bound: .wishart, shrinkage: .ridge(0.1), contextWindow: 1),
])
func windowsAreOfLeastSquares(settings: EstimationSettings) throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 6)
  #expect(throws: EstimationError.windowIsOfLeastSquares) {
    try OrderEstimator(settings).profiles(of: [order()], in: samples)
  }
}
