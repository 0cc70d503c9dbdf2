import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

@Test(arguments: RandomFeatureKind.allCases)
func functionsFollowTheChannels(kind: RandomFeatureKind) throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  let samples = try GaussianField(grid: grid, channels: 3).samples(50, seed: 3)
  let features = try RandomFeatures(of: samples, count: 5, kind: kind, seed: 1)
  #expect(features.featureDimensions == 8 && features.imageCount == 50)
  let values = try features.features(ofImages: 10..<20)
  let plain = samples.features(ofImages: 10..<20)
  #expect(
    try values
      == RandomFeatures(of: samples, count: 5, kind: kind, seed: 1)
      .features(ofImages: 10..<20))
  #expect(
    try values
      != RandomFeatures(of: samples, count: 5, kind: kind, seed: 2)
      .features(ofImages: 10..<20))
  for token in 0..<40 {
    for c in 0..<3 { #expect(values[token * 8 + c] == plain[token * 3 + c]) }
    for u in 3..<8 {
      let value = values[token * 8 + u]
      #expect(kind == .relu ? value >= 0 : abs(value) <= 1)
    }
  }
  // No unit is idle: each is active for some tokens and not the same for all.
  for u in 3..<8 { #expect(Set((0..<40).map { values[$0 * 8 + u] }).count > 2) }
}

/// The target block is only a token's channels while its whole block predicts: the same as a least-squares fit of those
/// channels on all coordinates of the context, in an order with parallel steps and in a map.
@Test func entropiesAreThoseOfFitsOnAllCoordinatesOfTheContext() throws {
  let grid = TokenGrid(rows: 1, columns: 4)
  let samples = try GaussianField(grid: grid, channels: 2).samples(200, seed: 31)
  let settings = EstimationSettings(
    regressor: .features(count: 3, kind: .relu), bound: .wishart, seed: 4)
  let wide = try RandomFeatures(of: samples, count: 3, seed: 4)
  let values = try wide.features(ofImages: 0..<200)
  let order = try GenerationOrder(name: "steps", grid: grid, steps: [[2], [0, 3], [1]])
  let profile = try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
  #expect(profile.featureDimensions == 2)
  // The little noise on the functions' variances: a share of their mean over all tokens.
  var ridge = 0.0
  for token in 0..<4 {
    for c in 2..<5 {
      let column = (0..<200).map { Double(values[($0 * 4 + token) * 5 + c]) }
      let deviation = Moments(column).standardDeviation
      ridge += randomFeatureRidge * deviation * deviation * 199 / 12
    }
  }
  func slow(_ target: Int, _ context: [Int]) throws -> Double {
    var rows = Matrix(rows: 200, columns: context.count * 5 + 2)
    for i in 0..<200 {
      for (place, token) in context.enumerated() {
        for c in 0..<5 { rows[i, place * 5 + c] = Double(values[(i * 4 + token) * 5 + c]) }
      }
      for c in 0..<2 { rows[i, context.count * 5 + c] = Double(values[(i * 4 + target) * 5 + c]) }
    }
    for j in 0..<rows.columns {
      let mean = (0..<200).reduce(0) { $0 + rows[$1, j] } / 200
      for i in 0..<200 { rows[i, j] -= mean }
    }
    var scatter = rows.transposed().timesTranspose()
    for place in context.indices {
      for c in 2..<5 { scatter[place * 5 + c, place * 5 + c] += ridge }
    }
    let factor = try CholeskyFactor(ofLowerTriangle: scatter)
    let p = context.count * 5
    return EntropyBound.wishart.entropy(
      logDeterminant: factor.logDeterminant - factor.logDeterminant(ofLeading: p),
      ResidualFit(imageCount: 200, channels: 2, predictors: p))
  }
  for cell in 0..<4 {
    let sequential = try slow(cell, order.sequentialContext(of: cell))
    let parallel = try slow(cell, order.parallelContext(of: cell))
    #expect(abs(profile.sequential[cell].value - sequential) < 1e-6)
    #expect(abs(profile.parallel[cell].value - parallel) < 1e-6)
  }
  let map = try MapEstimator(settings).maps(references: [grid.cell(at: 0)], in: samples)[0]
  for cell in 1..<4 {
    let expected = try slow(cell, [0])
    #expect(abs((map.entropy[cell]?.value ?? 0) - expected) < 1e-4)
  }
}

/// v₁ = |v₀| + noise: a line explains nothing of it, the exact H(v₁|v₀) is the noise's ½log(2πe·0.1²). Random functions
/// close at least 80% of the gap, with every bound and both kinds, and the held-out value stays above the truth.
@Test(arguments: RandomFeatureKind.allCases)
func functionsCloseTheGapThatALineLeaves(kind: RandomFeatureKind) throws {
  let grid = TokenGrid(rows: 1, columns: 2)
  let samples = bentSamples(1500, seed: 6)
  let truth = 0.5 * log(2 * .pi * exp(1.0) * 0.01)
  let order = try GenerationOrder(name: "line", grid: grid, steps: [[0], [1]])
  for bound in EntropyBound.allCases {
    func entropy(_ regressor: Regressor) throws -> Double {
      try OrderEstimator(EstimationSettings(regressor: regressor, bound: bound, folds: 2, seed: 2))
        .profiles(of: [order], in: samples)[0].sequential[1].value
    }
    let line = try entropy(.linear)
    let bent = try entropy(.features(count: 12, kind: kind))
    #expect(line - truth > 1.5)
    #expect((line - bent) / (line - truth) > 0.8, "\(bound) \(line) \(bent) \(truth)")
    if bound == .heldOut { #expect(bent > truth - 0.05) }
  }
}

/// One channel: a standard normal number, and its absolute value with noise of standard deviation 0.1.
func bentSamples(_ count: Int, seed: UInt64) -> Samples {
  var normal = NormalStream(seed: seed)
  return Samples(
    grid: TokenGrid(rows: 1, columns: 2), featureDimensions: 1,
    values: (0..<count).flatMap { _ in
      let x = normal.next()
      return [Float(x), Float(abs(x) + 0.1 * normal.next())]
    })
}

@Test func tooManyFunctionsAreRefusedWithWhatWouldDo() throws {
  let grid = TokenGrid(rows: 1, columns: 4)
  let samples = try GaussianField(grid: grid, channels: 2).samples(30, seed: 31)
  let order = try GenerationOrder(name: "all", grid: grid, steps: [[0, 1, 2, 3]])
  func refusal(_ count: Int) -> String? {
    #expect(throws: EstimationError.self) {
      try OrderEstimator(EstimationSettings(regressor: .features(count: count, kind: .relu)))
        .profiles(of: [order], in: samples)
    }?.description
  }
  #expect(
    refusal(6) == """
      samples: 30 images are too few for a regression on 4 tokens of 2 channels and 6 random functions each; at least 33 \
      are needed; at most 5 functions a token would do
      """)
  _ = try OrderEstimator(EstimationSettings(regressor: .features(count: 5, kind: .relu))).profiles(
    of: [order], in: samples)
}
