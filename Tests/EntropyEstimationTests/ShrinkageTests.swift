import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

private let grid = TokenGrid(rows: 2, columns: 3)
private func order() throws -> GenerationOrder {
  try GenerationOrder(name: "mixed", grid: grid, steps: [[4], [0, 5], [1, 3, 2]])
}

/// The scatter about the mean, the slow way.
private func scatter(_ samples: Samples) -> Matrix {
  let columns = samples.grid.cellCount * samples.featureDimensions
  let m = samples.imageCount
  var rows = Matrix(rows: m, columns: columns, elements: samples.values.map(Double.init))
  for c in 0..<columns {
    let mean = (0..<m).reduce(0.0) { $0 + rows[$1, c] } / Double(m)
    for i in 0..<m { rows[i, c] -= mean }
  }
  return rows.transposed().times(rows)
}

/// Ridge regressions one by one: W = S_kk − S_kS(S_SS + κ)⁻¹S_Sk with ν = m − 1 − tr S_SS(S_SS + κ)⁻¹ in the formula of the
/// wishart bound; the same also where there are fewer images than numbers in the context.
@Test(arguments: [120, 9])
func shrunkenEntropiesAreThoseOfRidgeRegressions(images: Int) throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(images, seed: 41)
  let d = 2
  let order = try order()
  let share = 0.3
  let settings = EstimationSettings(bound: .wishart, shrinkage: .ridge(share))
  let profile = try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
  let full = scatter(samples)
  let size = full.rows
  let penalty = share * (0..<size).reduce(0.0) { $0 + full[$1, $1] } / Double(size)
  func entropy(_ cell: Int, _ context: [Int]) throws -> Double {
    let own = (0..<d).map { cell * d + $0 }
    let others = context.flatMap { t in (0..<d).map { t * d + $0 } }
    var rest = Matrix(rows: d, columns: d)
    var used = 0.0
    var predicted = Matrix(rows: d, columns: d)
    if !others.isEmpty {
      var a = Matrix(rows: others.count, columns: others.count)
      var cross = Matrix(rows: others.count, columns: d)
      var plain = a
      for (i, x) in others.enumerated() {
        for (j, y) in others.enumerated() {
          plain[i, j] = full[x, y]
          a[i, j] = full[x, y] + (i == j ? penalty : 0)
        }
        for (j, y) in own.enumerated() { cross[i, j] = full[x, y] }
      }
      let factor = try CholeskyFactor(ofLowerTriangle: a)
      let coefficients = factor.solveLowerTransposed(factor.solveLower(cross))
      predicted = cross.transposed().times(coefficients)
      let hat = factor.solveLowerTransposed(factor.solveLower(plain))
      used = (0..<others.count).reduce(0) { $0 + hat[$1, $1] }
    }
    for (i, x) in own.enumerated() {
      for (j, y) in own.enumerated() { rest[i, j] = full[x, y] - predicted[i, j] }
    }
    let freedom = Double(images) - 1 - used
    let expected = (0..<d).reduce(Double(d) * log(2)) { $0 + digamma((freedom - Double($1)) / 2) }
    return 0.5
      * (Double(d) * log(2 * .pi * M_E)
        + (try CholeskyFactor(ofLowerTriangle: rest).logDeterminant) - expected)
  }
  for cell in 0..<grid.cellCount {
    let sequential = try entropy(cell, order.sequentialContext(of: cell))
    let parallel = try entropy(cell, order.parallelContext(of: cell))
    // Sums of products in mixed precision, 10⁻⁹ of them, and a condition number of a few dozen.
    #expect(abs(profile.sequential[cell].value - sequential) < 1e-6)
    #expect(abs(profile.parallel[cell].value - parallel) < 1e-6)
  }
  #expect(abs((profile.ridge ?? 0) - share) < 1e-12)
  #expect(profile.stepTests.allSatisfy { $0 == nil })
}

