import EntropyEstimation
import Statistics
import TokenData
import TokenGrids

/// How differently the tokens of two sets depend on each other: mean absolute differences of informations and of conditional
/// entropies, in nats.
///
/// A generator that draws every token well and independently of the others is far from real images here. Differences of
/// conditional entropies are those of the tokens' own entropies as well; ``information`` is without them.
///
/// Both sets are measured with ``EntropyBound/debiased``, whatever the magnitude of their features. Means of absolute differences
/// grow with the noise of what is compared: only distances of equally many images are compared (``EqualSizes``).
public struct DependencyDistance: Hashable, Sendable {
  /// Of the profiles of one order.
  public struct Profile: Hashable, Sendable {
    /// The order.
    public let order: String
    /// Of H(v_k | all tokens before), over the tokens.
    public let sequential: Double
    /// Of H(v_k | earlier steps), over the tokens.
    public let parallel: Double
    /// Of the entropy increase, over the tokens.
    public let increase: Double
    /// The total increase of the first set.
    public let realTotalIncrease: Double
    /// The total increase of the second set.
    public let generatedTotalIncrease: Double
  }

  /// Of H(v_i | v_j), over all pairs of a token and a reference.
  public let maps: Double
  /// Of I(v_i; v_j), over the same pairs.
  public let information: Double
  /// How many references the maps have, of all tokens or those spread over a large grid.
  public let references: Int
  /// For each order asked for.
  public let profiles: [Profile]

  /// Compares the dependencies of two sets of tokens.
  ///
  /// - Parameters:
  ///   - references: Reference tokens j; nil for ``standardReferences(on:)``.
  ///   - orders: Orders whose profiles are compared as well.
  ///   - jitter: ε of ε·tr(Σ)/D on the diagonal of both covariances, for degenerate tokens; 0 adds nothing.
  /// - Throws: `EstimationError` for too few images, constant or dependent channels, with the numbers needed.
  /// - Complexity: O(m·n·d²·references), and O(m·(n·d)²) for each order.
  public init(
    real: some TokenFeatures, generated: some TokenFeatures, references: [GridCell]? = nil,
    orders: [GenerationOrder] = [], jitter: Double = 0
  ) throws {
    let cells = references ?? Self.standardReferences(on: real.grid)
    let a = try Self.estimates(of: real, references: cells, orders: orders, jitter: jitter)
    let b = try Self.estimates(of: generated, references: cells, orders: orders, jitter: jitter)
    self.init(a, b)
  }

  /// Compares estimates that are already there.
  public init(_ a: DependencyEstimates, _ b: DependencyEstimates) {
    func difference(_ values: (ConditionalEntropyMap) -> [Estimate?]) -> Double {
      var (sum, count) = (0.0, 0)
      for (x, y) in zip(a.maps, b.maps) {
        for case (let p?, let q?) in zip(values(x), values(y)) {
          sum += abs(p.value - q.value)
          count += 1
        }
      }
      return sum / Double(count)
    }
    maps = difference(\.entropy)
    information = difference(\.information)
    references = a.maps.count
    profiles = zip(a.profiles, b.profiles).map { x, y in
      func mean(_ values: (OrderProfile) -> [Estimate]) -> Double {
        let (p, q) = (values(x), values(y))
        return zip(p, q).reduce(0) { $0 + abs($1.0.value - $1.1.value) } / Double(p.count)
      }
      return Profile(
        order: x.order.name, sequential: mean(\.sequential), parallel: mean(\.parallel),
        increase: mean(\.increase), realTotalIncrease: x.totalIncrease.value,
        generatedTotalIncrease: y.totalIncrease.value)
    }
  }

  /// The maps and profiles of one set.
  ///
  /// - Throws: As ``init(real:generated:references:orders:jitter:)``.
  public static func estimates(
    of features: some TokenFeatures, references: [GridCell]? = nil, orders: [GenerationOrder] = [],
    jitter: Double = 0
  ) throws -> DependencyEstimates {
    let cells = references ?? standardReferences(on: features.grid)
    return DependencyEstimates(
      maps: try MapEstimator(EstimationSettings(bound: .debiased, jitter: jitter)).maps(
        references: cells, in: features),
      profiles: try orders.isEmpty
        ? []
        : OrderEstimator(EstimationSettings(jitter: jitter)).profiles(of: orders, in: features))
  }

  /// All tokens of grids of up to 256, of larger ones those in every second row and column, or third, and so on; of videos in
  /// every second frame, too.
  ///
  /// Neighbouring references tell much the same, and the time is proportional to their number.
  public static func standardReferences(on grid: TokenGrid) -> [GridCell] {
    for step in 1... {
      let cells = grid.rasterCells.filter { cell in
        [cell.frame, cell.row, cell.column].allSatisfy { $0.isMultiple(of: step) }
      }
      if cells.count <= 256 { return cells }
    }
    return []
  }
}

/// The conditional entropies of one set of images, for comparison with another's.
public struct DependencyEstimates: Sendable {
  /// H(v_i | v_j), a map for each reference.
  public let maps: [ConditionalEntropyMap]
  /// A profile for each order.
  public let profiles: [OrderProfile]
}
