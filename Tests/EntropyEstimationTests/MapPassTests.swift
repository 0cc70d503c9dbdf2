import Foundation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

private let pair = TokenGrid(rows: 1, columns: 2)

/// The slow, obvious way to the debiased entropy: residuals and leverages from an explicit hat matrix, whose first predictors
/// are the means of the groups.
private struct HatMatrixEstimate {
  let entropy: Double
  let standardError: Double
  /// ½·m·w·uᵀS⁻¹u of every image.
  let contributions: [Double]
  let freedom: Double

  init(
    of target: Int, given context: [Int], in samples: Samples, groups: [Int], isSimple: Bool = false
  ) throws {
    let (m, d) = (samples.imageCount, samples.featureDimensions)
    let columns = samples.grid.cellCount * d
    func values(_ image: Int, _ token: Int) -> [Double] {
      (0..<d).map { Double(samples.values[image * columns + token * d + $0]) }
    }
    let count = Set(groups).count
    let design = Matrix(
      rows: m, columns: count + context.count * d,
      elements: (0..<m).flatMap { i in
        (0..<count).map { groups[i] == $0 ? 1 : 0 } + context.flatMap { values(i, $0) }
      })
    let normal = try CholeskyFactor(ofLowerTriangle: design.transposed().times(design))
    let half = normal.solveLower(design.transposed())
    let hat = half.transposed().times(half)
    let y = Matrix(rows: m, columns: d, elements: (0..<m).flatMap { values($0, target) })
    var residuals = hat.times(y)
    for index in residuals.elements.indices {
      residuals.elements[index] = y.elements[index] - residuals.elements[index]
    }
    let p = Double(context.count * d)
    let kappa =
      (0..<m).reduce(0.0) { $0 + hat[$1, $1] / (1 - hat[$1, $1]) } / (p + Double(count))
    let weights = (0..<m).map { i in
      let h = hat[i, i]
      return isSimple ? 1 / (1 - h) : 1 / ((1 - h) * (1 - h)) - kappa * h / (1 - h)
    }
    var scatter = Matrix(rows: d, columns: d)
    for i in 0..<m {
      for a in 0..<d {
        for b in 0..<d { scatter[a, b] += residuals[i, a] * residuals[i, b] }
      }
    }
    let own = try CholeskyFactor(ofLowerTriangle: scatter)
    let whitened = own.whiten(rows: residuals)
    var sum = Matrix(rows: d, columns: d)
    for i in 0..<m {
      for a in 0..<d {
        for b in 0..<d { sum[a, b] += weights[i] * whitened[i, a] * whitened[i, b] }
      }
    }
    let factor = try CholeskyFactor(ofLowerTriangle: sum)
    freedom = Double(m) - Double(count) - p
    let nu = freedom
    let c =
      (1...d).reduce(0.0) { $0 + digamma((nu - Double($1) + 1) / 2) }
      + Double(d) * (log(2) - log(nu))
    let norms = factor.whiten(rows: whitened).squaredRowNorms
    contributions = (0..<m).map { 0.5 * Double(m) * weights[$0] * norms[$0] }
    // The noise of S beyond that of Gaussian residuals.
    let square = contributions.reduce(0) { $0 + 4 * $1 * $1 } / Double(m)
    let noise = (square - Double(d)) / (nu * Double(d))
    entropy =
      0.5
      * (Double(d) * log(2 * .pi * exp(1)) + own.logDeterminant + factor.logDeterminant
        - Double(d) * log(Double(m)) - c)
      + Double(d) / 4 * (log(1 + noise) - log(1 + Double(d + 1) / nu))
    standardError =
      Moments(contributions).standardErrorOfMean * (Double(m) / nu).squareRoot()
  }
}

