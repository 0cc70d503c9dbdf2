import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

/// Orders that share nothing but the grid: singles first, adjacent runs, far-apart groups, everything at once.
private func orders(on grid: TokenGrid) throws -> [GenerationOrder] {
  let n = grid.cellCount
  var normal = NormalStream(seed: 11)
  let shuffled = (0..<n).map { ($0, normal.uniform()) }.sorted { $0.1 < $1.1 }.map(\.0)
  func grouped(_ sequence: [Int], singles: Int, size: Int) -> [[Int]] {
    sequence.prefix(singles).map { [$0] }
      + stride(from: singles, to: n, by: size).map { Array(sequence[$0..<min($0 + size, n)]) }
  }
  return [
    try GenerationOrder(
      name: "runs", grid: grid, steps: grouped(Array(0..<n), singles: 2, size: 3)),
    try GenerationOrder(
      name: "shuffled", grid: grid, steps: grouped(shuffled, singles: 0, size: 4)),
    try GenerationOrder(name: "at once", grid: grid, steps: [shuffled]),
    try GenerationOrder(name: "one by one", grid: grid, steps: (0..<n).map { [$0] }),
  ]
}

/// Both routes work on the same Float features; the profile's products are summed in single precision over 64 images at a
/// time, which for these 300 images and a well-conditioned scatter leaves about 1e-8.
@Test(arguments: EntropyBound.closedForm)
func profileAgreesWithSeparateLeastSquaresFits(bound: EntropyBound) throws {
  let grid = TokenGrid(rows: 3, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 3).samples(300, seed: 5)
  let moments = try TokenMoments(of: samples, precision: .double)
  for order in try orders(on: grid) {
    let profile = try OrderProfile(of: order, moments: moments, bound: bound)
    for cell in 0..<grid.cellCount {
      let sequential = leastSquaresEntropy(
        of: cell, given: order.sequentialContext(of: cell), in: samples, bound: bound)
      let parallel = leastSquaresEntropy(
        of: cell, given: order.parallelContext(of: cell), in: samples, bound: bound)
      #expect(abs(profile.sequential[cell].value - sequential) < 1e-9)
      #expect(abs(profile.parallel[cell].value - parallel) < 1e-9)
      #expect(abs(profile.increase[cell].value - (parallel - sequential)) < 1e-9)
    }
  }
}

@Test func jointEntropyIsTheSameForEveryOrder() throws {
  let grid = TokenGrid(rows: 4, columns: 3)
  let moments = try TokenMoments(of: GaussianField(grid: grid, channels: 2).samples(200, seed: 3))
  for bound in EntropyBound.closedForm {
    let entropies = try orders(on: grid).map {
      try OrderProfile(of: $0, moments: moments, bound: bound).jointEntropy.value
    }
    for entropy in entropies { #expect(abs(entropy - entropies[0]) < 1e-9 * abs(entropies[0])) }
  }
}

@Test func firstCellOfAStepHasNoIncrease() throws {
  let grid = TokenGrid(rows: 4, columns: 4)
  let moments = try TokenMoments(of: GaussianField(grid: grid, channels: 2).samples(150, seed: 8))
  for order in try orders(on: grid) {
    let profile = try OrderProfile(of: order, moments: moments)
    for (index, step) in order.steps.enumerated() {
      #expect(profile.increase[step[0]] == Estimate(value: 0, standardError: 0))
      let sum = step.reduce(0) { $0 + profile.increase[$1].value }
      #expect(abs(sum - profile.totalCorrelation[index].value) < 1e-12)
    }
    let plugIn = try OrderProfile(of: order, moments: moments, bound: .algorithm1)
    // Without the correction every sample increase is a mutual information of the sample, hence not negative.
    #expect(plugIn.increase.allSatisfy { $0.value >= 0 })
  }
}

/// Over 400 repetitions Wishart's entropies and increases average to the exact ones. The mean of 400 is within six of
/// its standard errors of the truth but for a chance of 2e-9 per comparison; the errors are Gaussian to good accuracy. The
/// in-sample bound is 15 of the same errors off, with a context of 21 numbers and 60 images.
@Test func wishartEntropiesAreUnbiasedAndAlgorithm1IsNot() throws {
  let grid = TokenGrid(rows: 2, columns: 4)
  let field = try GaussianField(grid: grid, channels: 3)
  let order = try GenerationOrder(
    name: "pairs", grid: grid, steps: [[0], [5], [1, 6], [2, 7, 4, 3]])
  let repetitions = 400
  var unbiased = [[Double]](), increases = [[Double]](), totals = [Double](),
    inSample = [[Double]]()
  for seed in 0..<repetitions {
    let moments = try TokenMoments(of: field.samples(60, seed: UInt64(seed) &* 7919))
    let profile = try OrderProfile(of: order, moments: moments)
    unbiased.append(profile.sequential.map(\.value) + profile.parallel.map(\.value))
    increases.append(profile.increase.map(\.value))
    totals.append(profile.totalIncrease.value)
    inSample.append(
      try OrderProfile(of: order, moments: moments, bound: .algorithm1).sequential.map(\.value))
  }
  var total = 0.0
  for cell in 0..<grid.cellCount {
    let sequential = try field.entropy(of: cell, given: order.sequentialContext(of: cell))
    let parallel = try field.entropy(of: cell, given: order.parallelContext(of: cell))
    total += parallel - sequential
    expectMean(of: unbiased.map { $0[cell] }, isNear: sequential)
    expectMean(of: unbiased.map { $0[grid.cellCount + cell] }, isNear: parallel)
    if parallel > sequential {
      expectMean(of: increases.map { $0[cell] }, isNear: parallel - sequential)
    }
  }
  expectMean(of: totals, isNear: total)
  let last = order.sequence[grid.cellCount - 1]
  let truth = try field.entropy(of: last, given: order.sequentialContext(of: last))
  let biased = Moments(inSample.map { $0[last] })
  #expect(biased.mean < truth - 15 * biased.standardErrorOfMean)
}

/// The standard errors printed are, on average, the scatter seen over repetitions: within 20% at 400 repetitions, more
/// than five of the standard errors (1/√800 = 3.5%) of a standard deviation.
@Test func standardErrorsMatchTheScatterOverRepetitions() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let field = try GaussianField(grid: grid, channels: 2)
  let order = try GenerationOrder(name: "mixed", grid: grid, steps: [[0], [5, 1], [2, 3, 4]])
  var values = [[Double]](), errors = [[Double]]()
  for seed in 0..<400 {
    let moments = try TokenMoments(
      of: field.samples(200, seed: 1_000_003 &+ UInt64(seed) &* 104_729))
    let profile = try OrderProfile(of: order, moments: moments)
    let estimates =
      profile.sequential + profile.parallel + profile.increase + profile.totalCorrelation
      + [profile.totalIncrease]
    values.append(estimates.map(\.value))
    errors.append(estimates.map(\.standardError))
  }
  for index in values[0].indices {
    let seen = Moments(values.map { $0[index] }).standardDeviation
    let said = Moments(errors.map { $0[index] }).mean
    if seen == 0 { #expect(said == 0) } else { #expect(abs(said / seen - 1) < 0.2, "\(index)") }
  }
}

@Test func tooFewImagesAreRefusedWithTheNumberNeeded() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  let field = try GaussianField(grid: grid, channels: 3)
  let order = try GenerationOrder(name: "all", grid: grid, steps: [[0, 1, 2, 3]])
  let moments = try TokenMoments(of: field.samples(12, seed: 1))
  let error = #expect(throws: EstimationError.self) {
    try OrderProfile(of: order, moments: moments)
  }
  #expect(
    error?.description == """
      samples: 12 images are too few for a regression on 9 numbers; at least 13 images are needed, or \
      take at most 2 feature dimensions a token
      """)
  #expect(error?.remedies == [.featureDimensions(atMost: 2)])
  #expect(error?.sentence { _ in "ask" }.hasSuffix("images are needed, or ask") == true)
  #expect(error?.sentence { _ in nil }.hasSuffix("at least 13 images are needed") == true)
  _ = try OrderProfile(of: order, moments: TokenMoments(of: field.samples(13, seed: 1)))
}

