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

/// The whole order's triangular solve gives the losses of separate fits, image by image, with each image left out in turn, to
/// rounding; one part and folds.
@Test(arguments: [1, 3])
func heldOutLossesAgreeWithSeparateFits(folds: Int) throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(90, seed: 77)
  let settings = EstimationSettings(bound: .heldOut, folds: folds, heldOutFraction: 0.3, seed: 5)
  let order = try order()
  let profile = try #require(
    try OrderEstimator(settings).profiles(of: [order], in: samples).first)
  let split = try settings.split(of: samples)
  var totals = [Double](repeating: 0, count: split.parts.reduce(0) { $0 + $1.count })
  var shares: [Double] = []
  for cell in 0..<grid.cellCount {
    let parts = try split.parts.indices.map { part in
      try heldOutOrderLosses(
        of: cell, sequential: order.sequentialContext(of: cell),
        parallel: order.parallelContext(of: cell),
        fitted: samples.chosen(split.fitted(besides: part)),
        heldOut: samples.chosen(split.parts[part]))
    }
    let sequential = parts.flatMap(\.sequential)
    let parallel = parts.flatMap(\.parallel)
    shares += parts.map(\.share)
    let increases = zip(parallel, sequential).map { $0 - $1 }
    for (estimate, slow) in [
      (profile.sequential[cell], sequential), (profile.parallel[cell], parallel),
      (profile.increase[cell], increases),
    ] {
      let moments = Moments(slow)
      #expect(abs(estimate.value - moments.mean) < 1e-6)
      #expect(abs(estimate.standardError - moments.standardErrorOfMean) < 1e-6)
      #expect(abs(estimate.upperLimit - estimate.value - 1.645 * estimate.standardError) < 1e-12)
    }
    for i in totals.indices { totals[i] += increases[i] }
  }
  #expect(abs(profile.totalIncrease.value - Moments(totals).mean) < 1e-6)
  #expect(abs(profile.totalIncrease.standardError - Moments(totals).standardErrorOfMean) < 1e-6)
  #expect(profile.bound == .heldOut && profile.imageCount == 90)
  #expect(shares.contains { $0 > 0 && $0 < 1 })
}

/// Tokens that share nothing: the sequential fit of a step, with 15 tokens more to be misled by, must not lose what it
/// cannot gain, also where tails are heavy (t with 6 degrees of freedom, one scale for all of an image). The plain difference
/// of the two losses would be Σ ½·d·q/(m − p), 3.6 nats, below zero for Gaussian data and more for heavy tails; what α
/// leaves of it is below 0.5, ten times the standard error of the mean of six repetitions.
@Test(arguments: [false, true])
func independentTokensHaveNoHeldOutIncrease(heavyTails: Bool) throws {
  let grid = TokenGrid(rows: 8, columns: 8)
  let order = try GenerationOrder(
    name: "groups", grid: grid, steps: (0..<4).map { Array($0 * 16..<$0 * 16 + 16) })
  var totals: [Double] = []
  for seed in 0..<6 {
    var normal = NormalStream(seed: UInt64(seed) + 900)
    let values = (0..<400).flatMap { _ in
      let scale =
        heavyTails
        ? (6 / (0..<6).reduce(0.0) { sum, _ in sum + pow(normal.next(), 2) }).squareRoot()
        : 1
      return (0..<128).map { _ in Float(scale * normal.next()) }
    }
    let samples = Samples(grid: grid, featureDimensions: 2, values: values)
    totals.append(
      try OrderEstimator(EstimationSettings(bound: .heldOut, seed: UInt64(seed))).profiles(
        of: [order], in: samples)[0].totalIncrease.value)
  }
  let mean = Moments(totals).mean
  #expect(mean > -0.5 && mean < 0.5, "\(totals)")
}

/// The held-out value is at least the truth on average, for Gaussian data and for skewed data of which each channel is a
/// sum of exponential variables; for the latter the exact entropy is below that of a Gaussian of the same covariance, and
/// the bound must not fall below even this; for every regressor. 60 repetitions of least squares, 20 of a network, whose means
/// lie six and more of their standard errors above zero.
@Test(
  arguments: [false, true],
  [
    Regressor.linear, .features(count: 2, kind: .relu),
    .mlp(NetworkSettings(hidden: 4, epochs: 2, learningRate: 1e-2)),
  ])