/// In double precision, with errors and information; the map's cross-products are C of the whole design.
@Test(arguments: [1, 3])
func debiasedMapsAgreeWithHatMatrices(channels: Int) throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let samples = try GaussianField(grid: grid, channels: channels).samples(40, seed: 31)
  let groups = Array(repeating: 0, count: 40)
  let pass = try MapPass<Double>(
    fittedTo: samples, channels: channels, bound: .debiased, jitter: 0,
    means: FittedMeans(imageCount: 40))
  let map = try pass.maps(references: [grid.cell(at: 4)], of: samples)[0]
  #expect(map.entropy[4] == nil && map.information[4] == nil && map.fallbackCount == 0)
  for cell in [0, 1, 2, 3, 5] {
    let slow = try HatMatrixEstimate(of: cell, given: [4], in: samples, groups: groups)
    let alone = try HatMatrixEstimate(of: cell, given: [], in: samples, groups: groups)
    let entropy = try #require(map.entropy[cell])
    let information = try #require(map.information[cell])
    #expect(abs(entropy.value - slow.entropy) < 1e-9)
    #expect(abs(entropy.standardError - slow.standardError) < 1e-9)
    #expect(abs(map.marginal[cell].value - alone.entropy) < 1e-9)
    #expect(abs(map.marginal[cell].standardError - alone.standardError) < 1e-9)
    #expect(abs(information.value - (alone.entropy - slow.entropy)) < 1e-9)
    let differences = zip(alone.contributions, slow.contributions).map { $0 - $1 }
    let error =
      Moments(differences).standardErrorOfMean * (40 / slow.freedom).squareRoot()
    let floor = Double(channels * channels) / (2 * slow.freedom * slow.freedom)
    #expect(
      abs(information.standardError - max(error * error - floor, floor).squareRoot()) < 1e-9)
    #expect(entropy.value == map.marginal[cell].value - information.value)
  }
}

/// Single precision is enough for the images' part: 10⁻⁶ nats are promised.
@Test func singlePrecisionAgreesWithDouble() throws {
  let grid = TokenGrid(frames: 2, rows: 3, columns: 4)
  let samples = try GaussianField(grid: grid, channels: 8).samples(500, seed: 4)
  let references = [GridCell(row: 1, column: 2), GridCell(frame: 1, row: 0, column: 3)]
  for bound in [EntropyBound.debiased, .wishart, .algorithm1] {
    let means = FittedMeans(imageCount: 500)
    let single = try MapPass<Float>(
      fittedTo: samples, channels: 8, bound: bound, jitter: 1e-3, means: means
    ).maps(references: references, of: samples)
    let double = try MapPass<Double>(
      fittedTo: samples, channels: 8, bound: bound, jitter: 1e-3, means: means
    ).maps(references: references, of: samples)
    // The closed forms are also there without a pass.
    let closed =
      bound == .debiased
      ? double
      : try MapEstimator(EstimationSettings(bound: bound, errors: .gaussian, jitter: 1e-3)).maps(
        references: references, in: samples)
    for index in references.indices {
      for cell in 0..<grid.cellCount {
        let values = [single, double, closed].map { $0[index].information[cell]?.value ?? 0 }
        #expect(abs(values[0] - values[1]) < 1e-6 && abs(values[2] - values[1]) < 1e-6)
        #expect(
          abs(
            (single[index].entropy[cell]?.standardError ?? 0)
              - (double[index].entropy[cell]?.standardError ?? 0)) < 1e-6)
      }
    }
  }
}

