/// The losses of a training run against its steps: of the training images, with dropout, and of those held out.
public struct TrainingFigure: Figure {
  /// The loss after some steps.
  public struct Point: Sendable {
    /// Steps made.
    public let step: Int
    /// The loss, in nats a token.
    public let loss: Double

    /// Makes a point.
    public init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// The training loss.
  public let training: [Point]
  /// The validation loss; empty where no image is held out.
  public let validation: [Point]
  /// What was trained on what, for the caption.
  public let caption: String

  /// Makes a figure.
  public init(name: String, training: [Point], validation: [Point], caption: String) {
    self.name = name
    self.training = training
    self.validation = validation
    self.caption = caption
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    func series(_ name: String, _ points: [Point]) -> LinePlot.Series {
      LinePlot.Series(
        name: name, points: points.map { LinePlot.Point(x: Double($0.step), y: $0.loss) })
    }
    return try LinePlot(
      name: name, summary: "Training and validation loss against the number of steps.",
      series: [series("training, with dropout", training)]
        + (validation.isEmpty ? [] : [series("held out", validation)]),
      xLabel: "step", yLabel: "negative log-likelihood [nats/token]",
      caption: caption
    ).files(provenance: provenance)
  }
}
