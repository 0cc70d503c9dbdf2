import EntropyEstimation
import Figures
import OrderSearch
import Reporting
import Statistics
import TokenData
import TokenGrids

/// What a search found: the order chosen for each number of steps, and what it and others lose on images that took no part.
struct SearchReport {
  /// An order and what it loses.
  struct Row {
    /// What a row is of.
    enum Role {
      /// The order chosen for its number of steps.
      case chosen
      /// A start at its best places.
      case start
      /// An order that was not searched.
      case baseline
    }

    let role: Role
    let order: GenerationOrder
    /// What it loses with the covariance it was fitted to, and on the images that choose; nil for baselines.
    let trainingLoss: Double?
    let selectionLoss: Estimate?
    /// On the images of the report.
    let profile: OrderProfile
  }

  /// What one sequence or rule loses in different numbers of steps.
  struct Curve {
    let name: String
    let profiles: [OrderProfile]
  }

  let covariance: StructuredCovariance
  let parts: SearchParts
  let rows: [Row]
  let curves: [Curve]
  /// How many candidates there were to choose from, by number of steps.
  let candidateCounts: [Int: Int]

  /// The orders chosen, by number of steps.
  var chosen: [Row] { rows.filter { $0.role == .chosen } }

  /// Chooses, and estimates what is chosen.
  init(
    _ data: SearchData<TokenDataset>, _ covariance: StructuredCovariance, _ search: SequenceSearch,
    _ candidates: [SearchCandidate], starts: [SearchStart], curve: [Int],
    settings: EstimationSettings
  ) throws {
    let grid = covariance.grid
    self.covariance = covariance
    parts = data.parts
    var drafts: [Draft] = []
    var counts: [Int: Int] = [:]
    for (steps, found) in Dictionary(grouping: candidates, by: \.steps).sorted(by: {
      $0.key < $1.key
    }) {
      let orders = try found.map {
        try $0.found.order(named: "\($0.name) (\(steps))", on: grid)
      }
      let losses = try data.selectionLosses(of: orders, covariance)
      let ranked = found.indices.sorted { losses[$0].value < losses[$1].value }
      counts[steps] = found.count
      func draft(_ index: Int, _ role: Row.Role) -> Draft {
        Draft(
          role: role, order: orders[index], trainingLoss: found[index].found.trainingLoss,
          selectionLoss: losses[index])
      }
      guard let best = ranked.first else { continue }
      drafts.append(draft(best, .chosen))
      // The best start, and Halton's points, which need no data, at their best places.
      let cuts = ranked.filter { found[$0].origin == .cut && $0 != best }
      for index in cuts where index == cuts.first || found[index].start == "halton" {
        drafts.append(draft(index, .start))
      }
      drafts += Self.baselines(["halton:schedule=cosine,steps=\(steps)"], on: grid)
    }
    drafts += Self.baselines(
      ["distant:n=4", "distant:n=16", "halton:n=4", "halton:n=16"], on: grid)
    var curveDrafts: [(String, [GenerationOrder])] = []
    let chosenDrafts = drafts.filter { $0.role == .chosen }
    if !curve.isEmpty {
      var sequences = starts.filter { $0.name == "halton" }.map { ($0.name, $0.sequence) }
      if sequences.isEmpty, let first = starts.first { sequences = [(first.name, first.sequence)] }
      if let last = chosenDrafts.last {
        sequences.append(("searched in \(last.order.steps.count) steps", last.order.sequence))
      }
      for (name, sequence) in sequences {
        curveDrafts.append(
          (
            "\(name), optimal groups",
            try curve.compactMap { steps in
              try search.cut(sequence, steps: steps)?.order(named: "\(name) (\(steps))", on: grid)
            }
          ))
      }
      curveDrafts.append(
        (
          "halton, cosine groups",
          curve.compactMap {
            Self.baselines(["halton:schedule=cosine,steps=\($0)"], on: grid).first?.order
          }
        ))
      curveDrafts.append(
        (
          Self.paperName,
          Self.baselines([16, 4].map { "distant:n=\($0)" }, on: grid).map(\.order)
        ))
    }
    // Each order is estimated once.
    var orders: [GenerationOrder] = []
    var places: [[[Int]]: Int] = [:]
    for order in drafts.map(\.order) + curveDrafts.flatMap(\.1) where places[order.steps] == nil {
      places[order.steps] = orders.count
      orders.append(order)
    }
    let progress = EstimationProgress(images: data.parts.report.count, orders: orders.count)
    let profiles = try data.reportedProfiles(
      of: orders, settings: settings, progress: { progress.update($0) })
    progress.finish()
    func profile(_ order: GenerationOrder) -> OrderProfile { profiles[places[order.steps] ?? 0] }
    rows = drafts.map {
      Row(
        role: $0.role, order: $0.order, trainingLoss: $0.trainingLoss,
        selectionLoss: $0.selectionLoss, profile: profile($0.order))
    }
    curves =
      (curveDrafts.isEmpty
        ? [] : [Curve(name: "searched", profiles: chosenDrafts.map { profile($0.order) })])
      + curveDrafts.filter { !$0.1.isEmpty }.map { Curve(name: $0.0, profiles: $0.1.map(profile)) }
    candidateCounts = counts
  }

