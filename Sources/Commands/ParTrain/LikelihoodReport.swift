import Figures
import PARTransformer
import Reporting
import Statistics
import TokenData
import TokenGrids

/// What an any-order model says that parallel drawing costs, as a table, as values and as maps.
struct LikelihoodReport {
  let likelihood: AnyOrderLikelihood
  let dataset: TokenDataset

  init(_ likelihood: AnyOrderLikelihood, dataset: TokenDataset) {
    (self.likelihood, self.dataset) = (likelihood, dataset)
  }

  private var cellCount: Double { Double(dataset.grid.cellCount) }

  /// A line for each order; nats of a whole image, and nats a token.
  var table: String {
    var table = TextTable(
      "order", "steps", "lost [nats]", "± error", "parallel [nats/token]", "one by one",
      "largest step")
    for order in likelihood.orders {
      table.add([
        order.order.name, "\(order.order.steps.count)", order.total.mean.fixed(3),
        order.total.standardError.fixed(3), (order.parallelTotal.mean / cellCount).fixed(4),
        (order.sequentialTotal.mean / cellCount).fixed(4),
        (order.lostByStep.map(\.mean).max() ?? .nan).fixed(3),
      ])
    }
    let images = "\(likelihood.imageCount.grouped)\(likelihood.isHeldOut ? " held-out" : "") images"
    return table.text + "\n" + "means over \(images) of \(dataset.name)"
      + (likelihood.isHeldOut
        ? "" : ": all that there are, for the model was not trained on it, or does not say")
  }

  /// A line for each order and cell.
  var csv: String {
    let grid = dataset.grid
    var table = CSVTable<(order: AnyOrderLikelihood.Order, steps: [Int], index: Int)>()
    table.add("order", text: { $0.order.order.name })
    table.add(cellOn: grid) { grid.cell(at: $0.index) }
    table.add("step", text: { "\($0.steps[$0.index])" })
    for (name, values) in [
      ("lost", \AnyOrderLikelihood.Order.lost), ("parallel", \.parallel),
      ("sequential", \.sequential),
    ] {
      table.add(name) { $0.order[keyPath: values][$0.index].mean }
      table.add("\(name)_standard_error") { $0.order[keyPath: values][$0.index].standardError }
    }
    return table.text(
      likelihood.orders.lazy.flatMap { order in
        let steps = order.order.stepNumbers
        return steps.indices.map { (order: order, steps: steps, index: $0) }
      })
  }

  /// A map of what every cell loses for each order.
  var figure: PositionLikelihoodFigure {
    PositionLikelihoodFigure(
      name: "information-lost", grid: dataset.grid,
      maps: likelihood.orders.map { order in
        PositionLikelihoodFigure.Map(
          title: "\(order.order.name): \(order.total.mean.fixed(2)) nats lost",
          values: order.lost.map(\.mean), errors: order.lost.map(\.standardError))
      },
      caption: "−log q(token | earlier steps) + log q(token | all before), mean over"
        + " \(likelihood.imageCount.grouped)\(likelihood.isHeldOut ? " held-out" : "") images of"
        + " \(dataset.name).")
  }

  /// The result of `par-train likelihood --json`.
  func result(_ provenance: Provenance) -> Result {
    Result(
      model: likelihood.model, dataset: dataset.name, grid: dataset.grid.jsonExtents,
      images: likelihood.imageCount, heldOut: likelihood.isHeldOut,
      orders: likelihood.orders.map(Result.Order.init), provenance: provenance)
  }

  struct Result: Encodable {
    struct Order: Encodable {
      let name: String
      let steps: Int
      let lost, lostStandardError: JSONNumber
      let lostByStep, lostByStepStandardError: [JSONNumber]
      let lostMap, lostMapStandardError: JSONGrid<JSONNumber>
      let parallel, parallelStandardError: JSONGrid<JSONNumber>
      let sequential, sequentialStandardError: JSONGrid<JSONNumber>

      init(_ order: AnyOrderLikelihood.Order) {
        let grid = order.order.grid
        func means(_ values: [AnyOrderLikelihood.Value]) -> JSONGrid<JSONNumber> {
          JSONGrid(grid, values.map(\.mean))
        }
        func errors(_ values: [AnyOrderLikelihood.Value]) -> JSONGrid<JSONNumber> {
          JSONGrid(grid, values.map(\.standardError))
        }
        name = order.order.name
        steps = order.order.steps.count
        lost = JSONNumber(order.total.mean)
        lostStandardError = JSONNumber(order.total.standardError)
        lostByStep = order.lostByStep.map { JSONNumber($0.mean) }
        lostByStepStandardError = order.lostByStep.map { JSONNumber($0.standardError) }
        (lostMap, lostMapStandardError) = (means(order.lost), errors(order.lost))
        (parallel, parallelStandardError) = (means(order.parallel), errors(order.parallel))
        (sequential, sequentialStandardError) = (means(order.sequential), errors(order.sequential))
      }
    }

    let command = "par-train likelihood"
    let model: String
    let dataset: String
    let grid: [Int]
    let images: Int
    let heldOut: Bool
    let orders: [Order]
    let provenance: Provenance
  }
}
