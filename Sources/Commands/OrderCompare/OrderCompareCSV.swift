import EntropyEstimation
import Reporting
import Statistics
import TokenGrids

/// The comma-separated values of orders, a line for each cell; of several seeds their means.
func orderCSV(_ rows: [ComparedOrder], _ estimation: EstimationOptions) -> String {
  let grid = rows[0].order.grid
  let unit = estimation.units.rawValue
  var table = CSVTable<OrderLine>()
  table.add("order", text: { $0.row.name })
  table.add(cellOn: grid) { grid.cell(at: $0.index) }
  table.add("step", text: { $0.step.map { "\($0)" } ?? "" })
  func add(_ name: String, _ estimate: @escaping (OrderLine) -> Estimate) {
    table.add("\(name)_\(unit)") { estimate($0).value }
    table.add("\(name)_standard_error") { estimate($0).standardError }
  }
  add("sequential") { $0.sequential }
  add("parallel") { $0.parallel }
  add("increase") { $0.increase }
  table.add("increase_confidence_low") { $0.increase.confidenceInterval.lowerBound }
  table.add("increase_confidence_high") { $0.increase.confidenceInterval.upperBound }
  table.add("step_adjusted_p_value") { $0.test?.adjustedPValue }
  table.add("total_increase_\(unit)") { $0.total }
  table.add("seeds", text: { "\($0.row.profiles.count)" })
  table.add("seeds_standard_deviation") { $0.deviation }
  return table.text(rows.lazy.flatMap { orderLines($0, estimation) })
}

/// A line of the comma-separated values, in the unit asked for.
private struct OrderLine {
  let row: ComparedOrder
  let index: Int
  /// Nil where there are several seeds, which differ in it.
  let step: Int?
  let test: StepTest?
  let sequential: Estimate
  let parallel: Estimate
  let increase: Estimate
  let total: Double
  let deviation: Double?
}

private func orderLines(_ row: ComparedOrder, _ estimation: EstimationOptions) -> [OrderLine] {
  let (steps, isSingle) = (row.order.stepNumbers, row.profiles.count == 1)
  let sequential = row.means(\.sequential).map(estimation.estimate)
  let parallel = row.means(\.parallel).map(estimation.estimate)
  let increase = row.means(\.increase).map(estimation.estimate)
  let total = estimation.value(row.totalIncrease.value)
  let deviation = row.seedDeviation.map(estimation.value)
  return steps.indices.map { index in
    OrderLine(
      row: row, index: index, step: isSingle ? steps[index] : nil,
      test: isSingle ? row.shown.stepTests[steps[index] - 1] : nil, sequential: sequential[index],
      parallel: parallel[index], increase: increase[index], total: total, deviation: deviation)
  }
}
