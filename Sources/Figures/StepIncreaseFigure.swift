/// What each step of parallel generation costs: the total correlation of its tokens given all
/// earlier steps.
///
/// One curve per order. The axis is logarithmic when the values differ by much; values of 0 and
/// below, which it cannot hold, are then marked at its lower edge.
public struct StepIncreaseFigure: Figure {
  /// The cost of one order's steps.
  public struct Curve: Sendable {
    /// The name of the order.
    public let label: String
    /// The entropy increase of each step, the sum over its tokens; the first is of step 1.
    public let increases: [Double]
    /// The standard error of each, or nil.
    public let standardErrors: [Double]?

    /// Makes a curve.
    ///
    /// - Precondition: there are as many errors as increases.
    public init(label: String, increases: [Double], standardErrors: [Double]?) {
      precondition(
        standardErrors.map { $0.count == increases.count } ?? true, "an error for every step")
      self.label = label
      self.increases = increases
      self.standardErrors = standardErrors
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// One curve per order.
  public let curves: [Curve]
  /// The unit of the increases.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption

  /// Makes a figure of one curve or several.
  public init(name: String, curves: [Curve], unit: String, caption: MeasurementCaption) {
    self.name = name
    self.curves = curves
    self.unit = unit
    self.caption = caption
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    try LinePlot(
      name: name,
      summary: "Entropy increase of each generation step (the total correlation of its tokens).",
      series: curves.map { curve in
        LinePlot.Series(
          name: curve.label,
          points: curve.increases.indices.map {
            LinePlot.Point(
              x: Double($0 + 1), y: curve.increases[$0], error: curve.standardErrors?[$0])
          })
      },
      xLabel: "generation step", yLabel: "entropy increase per step [\(unit)]",
      yScale: .automatic(beyond: 30), startsAtZero: true,
      caption:
        "Total correlation of a step's tokens given all earlier steps; bars: standard error. "
        + caption.text
    ).files(provenance: provenance)
  }
}
