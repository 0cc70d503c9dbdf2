import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids
import TestSupport
import Testing

@testable import EntropyEstimation

private let grid = TokenGrid(rows: 2, columns: 3)

private func order() throws -> GenerationOrder {
  try GenerationOrder(name: "groups", grid: grid, steps: [[4], [0, 5], [2, 1, 3]])
}

/// Images of a Gaussian field, each about its mean multiplied by a number of its own, exp(σ·normal): residuals then have sizes
/// of their own, and leverages with them.
private func scaled(
  _ samples: Samples, sigma: Double, seed: UInt64, mean: (Int) -> Double = { Double($0 % 5) }
) -> Samples {
  var result = samples
  var normal = NormalStream(seed: seed)
  let columns = samples.grid.cellCount * samples.featureDimensions
  for image in 0..<samples.imageCount {
    let size = exp(sigma * normal.next())
    for j in 0..<columns {
      result.values[image * columns + j] = Float(
        size * (Double(samples.values[image * columns + j]) - mean(j)))
    }
  }
  return result
}

private func profile(
  _ order: GenerationOrder, _ samples: some TokenFeatures, isSingle: Bool = false,
  bound: EntropyBound = .debiased, precision: TokenMoments.Precision = .double
) throws -> OrderProfile {
  let factorization = try OrderFactorization(
    of: order, moments: TokenMoments(of: samples, precision: precision), bound: bound)
  return OrderProfile(
    factorization, bound: bound,
    pass: try factorization.pass(over: samples, bound: bound, isSingle: isSingle))
}

/// Entropies, steps, totals and the joint entropy are those of separate fits with explicit hat matrices.
@Test func debiasedEntropiesAreThoseOfExplicitHatMatrices() throws {
  let samples = scaled(
    try GaussianField(grid: grid, channels: 2).samples(90, seed: 4), sigma: 0.7, seed: 1)
  let order = try order()
  let found = try profile(order, samples)
  #expect(found.bound == .debiased && found.fallbackCount == 0)
  var (total, joint) = (0.0, 0.0)
  for (step, cells) in order.steps.enumerated() {
    var correlation = 0.0
    for cell in cells {
      let sequential = leastSquaresEntropy(
        of: cell, given: order.sequentialContext(of: cell), in: samples, bound: .debiased)
      let parallel = leastSquaresEntropy(
        of: cell, given: order.parallelContext(of: cell), in: samples, bound: .debiased)
      #expect(abs(found.sequential[cell].value - sequential) < 1e-9)
      #expect(abs(found.parallel[cell].value - parallel) < 1e-9)
      #expect(abs(found.increase[cell].value - (parallel - sequential)) < 1e-9)
      correlation += parallel - sequential
      joint += sequential
    }
    #expect(abs(found.totalCorrelation[step].value - correlation) < 1e-9)
    total += correlation
  }
  #expect(abs(found.totalIncrease.value - total) < 1e-9)
  #expect(abs(found.jointEntropy.value - joint) < 1e-9)
}