  /// What the curve of the paper's order is called, two points that no line joins.
  private static let paperName = "distant, n = 16 and 4"

  /// A row before its estimate.
  private struct Draft {
    let role: Row.Role
    let order: GenerationOrder
    var trainingLoss: Double?
    var selectionLoss: Estimate?
  }

  /// Orders by their names, as far as they fit the grid.
  private static func baselines(_ names: [String], on grid: TokenGrid) -> [Draft] {
    names.compactMap { name in
      (try? OrderSpecification(name).order(on: grid)).map { Draft(role: .baseline, order: $0) }
    }
  }

  /// The rows that others are compared with: the paper's order, Halton's points at their best places, and the best start of the same number
  /// of steps.
  func references(for row: Row) -> [(name: String, row: Row)] {
    let same = rows.filter {
      $0.role == .start && $0.order.steps.count == row.order.steps.count
    }
    return [
      ("distant:n=16", rows.first { $0.order.name == "distant:n=16" }),
      ("halton", same.first { $0.order.name.hasPrefix("halton,") }), ("start", same.first),
    ].compactMap { name, row in row.map { (name, $0) } }
  }

  // MARK: Text

  /// The table and what stands around it.
  func text(_ dataset: TokenDataset, _ estimation: EstimationOptions) -> String {
    var table = TextTable(
      "order", "steps", "largest", "fitted", "chosen by", "loses", "minus distant:n=16",
      "minus halton", "minus best start")
    for row in rows {
      let profile = row.profile
      let references = row.role == .chosen ? references(for: row) : []
      func difference(_ name: String) -> String {
        guard let other = references.first(where: { $0.name == name })?.row.profile else {
          return ""
        }
        let found = profile.difference(from: other)
        return estimation.estimate(
          Estimate(value: found.value, standardError: found.standardError ?? .nan)
        ).text()
      }
      table.add([
        (row.role == .chosen ? "* " : "  ") + row.order.name, "\(row.order.steps.count)",
        "\(row.order.tokensPerStep)",
        row.trainingLoss.map { estimation.value($0).significant(3) } ?? "",
        row.selectionLoss.map { estimation.estimate($0).text() } ?? "",
        estimation.estimate(profile.totalIncrease).text(), difference("distant:n=16"),
        difference("halton"), difference("start"),
      ])
    }
    let share = Int((covariance.translationShare * 100).rounded())
    return [
      "\(dataset.name) · \(dataset.grid) tokens · d = \(dataset.featureDimensions) · \(estimation.units.rawValue)",
      "fitted to \(parts.fitCount.grouped) images (covariance \(share) % its average over translations) · chosen by"
        + " \(parts.selection.count.grouped) · losses estimated from \(parts.report.count.grouped) others, \(estimation.bound.rawValue) bound",
      table.text,
      "* found by the search. \"fitted\" is what an order loses on the images it was fitted to, as their covariance has it: it says nothing.",
    ].joined(separator: "\n")
  }

