import TokenGrids

/// Mean and spread of numbers that come one after the other (Welford, 1962).
struct RunningMoments {
  private(set) var count = 0.0
  private(set) var mean = 0.0
  private var squares = 0.0

  /// The first value, from which sums of groups are taken.
  private var shift = 0.0
  private var group = (count: 0.0, sum: 0.0)
  /// Of groups that are complete: how many there are, and sums of squares and products of their sums and sizes.
  private var groups = (count: 0.0, sumSquares: 0.0, products: 0.0, sizeSquares: 0.0)

  /// Adds a value.
  ///
  /// - Parameter startsGroup: Whether the value does not belong to the group of the one before, values of a group not being
  ///   independent.
  mutating func add(_ value: Double, startsGroup: Bool = true) {
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
  var variance: Double { count > 1 ? squares / (count - 1) : 0 }

  /// The mean and its standard error; with groups the one of clusters, √(G/(G − 1)·Σ_g (Σ_{i∈g} (xᵢ − x̄))²)/m (Liang and Zeger,
  /// 1986), which for groups of one is the usual one.
  var estimate: Estimate {
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
  init(_ values: some Sequence<Double>, startsGroup: [Bool]) {
    self.init()
    for (value, starts) in zip(values, startsGroup) { add(value, startsGroup: starts) }
  }
}

/// What each image contributes to the entropies of an order: its losses. Standard errors are those of means over images, with par − seq and order A − order B subtracted
/// image by image first, because both share their noise.
struct ImageContributions {
  let order: GenerationOrder
  /// By position in the order's sequence.
  private(set) var sequential: [RunningMoments]
  private(set) var parallel: [RunningMoments]
  private(set) var increase: [RunningMoments]
  /// By step.
  private(set) var steps: [RunningMoments]
  /// By image: the sum of its increases.
  private(set) var totals: [Double] = []
  /// By image: the sum of its sequential entropies.
  private(set) var joint: [Double] = []
  /// By image: whether it does not belong to the photograph of the one before.
  private(set) var starts: [Bool] = []

  /// How well the least squares behind them are determined, and their ridge, for the first order and the first part.
  var health: FitHealth?
  var ridge: Double?

  init(order: GenerationOrder) {
    self.order = order
    let none = [RunningMoments](repeating: RunningMoments(), count: order.grid.cellCount)
    (sequential, parallel, increase) = (none, none, none)
    steps = [RunningMoments](repeating: RunningMoments(), count: order.steps.count)
  }

  /// Adds one image's contributions to sequential and parallel entropies and their differences, by position.
  mutating func add(
    sequential: ArraySlice<Double>, parallel: ArraySlice<Double>, increase: ArraySlice<Double>,
    startsGroup: Bool
  ) {
    var position = 0
    var total = 0.0
    for (index, step) in order.steps.enumerated() {
      var sum = 0.0
      for _ in step {
        self.sequential[position].add(
          sequential[sequential.startIndex + position], startsGroup: startsGroup)
        self.parallel[position].add(
          parallel[parallel.startIndex + position], startsGroup: startsGroup)
        let difference = increase[increase.startIndex + position]
        self.increase[position].add(difference, startsGroup: startsGroup)
        sum += difference
        position += 1
      }
      steps[index].add(sum, startsGroup: startsGroup)
      total += sum
    }
    totals.append(total)
    joint.append(sequential.reduce(0, +))
    starts.append(startsGroup)
  }
}
