import EntropyEstimation
import LinearAlgebra
import TokenGrids

/// The Fréchet distance of infinitely many samples, FD∞: the distance falls with the number of images as a line in 1/N, and
/// the line's value at 1/N = 0 has no bias of the first order. (Chong and Forsyth, 2020.)
///
/// Both sets are cut to the same share of their groups, nested subsets in two random orders; x = ½(1/N₁ + 1/N₂) counts
/// images or photographs. The standard error is that of the jackknife over the groups.
public struct FrechetExtrapolation: Hashable, Sendable {
  /// FD∞.
  public let estimate: Estimate
  /// The slope of the line, the bias times N.
  public let slope: Double

  /// The share of the groups in the smallest subset.
  static let smallestShare = 0.4
  private static let orderings = 2

  /// Extrapolates, where the smallest subset still determines the covariances.
  ///
  /// - Returns: nil when a smallest subset has no more samples than dimensions: the line in 1/N holds only beyond.
  /// - Throws: As ``FrechetDistance/init(_:_:)``.
  /// - Complexity: about ninety Fréchet distances of d × d covariances.
  public static func extrapolate(
    _ first: FeatureSet, _ second: FeatureSet, seed: UInt64
  ) throws -> FrechetExtrapolation? {
    let count = min(first.groups.count, second.groups.count)
    let smallest = Int((Double(count - 1) * smallestShare).rounded(.up))
    let fewest = min(
      first.groups.map(\.unitCount).min() ?? 0, second.groups.map(\.unitCount).min() ?? 0)
    guard fewest * smallest > first.dimensions else { return nil }
    var generator = SeededGenerator(seed: seed, stream: 3)
    let orders = (0..<orderings).map { _ in
      (generator.shuffled(0..<count), generator.shuffled(0..<count))
    }
    func line(without left: Int?) throws -> (intercept: Double, slope: Double) {
      var points: [(x: Double, y: Double)] = []
      for (a, b) in orders {
        let (a, b) = (a.filter { $0 != left }, b.filter { $0 != left })
        for size in sizes(of: a.count) {
          let (p, q) = (a.prefix(size), b.prefix(size))
          let distance = try FrechetDistance(
            first.gaussian(ofGroups: p), second.gaussian(ofGroups: q))
          let n = p.reduce(0) { $0 + first.groups[$1].unitCount }
          let m = q.reduce(0) { $0 + second.groups[$1].unitCount }
          points.append(((1 / Double(n) + 1 / Double(m)) / 2, distance.value))
        }
      }
      return fittedLine(points)
    }
    let whole = try line(without: nil)
    let leaving = try (0..<count).map { try line(without: $0).intercept }
    return FrechetExtrapolation(
      estimate: Estimate(value: whole.intercept, standardError: jackknifeError(of: leaving)),
      slope: whole.slope)
  }

  /// How many images, or photographs, each set must have for d dimensions.
  public static func imagesNeeded(dimensions: Int) -> Int {
    let groups = FeatureSet.groupCount
    let smallest = Int((Double(groups - 1) * smallestShare).rounded(.up))
    return (dimensions / smallest + 1) * groups
  }

  /// Four sizes of subsets, from the smallest share to all groups.
  private static func sizes(of count: Int) -> [Int] {
    let smallest = Int((Double(count) * smallestShare).rounded())
    return (0...3).map { smallest + (count - smallest) * $0 / 3 }
  }
}

/// The least-squares line through points.
func fittedLine(_ points: [(x: Double, y: Double)]) -> (intercept: Double, slope: Double) {
  let count = Double(points.count)
  let x = points.reduce(0) { $0 + $1.x } / count
  let y = points.reduce(0) { $0 + $1.y } / count
  let (cross, squares) = points.reduce((0.0, 0.0)) {
    ($0.0 + ($1.x - x) * ($1.y - y), $0.1 + ($1.x - x) * ($1.x - x))
  }
  let slope = squares > 0 ? cross / squares : 0
  return (y - slope * x, slope)
}

extension SeededGenerator {
  /// The numbers in a random order.
  mutating func shuffled(_ numbers: Range<Int>) -> [Int] {
    var result = Array(numbers)
    shuffle(&result)
    return result
  }
}
