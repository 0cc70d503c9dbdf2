import FileFormats
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

extension FeatureStatistics {
  /// The mean and covariance of the features of some images, which are read a few hundred at a time.
  ///
  /// - Parameters:
  ///   - images: Numbers of images, at least one, in rising order: runs are read at once.
  ///   - makeExtractor: Makes the extractor, told the first of the images.
  ///   - progress: Told how many images are done.
  /// - Returns: The statistics, of one sample with a covariance of zeros; the number of samples; and the extractor.
  /// - Throws: ``MetricError/notFinite(source:extractor:image:)``, and what reading and the extractor throw.
  /// - Complexity: O(samples·d²) and the extractor's own cost; memory for one block of images.
  public static func of(
    _ tokens: any DescribedTokens, images: [Int],
    by makeExtractor: (TokenDataset) throws -> any FeatureExtractor,
    progress: (Int) -> Void = { _ in }
  ) throws -> (statistics: FeatureStatistics, samples: Int, extractor: any FeatureExtractor) {
    precondition(!images.isEmpty, "there are images")
    var extractor: (any FeatureExtractor)?
    var moments: FeatureMoments?
    for run in runs(of: images, atMost: 256) {
      let block = try tokens.block(of: run)
      let current = try extractor ?? makeExtractor(block)
      extractor = current
      let features = try current.features(of: block, images: 0..<run.count)
      let d = features.columns
      if let bad = features.elements.firstIndex(where: { !$0.isFinite }) {
        throw MetricError.notFinite(
          source: tokens.name, extractor: current.name,
          image: run.lowerBound + bad / d / current.samplesPerImage)
      }
      if moments == nil {
        moments = FeatureMoments(
          shift: (0..<d).map { j in
            (0..<features.rows).reduce(0.0) { $0 + Double(features[$1, j]) }
              / Double(features.rows)
          })
      }
      moments?.add(features, samplesPerUnit: current.samplesPerImage)
      progress(moments?.unitCount ?? 0)
    }
    guard let moments, let extractor else { preconditionFailure("there are images") }
    return (moments.statistics, moments.sampleCount, extractor)
  }

  /// Runs of consecutive numbers.
  private static func runs(of images: [Int], atMost limit: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for image in images {
      if let last = runs.last, last.upperBound == image, last.count < limit {
        runs[runs.count - 1] = last.lowerBound..<image + 1
      } else {
        runs.append(image..<image + 1)
      }
    }
    return runs
  }
}

extension DescribedTokens {
  /// A run of images in memory.
  fileprivate func block(of images: Range<Int>) throws -> TokenDataset {
    let tokens: TokenDataset.Tokens =
      if let codebook {
        .codes(try checkedCodes(ofImages: images), codebook: codebook)
      } else {
        .features(try features(ofImages: images), dimensions: featureDimensions)
      }
    return try TokenDataset(name: name, grid: grid, tokens: tokens, decoder: decoder)
  }
}