func heldOutValuesAreUpperBoundsOnAverage(skewed: Bool, regressor: Regressor) throws {
  let order = try order()
  var excess = [Double](), inSample = [Double]()
  let gaussian = 6 * 0.5 * log(2 * .pi * exp(1.0))
  for seed in 0..<(regressor.name == "mlp" ? 20 : 60) {
    var normal = NormalStream(seed: UInt64(seed) &* 65_537 &+ 3)
    let values = (0..<80 * 6).map { _ in
      Float(skewed ? -log(1 - normal.uniform()) : normal.next())
    }
    let samples = Samples(grid: grid, featureDimensions: 1, values: values)
    // Independent coordinates of variance 1: e − the exponential's differential entropy is 1, the Gaussian's ½log(2πe).
    let truth = 6 * (skewed ? 1 : 0.5 * log(2 * .pi * exp(1.0)))
    let settings = EstimationSettings(
      regressor: regressor, bound: .heldOut, folds: 4, seed: UInt64(seed))
    excess.append(
      try OrderEstimator(settings).profiles(of: [order], in: samples)[0].jointEntropy
        .value - truth)
    inSample.append(
      try OrderEstimator(EstimationSettings(bound: .algorithm1)).profiles(of: [order], in: samples)[
        0
      ]
      .jointEntropy.value - gaussian)
  }
  let moments = Moments(excess)
  #expect(moments.mean > 6 * moments.standardErrorOfMean, "\(moments.mean)")
  #expect(moments.mean < (skewed ? 5 : 2), "\(moments.mean)")
  #expect(Moments(inSample).mean < 0)
}

/// Robust errors by the formula, with residuals and leverages from explicit projections of the data.
@Test func robustErrorsAgreeWithExplicitLeverages() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(70, seed: 15)
  let order = try order()
  let settings = EstimationSettings(bound: .wishart, errors: .robust)
  let profile = try #require(
    try OrderEstimator(settings).profiles(of: [order], in: samples).first)
  #expect(profile.errors == .robust)
  let exact = try OrderProfile(of: order, moments: TokenMoments(of: samples, precision: .double))
  for cell in 0..<grid.cellCount {
    let sequential = try mahalanobis(
      samples, target: cell, context: order.sequentialContext(of: cell))
    let parallel = try mahalanobis(samples, target: cell, context: order.parallelContext(of: cell))
    func error(_ values: [Double], _ freedom: Int) -> Double {
      0.5 * Moments(values).standardDeviation / Double(freedom).squareRoot()
    }
    let (nu, parallelNu) = (sequential.freedom, parallel.freedom)
    #expect(abs(profile.sequential[cell].value - exact.sequential[cell].value) < 1e-6)
    #expect(abs(profile.sequential[cell].standardError - error(sequential.norms, nu)) < 1e-6)
    #expect(abs(profile.parallel[cell].standardError - error(parallel.norms, parallelNu)) < 1e-6)
    let differences = zip(parallel.norms, sequential.norms).map { $0 - $1 }
    let plain = error(differences, 1) / (Double(nu) * Double(parallelNu)).squareRoot().squareRoot()
    let added = order.sequentialContext(of: cell).count - order.parallelContext(of: cell).count
    let q = Double(4 * added) / (2 * Double(nu) * Double(parallelNu))
    let expected = max(plain * plain - q, q).squareRoot()
    #expect(abs(profile.increase[cell].standardError - expected) < 1e-6)
  }
}

/// ν·eᵀW⁻¹e/(1 − h) of every image, from the projection on an orthonormal basis of the context.
private func mahalanobis(
  _ samples: Samples, target: Int, context: [Int]
) throws -> (norms: [Double], freedom: Int) {
  let (m, d) = (samples.imageCount, samples.featureDimensions)
  let columns = samples.grid.cellCount * d
  func column(_ token: Int, _ c: Int) -> [Double] {
    (0..<m).map { Double(samples.values[$0 * columns + token * d + c]) }
  }
  func rest(_ vector: [Double], _ basis: [[Double]]) -> [Double] {
    var result = vector
    for _ in 0..<2 {
      for b in basis {
        let factor = zip(b, result).reduce(0) { $0 + $1.0 * $1.1 }
        for i in result.indices { result[i] -= factor * b[i] }
      }
    }
    return result
  }
  var basis: [[Double]] = []
  for predictor in [[Double](repeating: 1, count: m)]
    + context.flatMap({ t in (0..<d).map { column(t, $0) } })
  {
    let q = rest(predictor, basis)
    let norm = q.reduce(0) { $0 + $1 * $1 }.squareRoot()
    basis.append(q.map { $0 / norm })
  }
  var residuals = Matrix(rows: m, columns: d)
  for c in 0..<d {
    for (i, value) in rest(column(target, c), basis).enumerated() { residuals[i, c] = value }
  }
  let factor = try CholeskyFactor(ofLowerTriangle: residuals.transposed().timesTranspose())
  let white = factor.solveLower(residuals.transposed())
  let freedom = m - basis.count
  let norms = (0..<m).map { i in
    let leverage = basis.reduce(0) { $0 + $1[i] * $1[i] }
    let square = (0..<d).reduce(0) { $0 + white[$1, i] * white[$1, i] }
    return Double(freedom) * square / (1 - leverage)
  }
  return (norms, freedom)
}

