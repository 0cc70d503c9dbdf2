import Foundation
import GenerationMetrics
import Reporting

/// A comparison of configurations: what `fid-compare` prints and draws.
package struct ComparisonReport: Encodable {
  /// One model.
  struct Seed: Encodable {
    let seed: UInt64
    let negativeLogLikelihood: JSONNumber
    let proxies: [String: JSONNumber]
    let standardErrors: [String: JSONNumber]
    let notes: [String]
    let folder: String
  }

  /// One configuration, with means over its seeds.
  struct Order: Encodable {
    let name: String
    let steps: Int
    let tokensPerStep: Int
    let attention: String
    let totalIncrease, totalIncreaseStandardError: JSONNumber
    let negativeLogLikelihood: JSONNumber
    let proxies: [String: JSONNumber]
    /// Over the seeds; none for one seed.
    let standardDeviations: [String: JSONNumber]
    let paperFID: JSONNumber
    let paperModel: String?
    let seeds: [Seed]

    /// The standard deviation over seeds; of one seed the standard error.
    func spread(_ key: String) -> Double? {
      standardDeviations[key]?.value
        ?? (seeds.count == 1 ? seeds[0].standardErrors[key]?.value : nil)
    }
  }

  /// How the total increase, or the paper's FID, goes together with each proxy over the configurations.
  struct RankCorrelation: Encodable {
    let configurations: Int
    let spearman, pearson: [String: JSONNumber]
    let spearmanWithPaperFID: [String: JSONNumber]
  }

  let command = "fid-compare"
  let dataset: String
  let trainingImages, referenceImages: Int
  let settings: ComparisonSettings
  let extractors: [String: String]
  let units = "nats"
  let orders: [Order]
  /// Of as many images as a model draws.
  let noiseFloor: [String: JSONNumber]
  /// The order whose profiles the floor compares.
  let noiseFloorOrder: String
  /// What the floor lacks, and why.
  let noiseFloorMissing: String?
  let rankCorrelation: RankCorrelation
  package let provenance: Provenance

  /// The proxies that tables and figures show, and what they are called there: FD∞ where every configuration has it, else the
  /// corrected distance.
  static func headlines(
    _ extractors: [String], in orders: [Order]
  ) -> [(key: String, title: String)] {
    extractors.map { name in
      let key = "fd_infinity_\(name)"
      return orders.allSatisfy { $0.proxies[key] != nil }
        ? (key, "FD∞ \(name)") : ("fd_corrected_\(name)", "FD corrected \(name)")
    } + extractors.map { ("kid_\($0)", "KID \($0)") } + [("dependency_maps", "dependency")]
  }

  /// The means over the seeds of everything that all of them have.
  static func means(_ measurements: [ComparisonMeasurement]) -> [String: Double] {
    statistics(measurements) { $0.reduce(0, +) / Double($0.count) }
  }

  /// The standard deviations over the seeds, where there are several.
  static func deviations(_ measurements: [ComparisonMeasurement]) -> [String: Double] {
    guard measurements.count > 1 else { return [:] }
    return statistics(measurements) { values in
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(values.count - 1)).squareRoot()
    }
  }

  private static func statistics(
    _ measurements: [ComparisonMeasurement], _ statistic: ([Double]) -> Double
  ) -> [String: Double] {
    var result: [String: Double] = [:]
    for name in measurements.first?.values.keys.sorted() ?? [] {
      let values = measurements.compactMap { $0.values[name] }
      if values.count == measurements.count { result[name] = statistic(values) }
    }
    return result
  }

  /// The correlations over configurations that have the proxy.
  static func correlation(_ orders: [Order]) -> RankCorrelation {
    let names = Set(orders.flatMap { $0.proxies.keys }).sorted()
    func correlations(
      with quantity: (Order) -> Double?, _ measure: ([Double], [Double]) -> Double?
    ) -> [String: JSONNumber] {
      Dictionary(
        uniqueKeysWithValues: names.map { name in
          let pairs = orders.compactMap { order -> (Double, Double)? in
            guard let x = quantity(order), let y = order.proxies[name]?.value else { return nil }
            return (x, y)
          }
          return (name, JSONNumber(measure(pairs.map(\.0), pairs.map(\.1))))
        })
    }
    return RankCorrelation(
      configurations: orders.count,
      spearman: correlations(with: { $0.totalIncrease.value }, Correlation.spearman),
      pearson: correlations(with: { $0.totalIncrease.value }, Correlation.pearson),
      spearmanWithPaperFID: correlations(with: { $0.paperFID.value }, Correlation.spearman))
  }

  /// A line for each number of each configuration, the proxies by their names in JSON.
  package var csv: String {
    var lines = ["configuration,steps,tokens_per_step,metric,value,spread"]
    for order in orders {
      func add(_ metric: String, _ value: JSONNumber, _ spread: Double?) {
        let numbers = [value.value, spread].map { $0?.csvField ?? "" }
        lines.append(
          ([order.name.csvField, "\(order.steps)", "\(order.tokensPerStep)", metric] + numbers)
            .joined(separator: ","))
      }
      add("total_increase", order.totalIncrease, order.totalIncreaseStandardError.value)
      add("negative_log_likelihood", order.negativeLogLikelihood, nil)
      for (name, value) in order.proxies.sorted(by: { $0.key < $1.key }) {
        add(name, value, order.spread(name))
      }
      add("paper_fid", order.paperFID, nil)
    }
    return lines.joined(separator: "\n")
  }

  /// The tables.
  package var text: String {
    let headlines = Self.headlines(
      ExtractorName.allCases.map(\.rawValue).filter { extractors[$0] != nil }, in: orders)
    var table = TextTable("configuration", "steps", "n", "increase", "held-out loss")
    table.headings += headlines.map(\.title) + ["seeds", "paper's FID"]
    for order in orders {
      table.add(
        [
          order.name, "\(order.steps)", "\(order.tokensPerStep)",
          order.totalIncrease.value.map { $0.fixed(2) } ?? "-", order.negativeLogLikelihood.text,
        ]
          + headlines.map { headline in
            let value = order.proxies[headline.key]?.text ?? "-"
            guard let spread = order.spread(headline.key) else { return value }
            return "\(value) ± \(spread.significant(2))"
          }
          + [
            "\(order.seeds.count)",
            order.paperFID.value.map { "\($0.fixed(2)) (\(order.paperModel ?? ""))" } ?? "-",
          ])
    }
    table.add(
      ["real against real", "", "", "", ""]
        + headlines.map { noiseFloor[$0.key]?.text ?? "-" } + ["", ""])
    func row(_ title: String, _ values: [String: JSONNumber]) {
      table.add(
        [title, "", "", "", ""]
          + headlines.map { values[$0.key]?.value.map { $0.fixed(2) } ?? "-" } + ["", ""])
    }
    row("Spearman with increase", rankCorrelation.spearman)
    row("Pearson with increase", rankCorrelation.pearson)
    row("Spearman with paper's FID", rankCorrelation.spearmanWithPaperFID)
    var notes: [String: [String]] = [:]
    for order in orders {
      for one in order.seeds {
        for note in one.notes { notes[note, default: []].append("\(order.name), seed \(one.seed)") }
      }
    }
    let all = orders.reduce(0) { $0 + $1.seeds.count }
    let noteLines = notes.sorted { $0.key < $1.key }.map { note, runs in
      "\(runs.count == all ? "all runs" : runs.joined(separator: "; ")): \(note)"
    }
    return
      ([
        "\(dataset) · trained on \(trainingImages.grouped) images, compared with \(referenceImages.grouped) others · "
          + "\(settings.samples.grouped) samples of each model · proxies, not FID",
        table.text,
        "increase: total entropy increase of the order, nats; held-out loss: nats a token; ±: standard deviation over seeds, of one seed the standard error",
      ] + [noiseFloorMissing].compactMap(\.self) + noteLines).joined(separator: "\n")
  }
}

/// Several names with numbers for JSON.
func jsonNumbers(_ values: [String: Double]) -> [String: JSONNumber] {
  values.mapValues { JSONNumber($0) }
}
