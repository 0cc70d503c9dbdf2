import TokenGrids

/// Conditional entropy, or mutual information, against the distance to the reference token, one curve per reference.
public struct EntropyDistanceFigure: Figure {
  /// The mean of the cells at one distance from the reference.
  public struct Point: Sendable {
    /// The distance, in cells.
    public let distance: Double
    /// The mean over the cells at that distance.
    public let mean: Double
    /// Its standard error, or nil.
    public let standardError: Double?

    /// Makes a point.
    public init(distance: Double, mean: Double, standardError: Double?) {
      self.distance = distance
      self.mean = mean
      self.standardError = standardError
    }
  }

  /// The curve of one reference.
  public struct Curve: Sendable {
    /// What the key calls it, as in `reference (12, 12)`.
    public let label: String
    /// Its points, by distance.
    public let points: [Point]

    /// Makes a curve.
    public init(label: String, points: [Point]) {
      self.label = label
      self.points = points
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// What the means are of.
  public let quantity: MapQuantity
  /// One curve per reference.
  public let curves: [Curve]
  /// The unit of the means.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption

  /// Makes a figure of one curve or several.
  public init(
    name: String, quantity: MapQuantity = .entropy, curves: [Curve], unit: String,
    caption: MeasurementCaption
  ) {
    self.name = name
    self.quantity = quantity
    self.curves = curves
    self.unit = unit
    self.caption = caption
  }

  private var summary: String {
    switch quantity {
    case .entropy: "Conditional entropy of a token given a reference, against their distance."
    case .information: "Mutual information of a token and a reference, against their distance."
    }
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    try LinePlot(
      name: name,
      summary: summary,
      series: curves.map { curve in
        LinePlot.Series(
          name: curve.label,
          points: curve.points.map {
            LinePlot.Point(x: $0.distance, y: $0.mean, error: $0.standardError)
          })
      },
      xLabel: "distance to the reference token [cells]", yLabel: "\(quantity.label) [\(unit)]",
      caption: "Mean over the tokens at each distance; bars: standard error. " + caption.text
    ).files(provenance: provenance)
  }
}
