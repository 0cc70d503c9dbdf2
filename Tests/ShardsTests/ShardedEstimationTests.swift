import FileFormats
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation
@testable import Shards

private let grid = TokenGrid(rows: 4, columns: 3)

/// Codes of 24 entries, heavy-tailed by image, in which tokens lean on their neighbours.
///
/// - Parameter photographs: How images belong to photographs; nil for one each.
private func tokens(
  images: Int = 700, seed: UInt64 = 3, photographs: ((Int) -> UInt32)? = nil, labels: Bool = true
) throws -> TokenDataset {
  var generator = SeededGenerator(seed: seed)
  let codebook = FloatMatrix(
    rows: 24, columns: 2, elements: (0..<48).map { _ in Float(generator.nextUniform() * 4 - 2) })
  var codes: [UInt32] = []
  for image in 0..<images {
    let first = codes.count
    // Every third image is smooth.
    let smooth = image % 3 == 0 ? 0.9 : 0.35
    for cell in 0..<grid.cellCount {
      let place = grid.cell(at: cell)
      let fresh = UInt32(generator.nextIndex(below: 24))
      let choice = generator.nextUniform()
      if choice < smooth / 2, place.column > 0 {
        codes.append(codes[first + cell - 1])
      } else if choice < smooth, place.row > 0 {
        codes.append(codes[first + cell - grid.columns])
      } else {
        codes.append(fresh)
      }
    }
  }
  return try TokenDataset(
    name: "tokens.h5", grid: grid, tokens: .codes(codes, codebook: codebook),
    // A class of one image among them.
    labels: labels
      ? TokenLabels(values: (0..<images).map { $0 == 5 ? 9 : UInt32($0 % 4) }, names: []) : nil,
    imageIDs: photographs.map { photograph in (0..<images).map(photograph) })
}

private func orders() throws -> [GenerationOrder] {
  try ["raster", "halton:n=3", "random:seed=4"].map {
    try OrderSpecification($0).order(on: grid, tokensPerStep: 4)
  }
}

/// The shares of a dataset.
private func shares(_ dataset: TokenDataset, _ count: Int) throws -> [ShardImages] {
  try (1...count).map {
    try ShardImages(of: dataset, share: NumberedPart($0, of: count))
  }
}

/// The moments of shares, merged in an order of their own.
private func moments(
  _ shares: [ShardImages], precision: TokenMoments.Precision = .double
) throws -> StoredMoments {
  var parts = try shares.map { try StoredMoments(of: $0, precision: precision) }
  var generator = SeededGenerator(seed: 8)
  generator.shuffle(&parts)
  return try parts.dropFirst().reduce(into: parts[0]) { try $0.merge($1) }
}

