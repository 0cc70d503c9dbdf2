import TokenData
import TokenGrids

/// An order of its own for every image of every step, drawn from a mixture.
struct AnyOrderPlan: TrainingPlan {
  static let checkpointFormat = "any-order-training-checkpoint"

  var classNames: [String]
  var orders: OrderMixture

  func facts(beside other: AnyOrderPlan) -> [RunFact] {
    func steps(_ orders: OrderMixture) -> String { "\(orders.fewestSteps):\(orders.mostSteps)" }
    return [
      RunFact("orders", orders.description, other.orders.description),
      RunFact("steps of an order", steps(orders), steps(other.orders)),
      RunFact(
        "orders", orders.description, "the same names with other sequences",
        isSame: orders == other.orders),
    ]
  }

  func metadata(of model: LearningAnyOrder) throws -> [String: String] {
    var metadata = [
      "architecture": "any-order", "orders": orders.description,
      "order_steps_range": "\(orders.fewestSteps):\(orders.mostSteps)",
    ]
    if !classNames.isEmpty { metadata["class_names"] = try TrainedModel.json(classNames) }
    return metadata
  }

  func images(
    _ images: [TrainingImage], step: Int?, _ random: TrainingRandomness
  ) -> [AnyOrderImage] {
    images.enumerated().map { place, image in
      var generator = random.orderGenerator(step: step, place: place)
      let drawn = orders.draw(cells: image.codes.count, using: &generator)
      return AnyOrderImage(
        codes: image.codes, label: image.label, cells: drawn.cells, groupSizes: drawn.groupSizes)
    }
  }
}

extension TrainingRun where Plan == AnyOrderPlan {
  init(
    tokens: TokenDataset, orders: OrderMixture, settings: TrainingSettings, shards: Int
  ) throws(TrainingError) {
    try self.init(
      tokens: tokens, plan: AnyOrderPlan(classNames: tokens.labels?.names ?? [], orders: orders),
      settings: settings, shards: shards)
  }

  func configuration(on grid: TokenGrid) -> AnyOrderConfiguration {
    AnyOrderConfiguration(
      layers: settings.layers, heads: settings.heads, width: settings.width, codes: codes,
      classes: classes, grid: grid)
  }
}