/// Standard errors from influences ½·m·w·uᵀS⁻¹u that are written out here image by image, clustered by photograph where
/// several images are of one.
@Test(arguments: [false, true])
func errorsAreThoseOfExplicitInfluences(clustered: Bool) throws {
  var samples = scaled(
    try GaussianField(grid: grid, channels: 2).samples(90, seed: 14), sigma: 0.5, seed: 2)
  let groups = (0..<90).map { clustered ? UInt32($0 / 3) : UInt32($0) }
  samples.imageGroups = clustered ? groups : nil
  let order = try order()
  let found = try profile(order, samples)
  let m = 90.0
  func error(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / m
    let sums = Dictionary(grouping: zip(groups, values), by: \.0).values.map {
      $0.reduce(0) { $0 + $1.1 - mean }
    }
    let count = Double(sums.count)
    return (count / (count - 1) * sums.reduce(0) { $0 + $1 * $1 }).squareRoot() / m
  }
  func times(_ values: [Double], _ factor: Double) -> [Double] { values.map { factor * $0 } }
  var totals = [Double](repeating: 0, count: 90), joint = totals
  var totalVariance = 0.0
  for cell in 0..<grid.cellCount {
    let (s, nu) = try influences(samples, cell, order.sequentialContext(of: cell))
    let (p, parallelNu) = try influences(samples, cell, order.parallelContext(of: cell))
    #expect(
      abs(found.sequential[cell].standardError - error(times(s, (m / nu).squareRoot()))) < 1e-9)
    #expect(
      abs(found.parallel[cell].standardError - error(times(p, (m / parallelNu).squareRoot())))
        < 1e-9)
    let scale = (m / (nu * parallelNu).squareRoot()).squareRoot()
    let difference = zip(p, s).map { scale * ($0 - $1) }
    let added = order.sequentialContext(of: cell).count - order.parallelContext(of: cell).count
    let q = Double(4 * added) / (2 * nu * parallelNu)
    let plain = error(difference)
    #expect(
      abs(found.increase[cell].standardError - max(plain * plain - q, q).squareRoot()) < 1e-9)
    totalVariance += q
    for i in 0..<90 {
      totals[i] += difference[i]
      joint[i] += (m / nu).squareRoot() * s[i]
    }
  }
  let plain = error(totals)
  #expect(
    abs(
      found.totalIncrease.standardError
        - max(plain * plain - totalVariance, totalVariance).squareRoot()) < 1e-9)
  #expect(abs(found.jointEntropy.standardError - error(joint)) < 1e-9)
}

/// ½·m·w·uᵀS⁻¹u of every image, and ν.
private func influences(
  _ samples: Samples, _ target: Int, _ context: [Int]
) throws -> ([Double], Double) {
  let (m, d) = (samples.imageCount, samples.featureDimensions)
  let columns = samples.grid.cellCount * d
  var rows = Matrix(rows: m, columns: context.count * d + 1)
  var response = Matrix(rows: m, columns: d)
  for i in 0..<m {
    rows[i, 0] = 1
    for (place, token) in context.enumerated() {
      for c in 0..<d {
        rows[i, 1 + place * d + c] = Double(samples.values[i * columns + token * d + c])
      }
    }
    for c in 0..<d { response[i, c] = Double(samples.values[i * columns + target * d + c]) }
  }
  let factor = try CholeskyFactor(ofLowerTriangle: rows.transposed().timesTranspose())
  let half = factor.solveLower(rows.transposed()).transposed()
  let hat = half.times(half, transposed: true)
  var residuals = response
  let fitted = hat.times(response)
  for index in residuals.elements.indices { residuals.elements[index] -= fitted.elements[index] }
  let leverages = (0..<m).map { hat[$0, $0] }
  let kappa = leverages.reduce(0.0) { $0 + $1 / (1 - $1) } / Double(rows.columns)
  let weights = leverages.map { 1 / (1 - $0) / (1 - $0) - kappa * $0 / (1 - $0) }
  var scatter = Matrix(rows: d, columns: d)
  for i in 0..<m {
    for a in 0..<d {
      for b in 0..<d { scatter[a, b] += weights[i] * residuals[i, a] * residuals[i, b] }
    }
  }
  let weighted = try CholeskyFactor(ofLowerTriangle: scatter)
  let norms = weighted.whiten(rows: residuals).squaredRowNorms
  return (
    zip(weights, norms).map { 0.5 * Double(m) * $0 * $1 }, Double(m - rows.columns)
  )
}

