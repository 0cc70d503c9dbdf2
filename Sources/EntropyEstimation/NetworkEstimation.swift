import LinearAlgebra
import Synchronization
import TokenData
import TokenGrids

extension OrderProfile {
  /// Profiles by a network for each order: held-out, or in-sample as Algorithm 1 has it.
  static func networkProfiles(
    of orders: [GenerationOrder], features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [OrderProfile] {
    guard settings.bound != .debiased else { throw EstimationError.networkIsNotDebiased }
    for order in orders where order.grid != features.grid {
      throw EstimationError.gridMismatch(
        source: features.name, data: features.grid, order: order.name, orderGrid: order.grid)
    }
    let epochs = orders.count * network.epochs * (settings.bound == .heldOut ? settings.folds : 1)
    let done = Mutex(0)
    return try concurrently(orders) { order in
      var losses = ImageContributions(order: order)
      try forEachNetworkLoss(
        order: order, features: features, network: network, settings, readsEveryPrefix: true,
        epoch: { loss in
          progress(
            .training(
              done.withLock {
                $0 += 1
                return $0
              }, of: epochs, loss: loss))
        },
        body: { sequential, parallel in
          losses.add(
            sequential: sequential[...], parallel: parallel[...],
            increase: zip(parallel, sequential).map { $0 - $1 }[...])
        })
      return OrderProfile(
        losses: losses, bound: settings.bound, imageCount: features.imageCount,
        featureDimensions: features.featureDimensions)
    }
  }

  /// Trains and calls `body` with the losses of every image that the bound is taken over.
  static func forEachNetworkLoss(
    order: GenerationOrder, features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings, readsEveryPrefix: Bool, epoch: (Double) -> Void,
    body: ([Double], [Double]) -> Void
  ) throws {
    guard settings.bound == .heldOut else {
      let trained = try ContextNetwork(
        of: order, fittedTo: features, settings: network, seed: settings.seed,
        readsEveryPrefix: readsEveryPrefix, progress: { epoch($1) })
      let law = try trained.residualLaw(of: features, bound: .algorithm1)
      return try trained.forEachLoss(of: features, law: law, body)
    }
    let split = settings.split(imageCount: features.imageCount)
    for (index, part) in split.parts.enumerated() {
      let fitted = ImageSubset(of: features, images: split.fitted(besides: index))
      let trained = try ContextNetwork(
        of: order, fittedTo: fitted, settings: network, seed: settings.seed &+ UInt64(index),
        readsEveryPrefix: readsEveryPrefix, progress: { epoch($1) })
      let law = try trained.residualLaw(
        of: ImageSubset(of: fitted, images: trained.calibration), bound: .heldOut)
      try trained.forEachLoss(of: ImageSubset(of: features, images: part), law: law, body)
    }
  }
}

extension ConditionalEntropyMap {
  /// Maps by a network for each reference: from its token, of all others.
  static func networkMaps(
    references: [GridCell], of features: some TokenFeatures, network: NetworkSettings,
    _ settings: EstimationSettings
  ) throws -> [ConditionalEntropyMap] {
    guard settings.bound != .debiased else { throw EstimationError.networkIsNotDebiased }
    let grid = features.grid
    return try references.map { reference in
      let j = grid.index(of: reference)
      let rest = (0..<grid.cellCount).filter { $0 != j }
      let order = try GenerationOrder(
        name: "\(reference)", grid: grid, steps: rest.isEmpty ? [[j]] : [[j], rest])
      var losses = [RunningMoments](repeating: RunningMoments(), count: grid.cellCount)
      try OrderProfile.forEachNetworkLoss(
        order: order, features: features, network: network, settings, readsEveryPrefix: false,
        epoch: { _ in },
        body: { _, parallel in
          for (position, loss) in parallel.enumerated().dropFirst() {
            losses[rest[position - 1]].add(loss)
          }
        })
      return ConditionalEntropyMap(
        reference: reference, grid: grid,
        entropy: losses.enumerated().map { $0 == j ? nil : $1.estimate }, bound: settings.bound,
        imageCount: features.imageCount, featureDimensions: features.featureDimensions)
    }
  }
}
