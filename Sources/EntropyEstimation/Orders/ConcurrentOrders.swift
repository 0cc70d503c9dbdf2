import Foundation
import LinearAlgebra
import Synchronization
import TokenData
import TokenGrids

extension OrderEstimator {
  /// How many orders are factored at the same time at most; each needs (n·d)² numbers.
  static let concurrentOrders = 4

  /// How many of some orders are factored at the same time.
  static func lanes(for orders: [GenerationOrder]) -> Int {
    max(min(orders.count, BLAS.threads, concurrentOrders), 1)
  }

  /// Profiles of several orders from the same moments, by a closed form.
  ///
  /// Several orders are factored side by side, each on its share of the cores: a factorisation leaves cores waiting for each
  /// other that another one can use.
  ///
  /// - Parameter progress: Told how many orders are done; called from several threads.
  /// - Throws: As ``OrderProfile/init(of:moments:bound:)``; the first order's error.
  ///   ``EstimationError/tooLittleMemory(source:_:largestFeatureDimensions:channels:)`` where the factor of one order does not fit.
  /// - Complexity: (n·d)³/3 multiplications and additions an order, at most four times (n·d)² numbers of memory, and less
  ///   where that does not fit.
  public static func profiles(
    of orders: [GenerationOrder], moments: TokenMoments, bound: EntropyBound = .wishart,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> [OrderProfile] {
    guard EntropyBound.closedForm.contains(bound) else {
      throw EstimationError.boundNeedsImages(bound)
    }
    return try profiles(
      of: orders, moments: moments, bound: bound, channels: nil,
      lanes: MomentsMemory.ordersTogether(orders, beside: moments), progress: progress)
  }

  /// The same where a token may have more coordinates than `channels`.
  static func profiles(
    of orders: [GenerationOrder], moments: TokenMoments, bound: EntropyBound, channels: Int?,
    lanes: Int, progress: @Sendable (Int) -> Void
  ) throws -> [OrderProfile] {
    try concurrently(orders, lanes: lanes, progress: progress) { order in
      let factorization = try OrderFactorization(
        of: order, moments: moments, bound: bound, channels: channels)
      var profile = OrderProfile(factorization, bound: bound, pass: nil)
      profile.condition = FitCondition(factorization, of: orders, moments)
      return profile
    }
  }

  /// Applies `body` to several orders side by side, each with its share of the cores; results in the order of `orders`.
  ///
  /// - Parameter lanes: How many at most at the same time; nil for as many as there can be.
  static func concurrently<Value: Sendable>(
    _ orders: some Collection<GenerationOrder>, lanes most: Int? = nil,
    progress: @Sendable (Int) -> Void = { _ in },
    _ body: @Sendable (GenerationOrder) throws -> Value
  ) throws -> [Value] {
    let orders = Array(orders)
    let threads = BLAS.threads
    let lanes = min(lanes(for: orders), most ?? .max)
    let results = Mutex<[Int: Result<Value, any Error>]>([:])
    let next = Mutex(0)
    BLAS.withThreads(max(threads / lanes, 1)) {
      parallelFor(lanes) { _ in
        while let index = next.withLock({ next -> Int? in
          guard next < orders.count else { return nil }
          defer { next += 1 }
          return next
        }) {
          let result = Result { try body(orders[index]) }
          progress(
            results.withLock {
              $0[index] = result
              return $0.count
            })
        }
      }
    }
    let values = results.withLock(\.self)
    return try orders.indices.compactMap { try values[$0]?.get() }
  }

  /// Refuses data with too few images for any order's last token, before anything expensive is done.
  ///
  /// - Throws: ``EstimationError/tooFewImages(source:images:predictors:channels:largestFeatureDimensions:largestWindow:means:)``.
  public static func requireImages(for features: some TokenFeatures) throws(EstimationError) {
    try RequiredImages(features).suffice(contextTokens: features.grid.cellCount - 1)
  }
}

extension Array {
  /// The elements in runs of at most so many.
  func batches(of count: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
  }
}