@Test func degenerateChannelsAreNamed() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  var samples = try GaussianField(grid: grid, channels: 2).samples(50, seed: 2)
  let order = try GenerationOrder(name: "all", grid: grid, steps: [[0, 1, 2, 3]])
  for image in 0..<50 { samples.values[image * 8 + 5] = 1.25 }
  let constant = #expect(throws: EstimationError.self) {
    try OrderProfile(of: order, moments: TokenMoments(of: samples))
  }
  #expect(
    constant
      == .constantChannel(
        source: "samples", cell: GridCell(row: 1, column: 0), channel: 1, images: 50))
  #expect(
    constant?.description == """
      samples: channel 1 of token (1, 0) has the same value in all 50 images, so its entropy is minus infinity; \
      take principal components instead of all channels or add a jitter to the variances
      """)
  for image in 0..<50 { samples.values[image * 8 + 5] = samples.values[image * 8 + 2] }
  // Mixed precision does not resolve a duplicate; it says so and is not trusted.
  #expect(throws: EstimationError.self) {
    try OrderProfile(of: order, moments: TokenMoments(of: samples))
  }
  let dependent = #expect(throws: EstimationError.self) {
    try TokenMoments.withSufficientPrecision(of: samples) {
      try OrderProfile(of: order, moments: $0)
    }
  }
  #expect(
    dependent
      == .dependentChannel(
        source: "samples", cell: GridCell(row: 1, column: 0), channel: 1,
        context: "its other channels and the tokens before it in all"))
  let entropy = try TokenMoments.withSufficientPrecision(of: samples, jitter: 1e-6) { moments in
    #expect(moments.jitter == 1e-6)
    return try OrderProfile(of: order, moments: moments).jointEntropy.value
  }
  #expect(entropy.isFinite)
}

@Test func otherGridsAreRefused() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  let moments = try TokenMoments(of: GaussianField(grid: grid, channels: 1).samples(20, seed: 1))
  let order = try GenerationOrder(
    name: "line", grid: TokenGrid(rows: 1, columns: 4), steps: [[0, 1, 2, 3]])
  #expect(throws: EstimationError.self) { try OrderProfile(of: order, moments: moments) }
}

/// A token that is its neighbour but for a thousandth: mixed precision would be off by 1e-4 nats, and is replaced.
@Test func nearlyDeterminedTokensAreSummedInDoublePrecision() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  var samples = try GaussianField(grid: grid, channels: 2).samples(500, seed: 31)
  var noise = NormalStream(seed: 8)
  for image in 0..<500 {
    for channel in 0..<2 {
      samples.values[image * 8 + 6 + channel] =
        samples.values[image * 8 + channel] + 1e-3 * Float(noise.next())
    }
  }
  let order = try GenerationOrder(name: "pairs", grid: grid, steps: [[0], [1, 2], [3]])
  let exact = try OrderProfile(of: order, moments: TokenMoments(of: samples, precision: .double))
  let found = try TokenMoments.withSufficientPrecision(of: samples) {
    try OrderProfile(of: order, moments: $0)
  }
  for cell in 0..<4 {
    #expect(abs(found.sequential[cell].value - exact.sequential[cell].value) < 1e-9)
  }
}
