import PARTransformer
import Reporting
import Statistics
import TokenData
import TokenGrids

/// What an any-order model says that orders lose, beside what is estimated from the tokens' features.
struct ModelLosses {
  /// The model's account of every order, those of seeds one after the other.
  let likelihood: AnyOrderLikelihood
  /// For each row of the comparison the loss of an image, in nats; of several seeds the mean, with the mean of their errors,
  /// which is at least its error.
  let rows: [Estimate]

  /// Measures the model.
  ///
  /// - Parameter whole: all images of the dataset: which of them were held out depends on all.
  init(model: String, selected: SelectedOrders, whole: TokenDataset) throws {
    let orders = selected.rows.flatMap(\.orders)
    let progress = ProgressLine(
      "measuring the model", total: whole.imageCount * 2 * orders.count, unit: "images")
    defer { progress.finish() }
    likelihood = try AnyOrderLikelihood(
      model: model, tokens: whole, orders: orders, progress: { progress.update($0) })
    var rest = likelihood.orders[...]
    rows = selected.rows.map { row in
      let own = rest.prefix(row.orders.count)
      rest = rest.dropFirst(row.orders.count)
      let count = Double(own.count)
      return Estimate(
        value: own.reduce(0) { $0 + $1.total.mean } / count,
        standardError: own.reduce(0) { $0 + $1.total.standardError } / count)
    }
  }

  /// What the table's column is.
  var line: String {
    "model's loss: by \(likelihood.model) on \(likelihood.imageCount.grouped)"
      + "\(likelihood.isHeldOut ? " held-out" : "") images, for discrete tokens"
  }
}