/// All three phases over shares.
private func sharded(
  _ shares: [ShardImages], givenClass: Bool = false, jitter: Double = 0,
  precision: TokenMoments.Precision = .double
) throws -> [OrderProfile] {
  let estimation = try ShardedEstimation(
    moments(shares, precision: precision), hash: "m", givenClass: givenClass, jitter: jitter)
  let orders = try orders()
  func merged(_ parts: [StoredResiduals]) throws -> StoredResiduals {
    try parts.dropLast().reversed().reduce(into: try #require(parts.last)) { try $0.merge($1) }
  }
  let residuals = try merged(shares.map { try estimation.residuals(of: orders, in: $0) })
  let influences = try merged(shares.map { try estimation.influences(of: residuals, in: $0) })
  do {
    return try estimation.profiles(influences)
  } catch ShardError.noisyScatters {
    return try estimation.profiles(
      merged(shares.map { try estimation.influences(of: influences, in: $0) }))
  }
}

/// The pass of one process, in double precision.
private func alone(
  _ features: some TokenFeatures, jitter: Double = 0
) throws -> [OrderProfile] {
  let arranged: any TokenFeatures = features.arrangedByGroup ?? features
  func pass(_ features: some TokenFeatures) throws -> [OrderProfile] {
    var moments = try TokenMoments(of: features, precision: .double)
    if jitter > 0 { moments.addJitter(jitter) }
    return try orders().map { order in
      let factorization = try OrderFactorization(of: order, moments: moments, bound: .debiased)
      return OrderProfile(
        factorization, bound: .debiased,
        pass: try factorization.pass(over: features, bound: .debiased))
    }
  }
  return try pass(arranged)
}

/// The largest difference of anything in two lists of profiles, in nats.
private func largestDifference(_ a: [OrderProfile], _ b: [OrderProfile]) -> Double {
  var largest = 0.0
  func compare(_ x: Double, _ y: Double) {
    largest = x.isNaN != y.isNaN ? .infinity : x.isNaN ? largest : max(largest, abs(x - y))
  }
  func compare(_ x: [Estimate], _ y: [Estimate]) {
    for (x, y) in zip(x, y) {
      compare(x.value, y.value)
      compare(x.standardError, y.standardError)
    }
  }
  for (x, y) in zip(a, b) {
    compare(x.sequential, y.sequential)
    compare(x.parallel, y.parallel)
    compare(x.increase, y.increase)
    compare(x.totalCorrelation, y.totalCorrelation)
    compare([x.totalIncrease, x.jointEntropy], [y.totalIncrease, y.jointEntropy])
    compare(x.kurtosisRatio ?? .nan, y.kurtosisRatio ?? .nan)
    compare(Double(x.fallbackCount), Double(y.fallbackCount))
    for (u, v) in zip(a, b) {
      let (one, other) = (x.difference(from: u), y.difference(from: v))
      compare(one.value, other.value)
      compare(one.standardError ?? .nan, other.standardError ?? .nan)
    }
  }
  return a.count == b.count ? largest : .infinity
}

// Entropies are sums of some hundred logarithms; 10⁻⁹ nats is the promise, and rounding of double precision is 10⁻¹².
private let tolerance = 1e-10

@Test(arguments: [1, 2, 7, 32])
func shardsGiveWhatOneProcessGives(_ count: Int) throws {
  let dataset = try tokens()
  let found = try sharded(shares(dataset, count))
  #expect(largestDifference(found, try alone(dataset)) < tolerance)
  #expect(found[0].totalIncrease.value > 0.1)
}

/// Photographs of one to five images, scattered over the file: they are brought together, and none is divided.
@Test(arguments: [1, 3, 8])
func shardsKeepPhotographsTogether(_ count: Int) throws {
  let dataset = try tokens(photographs: { UInt32($0 * 7 % 150) })
  let parts = try shares(dataset, count)
  #expect(parts.reduce(0) { $0 + $1.photographCount } == 150)
  let found = try sharded(parts)
  let expected = try alone(dataset)
  #expect(largestDifference(found, expected) < tolerance)
  // It does matter.
  let independent = try alone(try tokens())
  #expect(
    abs(found[0].totalIncrease.standardError - independent[0].totalIncrease.standardError) > 1e-4)
}

/// One process takes the means of classes off in single precision, which moves entropies by 10⁻⁸ or so.
@Test(arguments: [1, 5])
func shardsGiveWhatOneProcessGivesGivenTheClass(_ count: Int) throws {
  let dataset = try tokens()
  let found = try sharded(shares(dataset, count), givenClass: true)
  #expect(largestDifference(found, try alone(ClassCentred(dataset))) < 1e-6)
  #expect(largestDifference(found, try sharded(shares(dataset, 1), givenClass: true)) < tolerance)
}

@Test func shardsGiveWhatOneProcessGivesWithJitter() throws {
  let dataset = try tokens()
  let found = try sharded(shares(dataset, 3), jitter: 0.01)
  #expect(largestDifference(found, try alone(dataset, jitter: 0.01)) < tolerance)
  #expect(largestDifference(found, try alone(dataset)) > 1e-3)
}

/// Mixed precision rounds as images come to be summed together.
@Test func shardsOfMixedPrecisionAgreeWithinItsRounding() throws {
  let dataset = try tokens()
  let found = try sharded(shares(dataset, 7), precision: .mixed)
  let features = try OrderEstimator().profiles(of: orders(), in: dataset)
  #expect(largestDifference(found, features) < 1e-5)
}

/// So few images that scatters are too noisy: the third phase is taken once more, with the weights that one process takes.
@Test func noisyScattersAreTakenAgain() throws {
  let dataset = try tokens(images: 31)
  let parts = try shares(dataset, 3)
  let estimation = try ShardedEstimation(moments(parts), hash: "m")
  func merged(_ parts: [StoredResiduals]) throws -> StoredResiduals {
    try parts.dropFirst().reduce(into: parts[0]) { try $0.merge($1) }
  }
  let residuals = try merged(parts.map { try estimation.residuals(of: orders(), in: $0) })
  let first = try merged(parts.map { try estimation.influences(of: residuals, in: $0) })
  #expect(throws: ShardError.self) { try estimation.profiles(first) }
  let found = try sharded(parts)
  let expected = try alone(dataset)
  #expect(expected.contains { $0.fallbackCount > 0 })
  #expect(largestDifference(found, expected) < 1e-8)
}