/// Held-out losses with a ridge are those of ridge regressions, with each image left out of them in turn.
@Test func shrunkenHeldOutLossesAgreeWithSeparateFits() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 77)
  let order = try order()
  let settings = EstimationSettings(
    bound: .heldOut, heldOutFraction: 0.4, shrinkage: .ridge(0.2), seed: 5)
  let profile = try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
  let split = try settings.split(of: samples)
  let fitted = samples.chosen(split.fitted(besides: 0))
  let full = scatter(fitted)
  let penalty = 0.2 * (0..<full.rows).reduce(0.0) { $0 + full[$1, $1] } / Double(full.rows)
  for cell in 0..<grid.cellCount {
    let slow = try heldOutOrderLosses(
      of: cell, sequential: order.sequentialContext(of: cell),
      parallel: order.parallelContext(of: cell), fitted: fitted,
      heldOut: samples.chosen(split.parts[0]), penalty: penalty)
    #expect(abs(profile.sequential[cell].value - Moments(slow.sequential).mean) < 1e-6)
    #expect(abs(profile.parallel[cell].value - Moments(slow.parallel).mean) < 1e-6)
  }
}

/// ρ by its definition, one outer product at a time.
@Test func ledoitWolfIsWhatItsFormulaSays() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(40, seed: 3)
  let (m, size) = (40, 12)
  let full = scatter(samples)
  let rows = (0..<m).map { i in
    (0..<size).map { c in
      Double(samples.values[i * size + c])
        - (0..<m).reduce(0.0) { $0 + Double(samples.values[$1 * size + c]) } / Double(m)
    }
  }
  let average = (0..<size).reduce(0.0) { $0 + full[$1, $1] } / Double(m * size)
  var (noise, spread) = (0.0, 0.0)
  for a in 0..<size {
    for b in 0..<size {
      let value = full[a, b] / Double(m)
      for row in rows { noise += (row[a] * row[b] - value) * (row[a] * row[b] - value) }
      spread += (value - (a == b ? average : 0)) * (value - (a == b ? average : 0))
    }
  }
  let intensity = min(1, noise / Double(m * m) / spread)
  let found = try TokenMoments(of: samples).ledoitWolfRidge(of: samples)
  #expect(abs(found - intensity / (1 - intensity)) < 1e-7)
  let profile = try OrderEstimator(EstimationSettings(bound: .wishart, shrinkage: .ledoitWolf))
    .profiles(of: [order()], in: samples)[0]
  #expect(abs((profile.ridge ?? 0) - found) < 1e-9)
}

@Test func refusalsSayWhatWouldDo() throws {
  let samples = try GaussianField(grid: TokenGrid(rows: 8, columns: 8), channels: 2)
    .samples(60, seed: 3)
  let order = try GenerationOrder(name: "all", grid: samples.grid, steps: [Array(0..<64)])
  func refusal(_ settings: EstimationSettings) -> String? {
    #expect(throws: EstimationError.self) {
      try OrderEstimator(settings).profiles(of: [order], in: samples)
    }?.description
  }
  #expect(
    refusal(EstimationSettings()) == """
      samples: 60 images are too few for a regression on 126 numbers; at least 129 images are needed, or take a window \
      of context of at most 2 cells
      """)
  // What it says would do does, and a wider window does not.
  for settings in [
    EstimationSettings(contextWindow: 2),
    EstimationSettings(bound: .wishart, shrinkage: .ridge(0.1)),
    EstimationSettings(bound: .wishart, shrinkage: .ledoitWolf),
  ] {
    #expect(
      try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
        .jointEntropy.value.isFinite)
  }
  #expect(
    refusal(EstimationSettings(bound: .wishart, shrinkage: .ridge(1e-9)))?.contains(
      "take a larger ridge") == true)
  #expect(
    refusal(EstimationSettings(bound: .heldOut)) == """
      samples: 48 of 60 images are too few to fit a regression on 126 numbers that predicts the others; at least 131 are \
      needed
      """)
  #expect(TokenGrid(frames: 5, rows: 16, columns: 16).largestWindow(tokens: 100) == 1)
  #expect(TokenGrid(frames: 5, rows: 16, columns: 16).largestWindow(tokens: 25) == nil)
  #expect(TokenGrid(rows: 24, columns: 24).largestWindow(tokens: 374) == 9)
}
