import EntropyEstimation
import Files
import LinearAlgebra
import TokenData
import TokenGrids

/// What shards of images add to the debiased entropies of orders, given the moments of all images: what a file of residual sums
/// holds.
///
/// The second phase sums weighted scatters; the third, which needs those of all images, sums the images' influences, from
/// which the errors follow and what is left of the bias. Sums of either phase add up in any order and grouping.
public struct StoredResiduals: Sendable {
  /// The file, or the source of the images, for messages.
  public let name: String
  /// The hash of the moments file that images were whitened by.
  public let momentsHash: String
  /// Whether the means of classes were taken off.
  public let isGivenClass: Bool
  /// The share of the mean variance that was added to every variance.
  public let jitter: Double
  /// The orders.
  public let orders: [GenerationOrder]
  /// The images.
  public private(set) var parts: ShardParts
  /// How many images took part: without those that are alone in their class.
  public private(set) var imageCount: Int
  /// By order, the sums of weighted scatters: in the second phase of these images, in the third of all.
  var residuals: [[Double]]
  /// What the third phase has found; nil in the second.
  var influences: Influences?

  /// What the third phase finds.
  struct Influences: Sendable {
    /// By order, positions that have the weights 1/(1 − h).
    let fallbacks: [Set<Int>]
    /// By order, as `ShardedOrder.Influences` has them.
    var sums: [[RunSums]]
    /// For each pair of orders i < j, by i and then j: of the differences of the images' totals.
    var pairs: [RunSums]
  }

  /// Whether these are the influences of the third phase.
  public var hasInfluences: Bool { influences != nil }

  init(
    name: String, momentsHash: String, isGivenClass: Bool, jitter: Double,
    orders: [GenerationOrder], parts: ShardParts, imageCount: Int, residuals: [[Double]],
    influences: Influences?
  ) {
    (self.name, self.momentsHash, self.isGivenClass) = (name, momentsHash, isGivenClass)
    (self.jitter, self.orders, self.parts) = (jitter, orders, parts)
    (self.imageCount, self.residuals, self.influences) = (imageCount, residuals, influences)
  }

  /// Adds the sums of other images.
  ///
  /// - Throws: ``ShardError`` for sums of another phase, of other moments or orders, with other options, and of images that
  ///   are in both.
  public mutating func merge(_ other: StoredResiduals) throws(ShardError) {
    func require(_ what: String, _ a: String, _ b: String) throws(ShardError) {
      guard a == b else {
        throw .different(
          what: what, first: name, firstValue: a, second: other.name, secondValue: b)
      }
    }
    try require("phase", phaseText, other.phaseText)
    try require("moments file", momentsHash, other.momentsHash)
    try require("condition", isGivenClass ? "class" : "none", other.isGivenClass ? "class" : "none")
    try require("jitter", "\(jitter)", "\(other.jitter)")
    try require(
      "list of orders", orders.map(\.name).joined(separator: ", "),
      other.orders.map(\.name).joined(separator: ", "))
    guard orders == other.orders else {
      throw .inconsistent(other.name, reason: "its orders have other steps than those of \(name)")
    }
    parts = try parts.merged(with: other.parts, file: other.name)
    imageCount += other.imageCount
    guard residuals.map(\.count) == other.residuals.map(\.count) else {
      throw .inconsistent(other.name, reason: "has other numbers of residual sums than \(name)")
    }
    guard var own = influences, let others = other.influences else {
      for (k, numbers) in other.residuals.enumerated() {
        for i in numbers.indices { residuals[k][i] += numbers[i] }
      }
      return
    }
    guard own.sums.map(\.count) == others.sums.map(\.count), own.pairs.count == others.pairs.count
    else { throw .inconsistent(other.name, reason: "has other numbers of influences than \(name)") }
    guard residuals == other.residuals, own.fallbacks == others.fallbacks else {
      throw .inconsistent(
        other.name,
        reason: "its influences were taken with other residual sums than those of \(name)"
      )
    }
    for k in own.sums.indices {
      for i in own.sums[k].indices { own.sums[k][i].add(others.sums[k][i]) }
    }
    for i in own.pairs.indices { own.pairs[i].add(others.pairs[i]) }
    influences = own
  }

  /// Refuses sums of a source of which images are missing.
  ///
  /// - Throws: ``ShardError/incomplete(_:missing:)``.
  public func requireComplete() throws(ShardError) {
    let missing = parts.missing
    guard missing.isEmpty else { throw .incomplete(name, missing: missing) }
  }

  private var phaseText: String { hasInfluences ? "influences" : "residual sums" }

  /// Refuses sums that are not of all images of the moments, or of others.
  ///
  /// - Parameters:
  ///   - moments: Their file, and its hash.
  /// - Throws: ``ShardError``.
  func require(_ moments: StoredMoments, hash: String) throws(ShardError) {
    guard momentsHash == hash else { throw .otherMoments(name, of: moments.name) }
    if let part = moments.parts.beyond(parts).first {
      throw .otherImages(name, than: moments.name, part: part, isMissing: true)
    }
    try moments.requireHeld(parts, file: name)
  }
}
