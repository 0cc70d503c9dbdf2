import EntropyEstimation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// Estimates orders from merged moments and passes over shards: the three phases of the debiased bound, and closed forms.
public struct ShardedEstimation: Sendable {
  /// The moments of all images, as they are estimated from.
  private let moments: TokenMoments
  private let stored: StoredMoments
  private let hash: String
  private let isGivenClass: Bool
  private let jitter: Double

  /// Prepares estimates.
  ///
  /// - Parameters:
  ///   - stored: The merged moments.
  ///   - hash: That of their file.
  ///   - isGivenClass: Whether entropies are given the image's class.
  ///   - jitter: ε of ε·tr(Σ)/D added to every variance.
  /// - Throws: ``ShardError`` for moments of which images are missing, and without classes.
  /// - Complexity: O((n·d)²); C times that for classes.
  public init(
    _ stored: StoredMoments, hash: String, givenClass isGivenClass: Bool = false,
    jitter: Double = 0
  ) throws {
    try stored.requireComplete()
    var moments = try stored.moments(givenClass: isGivenClass)
    if jitter > 0 { moments.addJitter(jitter) }
    (self.moments, self.stored, self.hash) = (moments, stored, hash)
    (self.isGivenClass, self.jitter) = (isGivenClass, jitter)
  }

  /// The second phase: the residual sums of a share of the images.
  ///
  /// - Parameter progress: Told how many orders are done.
  /// - Throws: ``ShardError`` for images that the moments do not hold; `EstimationError` as for one process.
  /// - Complexity: for every order (n·d)³/3 + O(images·(n·d)²).
  public func residuals(
    of orders: [GenerationOrder], in images: ShardImages, progress: (Int) -> Void = { _ in }
  ) throws -> StoredResiduals {
    try stored.requireSame(images)
    let parts = try ShardParts([images.part], file: images.name)
    try stored.requireHeld(parts, file: images.name)
    try requirePass()
    let share = try share(images)
    return StoredResiduals(
      name: images.name, momentsHash: hash, isGivenClass: isGivenClass, jitter: jitter,
      orders: orders, parts: parts, imageCount: share.features.imageCount,
      residuals: try orders.enumerated().map { index, order in
        defer { progress(index + 1) }
        return try share.residuals(of: factored(order, of: orders))
      }, influences: nil)
  }

  /// The third phase: the influences of a share of the images.
  ///
  /// - Parameter residuals: Those of all images; or influences of all images that turned out too noisy, to be taken again with
  ///   other weights.
  /// - Throws: ``ShardError`` for residual sums that are not of all images of the moments.
  /// - Complexity: for every order (n·d)³/3 + O(images·(n·d)²).
  public func influences(
    of residuals: StoredResiduals, in images: ShardImages, progress: (Int) -> Void = { _ in }
  ) throws -> StoredResiduals {
    try stored.requireSame(images)
    try residuals.require(stored, hash: hash)
    let parts = try ShardParts([images.part], file: images.name)
    try stored.requireHeld(parts, file: images.name)
    let orders = residuals.orders
    try requirePass()
    let share = try share(images)
    var fallbacks: [Set<Int>] = []
    var sums: [[RunSums]] = []
    var totals: [[Double]] = []
    for (k, order) in orders.enumerated() {
      let factored = try factored(order, of: orders)
      try check(residuals, factored, k)
      let noisy = residuals.influences.map {
        factored.noisyTokens(residuals: residuals.residuals[k], influences: $0.sums[k])
      }
      let found = try share.influences(
        of: factored, residuals: residuals.residuals[k], fallbacks: noisy ?? [])
      fallbacks.append(noisy ?? [])
      sums.append(found.sums)
      totals.append(found.totals)
      progress(k + 1)
    }
    if residuals.hasInfluences, fallbacks.allSatisfy(\.isEmpty) {
      throw ShardError.settled(residuals.name)
    }
    var pairs: [RunSums] = []
    let starts = share.starts
    for i in orders.indices {
      for j in orders.indices where j > i {
        var sum = RunSums(shift: 0)
        sum.add(zip(totals[i], totals[j]).map { $0 - $1 }, starts: starts[...])
        pairs.append(sum)
      }
    }
    return StoredResiduals(
      name: images.name, momentsHash: hash, isGivenClass: isGivenClass, jitter: jitter,
      orders: orders, parts: parts, imageCount: share.features.imageCount,
      residuals: residuals.residuals,
      influences: StoredResiduals.Influences(fallbacks: fallbacks, sums: sums, pairs: pairs))
  }

