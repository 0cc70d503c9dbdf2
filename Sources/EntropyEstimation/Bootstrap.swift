import TokenData
import TokenGrids

extension OrderProfile {
  /// The standard deviation of each order's total increase over images, or photographs with all their images, drawn with replacement: a check of the errors that
  /// takes nothing from a formula.
  ///
  /// - Parameter repetitions: How many times images are drawn, 2 or more.
  /// - Throws: ``EstimationError`` where a draw, which has only about 63% distinct images, no longer determines the fits; and
  ///   what reading the features throws.
  /// - Complexity: `repetitions` times that of ``profiles(of:features:settings:progress:)``.
  public static func bootstrapErrors(
    of orders: [GenerationOrder], features: some TokenFeatures, settings: EstimationSettings,
    repetitions: Int
  ) throws -> [Double] {
    precondition(repetitions >= 2, "a spread needs two repetitions")
    let m = features.imageCount
    let needed = features.grid.cellCount * features.featureDimensions + 1
    let photographs =
      features.imageGroups.map { ImageGroups($0).images } ?? (0..<m).map { [$0] }
    var totals = [RunningMoments](repeating: RunningMoments(), count: orders.count)
    for repetition in 0..<repetitions {
      var generator = SeededGenerator(seed: settings.seed, stream: 1000 + UInt64(repetition))
      let images = photographs.indices
        .flatMap { _ in photographs[generator.nextIndex(below: photographs.count)] }.sorted()
      let distinct = Set(images).count
      guard distinct > needed else {
        throw EstimationError.tooFewDistinctImages(
          source: features.name, images: m, distinct: distinct, needed: needed + 1)
      }
      let moments = try TokenMoments(of: ImageSubset(of: features, images: images))
      for (index, profile) in try profiles(of: orders, moments: moments, bound: settings.bound)
        .enumerated()
      {
        totals[index].add(profile.totalIncrease.value)
      }
    }
    return totals.map { $0.variance.squareRoot() }
  }
}