/// Images whitened in single precision move no value by more than a thousandth of its error, and images that are whitened a
/// second time, because they do not fit in memory, move nothing.
@Test func singlePrecisionIsEnough() throws {
  let grid = TokenGrid(rows: 6, columns: 6)
  let samples = scaled(
    try GaussianField(grid: grid, channels: 2).samples(700, seed: 24), sigma: 0.4, seed: 3)
  let order = try OrderSpecification("distant").order(on: grid, tokensPerStep: 4)
  let exact = try profile(order, samples)
  let single = try profile(order, samples, isSingle: true)
  func expectNear(_ a: Estimate, _ b: Estimate) {
    #expect(abs(a.value - b.value) <= 1e-3 * a.standardError)
    #expect(abs(a.standardError - b.standardError) <= 1e-3 * a.standardError)
  }
  expectNear(exact.totalIncrease, single.totalIncrease)
  expectNear(exact.jointEntropy, single.jointEntropy)
  // Four single tokens, then eight steps of four.
  try #require(exact.totalCorrelation.count == 12 && single.totalCorrelation.count == 12)
  #expect(exact.totalCorrelation.count { $0.standardError > 0 } == 8)
  for (a, b) in zip(exact.totalCorrelation, single.totalCorrelation) where a.standardError > 0 {
    expectNear(a, b)
  }
  let factorization = try OrderFactorization(
    of: order, moments: TokenMoments(of: samples, precision: .double), bound: .debiased)
  let pass = OrderPass<Float>(factorization, bound: .debiased, features: samples)
  let (kept, again) = (
    try pass.run(over: samples), try pass.run(over: samples, storageLimit: 0)
  )
  #expect(kept.sequential == again.sequential && kept.parallel == again.parallel)
  #expect(kept.influences.totals == again.influences.totals)
}

/// On Gaussian data the mean error of totals and joint entropies is zero within noise: over 60 repetitions within five
/// standard errors of the mean (once in two million).
@Test func debiasedTotalsOfGaussianDataAverageToTheTruth() throws {
  let field = try GaussianField(grid: grid, channels: 2)
  let order = try order()
  let truth = try (0..<6).map { cell in
    (
      try field.entropy(of: cell, given: order.sequentialContext(of: cell)),
      try field.entropy(of: cell, given: order.parallelContext(of: cell))
    )
  }
  let total = truth.reduce(0) { $0 + $1.1 - $1.0 }
  let joint = truth.reduce(0) { $0 + $1.0 }
  var (totals, joints) = ([Double](), [Double]())
  for seed in 0..<60 {
    let found = try profile(order, field.samples(24, seed: UInt64(seed) &* 13 &+ 5))
    totals.append(found.totalIncrease.value - total)
    joints.append(found.jointEntropy.value - joint)
  }
  for errors in [totals, joints] {
    let moments = Moments(errors)
    #expect(abs(moments.mean) < 5 * moments.standardErrorOfMean, "\(moments.mean)")
  }
}

/// How images of known covariance differ from jointly Gaussian ones.
enum Heteroskedasticity: CaseIterable {
  /// Every image has a log-normal scale.
  case scales
  /// Half of the images are smoother than the others.
  case smoothness
  /// A smooth log-normal field scales the tokens of an image.
  case localScales
}