@Test func closedFormsFollowFromMergedMoments() throws {
  let dataset = try tokens()
  let estimation = try ShardedEstimation(moments(shares(dataset, 5)), hash: "")
  let exact = try TokenMoments(of: dataset, precision: .double)
  for bound in [EntropyBound.wishart, .algorithm1] {
    let found = try estimation.profiles(of: orders(), bound: bound)
    for (profile, order) in zip(found, try orders()) {
      let expected = try OrderProfile(of: order, moments: exact, bound: bound)
      #expect(abs(profile.totalIncrease.value - expected.totalIncrease.value) < tolerance)
    }
    let cell = GridCell(row: 1, column: 1)
    let map = try estimation.maps(references: [cell], bound: bound)[0]
    let expected = try MapEstimator.maps(references: [cell], moments: exact, bound: bound)[0]
    for (a, b) in zip(map.entropy, expected.entropy) {
      #expect(abs((a?.value ?? 0) - (b?.value ?? 0)) < tolerance)
    }
  }
}

/// Against the sums by their definition, in any order of merging.
@Test func momentsAddUpExactly() throws {
  let dataset = try tokens()
  let columns = grid.cellCount * 2
  let rows = try dataset.features(ofImages: 0..<700).map { Double($0) }
  let mean = (0..<columns).map { j in
    stride(from: j, to: rows.count, by: columns).reduce(0) { $0 + rows[$1] } / 700
  }
  for count in [1, 2, 7, 32] {
    let merged = try moments(shares(dataset, count))
    #expect(merged.imageCount == 700 && merged.parts.missing.isEmpty)
    for i in 0..<columns {
      #expect(abs(merged.moments.mean[i] - mean[i]) < 1e-12)
      for j in 0...i {
        let sum = (0..<700).reduce(0.0) {
          $0 + (rows[$1 * columns + i] - mean[i]) * (rows[$1 * columns + j] - mean[j])
        }
        #expect(abs(merged.moments.scatter[i, j] - sum) < 1e-12 * 700 * 4)
      }
    }
    let classes = try #require(merged.classes)
    #expect(classes.labels == [0, 1, 2, 3, 9] && classes.counts[4] == 1)
    let ofTwo = (0..<700).filter { $0 % 4 == 2 }
    for j in 0..<columns {
      let expected = ofTwo.reduce(0) { $0 + rows[$1 * columns + j] } / Double(ofTwo.count)
      #expect(abs(classes.mean(2)[2 * columns + j] - expected) < 1e-12)
    }
  }
}

/// Features far from one: products would leave single precision's range.
@Test func momentsOfLargeFeaturesAreInTheirOwnUnit() throws {
  let dataset = try tokens(labels: false)
  let scale = Float(0x1p50)
  let large = try TokenDataset(
    name: "large", grid: grid,
    tokens: .features(try dataset.features(ofImages: 0..<700).map { $0 * scale }, dimensions: 2))
  let found = try moments(shares(large, 2), precision: .mixed)
  let expected = try moments(shares(dataset, 1))
  for i in 0..<24 {
    #expect(
      abs(found.moments.scatter[i, i] / 0x1p100 / expected.moments.scatter[i, i] - 1) < 1e-6)
  }
}

/// Labels make another source of an array, for sums by class; what is chosen by must still be other images.
@Test func theSameArrayIsNotOtherImagesForItsLabels() throws {
  let folder = try TemporaryFolder()
  let codes = (0..<Int64(200)).map { $0 * $0 * 7919 % 13 }
  try NpyWriter.write(codes, shape: [50, 2, 2], to: folder.file("codes.npy"))
  try NpyWriter.write((0..<50).map { Int64($0 % 3) }, shape: [50], to: folder.file("labels.npy"))
  try NpyWriter.write(codes.reversed(), shape: [50, 2, 2], to: folder.file("others.npy"))
  let codebook = FloatMatrix(rows: 13, columns: 1, elements: (0..<13).map { Float($0 * $0 % 7) })
  func array(_ name: String, labels: String? = nil) throws -> TokenArrayDataset {
    try #require(
      try TokenArrayDataset(
        TokenImport(
          path: folder.file(name), labels: labels.map { folder.file($0) }, codebook: codebook,
          options: .init())))
  }
  let stored = try StoredMoments(of: ShardImages(of: array("codes.npy")))
  let labelled = try StoredMoments(of: ShardImages(of: array("codes.npy", labels: "labels.npy")))
  for moments in [stored, labelled] {
    for labels in [nil, "labels.npy"] {
      let error = #expect(throws: ShardError.self) {
        try moments.requireOthers(than: array("codes.npy", labels: labels))
      }
      guard case .sameImages = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    try moments.requireOthers(than: array("others.npy", labels: "labels.npy"))
  }
  // Other labels, other sums: in later phases they would be of another mean.
  #expect(labelled.parts.parts[0].sourceHash != stored.parts.parts[0].sourceHash)
}
