import EntropyEstimation
import GenerationMetrics
import Reporting
import TokenData
import TokenGrids

/// The proxies of one set of images, by name, and their standard errors where they have one.
///
/// Names are `fd_structure`, `fd_corrected_texture`, `fd_infinity_pixels`, `kid_…`, `precision_3_…`, `recall_…`, `density_…`,
/// `coverage_…`, `dependency_maps`, `dependency_sequential`, `…_parallel`, `…_increase` and `generated_total_increase`.
struct ComparisonMeasurement: Codable, Sendable {
  var values: [String: Double] = [:]
  var errors: [String: Double] = [:]
  /// Of values that have them those without each group of images: what errors of differences come from. Measurements of
  /// earlier versions have none.
  var withoutGroups: [String: [Double]]?
  /// Why a proxy is missing, where one is.
  var notes: [String] = []

  mutating func set(
    _ name: String, _ value: Double?, error: Double? = nil, withoutGroups: [Double]? = nil
  ) {
    if let value, value.isFinite { values[name] = value }
    if let error, error.isFinite { errors[name] = error }
    if let withoutGroups, withoutGroups.allSatisfy(\.isFinite) {
      self.withoutGroups = (self.withoutGroups ?? [:]).merging([name: withoutGroups]) { $1 }
    }
  }

  /// What a value exceeds that of another measurement by, and its standard error. Images of equal number are in equal groups, and
  /// what both owe to them is no error of the difference; without groups the two errors are added as if independent.
  func excess(of name: String, over other: ComparisonMeasurement) -> (Double, error: Double?)? {
    guard let value = values[name], let base = other.values[name] else { return nil }
    if let a = withoutGroups?[name], let b = other.withoutGroups?[name], a.count == b.count {
      return (value - base, jackknifeError(of: zip(a, b).map { $0 - $1 }))
    }
    guard let a = errors[name], let b = other.errors[name] else { return (value - base, nil) }
    return (value - base, (a * a + b * b).squareRoot())
  }

  mutating func add(_ comparison: ProxyComparison, extractor: String, dimensions: Int) {
    set("fd_\(extractor)", comparison.frechet.value)
    set(
      "fd_corrected_\(extractor)", comparison.frechet.correctedValue,
      error: comparison.correctedError)
    let infinity = comparison.extrapolated?.estimate
    if infinity == nil {
      notes.append(
        "FD∞ of \(extractor) needs \(FrechetExtrapolation.imagesNeeded(dimensions: dimensions).grouped) images of each set; "
          + "FD corrected stands in its place, and compares with values of equally many images only"
      )
    }
    set(
      "fd_infinity_\(extractor)", infinity?.value, error: infinity?.standardError,
      withoutGroups: comparison.extrapolated?.withoutGroups)
    let kernel = comparison.kernel.estimate
    set(
      "kid_\(extractor)", kernel.value, error: kernel.standardError,
      withoutGroups: comparison.kernel.withoutGroups)
    for one in comparison.neighbors {
      set("precision_\(one.neighbors)_\(extractor)", one.precision)
      set("recall_\(one.neighbors)_\(extractor)", one.recall)
      set("density_\(one.neighbors)_\(extractor)", one.density)
      set("coverage_\(one.neighbors)_\(extractor)", one.coverage)
    }
  }

  mutating func add(_ distance: DependencyDistance) {
    set("dependency_maps", distance.maps)
    guard let profile = distance.profiles.first else { return }
    set("dependency_sequential", profile.sequential)
    set("dependency_parallel", profile.parallel)
    set("dependency_increase", profile.increase)
    set("generated_total_increase", profile.generatedTotalIncrease)
  }
}

/// Measures sets of images against the held-out half of the real ones; what belongs to that half is computed once.
final class ComparisonReference {
  private let dataset: TokenDataset
  private let extractors: [any FeatureExtractor]
  private let seed: UInt64
  private let neighbors: [Int]
  private var features: [String: FeatureSet] = [:]
  private var dependencies: [[GenerationOrder]: DependencyEstimates] = [:]

  init(
    dataset: TokenDataset, extractors: [any FeatureExtractor], neighbors: [Int], seed: UInt64
  ) {
    self.dataset = dataset
    self.extractors = extractors
    self.neighbors = neighbors
    self.seed = seed
  }

  /// All proxies of `images`; profiles are those of `order`, none without one.
  ///
  /// Dependencies that cannot be estimated, because there are too few images or a token never varies, are left out with a
  /// note.
  func measure(
    _ images: TokenDataset, order: GenerationOrder?, progress: (String) -> Void
  ) throws -> ComparisonMeasurement {
    var result = ComparisonMeasurement()
    for extractor in extractors {
      progress(extractor.name)
      let real = try realFeatures(extractor)
      let generated = try FeatureSet(of: images, by: extractor, seed: seed, shift: real.shift)
      result.add(
        try ProxyComparison(
          real: real, generated: generated, neighbors: neighbors),
        extractor: extractor.name, dimensions: extractor.dimensions)
    }
    progress("dependencies")
    do {
      // Profiles need as many images as the tokens have numbers; maps do not.
      let needed = images.grid.cellCount * images.featureDimensions + 1
      let hasProfiles = min(images.imageCount, dataset.imageCount) >= needed
      if order != nil, !hasProfiles {
        result.notes.append("profiles need \(needed) images of each set")
      }
      let orders = hasProfiles ? [order].compactMap(\.self) : []
      let real = try realDependencies(orders)
      let generated = try DependencyDistance.estimates(of: images, orders: orders)
      result.add(DependencyDistance(real, generated))
    } catch let error as EstimationError {
      result.notes.append(error.finding)
    }
    return result
  }

  private func realFeatures(_ extractor: any FeatureExtractor) throws -> FeatureSet {
    if let known = features[extractor.name] { return known }
    let set = try FeatureSet(of: dataset, by: extractor, seed: seed)
    features[extractor.name] = set
    return set
  }

  private func realDependencies(_ orders: [GenerationOrder]) throws -> DependencyEstimates {
    if let known = dependencies[orders] { return known }
    let estimates = try DependencyDistance.estimates(of: dataset, orders: orders)
    dependencies[orders] = estimates
    return estimates
  }
}
