import Atlas
import EntropyEstimation
import Reporting
import Statistics
import TokenData
import TokenGrids
import VisualTokenizers

extension EstimationOptions {
  /// Maps of some references.
  ///
  /// Closed forms of many references are cheapest through the moments of everything.
  /// - Parameter dataset: Its features as these options take them.
  func maps(
    of dataset: TokenDataset, references: [GridCell], _ tokens: TokenOptions
  ) throws -> [ConditionalEntropyMap] {
    let hasMoments =
      EntropyBound.closedForm.contains(bound) && errorKind == .gaussian && regressor == .linear
      && given == nil
    guard references.count > 32, hasMoments else {
      let progress = EstimationProgress(images: dataset.imageCount, orders: references.count)
      defer { progress.finish() }
      return try MapEstimator(settings(tokens)).maps(
        references: references, in: dataset, progress: progress.update)
    }
    try MapEstimator.requireMemory(
      references: references.count, on: dataset.grid, name: dataset.name)
    func maps(of features: some TokenFeatures) throws -> [ConditionalEntropyMap] {
      try tokens.withMoments(of: features, jitter: jitter) {
        try MapEstimator.maps(references: references, moments: $0, bound: bound)
      }
    }
    guard let rescaled = try RescaledFeatures(dataset, keepsProportions: jitter > 0) else {
      return try maps(of: dataset)
    }
    return try maps(of: rescaled).map { $0.shifted(by: rescaled.entropyShift) }
  }
}

extension Atlas.Maps {
  /// Maps of every reference, in the unit asked for.
  init(_ maps: [ConditionalEntropyMap], _ estimation: EstimationOptions) {
    let missing = Estimate(value: .nan, standardError: .nan)
    self.init(
      marginal: maps[0].marginal.map(estimation.estimate),
      maps: maps.lazy.map { map in
        (
          information: map.information.map { $0.map(estimation.estimate) ?? missing },
          entropyErrors: map.entropy.map { $0.map { estimation.value($0.standardError) } ?? .nan }
        )
      })
  }
}

extension Atlas.Order {
  /// An order of a comparison under a name, in the unit asked for.
  init(_ profile: OrderProfile, named name: String, _ estimation: EstimationOptions) {
    let sequence = sequenceName(ofOrder: name)
    self.init(
      name: name, curve: sequence.name, isOptimal: sequence.isOptimal, order: profile.order,
      increase: profile.increase.map(estimation.estimate),
      stepLosses: profile.totalCorrelation.map(estimation.estimate),
      total: profile.isUndecided ? nil : estimation.estimate(profile.totalIncrease))
  }
}

/// What an order's name says besides the sizes of its steps: orders with equal ones share a curve.
func sequenceName(ofOrder name: String) -> (name: String, isOptimal: Bool) {
  guard let colon = name.lastIndex(of: ":") else { return (name, false) }
  let options = name[name.index(after: colon)...].split(separator: ",")
  guard options.allSatisfy({ $0.contains("=") }) else { return (name, false) }
  let kept = options.filter { option in
    !["n=", "steps=", "schedule="].contains { option.hasPrefix($0) }
  }
  let family = String(name[..<colon])
  return (
    kept.isEmpty ? family : "\(family):\(kept.joined(separator: ","))",
    options.contains("schedule=optimal")
  )
}

extension [ComparedOrder] {
  /// The orders of a page; of an order with several seeds each one.
  func atlasOrders(_ estimation: EstimationOptions) -> [Atlas.Order] {
    flatMap { row in
      row.profiles.map {
        Atlas.Order(
          $0, named: row.profiles.count == 1 ? row.name : $0.order.name, estimation)
      }
    }
  }
}

extension Atlas.Pictures {
  /// How many pictures a page has.
  private static let count = 16

  /// Decoded images, spread over a dataset; nil where its tokens have no decoder that is known, or are of videos.
  ///
  /// - Throws: What reading them throws.
  init?(of tokens: some DescribedTokens) throws {
    guard !tokens.grid.isVideo, let images = try? TokenImages(of: tokens) else { return nil }
    let count = Swift.min(Self.count, tokens.imageCount)
    let numbers = (0..<count).map { $0 * tokens.imageCount / count }
    self.init(
      files: try numbers.map { [UInt8](try images.image($0).pngData()) },
      text: "Images \(numbers.map(String.init).joined(separator: ", ")) of the dataset, decoded"
        + " from their tokens; all cells up to the current step.")
  }
}
