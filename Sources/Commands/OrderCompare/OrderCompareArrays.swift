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
    file.add("orders/name", shape: [count], .texts(orders.map(\.name)))
    let counts: KeyValuePairs = ["steps": \Order.steps, "tokens_per_step": \.tokensPerStep]
    for (name, value) in counts {
      file.add("orders/\(name)", shape: [count], .counts(orders.map { $0[keyPath: value] }))
    }
    let numbers: KeyValuePairs = [
      "total_increase": \Order.totalIncrease,
      "total_increase_standard_error": \.totalIncreaseStandardError,
      "mean_increase": \.meanIncrease, "max_increase": \.maxIncrease,
      "joint_entropy": \.jointEntropy,
      "joint_entropy_standard_error": \.jointEntropyStandardError,
      "difference_from_first": \.differenceFromFirst,
      "difference_from_first_standard_error": \.differenceFromFirstStandardError,
    ]
    for (name, value) in numbers {
      file.add(
        "orders/\(name)", shape: [count],
        .numbers(orders.map { $0[keyPath: value].value ?? .nan }))
    }
    file.add(
      "orders/seeds_standard_deviation", shape: [count],
      .numbers(orders.map { $0.seedsStandardDeviation?.value ?? .nan }))
    file.add(
      "orders/difference_standard_errors", shape: [count, count],
      .numbers(orders.flatMap { $0.differenceStandardErrors.map { $0.value ?? .nan } }))
    let grids: KeyValuePairs<String, (Order) -> JSONGrid<JSONNumber>?> = [
      "sequential": \.sequential, "sequential_standard_error": \.sequentialStandardError,
      "sequential_upper_limit": \.sequentialUpperLimit,
      "parallel": \.parallel, "parallel_standard_error": \.parallelStandardError,
      "parallel_upper_limit": \.parallelUpperLimit,
      "increase": \.increase, "increase_standard_error": \.increaseStandardError,
    ]
    for (name, value) in grids {
      file.add("orders/\(name)", grids: orders.map(value), extents: grid)
    }
    file.add(
      "orders/step", shape: [count] + grid,
      .counts(
        orders.flatMap { $0.step?.values ?? [Int](repeating: 0, count: grid.reduce(1, *)) }))
    let most = orders.map(\.stepTotalCorrelation.count).max() ?? 0
    let steps: KeyValuePairs<String, (Order) -> [JSONNumber]?> = [
      "step_total_correlation": \.stepTotalCorrelation,
      "step_total_correlation_standard_error": \.stepTotalCorrelationStandardError,
      "step_p_value": \.stepPValue, "step_adjusted_p_value": \.stepAdjustedPValue,
    ]
    for (name, value) in steps {
      let rows = orders.map { order in
        let values = (value(order) ?? []).map { $0.value ?? .nan }
        return values + [Double](repeating: .nan, count: most - values.count)
      }
      file.add("orders/\(name)", shape: [count, most], .numbers(rows.flatMap(\.self)))
    }
  }
}
