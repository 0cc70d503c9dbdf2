import EntropyEstimation
import Statistics
import TokenGrids

/// One row of a comparison: an order, or the mean of the orders of several seeds.
struct ComparedOrder {
  /// What the user wrote for it.
  let name: String
  /// A profile for each seed, one at least.
  let profiles: [OrderProfile]

  /// The profile of which maps are drawn: that of the first seed.
  var shown: OrderProfile { profiles[0] }

  /// Its order; all seeds have the same grid and sizes of steps.
  var order: GenerationOrder { shown.order }

  /// What is drawn is called.
  var shownName: String { profiles.count == 1 ? name : shown.order.name }

  /// The sum of all increases, in nats.
  var totalIncrease: Estimate { mean(\.totalIncrease) }

  /// The standard deviation of the seeds' totals, in nats, which holds the errors that the seeds do not share; nil for one.
  var seedDeviation: Double? {
    guard profiles.count > 1 else { return nil }
    let mean = totalIncrease.value
    let squares = profiles.reduce(0) {
      $0 + ($1.totalIncrease.value - mean) * ($1.totalIncrease.value - mean)
    }
    return (squares / Double(profiles.count - 1)).squareRoot()
  }

  /// The cell with the largest increase, and that increase in nats.
  var largestIncrease: (cell: GridCell, increase: Estimate) {
    let increases = means(\.increase)
    let index = increases.indices.max { increases[$0].value < increases[$1].value } ?? 0
    return (order.grid.cell(at: index), increases[index])
  }

  /// Whether the context window holds apart all tokens that are drawn together, so that nothing is known of the increase.
  var isUndecided: Bool { profiles.allSatisfy(\.isUndecided) }

  /// The mean over the seeds.
  ///
  /// Its error is the mean of theirs: the seeds share their images, so it is at most that.
  func mean(_ value: (OrderProfile) -> Estimate) -> Estimate {
    let values = profiles.map(value)
    let count = Double(values.count)
    return Estimate(
      value: values.reduce(0) { $0 + $1.value } / count,
      standardError: values.reduce(0) { $0 + $1.standardError } / count)
  }

  /// The means over the seeds, cell by cell or step by step.
  func means(_ values: (OrderProfile) -> [Estimate]) -> [Estimate] {
    values(shown).indices.map { index in mean { values($0)[index] } }
  }

  /// The difference of the total increases of this row and of another, paired image by image, with an error that is at most
  /// this where there are several seeds.
  func difference(from other: ComparedOrder) -> (value: Double, standardError: Double?) {
    if name == other.name { return (0, profiles[0].difference(from: profiles[0]).standardError) }
    let differences = profiles.flatMap { profile in
      other.profiles.map { profile.difference(from: $0) }
    }
    let count = Double(differences.count)
    let errors = differences.compactMap(\.standardError)
    return (
      differences.reduce(0) { $0 + $1.value } / count,
      errors.count == differences.count ? errors.reduce(0, +) / count : nil
    )
  }
}

extension ComparedOrder {
  /// The row of a single order.
  init(_ profile: OrderProfile) { self.init(name: profile.order.name, profiles: [profile]) }
}
