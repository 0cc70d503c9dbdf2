import Statistics
import TokenGrids

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

  /// That of the first part of the first order.
  private(set) var condition: FitCondition?

  init(order: GenerationOrder) {
    self.order = order
    let none = [RunningMoments](repeating: RunningMoments(), count: order.grid.cellCount)
    (sequential, parallel, increase) = (none, none, none)
    steps = [RunningMoments](repeating: RunningMoments(), count: order.steps.count)
  }

  /// Takes note of the fit behind the contributions that come next.
  mutating func note(
    _ factorization: OrderFactorization, of orders: [GenerationOrder], _ moments: TokenMoments
  ) {
    condition = condition ?? FitCondition(factorization, of: orders, moments)
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