/// Where whitened tokens do not fit in memory together, a part of them after the other gives the same bits.
@Test func tilesGiveTheSameMaps() throws {
  let grid = TokenGrid(rows: 3, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 2).samples(90, seed: 14)
  let fitted = samples.chosen(Array(0..<70))
  let measured = samples.chosen(Array(70..<90))
  let references = [4, 0, 7, 8].map(grid.cell(at:))
  // Of 96 images, two of tokens' and two of references'.
  let small = 4 * TokenColumns<Double>.bytesPerToken(imageCount: 96, width: 2)
  func result(_ bytes: Int) throws -> ([ConditionalEntropyMap], [MapLosses]) {
    let pass = try MapPass<Double>(
      fittedTo: fitted, channels: 2, bound: .debiased, jitter: 0,
      means: FittedMeans(imageCount: 70), largestTile: bytes)
    let scoring = try MapPass<Double>(
      fittedTo: fitted, channels: 2, bound: .heldOut, jitter: 0,
      means: FittedMeans(imageCount: 70), largestTile: bytes)
    var losses = Array(repeating: MapLosses(tokens: 9), count: references.count)
    try scoring.addLosses(of: measured, fittedTo: fitted, references: references, to: &losses)
    return (try pass.maps(references: references, of: fitted), losses)
  }
  let (whole, tiled) = (try result(1 << 29), try result(small))
  try #require(whole.0.count == references.count && tiled.0.count == references.count)
  try #require(whole.1.count == references.count && tiled.1.count == references.count)
  for (a, b) in zip(whole.0, tiled.0) {
    #expect(a.entropy == b.entropy && a.information == b.information && a.marginal == b.marginal)
  }
  for (a, b) in zip(whole.1, tiled.1) {
    #expect(a.information.map(\.estimate) == b.information.map(\.estimate))
    #expect(a.conditional.map(\.estimate) == b.conditional.map(\.estimate))
    #expect(a.marginal.map(\.estimate) == b.marginal.map(\.estimate))
  }
}

/// Means of groups of different sizes: they take their degrees of freedom and weigh on the leverages.
@Test func groupMeansAreCounted() throws {
  // Sizes are powers of two and values multiples of 1/64, so that taking a mean off rounds nothing.
  let groups = [8, 2, 16, 4, 8, 2].enumerated().flatMap { Array(repeating: $0, count: $1) }
  let grid = TokenGrid(rows: 1, columns: 3)
  var samples = try GaussianField(grid: grid, channels: 2).samples(groups.count, seed: 7)
  for index in samples.values.indices {
    samples.values[index] = (samples.values[index] * 64).rounded() / 64
  }
  let raw = samples
  for group in 0..<6 {
    let images = groups.indices.filter { groups[$0] == group }
    for column in 0..<6 {
      let mean = images.reduce(Float(0)) { $0 + raw.values[$1 * 6 + column] } / Float(images.count)
      for image in images { samples.values[image * 6 + column] -= mean }
    }
  }
  let pass = try MapPass<Double>(
    fittedTo: samples, channels: 2, bound: .debiased, jitter: 0,
    means: FittedMeans(imageCount: groups.count, centredBy: groups))
  let map = try pass.maps(references: [grid.cell(at: 1)], of: samples)[0]
  for cell in [0, 2] {
    let slow = try HatMatrixEstimate(of: cell, given: [1], in: raw, groups: groups)
    let alone = try HatMatrixEstimate(of: cell, given: [], in: raw, groups: groups)
    let entropy = try #require(map.entropy[cell])
    #expect(abs(entropy.value - slow.entropy) < 1e-9)
    #expect(abs(entropy.standardError - slow.standardError) < 1e-9)
    #expect(abs(map.marginal[cell].value - alone.entropy) < 1e-9)
  }
}

/// Where the weights' scatter is not positive definite the simpler weights take its place, and the map counts it.
@Test func fewImagesFallBackOnSimplerWeights() throws {
  var fallbacks = 0
  for seed in UInt64(0)..<60 {
    let samples = try GaussianField(grid: pair, channels: 2).samples(7, seed: seed)
    let map = try MapPass<Double>(
      fittedTo: samples, channels: 2, bound: .debiased, jitter: 0,
      means: FittedMeans(imageCount: 7)
    ).maps(references: [pair.cell(at: 0)], of: samples)[0]
    let entropy = try #require(map.entropy[1])
    let slow = try? HatMatrixEstimate(
      of: 1, given: [0], in: samples, groups: Array(repeating: 0, count: 7))
    #expect(map.fallbackCount == (slow == nil ? 1 : 0))
    let expected =
      try slow
      ?? HatMatrixEstimate(
        of: 1, given: [0], in: samples, groups: Array(repeating: 0, count: 7), isSimple: true)
    #expect(abs(entropy.value - expected.entropy) < 1e-8)
    fallbacks += map.fallbackCount
  }
  #expect(fallbacks > 0 && fallbacks < 60)
}