  /// The curves as comma-separated values.
  func curveCSV(_ estimation: EstimationOptions) -> String {
    let unit = estimation.units.rawValue
    var lines = ["curve,steps,largest_group,loss_\(unit),loss_standard_error"]
    for curve in curves {
      for profile in curve.profiles {
        let total = estimation.estimate(profile.totalIncrease)
        lines.append(
          [
            curve.name.csvField, "\(profile.order.steps.count)", "\(profile.order.tokensPerStep)",
            total.value.csvField, total.standardError.csvField,
          ].joined(separator: ","))
      }
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Figures

  /// The orders chosen, and the curves.
  func figures(_ dataset: TokenDataset, _ estimation: EstimationOptions) -> [any Figure] {
    let profiles = chosen.map(\.profile)
    var figures: [any Figure] = [
      orderFigure(
        profiles.map(ComparedOrder.init), name: "order-search", dataset: dataset, estimation)
    ]
    if !curves.isEmpty {
      figures.append(
        CurveFigure(
          name: "loss-against-steps",
          summary: "The information lost by drawing in parallel against the number of steps.",
          curves: curves.map { curve in
            CurveFigure.Curve(
              curve.name,
              curve.profiles.sorted { $0.order.steps.count < $1.order.steps.count }.map {
                let total = estimation.estimate($0.totalIncrease)
                return CurveFigure.Point(
                  Double($0.order.steps.count), total.value, error: total.standardError)
              }, style: curve.name == Self.paperName ? .points : .line)
          }, x: CurveFigure.Axis("steps", scale: .logarithmic),
          y: CurveFigure.Axis(
            "information lost [\(estimation.units.rawValue)]", scale: .logarithmic),
          caption: MeasurementCaption(dataset, estimation).text
            + " Fitted to \(parts.fitCount.grouped) images, chosen by \(parts.selection.count.grouped), estimated from \(parts.report.count.grouped) others."
        ))
    }
    return figures
  }
}

extension OutputNames {
  /// Writes the orders that were chosen and the curves.
  func write(_ report: SearchReport, _ estimation: EstimationOptions, on grid: TokenGrid) throws {
    let written = try write(
      orders: report.chosen.map(\.order), curve: report.curveCSV(estimation))
    Reporting.report("wrote \(written.joined(separator: ", "))")
  }
}

/// The result of `order-search --json`.
struct OrderSearchResult: Encodable {
  struct Order: Encodable {
    let name: String
    let role: String
    let steps: Int
    let groupSizes: [Int]
    let sequence: [Int]?
    let trainingLoss: JSONNumber
    let selectionLoss, selectionLossStandardError: JSONNumber
    let totalIncrease, totalIncreaseStandardError: JSONNumber
    let differences: [Difference]
  }
  struct Difference: Encodable {
    let from: String
    let value, standardError: JSONNumber
  }
  struct Candidates: Encodable {
    let steps, count: Int
  }
  struct Point: Encodable {
    let curve: String
    let steps: Int
    let groupSizes: [Int]
    let totalIncrease, totalIncreaseStandardError: JSONNumber
  }

  let command = "order-search"
  let grid: [Int]
  let units: String
  let bound: String
  let given: String?
  let featureDimensions: Int
  let images, fitImages, selectionImages, reportImages: Int
  let translationShare: JSONNumber
  let covarianceRidge: JSONNumber
  let candidates: [Candidates]
  let orders: [Order]
  let curves: [Point]
  let provenance: Provenance

  init(
    _ report: SearchReport, dataset: TokenDataset, _ estimation: EstimationOptions,
    provenance: Provenance
  ) {
    grid = dataset.grid.jsonExtents
    units = estimation.units.rawValue
    bound = estimation.bound.rawValue
    given = estimation.given?.rawValue
    featureDimensions = dataset.featureDimensions
    images = dataset.imageCount
    fitImages = report.parts.fitCount
    selectionImages = report.parts.selection.count
    reportImages = report.parts.report.count
    translationShare = JSONNumber(report.covariance.translationShare)
    covarianceRidge = JSONNumber(report.covariance.ridge)
    candidates = report.candidateCounts.sorted { $0.key < $1.key }.map {
      Candidates(steps: $0.key, count: $0.value)
    }
    orders = report.rows.map { row in
      let total = estimation.estimate(row.profile.totalIncrease)
      let chosenBy = row.selectionLoss.map(estimation.estimate)
      return Order(
        name: row.order.name,
        role: row.role == .chosen ? "chosen" : row.role == .start ? "start" : "baseline",
        steps: row.order.steps.count, groupSizes: row.order.steps.map(\.count),
        sequence: row.role == .chosen ? row.order.sequence : nil,
        trainingLoss: JSONNumber(row.trainingLoss.map(estimation.value)),
        selectionLoss: JSONNumber(chosenBy?.value),
        selectionLossStandardError: JSONNumber(chosenBy?.standardError),
        totalIncrease: JSONNumber(total.value),
        totalIncreaseStandardError: JSONNumber(total.standardError),
        differences: row.role == .chosen
          ? report.references(for: row).map { name, other in
            let found = row.profile.difference(from: other.profile)
            return Difference(
              from: other.order.name, value: JSONNumber(estimation.value(found.value)),
              standardError: JSONNumber(found.standardError.map(estimation.value)))
          } : [])
    }
    curves = report.curves.flatMap { curve in
      curve.profiles.map { profile in
        let total = estimation.estimate(profile.totalIncrease)
        return Point(
          curve: curve.name, steps: profile.order.steps.count,
          groupSizes: profile.order.steps.map(\.count), totalIncrease: JSONNumber(total.value),
          totalIncreaseStandardError: JSONNumber(total.standardError))
      }
    }
    self.provenance = provenance
  }
}
