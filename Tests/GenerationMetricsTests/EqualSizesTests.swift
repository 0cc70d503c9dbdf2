import LinearAlgebra
import Testing
import TokenData
import TokenGrids

@testable import GenerationMetrics

@Suite struct EqualSizesTests {
  private func sizes(
    _ real: TokenDataset, _ generated: TokenDataset, needed: Int = 10, splits: Int = 4
  ) throws -> EqualSizes {
    try EqualSizes(
      real: ImageDealing(of: real, purpose: "test", seed: 3),
      generated: ImageDealing(of: generated, purpose: "test", seed: 3), needed: needed,
      splits: splits, seed: 3)
  }

  /// Half of the real images, or all generated ones where those are fewer, but for what ten groups cannot share evenly.
  @Test(arguments: [
    (200, 200, 100), (200, 330, 100), (207, 231, 100), (200, 120, 100), (200, 90, 90),
    (200, 57, 50), (400, 25, 20), (41, 40, 20),
  ])
  func allSetsHaveEquallyManyImages(real: Int, generated: Int, expected: Int) throws {
    let (a, b) = (try dependentTokens(images: real), try dependentTokens(images: generated))
    let sizes = try sizes(a, b)
    #expect(sizes.images == expected)
    var halves: [Set<Int>] = []
    for split in 0..<4 {
      let images = sizes.images(ofSplit: split)
      for (list, all) in [
        (images.real, real), (images.otherReal, real), (images.generated, generated),
      ] {
        #expect(list.count == expected && Set(list).count == expected)
        #expect(list.allSatisfy { (0..<all).contains($0) })
      }
      #expect(Set(images.real).isDisjoint(with: images.otherReal))
      halves += [Set(images.real), Set(images.otherReal)]
    }
    #expect(Set(halves).count == 8)
  }

  /// Features of the planned sets are those of the images that the plan names.
  @Test(arguments: [170, 52]) func featuresAreThoseOfTheNamedImages(generated: Int) throws {
    let (a, b) = (try dependentTokens(images: 143), try dependentTokens(images: generated, seed: 2))
    let sizes = try sizes(a, b)
    let extractor = try TextureExtractor(for: a)
    let x = try FeatureSet(of: a, by: extractor, seed: 3, dealing: sizes.real)
    let y = try FeatureSet(of: b, by: extractor, seed: 3, shift: x.shift, dealing: sizes.generated)
    #expect(x.imageCount == 143 && y.imageCount == generated)
    let comparison = try EqualSizeComparison(real: x, generated: y, sizes: sizes, neighbors: [2])
    for split in 0..<4 {
      let images = sizes.images(ofSplit: split)
      func gaussian(_ dataset: TokenDataset, _ images: [Int]) throws -> FeatureGaussian {
        let part = try dataset.selecting(images: images)
        let all = try extractor.features(of: part, images: 0..<images.count)
        return FeatureGaussian(
          samples: Matrix(
            rows: all.rows, columns: all.columns, elements: all.elements.map { Double($0) }))
      }
      let (p, q, r) = (
        try gaussian(a, images.real), try gaussian(a, images.otherReal),
        try gaussian(b, images.generated)
      )
      // Sums of the same numbers in another order.
      let floor = try FrechetDistance(p, q).value
      #expect(abs(comparison.noiseFloor[split].frechet.value - floor) < 1e-8)
      let value = try FrechetDistance(p, r).value
      #expect(abs(comparison.generated[split].frechet.value - value) < 1e-8)
      for one in [comparison.generated[split], comparison.noiseFloor[split]] {
        #expect(one.real.images == sizes.images && one.generated.images == sizes.images)
      }
    }
  }

  /// More images of the same law are a perfect generator. Against all of them everything that depends on the number of images
  /// lies below a floor of halves, the corrected distance, too; at equal size it is like its floor.
  @Test func aPerfectGeneratorScoresTheFloor() throws {
    let (a, b) = (try dependentTokens(images: 400), try dependentTokens(images: 400, seed: 2))
    let sizes = try sizes(a, b, splits: 6)
    let extractor = try StructureExtractor(for: a)
    let x = try FeatureSet(of: a, by: extractor, seed: 3, dealing: sizes.real)
    let y = try FeatureSet(of: b, by: extractor, seed: 3, shift: x.shift, dealing: sizes.generated)
    let whole = try ProxyComparison(real: x, generated: y, neighbors: [3])
    let equal = try EqualSizeComparison(real: x, generated: y, sizes: sizes, neighbors: [3])
    func mean(_ list: [ProxyComparison], _ value: (ProxyComparison) -> Double) -> Double {
      list.reduce(0) { $0 + value($1) } / Double(list.count)
    }
    for value in [{ $0.frechet.value }, { $0.frechet.correctedValue ?? .nan }]
      as [(ProxyComparison) -> Double]
    {
      let (generated, floor) = (mean(equal.generated, value), mean(equal.noiseFloor, value))
      // The bias is twice as large with half as many images; its spread is a tenth of it.
      #expect(value(whole) < 0.65 * floor)
      #expect(abs(generated - floor) < 0.2 * floor, "\(generated) \(floor)")
    }
    let infinity = try #require(whole.extrapolated?.estimate)
    // Nine degrees of freedom: beyond eight errors once in 50,000.
    #expect(abs(infinity.value) < 8 * infinity.standardError)
    #expect(infinity.standardError < 0.3 * whole.frechet.value)
  }

  @Test func photographsStayTogether() throws {
    let pairs = try dependentTokens(images: 120, imageIDs: (0..<120).map { UInt32($0 / 2) })
    let single = try dependentTokens(images: 120, seed: 2)
    let sizes = try sizes(pairs, single)
    #expect(sizes.images == 60)
    let images = sizes.images(ofSplit: 0)
    #expect(Set(images.real.map { $0 / 2 }).count == 30)
    #expect(Set(images.real.map { $0 / 2 }).isDisjoint(with: images.otherReal.map { $0 / 2 }))
    // Groups of two pairs cannot give three images; those of two do.
    let few = try self.sizes(pairs, dependentTokens(images: 39, seed: 2))
    #expect(few.images == 30)
  }

  @Test func whatCannotBeDividedIsSaid() throws {
    let few = try dependentTokens(images: 24)
    #expect(throws: EqualSizes.Obstacle.tooFewImages(images: 10, needed: 11)) {
      try sizes(few, few, needed: 11)
    }
    // Two or three images of every photograph, and odd photographs in one group only.
    let large = try dependentTokens(images: 60, imageIDs: (0..<60).map { UInt32($0 / 3) })
    let small = try dependentTokens(images: 21)
    #expect(throws: EqualSizes.Obstacle.unequalPhotographs) { try sizes(large, small) }
  }
}
