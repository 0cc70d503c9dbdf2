import EntropyEstimation
import LinearAlgebra
import Testing
import TokenData
import TokenGrids

@testable import GenerationMetrics

/// Every proxy is near its value for equal sets without corruption, and moves away as a growing share of codes is random.
@Suite struct CorruptionTests {
  static let shares = [0.0, 0.25, 0.6, 1]

  @Test(arguments: ExtractorName.allCases)
  func proxiesGrowWithCorruption(name: ExtractorName) throws {
    let images = name == .pixels ? 60 : 240
    let real = try dependentTokens(images: images, side: 6, seed: 1, decoder: patchDecoder())
    let other = try dependentTokens(images: images, side: 6, seed: 2, decoder: patchDecoder())
    let extractor = try name.extractor(for: real, seed: 3)
    let set = try FeatureSet(of: real, by: extractor, seed: 0)
    let results = try Self.shares.map { share in
      let generated = try FeatureSet(
        of: other.corrupted(share: share), by: extractor, seed: 0, shift: set.shift)
      return try ProxyComparison(real: set, generated: generated)
    }
    func grows(_ values: [Double], by ratio: Double = 1) -> Bool {
      zip(values, values.dropFirst()).allSatisfy { $1 > $0 * ratio }
    }
    #expect(grows(results.map(\.frechet.value)))
    #expect(grows(results.map { $0.frechet.correctedValue ?? .nan }))
    #expect(grows(results.map(\.kernel.estimate.value)))
    #expect(
      abs(results[0].kernel.estimate.value) < 8 * results[0].kernel.estimate.standardError)
    let last = results[results.count - 1]
    try #require(!last.neighbors.isEmpty && results[0].neighbors.count == last.neighbors.count)
    for (first, last) in zip(results[0].neighbors, last.neighbors) {
      // Precision and density need not fall: blurred features gather where real ones are dense.
      #expect(last.coverage < first.coverage && last.recall < first.recall)
    }
    // Against itself: nothing but rounding, and the corrected value below 0.
    let itself = try ProxyComparison(real: set, generated: set)
    #expect(abs(itself.frechet.value) < 1e-6 * set.gaussian.trace)
    #expect((itself.frechet.correctedValue ?? 1) < 0)
  }

  @Test func dependenciesAreLostWithCorruption() throws {
    let real = try dependentTokens(images: 300, side: 6, seed: 1)
    let other = try dependentTokens(images: 300, side: 6, seed: 2)
    let orders = try [GenerationOrder.raster(on: real.grid)]
    let distances = try Self.shares.map {
      try DependencyDistance(real: real, generated: other.corrupted(share: $0), orders: orders)
    }
    for (a, b) in zip(distances, distances.dropFirst()) {
      #expect(b.maps > a.maps && b.information > a.information)
      #expect(b.profiles[0].sequential > a.profiles[0].sequential)
      #expect(b.profiles[0].increase > a.profiles[0].increase)
    }
    let itself = try DependencyDistance(real: real, generated: real, orders: orders)
    // Estimated twice; BLAS has other threads where other tests hold some, and rounds otherwise.
    #expect(itself.maps < 1e-9 && itself.information < 1e-9 && itself.profiles[0].parallel < 1e-9)
    #expect(itself.references == 36)
  }

  /// Maps from a few references are those of all references.
  @Test func chosenReferencesAgreeWithAll() throws {
    let real = try dependentTokens(images: 200, side: 6, seed: 1)
    let other = try real.corrupted(share: 0.5)
    let cell = GridCell(row: 2, column: 3)
    let chosen = try DependencyDistance(real: real, generated: other, references: [cell])
    let all = try [real, other].map {
      try DependencyDistance.estimates(of: $0).maps[real.grid.index(of: cell)]
    }
    var sum = 0.0
    #expect(all.allSatisfy { $0.entropy.count == 36 })
    for case (let a?, let b?) in zip(all[0].entropy, all[1].entropy) {
      sum += abs(a.value - b.value)
    }
    #expect(abs(chosen.maps - sum / 35) < 1e-7, "\(chosen.maps) \(sum / 35)")
    #expect(chosen.references == 1)
  }

  /// Features of any magnitude give the same distances: squares of the smallest and the largest ones here are no numbers of
  /// single precision.
  @Test(arguments: [-100, 63]) func distancesDoNotDependOnTheUnit(exponent: Int) throws {
    let real = try dependentTokens(images: 200, side: 6, seed: 1)
    let other = try real.corrupted(share: 0.5)
    let orders = try [GenerationOrder.raster(on: real.grid)]
    let plain = try DependencyDistance(real: real, generated: other, orders: orders)
    let scaled = try DependencyDistance(
      real: real.scaled(byPowerOfTwo: exponent), generated: other.scaled(byPowerOfTwo: exponent),
      orders: orders)
    // Division by a power of two rounds nothing; entropies of some 100 nats are shifted and shifted back.
    #expect(abs(scaled.maps - plain.maps) < 1e-9)
    #expect(abs(scaled.information - plain.information) < 1e-9)
    #expect(abs(scaled.profiles[0].increase - plain.profiles[0].increase) < 1e-9)
    #expect(plain.maps > 0.01)
  }

  @Test func referencesOfLargeGridsAreSpread() {
    func count(_ rows: Int, _ columns: Int, frames: Int = 1) -> Int {
      DependencyDistance.standardReferences(
        on: TokenGrid(frames: frames, rows: rows, columns: columns)
      ).count
    }
    #expect(count(12, 12) == 144 && count(16, 16) == 256)
    #expect(count(24, 24) == 144 && count(33, 33) == 121 && count(16, 16, frames: 5) == 192)
  }

  @Test func profilesNeedImages() throws {
    let few = try dependentTokens(images: 60, side: 6)
    let order = try GenerationOrder.raster(on: few.grid)
    #expect(throws: EstimationError.self) {
      try DependencyDistance(real: few, generated: few, orders: [order])
    }
    #expect(throws: Never.self) { try DependencyDistance(real: few, generated: few) }
  }
}
