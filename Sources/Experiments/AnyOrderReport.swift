import GenerationMetrics
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// A comparison of orders by one model for all of them: what `fid-compare` prints and draws.
package struct AnyOrderReport: Encodable {
  /// A total entropy increase.
  struct Increase: Codable {
    let value, error: Double
  }

  /// What one model makes of an order.
  struct OrderSeed: Encodable {
    let seed: UInt64
    let values, standardErrors: [String: JSONNumber]
    let notes: [String]
  }

  /// One order, with means over the models.
  struct Order: Encodable {
    let name, family: String
    let steps: Int
    let tokensPerStep: Int
    let measures: [String: Measure]
    let seeds: [OrderSeed]

    func value(_ name: String) -> Double? { measures[name]?.value.value }
    func error(_ name: String) -> Double? { measures[name]?.standardError.value }
    func text(_ name: String) -> String { measures[name]?.text ?? "-" }
  }

  /// A model's training.
  struct Training: Encodable {
    let seed: UInt64
    let negativeLogLikelihood: JSONNumber
    let folder: String
    let seconds: Double
  }

  let command = "fid-compare"
  let architecture = "any-order"
  let dataset: String
  let trainingImages, referenceImages: Int
  /// Whether increases are within classes.
  let isGivenClass: Bool
  let settings: AnyOrderSettings
  let extractors: [String: String]
  let units = "nats"
  let orders: [Order]
  let models: [Training]
  /// Of as many images as are generated in an order.
  let noiseFloor: [String: Measure]
  /// What increases and the noise floor lack.
  let notes: [String]
  let correlations: [Correlations]
  let equalQuality: [EqualQuality]
  /// The orders of the sheet on which samples stand side by side, from left to right.
  package var sheetColumns: [String] = []
  package let provenance: Provenance

  init(
    dataset: TokenDataset, trainingImages: Int, referenceImages: Int, isGivenClass: Bool,
    settings: AnyOrderSettings, extractors: [any FeatureExtractor],
    orders: [GenerationOrder], increases: [Increase], floor: ComparisonMeasurement,
    models: [Model], notes: [String], provenance: Provenance
  ) {
    self.dataset = dataset.name
    (self.trainingImages, self.referenceImages) = (trainingImages, referenceImages)
    (self.isGivenClass, self.settings, self.provenance) = (isGivenClass, settings, provenance)
    self.extractors = Dictionary(
      uniqueKeysWithValues: extractors.map { ($0.name, $0.definitionHash.description) })
    let rows = orders.enumerated().map { index, order in
      let found = models.map { $0.measures(order) }
      var measures = Self.means(found)
      if increases.indices.contains(index) {
        let isBase = order.tokensPerStep == 1
        measures["total_increase"] = Measure(
          isBase ? 0 : increases[index].value, error: isBase ? 0 : increases[index].error)
      }
      return Order(
        name: order.name, family: orderFamily(of: order.name), steps: order.steps.count,
        tokensPerStep: order.tokensPerStep, measures: measures,
        seeds: zip(models, found).map {
          OrderSeed(
            seed: $0.seed, values: jsonNumbers($1.values),
            standardErrors: jsonNumbers($1.errors), notes: $1.notes)
        })
    }
    self.orders = rows
    self.models = models.map {
      Training(
        seed: $0.seed, negativeLogLikelihood: JSONNumber($0.trained.validationLoss),
        folder: $0.folder, seconds: $0.trained.seconds)
    }
    noiseFloor = Self.means([floor])
    self.notes = notes + floor.notes
    correlations = Self.correlations(rows, resamples: settings.resamples)
    equalQuality = Self.equalQuality(rows)
  }

  /// What the table shows, and what it is called there.
  func headlines() -> [(key: String, title: String)] {
    let names = ExtractorName.allCases.map(\.rawValue).filter { extractors[$0] != nil }
    return names.flatMap { name -> [(String, String)] in
      let isWhole = orders.allSatisfy { $0.value("fd_infinity_\(name)") != nil }
      let key = isWhole ? "fd_infinity_\(name)" : "fd_corrected_\(name)"
      let title = isWhole ? "FD∞ \(name)" : "FD corrected \(name)"
      return [(key, title), ("excess_\(key)", "excess")]
        + (orders.contains { $0.value("forced_excess_\(name)") != nil }
          ? [("forced_excess_\(name)", "forced")] : [])
    } + [("dependency_maps", "dependency")]
  }

  /// A line for each number of each order.
  package var csv: String {
    var lines = [
      "order,steps,tokens_per_step,measure,value,standard_error,standard_deviation"
    ]
    func add(_ name: String, _ steps: String, _ measures: [String: Measure]) {
      for (measure, one) in measures.sorted(by: { $0.key < $1.key }) {
        let numbers = [one.value, one.standardError, one.standardDeviation].map {
          $0.value?.csvField ?? ""
        }
        lines.append(
          "\(name.csvField),\(steps),\(measure),\(numbers.joined(separator: ","))")
      }
    }
    for order in orders {
      add(order.name, "\(order.steps),\(order.tokensPerStep)", order.measures)
    }
    add("real against real", ",", noiseFloor)
    return lines.joined(separator: "\n")
  }

  /// The tables.
  package var text: String {
    let headlines = headlines()
    var table = TextTable("order", "steps", "increase", "lost by the model", "loss")
    table.headings += headlines.map(\.title)
    for order in orders {
      table.add(
        [
          order.name, "\(order.steps)", order.text("total_increase"),
          order.text("information_lost"),
          order.measures["negative_log_likelihood"]?.value.text ?? "-",
        ] + headlines.map { order.text($0.key) })
    }
    table.add(
      ["real against real", "", "", "", ""]
        + headlines.map { noiseFloor[$0.key]?.text ?? "" })
    var together = TextTable(
      "how they go together", "orders", "Spearman", "partial", "Pearson")
    for one in correlations where one.isShown && one.spearman.value.value != nil {
      together.add([
        "\(one.of) and \(one.with)\(one.least.value.map { " from \($0.significant(2)) nats" } ?? "")",
        "\(one.cases)", one.spearman.text, one.partialSpearman.text, one.pearson.text,
      ])
    }
    let models = models.count == 1 ? "one model" : "\(models.count) models"
    let notes = (self.notes + orders.flatMap { $0.seeds.flatMap(\.notes) }).removingRepeats
    return
      ([
        "\(dataset) · \(models) for all orders, trained on \(trainingImages.grouped) images · \(settings.samples.grouped) samples in each order, compared with "
          + "\(referenceImages.grouped) other images · proxies, not FID",
        table.text,
        "increase: total entropy increase\(isGivenClass ? " within classes" : ""), of images held out, nats; lost by the model: the same by its own account; loss: nats a token;"
          + " excess: over the same sequence one by one; forced: of steps given real ones before, in parallel less one by one;"
          + " ±: standard error, of samples or of models, the larger",
        together.text,
        "in brackets: 95% of resampled orders; partial: given the number of steps",
      ] + equalQuality.filter(\.isShown).map(\.sentence) + notes).joined(separator: "\n")
  }
}