/// Gaussian tokens: entropies and information are right on average, and so are their errors.
@Test func debiasedMapsOfGaussianDataAreUnbiased() throws {
  let field = try GaussianField(grid: pair, channels: 3)
  let truth = try field.entropy(of: 1, given: [0])
  let alone = try field.entropy(of: 1, given: [])
  var (entropies, informations) = ([Double](), [Double]())
  var (entropyErrors, informationErrors) = ([Double](), [Double]())
  for seed in UInt64(0)..<300 {
    let map = try MapEstimator().maps(
      references: [pair.cell(at: 0)], in: field.samples(60, seed: 1000 + seed))[0]
    let (entropy, information) = (try #require(map.entropy[1]), try #require(map.information[1]))
    entropies.append(entropy.value)
    entropyErrors.append(entropy.standardError)
    informations.append(information.value)
    informationErrors.append(information.standardError)
  }
  expectMean(of: entropies, isNear: truth)
  expectMean(of: informations, isNear: alone - truth)
  // The spread of 300 repetitions is known to 4%; 25% is six times that.
  for (values, errors) in [(entropies, entropyErrors), (informations, informationErrors)] {
    let ratio = Moments(errors).mean / Moments(values).standardDeviation
    #expect(abs(ratio - 1) < 0.25, "\(ratio)")
  }
}

/// Two tokens that share nothing but the size of their numbers, which differs from image to image as it does between smooth and
/// textured photographs: they are uncorrelated, and what a linear regression finds is noise.
private func tokensOfUnequalImages(_ count: Int, channels: Int, seed: UInt64) -> Samples {
  var normal = NormalStream(seed: seed)
  var values: [Float] = []
  for _ in 0..<count {
    let scale = exp(0.6 * normal.next())
    for _ in 0..<2 * channels { values.append(Float(scale * normal.next())) }
  }
  return Samples(grid: pair, featureDimensions: channels, values: values)
}

@Test func independentTokensOfUnequalImagesShareNothing() throws {
  var (debiased, wishart) = ([Double](), [Double]())
  var errors: [Double] = []
  for seed in UInt64(0)..<400 {
    let samples = tokensOfUnequalImages(120, channels: 2, seed: 500 + seed)
    func information(_ bound: EntropyBound) throws -> Estimate {
      try #require(
        try MapEstimator(EstimationSettings(bound: bound)).maps(
          references: [pair.cell(at: 0)], in: samples)[0].information[1])
    }
    let estimate = try information(.debiased)
    debiased.append(estimate.value)
    errors.append(estimate.standardError)
    wishart.append(try information(.wishart).value)
  }
  expectMean(of: debiased, isNear: 0)
  let biased = Moments(wishart)
  #expect(biased.mean > 6 * biased.standardErrorOfMean, "\(biased)")
  // Errors near zero are those of a degenerate quadratic, neither half nor twice too large.
  let ratio = Moments(errors).mean / Moments(debiased).standardDeviation
  #expect(ratio > 0.6 && ratio < 1.6, "\(ratio)")
}

