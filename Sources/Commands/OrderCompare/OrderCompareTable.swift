import ArgumentParser
import EntropyEstimation
import Figures
import Reporting
import Statistics
import TokenData
import TokenGrids

/// How the table of orders is sorted.
enum TableSorting: String, CaseIterable, ExpressibleByArgument {
  /// By total increase, the smallest first; orders of which nothing is known stand last.
  case total
  /// By the number of steps, then by total increase.
  case steps

  /// The indices of rows in this order; those that are equal stay as they are.
  func indices(of rows: [ComparedOrder]) -> [Int] {
    func key(_ row: ComparedOrder) -> (Int, Double) {
      (
        self == .steps ? row.order.steps.count : 0,
        row.isUndecided ? .infinity : row.totalIncrease.value
      )
    }
    return rows.indices.sorted { one, other in
      let (a, b) = (key(rows[one]), key(rows[other]))
      return a == b ? one < other : a < b
    }
  }
}

/// The table that compares orders; differences are from the first, wherever it stands.
func orderTable(
  _ rows: [ComparedOrder], lost: ModelLosses? = nil, sort: TableSorting? = nil,
  _ estimation: EstimationOptions
) -> TextTable {
  var table = TextTable("order", "steps", "n", "total increase", "mean", "largest", "largest at")
  table.headings.append("steps > 0")
  let isPaired = rows.count > 1 && rows[0].shown.errors == .robust
  if isPaired { table.headings.append("minus \(rows[0].name)") }
  let hasSeeds = rows.contains { $0.profiles.count > 1 }
  if hasSeeds { table.headings.append("over seeds") }
  if lost != nil { table.headings.append("model's loss") }
  for index in sort?.indices(of: rows) ?? Array(rows.indices) {
    let compared = rows[index]
    let cells = Double(compared.order.grid.cellCount)
    let total = estimation.estimate(compared.totalIncrease)
    let mean = Estimate(value: total.value / cells, standardError: total.standardError / cells)
    let largest = compared.largestIncrease
    var row = [
      compared.name, "\(compared.order.steps.count)", "\(compared.order.tokensPerStep)",
    ]
    row +=
      compared.isUndecided
      ? ["–", "–", "–", "–", "–"]
      : [
        total.text(), mean.text(digits: 4), estimation.estimate(largest.increase).text(digits: 3),
        largest.cell.description(on: compared.order.grid),
        compared.profiles.count == 1 ? compared.shown.distinguishableSteps : "–",
      ]
    if isPaired, compared.isUndecided || rows[0].isUndecided {
      row.append("–")
    } else if isPaired {
      let difference = compared.difference(from: rows[0])
      row.append(
        estimation.estimate(
          Estimate(value: difference.value, standardError: difference.standardError ?? .nan)
        ).text())
    }
    if hasSeeds {
      row.append(
        compared.seedDeviation.map {
          "± \(estimation.value($0).fixed(3)) of \(compared.profiles.count)"
        } ?? "")
    }
    if let lost { row.append(estimation.estimate(lost.rows[index]).text()) }
    table.add(row)
  }
  return table
}

/// More orders than these are drawn by ``ManyOrdersFigure``: a page has no room for large panels of all.
private let mostOrdersWithNumbers = 3

/// The figure that compares orders, in the unit asked for.
///
/// Of several seeds the first is drawn.
func orderFigure(
  _ rows: [ComparedOrder], name: String, dataset: some MeasuredData,
  _ estimation: EstimationOptions,
  onlyDistinguishable: Bool = false
) -> any Figure {
  let drawn = rows.map { row in
    let profile = row.shown
    let total = estimation.estimate(profile.totalIncrease)
    return OrderComparisonFigure.Row(
      order: profile.order,
      increases: profile.increases(estimation, onlyDistinguishable: onlyDistinguishable),
      total: total.value, totalError: total.standardError)
  }
  let (unit, caption) = (estimation.units.rawValue, MeasurementCaption(dataset, estimation))
  return rows.count > mostOrdersWithNumbers
    ? ManyOrdersFigure(name: name, rows: drawn, unit: unit, caption: caption)
    : OrderComparisonFigure(name: name, rows: drawn, unit: unit, caption: caption)
}

/// The totals of orders against their numbers of steps, a mark for each.
func totalsFigure(
  _ rows: [ComparedOrder], name: String, dataset: some MeasuredData, _ estimation: EstimationOptions
) -> any Figure {
  CurveFigure.totalIncrease(
    name: name,
    curves: rows.filter { !$0.isUndecided }.map { row in
      let total = estimation.estimate(row.totalIncrease)
      return CurveFigure.Curve(
        row.name,
        [
          CurveFigure.Point(
            Double(row.order.steps.count), total.value, error: total.standardError)
        ])
    }, unit: estimation.units.rawValue, caption: MeasurementCaption(dataset, estimation))
}

extension OrderProfile {
  /// The increases in the unit asked for, by raster index; NaN, on request, where the step's total correlation is not
  /// distinguishable from zero.
  func increases(_ estimation: EstimationOptions, onlyDistinguishable: Bool) -> [Double] {
    let steps = order.stepNumbers
    return increase.indices.map { cell in
      if onlyDistinguishable, let test = stepTests[steps[cell] - 1], !test.isDistinguishable {
        return .nan
      }
      return estimation.value(increase[cell].value)
    }
  }

  /// Whether the context window holds apart all tokens that are drawn together, so that nothing is known of the increase.
  var isUndecided: Bool {
    pairsBeyondWindow.map { $0.all > 0 && $0.beyond == $0.all } ?? false
  }

  /// How many of the tested steps are distinguishable from zero.
  fileprivate var distinguishableSteps: String {
    let tests = stepTests.compactMap(\.self)
    return tests.isEmpty ? "–" : "\(tests.count(where: \.isDistinguishable)) of \(tests.count)"
  }
}

extension [OrderProfile] {
  /// The profile whose joint entropy is reported: that of raster, which is near every user's own, or else of the first order.
  var jointEntropyProfile: OrderProfile? { first { $0.order.name == "raster" } ?? first }
}

extension [ComparedOrder] {
  /// The joint entropy with its error, and the order along which it was summed where that makes a difference.
  func jointEntropyLine(_ estimation: EstimationOptions) -> String {
    guard let profile = flatMap(\.profiles).jointEntropyProfile else { return "" }
    let joint = estimation.estimate(profile.jointEntropy)
    let isShared =
      EntropyBound.closedForm.contains(profile.bound) && profile.pairsBeyondWindow == nil
    return
      "joint entropy of all tokens\(isShared ? "" : ", along \(profile.order.name)"): \(joint.text()) "
      + estimation.units.rawValue
  }
}
