import EntropyEstimation
import LinearAlgebra
import TokenData

/// Everything that is measured between the features of two sets of images by one extractor.
public struct ProxyComparison: Sendable {
  /// The Fréchet distance of all samples.
  public let frechet: FrechetDistance
  /// The standard error of its corrected value, a jackknife over the groups; near zero it is up to one and a half times too large.
  public let correctedError: Double
  /// Its extrapolation to infinitely many images; nil where there are too few for that.
  public let extrapolated: FrechetExtrapolation?
  /// The kernel distance, of one sample an image.
  public let kernel: KernelDistance
  /// For each k, of one sample an image.
  public let neighbors: [NeighborMetrics]
  /// Images and samples of the first set.
  public let real: (images: Int, samples: Int)
  /// Images and samples of the second set.
  public let generated: (images: Int, samples: Int)

  /// Compares generated features with real ones.
  ///
  /// - Parameter neighbors: Every k of ``NeighborMetrics``.
  /// - Throws: ``MetricError/tooFewImages(source:extractor:images:needed:)`` for no more than k images, and what
  ///   ``FrechetDistance`` throws.
  public init(
    real: FeatureSet, generated: FeatureSet, neighbors: [Int] = [3, 5]
  ) throws {
    let most = neighbors.max() ?? 0
    for set in [real, generated] where set.imageCount <= most {
      throw MetricError.tooFewImages(
        source: set.source, extractor: "\(most) neighbours by \(set.extractor)",
        images: set.imageCount, needed: most + 1)
    }
    frechet = try FrechetDistance(real.gaussian, generated.gaussian)
    let withoutOne = try FrechetExtrapolation.distancesWithoutOne(real, generated)
    correctedError = jackknifeError(of: withoutOne.map { $0.correctedValue ?? .nan })
    extrapolated = try FrechetExtrapolation.extrapolate(
      real, generated, whole: frechet.value, withoutOne: withoutOne.map(\.value))
    kernel = KernelDistance(real, generated)
    self.neighbors = NeighborMetrics.metrics(
      real: real.rows, generated: generated.rows, neighbors: neighbors)
    self.real = (real.imageCount, real.imageCount * real.samplesPerImage)
    self.generated = (generated.imageCount, generated.imageCount * generated.samplesPerImage)
  }
}

/// Makes sure that the codes of two datasets can be compared.
///
/// - Throws: ``MetricError/differentGrids(first:_:second:_:)`` or
///   ``MetricError/differentCodebooks(first:_:second:_:)``.
/// - Complexity: O(K·d).
public func requireComparable(_ first: TokenDataset, _ second: TokenDataset) throws {
  guard first.grid == second.grid else {
    throw MetricError.differentGrids(
      first: first.name, first.grid, second: second.name, second.grid)
  }
  guard first.codebookHash == second.codebookHash,
    first.featureDimensions == second.featureDimensions
  else {
    func text(_ dataset: TokenDataset) -> String {
      dataset.codebookHash.map {
        "\(dataset.codebook?.rows ?? 0) x \(dataset.featureDimensions), \($0)"
      }
        ?? "none (continuous tokens of \(dataset.featureDimensions) channels)"
    }
    throw MetricError.differentCodebooks(
      first: first.name, text(first), second: second.name, text(second))
  }
}