  /// The profiles of orders by the debiased bound, the same as one process finds but for rounding.
  ///
  /// - Parameters:
  ///   - influences: Those of all images.
  ///   - chosen: Some of their orders; nil for all.
  /// - Throws: ``ShardError`` for influences that are not of all images of the moments, for orders that they do not have, and
  ///   where scatters are too noisy, so that the third phase is to be repeated.
  /// - Complexity: (n·d)³/3 an order.
  public func profiles(
    _ influences: StoredResiduals, of chosen: [GenerationOrder]? = nil,
    progress: (Int) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    guard let found = influences.influences else {
      throw ShardError.otherPhase(
        influences.name, found: "residual sums of the second phase",
        expected: "influences, as `moments influences` makes them, are")
    }
    try influences.require(stored, hash: hash)
    guard influences.isGivenClass == isGivenClass, influences.jitter == jitter else {
      throw ShardError.otherSettings(
        influences.name, isGivenClass: influences.isGivenClass, jitter: influences.jitter)
    }
    let all = influences.orders
    let places = try chosen.map {
      try $0.map { order in
        guard let place = all.firstIndex(where: { $0.steps == order.steps }) else {
          throw ShardError.otherOrder(influences.name, order: order.name, has: all.map(\.name))
        }
        return place
      }
    }
    try MomentsMemory.requireFactor(beside: moments)
    let selected = places ?? Array(all.indices)
    return try selected.enumerated().map { index, k in
      let factored = try factored(all[k], of: selected.map { all[$0] })
      try check(influences, factored, k)
      if found.fallbacks[k].isEmpty {
        let noisy = factored.noisyTokens(
          residuals: influences.residuals[k], influences: found.sums[k])
        // In one process they are found once, from the influences with the bound's own weights.
        guard noisy.isEmpty || found.fallbacks.contains(where: { !$0.isEmpty }) else {
          throw ShardError.noisyScatters(
            influences.name, order: all[k].name, tokens: noisy.count)
        }
      }
      var pairs: [GenerationOrder: RunSums] = [:]
      for other in all.indices {
        let (i, j) = (min(k, other), max(k, other))
        pairs[all[other]] =
          k == other
          ? RunSums(shift: 0) : found.pairs[i * all.count - i * (i + 1) / 2 + j - i - 1]
      }
      defer { progress(index + 1) }
      return factored.profile(
        residuals: influences.residuals[k], fallbacks: found.fallbacks[k],
        influences: found.sums[k], pairs: pairs)
    }
  }

  /// The profiles of orders by a closed form, with the errors of Gaussian data.
  ///
  /// - Throws: As `OrderProfile.init(of:moments:bound:)`.
  public func profiles(
    of orders: [GenerationOrder], bound: EntropyBound, progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    try OrderEstimator.profiles(of: orders, moments: moments, bound: bound, progress: progress)
  }

  /// The maps of references by a closed form, with the errors of Gaussian data.
  ///
  /// - Throws: As `MapEstimator.maps(references:moments:bound:)`.
  public func maps(
    references: [GridCell], bound: EntropyBound
  ) throws -> [ConditionalEntropyMap] {
    try MapEstimator.maps(references: references, moments: moments, bound: bound)
  }

  // MARK: Parts

  /// Refuses a pass over images where memory does not suffice.
  private func requirePass() throws(EstimationError) {
    try MomentsMemory.requireFactor(
      copies: stored.precision == .mixed ? 1.5 : 2, beside: moments)
  }

  private func factored(
    _ order: GenerationOrder, of orders: [GenerationOrder]
  ) throws -> ShardedOrder {
    try ShardedOrder(order, of: orders, moments: moments)
  }

  private func check(_ sums: StoredResiduals, _ order: ShardedOrder, _ k: Int) throws(ShardError) {
    let expected = order.residualCount
    guard sums.residuals[k].count == expected else {
      throw .inconsistent(
        sums.name,
        reason:
          "/order_\(k)/residuals has \(sums.residuals[k].count) numbers; \(expected) are expected")
    }
    guard order.areSound(residuals: sums.residuals[k]) else {
      throw .inconsistent(
        sums.name, reason: "/order_\(k)/residuals holds sums that no images have")
    }
    guard let influences = sums.influences else { return }
    guard influences.sums[k].count == order.influenceCount else {
      throw .inconsistent(
        sums.name,
        reason:
          "/order_\(k)/influences has \(influences.sums[k].count) rows; \(order.influenceCount) are expected"
      )
    }
  }

  /// A share of the images as they are whitened.
  private struct Share {
    let features: any TokenFeatures
    let baseLeverages: [Double]

    /// 1 for the first image of a photograph.
    var starts: [UInt8] {
      guard let groups = features.imageGroups else {
        return Array(repeating: 1, count: features.imageCount)
      }
      return groups.indices.map { $0 == 0 || groups[$0] != groups[$0 - 1] ? 1 : 0 }
    }

    func residuals(of order: ShardedOrder) throws -> [Double] {
      try order.residualSums(of: features, baseLeverages: baseLeverages)
    }

    func influences(
      of order: ShardedOrder, residuals: [Double], fallbacks: Set<Int>
    ) throws -> ShardedOrder.Influences {
      try order.influences(
        of: features, baseLeverages: baseLeverages, residuals: residuals, fallbacks: fallbacks)
    }
  }

  private func share(_ images: ShardImages) throws -> Share {
    guard isGivenClass, let classes = stored.classes else {
      return Share(
        features: images,
        baseLeverages: Array(repeating: 1 / Double(moments.imageCount), count: images.imageCount))
    }
    let centred = try CentredShard(images, classes)
    return Share(features: centred, baseLeverages: centred.baseLeverages)
  }
}

extension StoredMoments {
  /// Refuses images that the moments do not hold.
  func requireHeld(_ others: ShardParts, file: String) throws(ShardError) {
    if let part = others.beyond(parts).first {
      if let own = parts.parts.first(where: {
        $0.isOfTheFile(of: part) && $0.sourceHash != part.sourceHash
      }) {
        throw .otherReading(part: part, of: own, file: file)
      }
      throw .otherImages(file, than: name, part: part, isMissing: false)
    }
  }

  /// Refuses images of another grid, other channels or another codebook.
  func requireSame(_ images: ShardImages) throws(ShardError) {
    for (what, own, other) in [
      ("grid", "\(grid)", "\(images.grid)"),
      ("number of channels", "\(featureDimensions)", "\(images.featureDimensions)"),
      ("codebook", codebookHash ?? "none", images.codebookHash ?? "none"),
    ] where own != other {
      throw .different(
        what: what, first: name, firstValue: own, second: images.name, secondValue: other)
    }
  }
}
