/// A proxy of generation quality against the total entropy increase, a point for each configuration, with the noise floor as a
/// line where it is near. The axis of the increase is linear around 0 and logarithmic beyond.
public struct ProxyFigure: Figure {
  /// One configuration.
  public struct Point: Sendable {
    /// Its name, with the paper's FID where there is one.
    public let label: String
    /// The total entropy increase of its order.
    public let increase: Double
    /// The proxy's mean over the seeds.
    public let value: Double
    /// The standard deviation over the seeds; nil for one seed.
    public let spread: Double?

    /// Makes a point.
    public init(label: String, increase: Double, value: Double, spread: Double?) {
      self.label = label
      self.increase = increase
      self.value = value
      self.spread = spread
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// What the proxy is.
  public let proxy: String
  /// One point for each configuration.
  public let points: [Point]
  /// The proxy between two sets of real images.
  public let noiseFloor: Double?
  /// The unit of the increase.
  public let unit: String
  /// How everything was measured.
  public let caption: String

  /// Makes a figure of one point or several.
  public init(
    name: String, proxy: String, points: [Point], noiseFloor: Double?, unit: String,
    caption: String
  ) {
    self.name = name
    self.proxy = proxy
    self.points = points
    self.noiseFloor = noiseFloor
    self.unit = unit
    self.caption = caption
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    var series = points.map { point in
      LinePlot.Series(
        name: point.label,
        points: [LinePlot.Point(x: point.increase, y: point.value, error: point.spread)],
        connected: false)
    }
    // Far below the points the floor would leave no room for what differs between them; then the caption alone tells it.
    if let noiseFloor, noiseFloor > 0.25 * (points.map(\.value).min() ?? 0) {
      let increases = points.map(\.increase)
      series.append(
        LinePlot.Series(
          name: "real against real",
          points: [increases.min() ?? 0, increases.max() ?? 0].map {
            LinePlot.Point(x: $0, y: noiseFloor)
          }, isReference: true))
    }
    let floorText = noiseFloor.map { " Real against real: \(NumberText.rounded($0))." } ?? ""
    return try LinePlot(
      name: name, summary: "\(proxy) against the total entropy increase of the order.",
      series: series, xLabel: "total entropy increase [\(unit)]", yLabel: proxy,
      yScale: .automatic(beyond: 30), compressesX: true, caption: caption + floorText
    ).files(provenance: provenance)
  }
}
