import LinearAlgebra
import SystemResources
import Testing
import TokenData
import TokenGrids

@testable import GenerationMetrics

@Suite struct FeatureSetTests {
  /// 4 bytes a feature, and 20 sums of d² products of 8 bytes.
  @Test func featuresThatMemoryDoesNotHoldAreRefused() throws {
    let free = AvailableMemory(bytes: 1e9, limit: .machine)
    let most = Int((1e9 - 160 * 1e6) / 4000)
    try FeatureSet.requireMemory(
      images: most, dimensions: 1000, source: "a.npy", available: free)
    let error = #expect(throws: MetricError.self) {
      try FeatureSet.requireMemory(
        images: most + 1, dimensions: 1000, source: "a.npy", available: free)
    }
    guard case .tooLittleMemory("a.npy", _, let fitting) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // 0.8·(10⁹ − 1.6·10⁸)/4,000, to two digits.
    #expect(fitting == 160_000)
    // The sums alone are too much: fewer images would not help.
    let wide = #expect(throws: MetricError.self) {
      try FeatureSet.requireMemory(images: 20, dimensions: 3000, source: "a.npy", available: free)
    }
    #expect(wide?.description.contains("images fit") == false)
  }

  @Test func sumsOfGroupsAreThoseOfAllImages() throws {
    let dataset = try dependentTokens(images: 60)
    for name in [ExtractorName.structure, .texture] {
      let extractor = try name.extractor(for: dataset, seed: 0)
      let set = try FeatureSet(of: dataset, by: extractor, seed: 3)
      let all = try extractor.features(of: dataset, images: 0..<60)
      let exact = FeatureGaussian(
        samples: Matrix(
          rows: all.rows, columns: all.columns, elements: all.elements.map { Double($0) }))
      let gaussian = set.gaussian
      #expect(gaussian.sampleCount == 60 * extractor.samplesPerImage)
      #expect(abs(gaussian.trace - exact.trace) < 1e-9 * exact.trace)
      #expect(zip(gaussian.mean, exact.mean).allSatisfy { abs($0 - $1) < 1e-9 })
      let (p, q) = (gaussian.statistics.covariance, exact.statistics.covariance)
      #expect(zip(p.elements, q.elements).allSatisfy { abs($0 - $1) < 1e-9 })
    }
  }

  /// The variance of the mean comes from whole images, and from whole photographs where they are known.
  @Test func theVarianceOfTheMeanCountsIndependentUnits() throws {
    let ids = (0..<60).map { UInt32($0 / 2) }
    for imageIDs in [nil, ids] {
      let dataset = try dependentTokens(images: 60, imageIDs: imageIDs)
      let extractor = try TextureExtractor(for: dataset)
      let set = try FeatureSet(of: dataset, by: extractor, seed: 3)
      let all = try extractor.features(of: dataset, images: 0..<60)
      let perUnit = extractor.samplesPerImage * (imageIDs == nil ? 1 : 2)
      let units = all.rows / perUnit
      var means = Matrix(rows: units, columns: all.columns)
      for i in 0..<all.rows {
        for j in 0..<all.columns { means[i / perUnit, j] += Double(all[i, j]) / Double(perUnit) }
      }
      let expected = FeatureGaussian(samples: means).trace / Double(units)
      #expect(abs((set.gaussian.meanVariance ?? .nan) - expected) < 1e-9 * expected)
    }
  }

  @Test func theSeedDecidesTheGroups() throws {
    let dataset = try dependentTokens(images: 40)
    let extractor = try TextureExtractor(for: dataset)
    let sets = try [1, 1, 2].map { try FeatureSet(of: dataset, by: extractor, seed: $0) }
    #expect(sets[0].rows == sets[1].rows && sets[0].rows != sets[2].rows)
  }

  @Test func tooFewImagesAreRefused() throws {
    let dataset = try dependentTokens(images: 19)
    #expect(
      throws: MetricError.tooFewImages(
        source: "tokens", extractor: "structure", images: 19, needed: 20)
    ) {
      try FeatureSet(of: dataset, by: StructureExtractor(for: dataset), seed: 0)
    }
  }
}
