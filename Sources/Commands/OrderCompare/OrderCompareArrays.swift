import FileFormats
import Reporting

extension OrderCompareResult {
  /// Everything but the orders.
  var withoutOrders: OrderCompareResult {
    var result = self
    result.orders = []
    return result
  }

  /// Adds the arrays: of the orders one after the other, by cell, by step or one number each.
  ///
  /// Orders have different numbers of steps: what is by step ends in NaN for those that have fewer.
  func add(to file: inout ArrayFile) {
    let count = orders.count
    func add(_ name: String, number: (Order) -> JSONNumber) {
      file.add(
        "orders/\(name)", shape: [count], .numbers(orders.map { number($0).value ?? .nan }))
    }
    func add(_ name: String, cells: (Order) -> JSONGrid<JSONNumber>?) {
      let grids = orders.compactMap(cells)
      guard grids.count == count else { return }
      file.add(
        "orders/\(name)", shape: [count] + grid,
        .numbers(grids.flatMap { $0.values.map { $0.value ?? .nan } }))
    }
    let most = orders.map(\.stepTotalCorrelation.count).max() ?? 0
    func add(_ name: String, steps: (Order) -> [JSONNumber]?) {
      let rows = orders.map { order in
        let values = (steps(order) ?? []).map { $0.value ?? .nan }
        return values + [Double](repeating: .nan, count: most - values.count)
      }
      file.add("orders/\(name)", shape: [count, most], .numbers(rows.flatMap(\.self)))
    }
    file.add("orders/name", shape: [count], .texts(orders.map(\.name)))
    file.add("orders/steps", shape: [count], .counts(orders.map(\.steps)))
    file.add("orders/tokens_per_step", shape: [count], .counts(orders.map(\.tokensPerStep)))
    add("total_increase", number: \.totalIncrease)
    add("total_increase_standard_error", number: \.totalIncreaseStandardError)
    add("mean_increase", number: \.meanIncrease)
    add("max_increase", number: \.maxIncrease)
    add("joint_entropy", number: \.jointEntropy)
    add("joint_entropy_standard_error", number: \.jointEntropyStandardError)
    add("difference_from_first", number: \.differenceFromFirst)
    add("difference_from_first_standard_error", number: \.differenceFromFirstStandardError)
    file.add(
      "orders/difference_standard_errors", shape: [count, count],
      .numbers(orders.flatMap { $0.differenceStandardErrors.map { $0.value ?? .nan } }))
    add("seeds_standard_deviation", number: { $0.seedsStandardDeviation ?? JSONNumber(nil) })
    add("sequential", cells: \.sequential)
    add("sequential_standard_error", cells: \.sequentialStandardError)
    add("sequential_upper_limit", cells: \.sequentialUpperLimit)
    add("parallel", cells: \.parallel)
    add("parallel_standard_error", cells: \.parallelStandardError)
    add("parallel_upper_limit", cells: \.parallelUpperLimit)
    add("increase", cells: \.increase)
    add("increase_standard_error", cells: \.increaseStandardError)
    file.add(
      "orders/step", shape: [count] + grid,
      .counts(
        orders.flatMap { $0.step?.values ?? [Int](repeating: 0, count: grid.reduce(1, *)) }))
    add("step_total_correlation", steps: \.stepTotalCorrelation)
    add("step_total_correlation_standard_error", steps: \.stepTotalCorrelationStandardError)
    add("step_p_value", steps: \.stepPValue)
    add("step_adjusted_p_value", steps: \.stepAdjustedPValue)
  }
}
