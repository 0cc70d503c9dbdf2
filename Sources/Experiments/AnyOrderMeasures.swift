import Foundation
import GenerationMetrics
import Reporting
import TokenGrids

extension AnyOrderReport {
  /// What is known of one model.
  struct Model {
    let seed: UInt64
    let folder: String
    let trained: ComparisonStages.Trained
    /// By the steps of an order, for those compared and the sequences one by one that they are held against.
    let measurements: [[[Int]]: ComparisonMeasurement]
    let likelihoods: [[[Int]]: OrderLikelihood]
    let forced: [[[Int]]: ComparisonMeasurement]

    /// Every number of an order by this model.
    func measures(_ order: GenerationOrder) -> ComparisonMeasurement {
      var all = measurements[order.steps] ?? ComparisonMeasurement()
      let base = measurements[order.sequentialized().steps]
      let isBase = order.tokensPerStep == 1
      for name in all.values.keys where Self.hasExcess(name) {
        guard let base, let excess = all.excess(of: name, over: base) else { continue }
        all.set(
          "excess_\(name)", isBase ? 0 : excess.0, error: isBase ? 0 : excess.error)
      }
      if let likelihood = likelihoods[order.steps] {
        let cells = Double(order.grid.cellCount)
        all.set("information_lost", likelihood.lost, error: likelihood.lostError)
        all.set(
          "negative_log_likelihood", likelihood.parallel / cells,
          error: likelihood.parallelError / cells)
      }
      let forced = forced[order.steps]
      for (name, value) in forced?.values ?? [:] {
        all.set(name, value, error: forced?.errors[name])
      }
      all.notes += forced?.notes ?? []
      return all
    }

    private static func hasExcess(_ name: String) -> Bool {
      ["fd_infinity_", "fd_corrected_", "kid_", "dependency_"].contains(where: name.hasPrefix)
    }
  }

  /// A mean over models.
  struct Measure: Encodable {
    let value: JSONNumber
    /// Of the mean, from samples or from the spread of models, whichever is larger.
    let standardError: JSONNumber
    /// Over the models; none for one.
    let standardDeviation: JSONNumber

    init(_ value: Double, error: Double?) {
      self.value = JSONNumber(value)
      standardError = JSONNumber(error)
      standardDeviation = JSONNumber(nil)
    }

    /// - Parameter isShared: Whether all models are measured on the same images, whose error more models do not lessen.
    init(_ values: [Double], errors: [Double], isShared: Bool) {
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      value = JSONNumber(mean)
      var found: Double?
      if !errors.isEmpty, errors.count == values.count {
        let squares = errors.reduce(0) { $0 + $1 * $1 }
        found = (squares / count).squareRoot() / (isShared ? 1 : count.squareRoot())
      }
      var deviation: Double?
      if values.count > 1 {
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let spread = (squares / (count - 1)).squareRoot()
        deviation = spread
        found = max(found ?? 0, spread / count.squareRoot())
      }
      standardError = JSONNumber(found)
      standardDeviation = JSONNumber(deviation)
    }

    /// The value with its error, to two digits of the error.
    var text: String {
      guard let value = value.value else { return "-" }
      guard let error = standardError.value, error > 0 else { return value.significant(4) }
      let digits = max(0, 1 - Int((log10(error) + 1e-9).rounded(.down)))
      return "\(value.fixed(digits)) ± \(error.fixed(digits))"
    }
  }

  /// The means of everything that all models have.
  static func means(_ models: [ComparisonMeasurement]) -> [String: Measure] {
    var result: [String: Measure] = [:]
    for name in models.first?.values.keys.sorted() ?? [] {
      let values = models.compactMap { $0.values[name] }
      guard values.count == models.count else { continue }
      result[name] = Measure(
        values, errors: models.compactMap { $0.errors[name] },
        isShared: ["information_lost", "negative_log_likelihood"].contains(name))
    }
    return result
  }
}

/// The family of an order by its name: itself without the number of its steps or, where it has none, of its tokens per step;
/// orders of one family make a curve against their numbers of steps.
func orderFamily(of name: String) -> String {
  let whole = name.hasSuffix("+one") ? String(name.dropLast("+one".count)) : name
  guard let colon = whole.firstIndex(of: ":") else { return whole }
  let settings = whole[whole.index(after: colon)...].split(separator: ",")
  let key = settings.contains { $0.hasPrefix("steps=") } ? "steps=" : "n="
  let rest = settings.filter { !$0.hasPrefix(key) }
  return whole[..<colon] + (rest.isEmpty ? "" : ":" + rest.joined(separator: ","))
}