/// The difference of two orders is far better known than either total when they share most of their noise, and the paired
/// error matches the scatter over 120 repetitions within a third (1/√240 = 6.5%, five of those).
@Test func pairedDifferencesOfOrdersHaveTheErrorsTheySay() throws {
  let field = try GaussianField(grid: grid, channels: 1)
  let orders = [
    try GenerationOrder(name: "a", grid: grid, steps: [[0, 1], [2, 3, 4], [5]]),
    try GenerationOrder(name: "b", grid: grid, steps: [[0, 1], [2, 5, 4], [3]]),
  ]
  var differences = [Double](), errors = [Double]()
  for seed in 0..<120 {
    let profiles = try OrderEstimator(EstimationSettings(bound: .wishart, errors: .robust))
      .profiles(of: orders, in: field.samples(150, seed: UInt64(seed) &* 7 &+ 1))
    let difference = profiles[1].difference(from: profiles[0])
    differences.append(difference.value)
    errors.append(try #require(difference.standardError))
    #expect(difference.value == profiles[1].totalIncrease.value - profiles[0].totalIncrease.value)
  }
  let ratio = Moments(errors).mean / Moments(differences).standardDeviation
  #expect(abs(ratio - 1) < 0.34, "\(ratio)")
  let gaussian = try OrderEstimator(EstimationSettings(bound: .wishart)).profiles(
    of: orders, in: field.samples(150, seed: 1))
  #expect(gaussian[1].difference(from: gaussian[0]).standardError == nil)
}

@Test func tooFewFittedImagesAreRefused() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(16, seed: 1)
  let error = #expect(throws: EstimationError.self) {
    try OrderEstimator(EstimationSettings(bound: .heldOut, heldOutFraction: 0.25)).profiles(
      of: [order()], in: samples)
  }
  #expect(
    error?.description == """
      samples: 12 of 16 images are too few to fit a regression on 10 numbers that predicts the others; at least 15 are \
      needed, or take at least 16 folds, or take at most 1 feature dimensions a token
      """)
  // What is advised works.
  _ = try OrderEstimator(EstimationSettings(bound: .heldOut, folds: 16)).profiles(
    of: [order()], in: samples)
}

/// Maps hold out the same images and have the same losses as separate fits.
@Test func heldOutMapsAgreeWithSeparateFits() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 8)
  let settings = EstimationSettings(bound: .heldOut, folds: 2, seed: 9)
  let map = try #require(
    try MapEstimator(settings).maps(references: [grid.cell(at: 2)], in: samples).first)
  let split = try settings.split(of: samples)
  #expect(map.entropy[2] == nil && map.bound == .heldOut)
  for cell in [0, 1, 3, 4, 5] {
    let slow = try split.parts.indices.flatMap { part in
      try heldOutLosses(
        of: cell, given: [2], fitted: samples.chosen(split.fitted(besides: part)),
        heldOut: samples.chosen(split.parts[part]))
    }
    let estimate = try #require(map.entropy[cell])
    #expect(abs(estimate.value - Moments(slow).mean) < 1e-5)
    #expect(abs(estimate.standardError - Moments(slow).standardErrorOfMean) < 1e-5)
  }
}

@Test func robustErrorsOfMapsAgreeWithExplicitLeverages() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 18)
  let map = try #require(
    try MapEstimator(EstimationSettings(bound: .wishart, errors: .robust)).maps(
      references: [grid.cell(at: 1)], in: samples
    ).first)
  for cell in [0, 2, 3, 4, 5] {
    let slow = try mahalanobis(samples, target: cell, context: [1])
    let expected =
      0.5 * Moments(slow.norms).standardDeviation / Double(slow.freedom).squareRoot()
    #expect(abs((map.entropy[cell]?.standardError ?? 0) - expected) < 1e-5)
  }
}
