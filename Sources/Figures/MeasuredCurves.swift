extension CurveFigure {
  /// Conditional entropy, or mutual information, against the distance to the reference token, one curve per reference.
  ///
  /// - Parameter curves: The means over the cells at each distance, in `unit`, against that distance in cells.
  public static func againstDistance(
    name: String, quantity: MapQuantity = .entropy, curves: [Curve], unit: String,
    caption: MeasurementCaption
  ) -> CurveFigure {
    let summary =
      switch quantity {
      case .entropy: "Conditional entropy of a token given a reference, against their distance."
      case .information: "Mutual information of a token and a reference, against their distance."
      }
    return CurveFigure(
      name: name, summary: summary, curves: curves,
      x: Axis("distance to the reference token [cells]"), y: Axis("\(quantity.label) [\(unit)]"),
      caption: "Mean over the tokens at each distance; bars: standard error. " + caption.text)
  }

  /// What each step of parallel generation costs: the total correlation of its tokens given all earlier steps. One curve per
  /// order.
  ///
  /// The axis is logarithmic when the values differ by much.
  /// - Parameter curves: The entropy increase of each step, the sum over its tokens, in `unit`, against its number, the first
  ///   being 1.
  public static func increasePerStep(
    name: String, curves: [Curve], unit: String, caption: MeasurementCaption
  ) -> CurveFigure {
    CurveFigure(
      name: name,
      summary: "Entropy increase of each generation step (the total correlation of its tokens).",
      curves: curves, x: Axis("generation step"),
      y: Axis(
        "entropy increase per step [\(unit)]", scale: .automatic(beyond: 30), startsAtZero: true),
      caption:
        "Total correlation of a step's tokens given all earlier steps; bars: standard error. "
        + caption.text)
  }

  /// The total entropy increase of orders against their numbers of steps. One curve per order.
  ///
  /// Both axes are logarithmic when their values differ by much.
  /// - Parameters:
  ///   - curves: The sum of the entropy increases of all tokens, in `unit`, against the steps; points in any order.
  ///   - orders: The steps of every order drawn and n, its tokens per step, which stands above the plot; none where steps of few
  ///     sizes share it out.
  public static func totalIncrease(
    name: String, curves: [Curve], orders: [(steps: Int, tokensPerStep: Int)] = [], unit: String,
    caption: MeasurementCaption
  ) -> CurveFigure {
    CurveFigure(
      name: name, summary: "Total entropy increase against the number of generation steps.",
      curves: curves.map { Curve($0.label, $0.points.sorted { $0.x < $1.x }) },
      x: Axis("generation steps", scale: .automatic(beyond: 5)),
      y: Axis(
        "total entropy increase [\(unit)]", scale: .automatic(beyond: 30), startsAtZero: true),
      marks: marks(tokensPerStepOf: orders),
      caption: (orders.isEmpty ? "Bars" : "n: tokens per step; bars") + ": standard error. "
        + caption.text)
  }

  /// The tokens per step that lead to each number of steps; written once above the plot, not beside every point, where
  /// curves that lie close together would cover them.
  public static func marks(
    tokensPerStepOf orders: [(steps: Int, tokensPerStep: Int)]
  ) -> [Mark] {
    Dictionary(grouping: orders, by: \.steps).sorted { $0.key < $1.key }.map { steps, orders in
      let sizes = Set(orders.map(\.tokensPerStep)).sorted().map(String.init)
      return Mark(Double(steps), "n = \(sizes.joined(separator: ", "))")
    }
  }

  /// The losses of a training run, in nats a token, against its steps.
  ///
  /// - Parameters:
  ///   - training: Of the training images, with dropout.
  ///   - validation: Of those held out; empty where no image is.
  public static func losses(
    name: String, training: [Point], validation: [Point], caption: String
  ) -> CurveFigure {
    CurveFigure(
      name: name, summary: "Training and validation loss against the number of steps.",
      curves: [Curve("training, with dropout", training)]
        + (validation.isEmpty ? [] : [Curve("held out", validation)]),
      x: Axis("step"), y: Axis("negative log-likelihood [nats/token]"), caption: caption)
  }

  /// The loss of tokens by how many others of their image were known when they were predicted.
  public static func lossByKnownTokens(
    name: String, points: [Point], caption: String
  ) -> CurveFigure {
    CurveFigure(
      name: name, summary: "Loss of held-out tokens against the number of tokens known.",
      curves: [Curve("held out", points)], x: Axis("tokens known", startsAtZero: true),
      y: Axis("negative log-likelihood [nats/token]"), caption: caption)
  }

  /// How far generated images are from real ones against the total entropy increase of their order, a point for each
  /// configuration.
  ///
  /// - Parameters:
  ///   - proxy: What the distance is called.
  ///   - configurations: The distance, and its spread over models as its error, against the increase in `unit`.
  ///   - noiseFloor: The proxy between two sets of real images.
  public static func proxy(
    name: String, proxy: String, configurations: [(label: String, point: Point)],
    noiseFloor: Double?, unit: String, caption: String
  ) -> CurveFigure {
    let points = configurations.map(\.point)
    var curves = configurations.map { Curve($0.label, [$0.point], style: .points) }
    // Far below the points the floor would leave no room for what differs between them; then the caption alone tells it.
    if let noiseFloor, noiseFloor > 0.25 * (points.map(\.y).min() ?? 0) {
      let ends = [points.map(\.x).min() ?? 0, points.map(\.x).max() ?? 0]
      curves.append(
        Curve("real against real", ends.map { Point($0, noiseFloor) }, style: .reference))
    }
    return CurveFigure(
      name: name, summary: "\(proxy) against the total entropy increase of the order.",
      curves: curves, x: Axis("total entropy increase [\(unit)]", scale: .compressed),
      y: Axis(proxy, scale: .automatic(beyond: 30)),
      caption: caption + (noiseFloor.map { " Real against real: \(NumberText.rounded($0))." } ?? "")
    )
  }
}
