import LinearAlgebra
import TokenData
import TokenGrids

/// Estimates what orders lose: the door to profiles of orders, whatever the regressor, the bound and the errors.
public struct OrderEstimator: Sendable {
  /// How to estimate.
  public let settings: EstimationSettings

  /// Makes an estimator; without settings that of the commands.
  public init(_ settings: EstimationSettings = EstimationSettings()) { self.settings = settings }

  /// Profiles of orders straight from the features.
  ///
  /// - Parameters:
  ///   - orders: Orders of the features' grid.
  ///   - features: The tokens.
  ///   - progress: Told what is being done; called from several threads.
  /// - Throws: ``EstimationError`` for too few images, another grid, constant and linearly dependent channels, and settings
  ///   that exclude each other; what reading the features throws.
  /// - Complexity: O(m·(n·d)²/2 + orders·(n·d)³/3); errors from the images add O(m·(n·d)²/2) an order, the held-out bound
  ///   with k folds takes the whole k times.
  public func profiles(
    of orders: [GenerationOrder], in features: some TokenFeatures,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    try Self.profiles(of: orders, features: features, settings: settings, progress: progress)
  }
}

extension OrderEstimator {
  /// The engine: features are rescaled and arranged first, then handed to the regressor.
  private static func profiles(
    of orders: [GenerationOrder], features: some TokenFeatures, settings: EstimationSettings,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    if let rescaled = try RescaledFeatures(
      features, keepsProportions: settings.keepsProportions)
    {
      return try profiles(of: orders, features: rescaled, settings: settings, progress: progress)
        .map { $0.shifted(by: rescaled.entropyShift) }
    }
    if let arranged = features.arrangedByGroup {
      return try profiles(of: orders, features: arranged, settings: settings, progress: progress)
    }
    try settings.validate()
    if let window = settings.contextWindow {
      return settings.isGivenClass
        ? try windowProfiles(
          of: orders, features: ClassCentred(features), window: window, settings, progress)
        : try windowProfiles(of: orders, features: features, window: window, settings, progress)
    }
    let channels = features.featureDimensions
    func leastSquares(_ features: some TokenFeatures) throws -> [OrderProfile] {
      settings.isGivenClass
        ? try leastSquaresProfiles(
          of: orders, features: ClassCentred(features), channels: channels, settings, progress)
        : try leastSquaresProfiles(
          of: orders, features: features, channels: channels, settings, progress)
    }
    switch settings.regressor {
    case .linear: return try leastSquares(features)
    case .features(let count, let kind):
      return try leastSquares(
        RandomFeatures(of: features, count: count, kind: kind, seed: settings.seed))
    case .mlp(let network):
      return try networkProfiles(
        of: orders, features: features, network: network, settings, progress)
    }
  }

  /// Profiles by least squares: in `features` a token's first `channels` coordinates are what is predicted, and all of them
  /// predict later tokens.
  private static func leastSquaresProfiles(
    of orders: [GenerationOrder], features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [OrderProfile] {
    let memory = MomentsMemory(factoring: orders, of: features, settings)
    try memory.require(for: features, channels: channels)
    switch settings.bound {
    case .algorithm1, .wishart, .debiased:
      if settings.shrinkage == .none {
        try RequiredImages(features).sufficeForOrders(channels: channels)
      }
      return try withMoments(of: features, channels: channels, settings, progress) { moments in
        @Sendable func factored(_ order: GenerationOrder) throws -> OrderFactorization {
          try OrderFactorization(
            of: order, moments: moments, bound: settings.bound, channels: channels)
        }
        var profiles: [OrderProfile] = []
        if settings.bound == .debiased || settings.errorKind == .robust {
          // A few orders are factored side by side and then pass over the images one by one, each on all cores.
          for batch in orders.batches(of: memory.ordersTogether) {
            for factorization in try concurrently(batch, factored) {
              let pass = try factorization.pass(over: features, bound: settings.bound)
              var profile = OrderProfile(factorization, bound: settings.bound, pass: pass)
              profile.condition = FitCondition(factorization, of: orders, moments)
              profiles.append(profile)
              progress(.factoring(profiles.count, of: orders.count))
            }
          }
        } else {
          profiles = try Self.profiles(
            of: orders, moments: moments, bound: settings.bound, channels: channels,
            lanes: memory.ordersTogether
          ) { progress(.factoring($0, of: orders.count)) }
        }
        return profiles
      }
    case .heldOut:
      return try heldOutLosses(
        of: orders, features: features, channels: channels, settings,
        lanes: memory.ordersTogether, progress
      ).map {
        OrderProfile(
          losses: $0, bound: .heldOut, imageCount: features.imageCount, featureDimensions: channels)
      }
    }
  }

  /// The losses of held-out images, part by part.
  private static func heldOutLosses(
    of orders: [GenerationOrder], features: some TokenFeatures, channels: Int,
    _ settings: EstimationSettings, lanes: Int, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [ImageContributions] {
    let split = try settings.split(of: features)
    var losses = orders.map(ImageContributions.init)
    for (index, part) in split.parts.enumerated() {
      let fitted = ImageSubset(of: features, images: split.fitted(besides: index))
      let heldOut = ImageSubset(of: features, images: part)
      if settings.shrinkage == .none {
        if channels < features.featureDimensions {
          try RequiredImages(features, images: fitted.imageCount)
            .sufficeForOrders(channels: channels)
        }
        try RequiredImages(fitted).sufficeForPrediction(
          of: features.imageCount, contextTokens: features.grid.cellCount - 1)
      }
      let before = Dictionary(zip(orders, losses), uniquingKeysWith: { first, _ in first })
      losses = try withMoments(of: fitted, channels: channels, settings, progress) { moments in
        try concurrently(
          orders, lanes: lanes, progress: { progress(.factoring($0, of: orders.count)) }
        ) {
          var losses = before[$0] ?? ImageContributions(order: $0)
          let factorization = try OrderFactorization(
            of: $0, moments: moments, bound: .heldOut, channels: channels)
          losses.note(factorization, of: orders, moments)
          try HeldOutLaw(factorization, fittedTo: fitted).addLosses(of: heldOut, to: &losses)
          return losses
        }
      }
    }
    return losses
  }

  static func withMoments<Result>(
    of features: some TokenFeatures, channels: Int, _ settings: EstimationSettings,
    _ progress: @Sendable (EstimationStage) -> Void, _ body: (TokenMoments) throws -> Result
  ) throws -> Result {
    try TokenMoments.withSufficientPrecision(
      of: features, jitter: settings.jitter,
      progress: { progress(.summing($0, of: features.imageCount)) },
      { moments in
        moments.addRidge(randomFeatureRidge, toCoordinatesFrom: channels)
        switch settings.shrinkage {
        case .none: break
        case .ridge(let share): moments.addPenalty(share)
        case .ledoitWolf: moments.addPenalty(try moments.ledoitWolfRidge(of: features))
        }
        return try body(moments)
      })
  }
}
