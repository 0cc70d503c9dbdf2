/// Mean and spread of numbers that come one after the other (Welford, 1962).
package struct RunningMoments: Sendable {
  package private(set) var count = 0.0
  package private(set) var mean = 0.0
  private var squares = 0.0

  /// The first value, from which sums of groups are taken.
  private var shift = 0.0
  private var group = (count: 0.0, sum: 0.0)
  /// Of groups that are complete: how many there are, and sums of squares and products of their sums and sizes.
  private var groups = (count: 0.0, sumSquares: 0.0, products: 0.0, sizeSquares: 0.0)

  /// Of no values yet.
  package init() {}

  /// Adds a value.
  ///
  /// - Parameter startsGroup: Whether the value does not belong to the group of the one before, values of a group not being
  ///   independent.
  package mutating func add(_ value: Double, startsGroup: Bool = true) {
    if count == 0 { shift = value }
    if startsGroup { completeGroup() }
    group.count += 1
    group.sum += value - shift
    count += 1
    let delta = value - mean
    mean += delta / count
    squares += delta * (value - mean)
  }

  private mutating func completeGroup() {
    guard group.count > 0 else { return }
    groups.count += 1
    groups.sumSquares += group.sum * group.sum
    groups.products += group.sum * group.count
    groups.sizeSquares += group.count * group.count
    group = (0, 0)
  }

  /// Of single values.
  package var variance: Double { count > 1 ? squares / (count - 1) : 0 }

  /// The mean and its standard error; with groups the one of clusters, √(G/(G − 1)·Σ_g (Σ_{i∈g} (xᵢ − x̄))²)/m (Liang and Zeger,
  /// 1986), which for groups of one is the usual one.
  package var estimate: Estimate {
    var complete = self
    complete.completeGroup()
    let groups = complete.groups
    guard groups.count < count else {
      return Estimate(value: mean, standardError: (variance / max(count, 1)).squareRoot())
    }
    let centre = mean - shift
    let squares =
      groups.sumSquares - 2 * centre * groups.products + centre * centre * groups.sizeSquares
    // One group says nothing of how groups differ.
    guard groups.count > 1 else { return Estimate(value: mean, standardError: .infinity) }
    let correction = groups.count / (groups.count - 1)
    return Estimate(
      value: mean, standardError: (correction * max(squares, 0)).squareRoot() / count)
  }
}

extension RunningMoments {
  /// Of some values; `startsGroup` says of each whether it does not belong to the group of the one before.
  package init(_ values: some Sequence<Double>, startsGroup: [Bool]) {
    self.init()
    for (value, starts) in zip(values, startsGroup) { add(value, startsGroup: starts) }
  }
}