/// Where the truth is known: images of 32 tokens of 8 channels (256 numbers), mixtures of Gaussian fields, whose covariance and so
/// Gaussian entropies are computed. With two images a number the mean error of the total is below a fifth of Wishart's.
@Test(arguments: Heteroskedasticity.allCases)
func debiasedTotalsHoldWhereImagesHaveTheirOwnSizes(kind: Heteroskedasticity) throws {
  let grid = TokenGrid(rows: 4, columns: 8)
  let field = try GaussianField(grid: grid, channels: 8)
  let other = try GaussianField(grid: grid, channels: 8, range: 12)
  let sizes = try GaussianField(grid: grid, channels: 1, range: 6)
  let (size, count, sigma) = (256, 512, 0.5)
  var covariance = field.covariance
  for i in 0..<size {
    for j in 0..<size {
      switch kind {
      case .scales: break
      case .smoothness: covariance[i, j] = 0.5 * (covariance[i, j] + 0.05 * other.covariance[i, j])
      // E exp(σ·a)·exp(σ·b) of standard normal numbers of correlation ρ is exp(σ²(1 + ρ)).
      case .localScales:
        covariance[i, j] *= exp(
          sigma * sigma * (1 + sizes.covariance[i / 8, j / 8] / sizes.covariance[0, 0]))
      }
    }
  }
  let order = try OrderSpecification("distant").order(on: grid, tokensPerStep: 4)
  let law = try GaussianField(grid: grid, channels: 8, covariance: covariance)
  let truth = try (0..<32).reduce(0.0) { sum, cell in
    try sum + law.entropy(of: cell, given: order.parallelContext(of: cell))
      - law.entropy(of: cell, given: order.sequentialContext(of: cell))
  }
  var (debiased, wishart) = ([Double](), [Double]())
  for seed in 0..<12 {
    var normal = NormalStream(seed: UInt64(seed) &* 31 &+ 77)
    var rows = field.draws(count, from: &normal)
    let smooth = other.draws(count, from: &normal)
    let fields = sizes.draws(count, from: &normal)
    for i in 0..<count {
      let own = exp(sigma * normal.next())
      for j in 0..<size {
        switch kind {
        case .scales: rows[i, j] *= own
        case .smoothness: if i % 2 == 0 { rows[i, j] = 0.05.squareRoot() * smooth[i, j] }
        case .localScales:
          rows[i, j] *= exp(sigma * fields[i, j / 8] / sizes.covariance[0, 0].squareRoot())
        }
      }
    }
    let samples = Samples(
      grid: grid, featureDimensions: 8, values: rows.elements.map { Float($0) })
    for bound in [EntropyBound.debiased, .wishart] {
      let found = try OrderEstimator(EstimationSettings(bound: bound)).profiles(
        of: [order], in: samples)[0]
      if bound == .debiased {
        debiased.append(found.totalIncrease.value - truth)
      } else {
        wishart.append(found.totalIncrease.value - truth)
      }
    }
  }
  let (ours, theirs) = (Moments(debiased), Moments(wishart))
  #expect(theirs.mean > 6 * theirs.standardErrorOfMean, "\(theirs.mean)")
  #expect(abs(ours.mean) < 0.2 * theirs.mean, "\(truth): \(ours.mean) \(theirs.mean)")
}

/// Uncorrelated tokens whose images have log-normal scales (σ = 0.4), and Gaussian ones: at 5% the test of a step rejects in 2
/// to 8% of 600 repetitions, of which one standard error is 0.9%.
@Test(arguments: [0, 0.4])
func stepTestsKeepTheirSize(sigma: Double) throws {
  let grid = TokenGrid(rows: 1, columns: 8)
  let order = try GenerationOrder(
    name: "steps", grid: grid, steps: [[0], [1, 2, 3], [4, 5, 6, 7]])
  var (rejected, tests) = (0, 0)
  for seed in 0..<300 {
    var normal = NormalStream(seed: UInt64(seed) &* 7 &+ 1000)
    let samples = Samples(
      grid: grid, featureDimensions: 3, values: (0..<120 * 24).map { _ in Float(normal.next()) })
    let found = try profile(order, scaled(samples, sigma: sigma, seed: UInt64(seed) + 7) { _ in 0 })
    for test in found.stepTests.compactMap(\.self) {
      tests += 1
      if test.pValue <= 0.05 { rejected += 1 }
    }
  }
  let share = Double(rejected) / Double(tests)
  #expect(tests == 600 && share > 0.02 && share < 0.08, "\(share)")
}

