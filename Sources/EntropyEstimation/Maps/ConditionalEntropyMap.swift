import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// H(v_i | v_j) and I(v_i; v_j) for one reference token j and every token i. (PAR, supplement D.2, figure 11.)
///
/// The conditional entropy, which the paper draws, is how much a token still surprises once the reference is known. It is no
/// picture of dependence: on photographs it is low mostly where H(v_i) itself is low. The mutual information
/// H(v_i) − H(v_i | v_j) is what the reference tells of the token.
public struct ConditionalEntropyMap: Sendable {
  /// The reference token j.
  public let reference: GridCell
  /// The grid.
  public let grid: TokenGrid
  /// H(v_i | v_j) in nats, by raster index; nil for the reference itself. Exactly the difference of ``marginal`` and
  /// ``information``.
  public let entropy: [Estimate?]
  /// I(v_i; v_j) in nats, by raster index; nil for the reference itself. Below zero where the estimates' errors make it so.
  public let information: [Estimate?]
  /// H(v_i) in nats, by raster index, that of the reference included; the same for every reference.
  public let marginal: [Estimate]
  /// How entropies were estimated.
  public let bound: EntropyBound
  /// m.
  public let imageCount: Int
  /// d.
  public let featureDimensions: Int
  /// Mardia's kurtosis of the residuals over that of Gaussian ones, averaged over the tokens; nil where errors do not come from
  /// the images.
  public private(set) var kurtosisRatio: Double?
  /// How many entropies of this map ``EntropyBound/debiased`` would not have given with its own weights, whose scatter was not
  /// positive definite, so that residuals were weighted by 1/(1 − h) instead; 0 but for very few images.
  public internal(set) var fallbackCount = 0

  /// Takes the kurtosis and the fallbacks of another map of the same data.
  mutating func takeFacts(of other: ConditionalEntropyMap) {
    (kurtosisRatio, fallbackCount) = (other.kurtosisRatio, other.fallbackCount)
  }

  /// Takes the kurtosis from the variances of each token's squared Mahalanobis norm.
  mutating func setKurtosis(variances: [Double]) {
    let ratios = zip(information, variances).filter { $0.0 != nil }.map {
      EntropyEstimation.kurtosisRatio(variance: $0.1, channels: featureDimensions)
    }
    kurtosisRatio = ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count)
  }

  /// - Parameter entropyErrors: The standard errors of H(v_i | v_j).
  init(
    reference: GridCell, grid: TokenGrid, marginal: [Estimate], information: [Estimate?],
    entropyErrors: [Double], bound: EntropyBound, imageCount: Int, featureDimensions: Int
  ) {
    self.reference = reference
    self.grid = grid
    self.marginal = marginal
    self.information = information
    entropy = information.indices.map { i in
      information[i].map {
        Estimate(value: marginal[i].value - $0.value, standardError: entropyErrors[i])
      }
    }
    self.bound = bound
    self.imageCount = imageCount
    self.featureDimensions = featureDimensions
  }

  /// The means over the tokens at one distance from the reference.
  public struct AtDistance: Hashable, Sendable {
    /// The Euclidean distance in cells, rounded.
    public let distance: Int
    /// H(v_i | v_j) in nats.
    public let entropy: Estimate
    /// I(v_i; v_j) in nats.
    public let information: Estimate
    /// How many tokens there are at that distance.
    public let tokens: Int
  }

  /// Mean entropy and information over the tokens at each Euclidean distance from the reference, nearest first.
  ///
  /// Distances are between cell centres in one frame, rounded to whole cells; tokens of other frames are left out. The
  /// standard error takes the tokens' errors as fully dependent, since they share the images, so it does not shrink with
  /// the number of tokens at a distance.
  public var byDistance: [AtDistance] {
    var groups: [Int: [(entropy: Estimate, information: Estimate)]] = [:]
    for (index, pair) in zip(entropy, information).enumerated() {
      guard case (let entropy?, let information?) = pair else { continue }
      let cell = grid.cell(at: index)
      guard cell.frame == reference.frame else { continue }
      let (rows, columns) = (cell.row - reference.row, cell.column - reference.column)
      let distance = Double(rows * rows + columns * columns).squareRoot().rounded()
      groups[Int(distance), default: []].append((entropy, information))
    }
    func mean(_ estimates: [Estimate]) -> Estimate {
      let count = Double(estimates.count)
      return Estimate(
        value: estimates.reduce(0) { $0 + $1.value } / count,
        standardError: estimates.reduce(0) { $0 + $1.standardError } / count)
    }
    return groups.sorted { $0.key < $1.key }.map { distance, pairs in
      AtDistance(
        distance: distance, entropy: mean(pairs.map(\.entropy)),
        information: mean(pairs.map(\.information)), tokens: pairs.count)
    }
  }
}

extension ConditionalEntropyMap {
  /// A map of mean losses.
  init(
    reference: GridCell, grid: TokenGrid, losses: MapLosses, bound: EntropyBound, imageCount: Int,
    featureDimensions: Int
  ) {
    let j = grid.index(of: reference)
    self.init(
      reference: reference, grid: grid, marginal: losses.marginal.map(\.estimate),
      information: losses.information.enumerated().map { $0 == j ? nil : $1.estimate },
      entropyErrors: losses.conditional.map(\.standardError), bound: bound,
      imageCount: imageCount, featureDimensions: featureDimensions)
    setKurtosis(variances: losses.conditional.map { 4 * $0.variance })
  }
}
