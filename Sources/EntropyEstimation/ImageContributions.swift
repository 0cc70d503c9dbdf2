import TokenGrids

/// Mean and spread of numbers that come one after the other (Welford, 1962).
struct RunningMoments {
  private(set) var count = 0.0
  private(set) var mean = 0.0
  private var squares = 0.0

  mutating func add(_ value: Double) {
    count += 1
    let delta = value - mean
    mean += delta / count
    squares += delta * (value - mean)
  }

  var variance: Double { count > 1 ? squares / (count - 1) : 0 }

  /// The mean and its standard error.
  var estimate: Estimate {
    Estimate(value: mean, standardError: (variance / max(count, 1)).squareRoot())
  }
}

extension RunningMoments {
  init(_ values: some Sequence<Double>) {
    self.init()
    for value in values { add(value) }
  }
}

/// What each image contributes to the entropies of an order: the losses of held-out images, or the influence of images on
/// in-sample entropies. Standard errors are those of means over images, with par − seq and order A − order B subtracted
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

  init(order: GenerationOrder) {
    self.order = order
    let none = [RunningMoments](repeating: RunningMoments(), count: order.grid.cellCount)
    (sequential, parallel, increase) = (none, none, none)
    steps = [RunningMoments](repeating: RunningMoments(), count: order.steps.count)
  }

  /// Adds one image's contributions to sequential and parallel entropies and their differences, by position.
  mutating func add(
    sequential: ArraySlice<Double>, parallel: ArraySlice<Double>, increase: ArraySlice<Double>
  ) {
    var position = 0
    var total = 0.0
    for (index, step) in order.steps.enumerated() {
      var sum = 0.0
      for _ in step {
        self.sequential[position].add(sequential[sequential.startIndex + position])
        self.parallel[position].add(parallel[parallel.startIndex + position])
        let difference = increase[increase.startIndex + position]
        self.increase[position].add(difference)
        sum += difference
        position += 1
      }
      steps[index].add(sum)
      total += sum
    }
    totals.append(total)
  }
}