/// Given the class is a regression on an indicator of every class as well, and a class of one image adds nothing.
@Test func entropiesGivenTheClassAreThoseOfFitsWithIndicators() throws {
  let plain = try GaussianField(grid: grid, channels: 2).samples(101, seed: 44)
  let labels = (0..<101).map { $0 == 50 ? UInt32(9) : UInt32($0 * 7 % 3) }
  var samples = plain
  for i in samples.values.indices { samples.values[i] += Float(labels[i / 12]) * Float(i % 5) }
  samples.imageClasses = labels
  let order = try order()
  let features = try ClassCentred(samples)
  #expect(features.imageCount == 100 && features.meanCount == 3)
  let found = try profile(order, features)
  let rows = (0..<101).filter { $0 != 50 }
  for cell in 0..<grid.cellCount {
    for (context, estimate) in [
      (order.sequentialContext(of: cell), found.sequential[cell]),
      (order.parallelContext(of: cell), found.parallel[cell]),
    ] {
      func column(_ token: Int, _ c: Int) -> [Double] {
        rows.map { Double(samples.values[$0 * 12 + token * 2 + c]) }
      }
      let indicators = (0..<3).map { label in rows.map { labels[$0] == UInt32(label) ? 1.0 : 0 } }
      let expected = weightedEntropy(
        of: (0..<2).map { column(cell, $0) },
        given: indicators + context.flatMap { token in (0..<2).map { column(token, $0) } })
      // Features are single precision, and so are what is left of them after centring.
      #expect(abs(estimate.value - expected) < 1e-6)
    }
  }
  let settings = EstimationSettings(isGivenClass: true)
  let whole = try OrderEstimator(settings).profiles(of: [order], in: samples)[0]
  #expect(abs(whole.totalIncrease.value - found.totalIncrease.value) < 1e-5)
  func refusal(_ classes: [UInt32]?) -> String? {
    var samples = samples
    samples.imageClasses = classes
    return #expect(throws: EstimationError.self) {
      try OrderEstimator(settings).profiles(of: [order], in: samples)
    }?.description
  }
  #expect(refusal(nil)?.contains("need labels, and it has none") == true)
  #expect(refusal((0..<101).map { UInt32($0) })?.contains("101 images have 101 classes") == true)
}

/// Jitter stands for noise of one size on every channel: a debiased entropy with it is near that of data with such noise on
/// them, also where a channel is a copy of another, and far from minus infinity.
@Test func jitterIsNoiseInDebiasedEntropies() throws {
  var samples = try GaussianField(grid: grid, channels: 2).samples(400, seed: 61)
  for i in 0..<400 * 6 { samples.values[2 * i + 1] = samples.values[2 * i] }
  let order = try order()
  let found = try OrderEstimator(EstimationSettings(jitter: 0.01)).profiles(
    of: [order], in: samples)[0]
  var variance = 0.0
  for column in 0..<12 {
    let values = (0..<400).map { Double(samples.values[$0 * 12 + column]) }
    variance += Moments(values).standardDeviation * Moments(values).standardDeviation / 12
  }
  var normal = NormalStream(seed: 5)
  var noisy = samples
  for i in noisy.values.indices {
    noisy.values[i] += Float((0.01 * variance).squareRoot() * normal.next())
  }
  let expected = try OrderEstimator(EstimationSettings()).profiles(of: [order], in: noisy)[0]
  // Twelve numbers whose variances 400 draws of the noise know to √(2/400) = 7%: 12·½·0.07 at the very most.
  #expect(abs(found.jointEntropy.value - expected.jointEntropy.value) < 0.42)
}

/// A closed form needs no images, the debiased bound does, and shrunken fits have none.
@Test func whatHasNoDebiasedBoundIsRefused() throws {
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 4)
  let moments = try TokenMoments(of: samples)
  for bound in [EntropyBound.debiased, .heldOut] {
    let error = #expect(throws: EstimationError.self) {
      try OrderProfile(of: order(), moments: moments, bound: bound)
    }
    #expect(error?.description.contains("takes the images") == true)
  }
  let error = #expect(throws: EstimationError.self) {
    try OrderEstimator(EstimationSettings(shrinkage: .ridge(0.1))).profiles(
      of: [order()], in: samples)
  }
  #expect(error?.description.contains("the debiased bound is for least squares") == true)
}
