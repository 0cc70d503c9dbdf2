import LinearAlgebra
import Testing
import TokenData

@Suite struct FeatureReductionTests {
  /// The covariance of all features, slowly.
  func covariance(_ dataset: TokenDataset) throws -> Matrix {
    let d = dataset.featureDimensions
    let features = try dataset.features(ofImages: 0..<dataset.imageCount).map(Double.init)
    let count = features.count / d
    let mean = (0..<d).map { j in (0..<count).map { features[$0 * d + j] }.reduce(0, +) }
      .map { $0 / Double(count) }
    var result = Matrix(rows: d, columns: d)
    for i in 0..<d {
      for j in 0..<d {
        result[i, j] =
          (0..<count).map { (features[$0 * d + i] - mean[i]) * (features[$0 * d + j] - mean[j]) }
          .reduce(0, +) / Double(count)
      }
    }
    return result
  }

  @Test(arguments: [1, 2, 4, 5])
  func channelsAreUncorrelatedWithTheLargestVariances(r: Int) throws {
    // Codes are used unevenly, so that an unweighted covariance would not pass.
    var dataset = try randomDataset(images: 60, codes: 30, dimensions: 5)
    let codes = try #require(dataset.codes).map { $0 % 3 == 0 ? $0 : $0 / 3 }
    dataset = try TokenDataset(
      name: "uneven", grid: dataset.grid,
      tokens: .codes(codes, codebook: try #require(dataset.codebook)))
    let full = try SymmetricEigen(covariance(dataset)).values
    let reduced = try dataset.reduced(toFeatureDimensions: r)
    #expect(reduced.featureDimensions == r)
    #expect(reduced.codes == dataset.codes)
    #expect(reduced.decoder == nil)
    let reducedCovariance = try covariance(reduced)
    for i in 0..<r {
      for j in 0..<r {
        // Float storage: a few units of 2⁻²⁴ relative to variances of about a third.
        #expect(abs(reducedCovariance[i, j] - (i == j ? full[i] : 0)) < 1e-6)
      }
    }
  }

  @Test func featuresReduceAsCodesDo() throws {
    let dataset = try randomDataset(images: 20, dimensions: 4)
    let features = try TokenDataset(
      name: "features", grid: dataset.grid,
      tokens: .features(dataset.features(ofImages: 0..<20), dimensions: 4))
    let a = try dataset.reduced(toFeatureDimensions: 2).features(ofImages: 0..<20)
    let b = try features.reduced(toFeatureDimensions: 2).features(ofImages: 0..<20)
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: [0, -1, 4])
  func refusesDimensionsThatAreNotThere(r: Int) throws {
    let dataset = try randomDataset(dimensions: 3)
    #expect(
      throws: TokenDataError.invalidFeatureDimensions("random", wanted: r, available: 3)
    ) { try dataset.reduced(toFeatureDimensions: r) }
  }
}
