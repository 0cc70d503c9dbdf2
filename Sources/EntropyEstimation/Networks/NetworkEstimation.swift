import LinearAlgebra
import Synchronization
import TokenData
import TokenGrids

extension OrderEstimator {
  /// Profiles by a network for each order: held-out, or in-sample as Algorithm 1 has it.
  static func networkProfiles(
    of orders: [GenerationOrder], features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [OrderProfile] {
    guard settings.bound == .heldOut || settings.bound == .algorithm1 else {
      throw EstimationError.networkIsNotDebiased(settings.bound)
    }
    for order in orders where order.grid != features.grid {
      throw EstimationError.gridMismatch(
        source: features.name, data: features.grid, order: order.name, orderGrid: order.grid)
    }
    let networks = orders.count * (settings.bound == .heldOut ? settings.folds : 1)
    let done = Mutex(0)
    let epoch: @Sendable (Double, Int) -> Void = { loss, epochs in
      progress(
        .training(
          done.withLock {
            $0 += 1
            return $0
          }, of: networks * epochs, loss: loss))
    }
    return try networkLosses(
      of: orders, features: features, network: network, settings, progress, epoch: epoch
    ).map {
      OrderProfile(
        losses: $0, bound: settings.bound, imageCount: features.imageCount,
        featureDimensions: features.featureDimensions)
    }
  }

  /// The losses of every image that the bound is taken over, part by part.
  private static func networkLosses(
    of orders: [GenerationOrder], features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void,
    epoch: @Sendable (Double, Int) -> Void
  ) throws -> [ImageContributions] {
    var losses = orders.map(ImageContributions.init)
    // Networks of a few orders are trained at the same time, each on residuals of all its predictions.
    let (n, d) = (features.grid.cellCount, features.featureDimensions)
    let predictions = orders.map { 2 * n - $0.steps.count }.max() ?? 0
    for part in try trainingParts(of: features, settings) {
      try TokenMemory.require(
        images: part.fitted.imageCount,
        bytesPerImage: Double(4 * lanes(for: orders) * predictions * d),
        for: "residuals of all predictions", source: features.name)
      let before = Dictionary(zip(orders, losses), uniquingKeysWith: { first, _ in first })
      @Sendable func trained(_ order: GenerationOrder, _ linear: HeldOutLaw?) throws
        -> ImageContributions
      {
        var losses = before[order] ?? ImageContributions(order: order)
        let starts = part.measured.startsOfGroups
        let first = losses.totals.count
        try forEachNetworkLoss(
          order: order, part: part, linear: linear, network: network, settings, epoch: epoch,
          body: { sequential, parallel in
            losses.add(
              sequential: sequential[...], parallel: parallel[...],
              increase: zip(parallel, sequential).map { $0 - $1 }[...],
              startsGroup: starts[losses.totals.count - first])
          })
        return losses
      }
      guard settings.shrinkage != .none || hasLinearPart(part.fitted) else {
        guard settings.jitter == 0 else {
          throw EstimationError.jitterWithoutLeastSquares(
            source: features.name, images: part.fitted.imageCount)
        }
        losses = try concurrently(orders) { try trained($0, nil) }
        continue
      }
      let memory = MomentsMemory(factoring: orders, of: part.fitted, settings)
      try memory.require(for: part.fitted)
      losses = try withMoments(
        of: part.fitted, channels: features.featureDimensions, settings, progress
      ) { moments in
        try concurrently(orders, lanes: memory.ordersTogether) {
          let factorization = try OrderFactorization(of: $0, moments: moments, bound: .heldOut)
          var losses = try trained($0, HeldOutLaw(factorization, fittedTo: part.fitted))
          losses.note(factorization, of: orders, moments)
          return losses
        }
      }
    }
    return losses
  }

  /// Whether least squares can predict new images, so that the network adds to them: m − p − 2 > d for the largest context.
  static func hasLinearPart(_ fitted: some TokenFeatures) -> Bool {
    (try? RequiredImages(fitted).sufficeForPrediction(
      of: fitted.imageCount, contextTokens: fitted.grid.cellCount - 1)) != nil
  }

  /// Images to fit to and images to take losses of.
  struct TrainingPart<Base: TokenFeatures> {
    let fitted: ImageSubset<Base>
    let measured: ImageSubset<Base>
    let index: Int
  }

  static func trainingParts<Features: TokenFeatures>(
    of features: Features, _ settings: EstimationSettings
  ) throws(EstimationError) -> [TrainingPart<Features>] {
    guard settings.bound == .heldOut else {
      let all = ImageSubset(of: features, images: Array(0..<features.imageCount))
      return [TrainingPart(fitted: all, measured: all, index: 0)]
    }
    let split = try settings.split(of: features)
    return split.parts.enumerated().map { index, part in
      TrainingPart(
        fitted: ImageSubset(of: features, images: split.fitted(besides: index)),
        measured: ImageSubset(of: features, images: part), index: index)
    }
  }

  /// Trains and calls `body` with the losses of every measured image.
  ///
  /// Covariances come from all images fitted to: the network has few parameters for the tokens it is trained on.
  private static func forEachNetworkLoss(
    order: GenerationOrder, part: TrainingPart<some TokenFeatures>, linear: HeldOutLaw?,
    network: NetworkSettings, _ settings: EstimationSettings, epoch: (Double, Int) -> Void,
    body: ([Double], [Double]) -> Void
  ) throws {
    let trained = try ContextNetwork(
      of: order, fittedTo: part.fitted, linear: linear, settings: network,
      seed: settings.seed &+ UInt64(part.index), progress: epoch)
    let law = try trained.residualLaw(
      of: part.fitted, leavingOut: settings.bound == .heldOut, bound: settings.bound)
    try trained.forEachLoss(of: part.measured, law: law, body)
  }
}

extension MapEstimator {
  /// Maps by a network for each reference: from its token, of all others.
  static func networkMaps(
    references: [GridCell], of features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [ConditionalEntropyMap] {
    guard settings.bound == .heldOut || settings.bound == .algorithm1 else {
      throw EstimationError.networkIsNotDebiased(settings.bound)
    }
    let grid = features.grid
    let parts = try OrderEstimator.trainingParts(of: features, settings)
    for part in parts {
      try TokenMemory.require(
        images: part.fitted.imageCount,
        bytesPerImage: Double(4 * grid.cellCount * features.featureDimensions),
        for: "residuals of all tokens", source: features.name)
    }
    let aloneByPart = try parts.map { part in
      try marginalLosses(of: part.measured, fittedTo: part.fitted, settings)
    }
    let networks = references.count * parts.count
    var done = 0
    return try references.map { reference in
      let j = grid.index(of: reference)
      var losses = MeasuredLosses(cells: grid.cellCount)
      for (index, part) in parts.enumerated() {
        let trained = try MapNetwork(
          reference: reference, fittedTo: part.fitted, of: features.imageCount, settings: network,
          jitter: settings.jitter, seed: settings.seed &+ UInt64(part.index),
          progress: { loss, epochs in
            done += 1
            progress(.training(done, of: networks * epochs, loss: loss / Double(grid.cellCount)))
          })
        let law = try trained.residualLaw(of: part.fitted, bound: settings.bound)
        let starts = part.measured.startsOfGroups
        var image = 0
        try trained.forEachLoss(of: part.measured, law: law) { values in
          for (cell, loss) in zip(0..<grid.cellCount, values) {
            losses.add(
              cell == j ? nil : loss, alone: aloneByPart[index][cell][image], cell: cell,
              startsGroup: starts[image])
          }
          image += 1
        }
      }
      return losses.map(
        reference: reference, grid: grid, imageCount: features.imageCount,
        featureDimensions: features.featureDimensions, bound: settings.bound)
    }
  }
}