/// A token that is all but a function of the reference needs double precision, which is taken without being asked for; one
/// that is a function of it is refused.
@Test func nearlyDependentTokensAreResolved() throws {
  var samples = try GaussianField(grid: pair, channels: 2).samples(80, seed: 3)
  var normal = NormalStream(seed: 9)
  for i in 0..<80 {
    for c in 0..<2 {
      samples.values[i * 4 + 2 + c] = samples.values[i * 4 + c] + Float(1e-4 * normal.next())
    }
  }
  let means = FittedMeans(imageCount: 80)
  #expect(throws: EstimationError.self) {
    try MapPass<Float>(
      fittedTo: samples, channels: 2, bound: .debiased, jitter: 0, means: means
    ).maps(references: [pair.cell(at: 0)], of: samples)
  }
  let map = try MapEstimator().maps(references: [pair.cell(at: 0)], in: samples)[0]
  let slow = try HatMatrixEstimate(
    of: 1, given: [0], in: samples, groups: Array(repeating: 0, count: 80))
  // The slow way loses half the digits to its normal equations.
  #expect(abs((map.entropy[1]?.value ?? 0) - slow.entropy) < 1e-4)
  for i in 0..<80 {
    for c in 0..<2 { samples.values[i * 4 + 2 + c] = samples.values[i * 4 + c] }
  }
  let error = #expect(throws: EstimationError.self) {
    try MapEstimator().maps(references: [pair.cell(at: 0)], in: samples)
  }
  #expect(error?.description.contains("of token (0, 1) is a linear function of") == true)
}

/// The information of held-out images is the difference of their losses, image by image.
@Test func heldOutInformationIsTheDifferenceOfLosses() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 2).samples(60, seed: 8)
  let settings = EstimationSettings(bound: .heldOut, folds: 2, seed: 9)
  let map = try MapEstimator(settings).maps(references: [grid.cell(at: 2)], in: samples)[0]
  let split = try settings.split(of: samples)
  for cell in [0, 1, 3, 4, 5] {
    func losses(_ context: [Int]) throws -> [Double] {
      try split.parts.indices.flatMap { part in
        try heldOutLosses(
          of: cell, given: context, fitted: samples.chosen(split.fitted(besides: part)),
          heldOut: samples.chosen(split.parts[part]))
      }
    }
    let (alone, given) = (try losses([]), try losses([2]))
    let difference = Moments(zip(alone, given).map { $0 - $1 })
    let information = try #require(map.information[cell])
    #expect(abs(information.value - difference.mean) < 1e-9)
    #expect(abs(information.standardError - difference.standardErrorOfMean) < 1e-9)
    #expect(abs(map.marginal[cell].value - Moments(alone).mean) < 1e-9)
    #expect(map.entropy[cell]?.value == map.marginal[cell].value - information.value)
  }
}

/// The information of Gaussian data by the closed form has the error of StepEstimator's increases, and it is right.
@Test func gaussianErrorsOfInformationAreRight() throws {
  let field = try GaussianField(grid: pair, channels: 2, range: 1)
  let truth = try field.entropy(of: 1, given: []) - field.entropy(of: 1, given: [0])
  var (values, errors) = ([Double](), [Double]())
  for seed in UInt64(0)..<400 {
    let map = try MapEstimator(EstimationSettings(bound: .wishart)).maps(
      references: [pair.cell(at: 0)], in: field.samples(80, seed: 40 + seed))[0]
    let information = try #require(map.information[1])
    values.append(information.value)
    errors.append(information.standardError)
  }
  expectMean(of: values, isNear: truth)
  let ratio = Moments(errors).mean / Moments(values).standardDeviation
  #expect(abs(ratio - 1) < 0.25, "\(ratio)")
}

/// Random functions predict as well, and are not predicted.
@Test func debiasedMapsTakeRandomFunctions() throws {
  let samples = try GaussianField(grid: pair, channels: 2).samples(400, seed: 5)
  let settings = EstimationSettings(regressor: .features(count: 3, kind: .relu), bound: .debiased)
  let map = try MapEstimator(settings).maps(references: [pair.cell(at: 0)], in: samples)[0]
  let linear = try MapEstimator().maps(references: [pair.cell(at: 0)], in: samples)[0]
  #expect(map.featureDimensions == 2 && map.marginal[1] == linear.marginal[1])
  // Gaussian tokens have nothing but a linear dependence.
  let (a, b) = (try #require(map.information[1]), try #require(linear.information[1]))
  #expect(abs(a.value - b.value) < 6 * b.standardError && a.value != b.value)
}
