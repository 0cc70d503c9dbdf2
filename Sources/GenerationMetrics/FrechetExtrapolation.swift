import EntropyEstimation
import LinearAlgebra
import Statistics
import Synchronization

/// The Fréchet distance of infinitely many samples, FD∞. (The aim of Chong and Forsyth, 2020, by other means.)
///
/// The distance of N images is too large by a/N + b/N² to second order. With F of all G groups of images, F₁ the mean of the
/// distances without one group of both sets and F₂ that without two of them,
///
/// > FD∞ = ½·[G²·F − 2(G − 1)²·F₁ + (G − 2)²·F₂]
///
/// has neither term (Schucany, Gray and Owen, 1971). Every group is left out equally often, so that which images are in a
/// subset adds no noise, as it does to a line through random subsets. The standard error is that of the jackknife over
/// the groups; near zero the distance is a quadratic form in noise, where the jackknife counts the variance q of products
/// of two groups 2(G − 1)/(G − 2) times, and q, from what the distances without two groups have beyond a sum of their
/// groups' shares, is taken off again (Efron and Stein, 1981).
public struct FrechetExtrapolation: Hashable, Sendable {
  /// FD∞; may be negative, as an estimate of zero without bias must.
  public let estimate: Estimate
  /// By how much the plain distance of all images is larger.
  public let bias: Double
  /// The values without each group of both sets, whose jackknife is the standard error but for its correction: differences
  /// of them are for distances that share images.
  public let withoutGroups: [Double]

  /// How many images, or photographs, the smallest subset must have for each dimension: below, terms beyond 1/N² exceed the
  /// error where the features have heavy tails.
  static let imagesPerDimension = 2

  /// Extrapolates, where the smallest subset still determines the covariances well.
  ///
  /// - Returns: nil when a smallest subset has fewer than two images a dimension.
  /// - Throws: As ``FrechetDistance/init(_:_:)``.
  /// - Complexity: 56 Fréchet distances of d × d covariances for ten groups.
  public static func extrapolate(
    _ first: FeatureSet, _ second: FeatureSet
  ) throws -> FrechetExtrapolation? {
    try extrapolate(
      first, second, whole: FrechetDistance(first.gaussian, second.gaussian).value,
      withoutOne: distancesWithoutOne(first, second).map(\.value))
  }

  /// The distances without each of the groups of both sets.
  static func distancesWithoutOne(
    _ first: FeatureSet, _ second: FeatureSet
  ) throws -> [FrechetDistance] {
    let count = min(first.groups.count, second.groups.count)
    return try distances(first, second, without: (0..<count).map { [$0] })
  }

  /// The distances without some groups of both sets, side by side: covariances are too small for several threads each.
  private static func distances(
    _ first: FeatureSet, _ second: FeatureSet, without left: [[Int]]
  ) throws -> [FrechetDistance] {
    let groups = 0..<min(first.groups.count, second.groups.count)
    let found = Mutex([FrechetDistance?](repeating: nil, count: left.count))
    try BLAS.onCallingThread {
      try parallelFor(left.count) { index in
        let kept = groups.filter { !left[index].contains($0) }
        let distance = try FrechetDistance(
          first.gaussian(ofGroups: kept), second.gaussian(ofGroups: kept))
        found.withLock { $0[index] = distance }
      }
    }
    return found.withLock { $0.compactMap(\.self) }
  }

  /// Extrapolates from the distances of all groups and without each of them.
  static func extrapolate(
    _ first: FeatureSet, _ second: FeatureSet, whole: Double, withoutOne: [Double]
  ) throws -> FrechetExtrapolation? {
    let count = withoutOne.count
    let fewest = min(
      first.groups.map(\.unitCount).min() ?? 0, second.groups.map(\.unitCount).min() ?? 0)
    guard count > 3, fewest * (count - 2) >= imagesPerDimension * first.dimensions else {
      return nil
    }
    let pairs = (0..<count).flatMap { g in (0..<g).map { [g, $0] } }
    var withoutTwo = Matrix(rows: count, columns: count)
    for (pair, distance) in zip(pairs, try distances(first, second, without: pairs)) {
      withoutTwo[pair[0], pair[1]] = distance.value
      withoutTwo[pair[1], pair[0]] = distance.value
    }
    let estimate = extrapolated(whole, withoutOne: withoutOne, withoutTwo: withoutTwo)
    return FrechetExtrapolation(
      estimate: estimate, bias: whole - estimate.value,
      withoutGroups: extrapolatedWithoutGroups(withoutOne, withoutTwo))
  }

  /// How many images, or photographs, each set must have for d dimensions.
  public static func imagesNeeded(dimensions: Int) -> Int {
    let groups = FeatureSet.groupCount
    let fewest = (imagesPerDimension * dimensions + groups - 3) / (groups - 2)
    return fewest * groups
  }
}

/// A statistic of infinitely many samples, and its standard error, from its values for all G groups of samples, without one
/// of them, and without two.
///
/// - Parameter withoutTwo: G × G, symmetric; the diagonal is not read.
func extrapolated(_ whole: Double, withoutOne: [Double], withoutTwo: Matrix) -> Estimate {
  let (count, n) = (withoutOne.count, Double(withoutOne.count))
  let rows = means(withoutTwo)
  let (first, second) = (withoutOne.reduce(0, +) / n, rows.reduce(0, +) / n)
  let value =
    (n * n * whole - 2 * (n - 1) * (n - 1) * first + (n - 2) * (n - 2) * second) / 2
  let error = jackknifeError(of: extrapolatedWithoutGroups(withoutOne, withoutTwo))
  // What a pair of groups has beyond the sum of two shares.
  let shares = rows.map { ($0 - second) * (n - 1) / (n - 2) }
  var squares = 0.0
  for g in 0..<count {
    for h in 0..<g {
      let rest = withoutTwo[g, h] - second - shares[g] - shares[h]
      squares += rest * rest
    }
  }
  // A product z_g·z_h enters the distance without two others as 2·z_g·z_h/(G − 2)², and FD∞ as 2/(G(G − 1)) of it.
  let product = (n - 2) * (n - 2) * (n - 2) * (n - 2) / 4 * squares / (n * (n - 3) / 2)
  let q = 2 * product / (n * (n - 1))
  let variance = max(error * error - (2 * (n - 1) / (n - 2) - 1) * q, q)
  return Estimate(value: value, standardError: variance.squareRoot())
}

/// The extrapolated statistic without each of the groups, to first order.
private func extrapolatedWithoutGroups(_ withoutOne: [Double], _ withoutTwo: Matrix) -> [Double] {
  let n = Double(withoutOne.count)
  return zip(withoutOne, means(withoutTwo)).map { (n - 1) * $0 - (n - 2) * $1 }
}

/// For every group the mean over the others of what is without both.
private func means(_ withoutTwo: Matrix) -> [Double] {
  let count = withoutTwo.rows
  return (0..<count).map { g in
    (0..<count).filter { $0 != g }.reduce(0) { $0 + withoutTwo[g, $1] } / Double(count - 1)
  }
}
