import GenerationMetrics
import Reporting

extension AnyOrderReport {
  /// A correlation over orders with its interval.
  struct Interval: Encodable {
    let value, lower, upper: JSONNumber

    init(_ found: CorrelationInterval?) {
      value = JSONNumber(found?.value)
      lower = JSONNumber(found?.lower)
      upper = JSONNumber(found?.upper)
    }

    var text: String {
      guard let value = value.value else { return "-" }
      guard let lower = lower.value, let upper = upper.value else { return value.fixed(3) }
      return "\(value.fixed(3)) (\(lower.fixed(2)) to \(upper.fixed(2)))"
    }
  }

  /// How two measures go together over the orders that have both.
  struct Correlations: Encodable {
    let of, with: String
    /// The orders.
    let cases: Int
    /// Only orders that lose at least so many nats by `of`; null for all.
    let least: JSONNumber
    let spearman, pearson: Interval
    /// Of the ranks, given the number of steps.
    let partialSpearman: Interval

    /// Whether the table has it, and not JSON alone.
    var isShown: Bool {
      ["information_lost", "dependency_maps"].contains(with)
        || with.contains("fd_infinity_") || with.hasPrefix("forced_excess_")
    }
  }

  /// Of increase and information lost with each measure, over all orders, and for excesses also over those that lose more than
  /// what the measure's noise amounts to.
  static func correlations(_ orders: [Order], resamples: Int) -> [Correlations] {
    let losses = ["total_increase", "information_lost"]
    let names = Set(orders.flatMap { $0.measures.keys }).sorted().filter {
      !losses.contains($0) && $0 != "negative_log_likelihood"
    }
    func correlation(_ of: String, _ with: String, least: Double?) -> Correlations {
      var (x, y, steps): ([Double], [Double], [Double]) = ([], [], [])
      for order in orders {
        guard let a = order.value(of), let b = order.value(with), a >= least ?? -.infinity else {
          continue
        }
        x.append(a)
        y.append(b)
        steps.append(Double(order.steps))
      }
      func interval(_ statistic: ([[Double]]) -> Double?) -> Interval {
        Interval(CorrelationInterval([x, y, steps], resamples: resamples, statistic: statistic))
      }
      return Correlations(
        of: of, with: with, cases: x.count, least: JSONNumber(least),
        spearman: interval { Correlation.spearman($0[0], $0[1]) },
        pearson: interval { Correlation.pearson($0[0], $0[1]) },
        partialSpearman: interval { Correlation.partialSpearman($0[0], $0[1], given: $0[2]) })
    }
    var result = [correlation(losses[0], losses[1], least: nil)]
    for of in losses {
      for name in names {
        result.append(correlation(of, name, least: nil))
        if name.contains("excess_"), let least = noiseEquivalent(orders, of: of, in: name) {
          result.append(correlation(of, name, least: least))
        }
      }
    }
    return result
  }

  /// The loss at which a measure that grows with it stands two of its standard errors above nothing.
  ///
  /// The slope is the median of measure over loss of the orders in the upper half of the losses, the error the median of the orders'
  /// that have one. nil where the measure does not grow.
  static func noiseEquivalent(_ orders: [Order], of: String, in name: String) -> Double? {
    let cases = orders.compactMap { order -> (loss: Double, value: Double, error: Double)? in
      guard let loss = order.value(of), loss > 0, let value = order.value(name),
        let error = order.error(name)
      else { return nil }
      return (loss, value, error)
    }
    guard
      let middle = median(cases.map(\.loss)), let error = median(cases.map(\.error)),
      let slope = median(cases.filter { $0.loss >= middle }.map { $0.value / $0.loss }),
      slope > 0
    else { return nil }
    return 2 * error / slope
  }

  private static func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return nil }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// In how many steps a family of orders gives what one order gives in its own.
  struct EqualQuality: Encodable {
    let order: String
    let orderSteps: Int
    let family, measure: String
    let target, targetStandardError: JSONNumber
    /// The fewest steps of the family's orders whose value is not above the target by more than the error of the difference;
    /// null where none is.
    let steps: Int?
    let value, standardError: JSONNumber
    /// What the paper's orders with so many steps give.
    let sameSteps: [Other]

    /// Another order.
    struct Other: Encodable {
      let order: String
      let value, standardError: JSONNumber
    }

    var isShown: Bool {
      ["total_increase", "information_lost"].contains(measure)
        || measure.hasSuffix("fd_infinity_texture") || measure == "forced_excess_texture"
    }

    var sentence: String {
      func text(_ value: JSONNumber, _ error: JSONNumber) -> String {
        Measure(value.value ?? .nan, error: error.value).text
      }
      let goal =
        "\(measure) of \(order) in \(orderSteps) steps, \(text(target, targetStandardError))"
      guard let steps else { return "\(goal): \(family) has it in none of its numbers of steps" }
      let others = sameSteps.map { "\($0.order) \(text($0.value, $0.standardError))" }
      return "\(goal): \(family) has it in \(steps), \(text(value, standardError))"
        + (others.isEmpty ? "" : "; in as many steps \(others.joined(separator: ", "))")
    }
  }

  /// What the paper's orders give, and in how many steps families with optimal groups give as much.
  static func equalQuality(_ orders: [Order]) -> [EqualQuality] {
    let targets = orders.filter { ["distant", "distant:n=4", "distant:n=16"].contains($0.name) }
    let families = orders.map(\.family).removingRepeats.filter { $0.contains("schedule=optimal") }
    let measures = Set(orders.flatMap { $0.measures.keys }).sorted().filter { name in
      ["total_increase", "information_lost", "dependency_maps"].contains(name)
        || ["fd_infinity_", "kid_", "excess_fd_infinity_", "forced_excess_"].contains(
          where: name.hasPrefix)
    }
    return targets.flatMap { target in
      families.flatMap { family in
        measures.compactMap { measure -> EqualQuality? in
          // Of 0 without an error a measure is blind for what the order loses.
          guard let goal = target.value(measure), goal != 0 || target.error(measure) != 0 else {
            return nil
          }
          let members = orders.filter { $0.family == family && $0.value(measure) != nil }
            .sorted { $0.steps < $1.steps }
          guard members.count > 1 else { return nil }
          let found = members.first { member in
            let errors = [member, target].map { $0.error(measure) ?? 0 }
            let error = (errors[0] * errors[0] + errors[1] * errors[1]).squareRoot()
            return (member.value(measure) ?? .infinity) <= goal + error
          }
          let same = orders.filter {
            $0.steps == found?.steps && $0.family != family && $0.name.hasPrefix("distant")
          }
          return EqualQuality(
            order: target.name, orderSteps: target.steps, family: family, measure: measure,
            target: JSONNumber(goal), targetStandardError: JSONNumber(target.error(measure)),
            steps: found?.steps, value: JSONNumber(found?.value(measure)),
            standardError: JSONNumber(found?.error(measure)),
            sameSteps: same.map {
              EqualQuality.Other(
                order: $0.name, value: JSONNumber($0.value(measure)),
                standardError: JSONNumber($0.error(measure)))
            })
        }
      }
    }
  }
}
