/// The total entropy increase of an order against its number of steps, for a range of tokens per
/// step.
///
/// One curve per order, its points labelled with n, the tokens per step. Both axes are logarithmic
/// when their values differ by much; values of 0 and below are then marked at the lower edge.
public struct TotalIncreaseFigure: Figure {
  /// An order at one n.
  public struct Point: Sendable {
    /// n, the tokens generated per step.
    public let tokensPerStep: Int
    /// The number of steps.
    public let steps: Int
    /// The sum of the entropy increases of all tokens.
    public let total: Double
    /// The standard error of the total, or nil.
    public let standardError: Double?

    /// Makes a point.
    public init(tokensPerStep: Int, steps: Int, total: Double, standardError: Double?) {
      self.tokensPerStep = tokensPerStep
      self.steps = steps
      self.total = total
      self.standardError = standardError
    }
  }

  /// An order over a range of n.
  public struct Curve: Sendable {
    /// The name of the order.
    public let label: String
    /// Its points.
    public let points: [Point]

    /// Makes a curve.
    public init(label: String, points: [Point]) {
      self.label = label
      self.points = points
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
      name: name, summary: "Total entropy increase against the number of generation steps.",
      series: curves.map { curve in
        LinePlot.Series(
          name: curve.label,
          points: curve.points.sorted { $0.steps < $1.steps }.map {
            LinePlot.Point(x: Double($0.steps), y: $0.total, error: $0.standardError)
          })
      },
      xLabel: "generation steps", yLabel: "total entropy increase [\(unit)]",
      marks: marks, xScale: .automatic(beyond: 5), yScale: .automatic(beyond: 30),
      startsAtZero: true,
      caption: "n: tokens per step; bars: standard error. " + caption.text
    ).files(provenance: provenance)
  }

  /// The tokens per step that lead to each number of steps; written once above the plot, not beside every point, where
  /// curves that lie close together would cover them.
  private var marks: [LinePlot.Mark] {
    Dictionary(grouping: curves.flatMap(\.points), by: \.steps).sorted { $0.key < $1.key }
      .map { steps, points in
        let sizes = Set(points.map(\.tokensPerStep)).sorted().map(String.init)
        return LinePlot.Mark(x: Double(steps), label: "n = \(sizes.joined(separator: ", "))")
      }
  }
}
