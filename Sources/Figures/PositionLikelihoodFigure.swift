import TokenGrids

/// Maps of a model's negative log-likelihood of every cell's token, one panel for each model, in one colour scale.
///
/// Darker is larger: harder to predict from what has been generated before.
public struct PositionLikelihoodFigure: Figure {
  /// The map of one model.
  public struct Map: Sendable {
    /// What the panel is called.
    public let title: String
    /// One value for every cell in raster order.
    public let values: [Double]
    /// Their standard errors.
    public let errors: [Double]

    /// Makes a map from its values, N of them.
    public init(title: String, values: [Double], errors: [Double]) {
      self.title = title
      self.values = values
      self.errors = errors
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// The grid the values stand on.
  public let grid: TokenGrid
  /// One map per panel.
  public let maps: [Map]
  /// What stands below the maps.
  public let caption: String

  /// Makes a figure of one map or several.
  ///
  /// - Precondition: every map has a value and an error for every cell.
  public init(name: String, grid: TokenGrid, maps: [Map], caption: String) {
    precondition(
      maps.allSatisfy { $0.values.count == grid.cellCount && $0.errors.count == grid.cellCount },
      "a map has a value for every cell")
    self.name = name
    self.grid = grid
    self.maps = maps
    self.caption = caption
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for map in maps where !map.values.contains(where: \.isFinite) {
      throw .nothingToDraw(figure: name, what: "the map of \(map.title)")
    }
    guard let scale = ColorScale.fitting(maps.lazy.flatMap(\.values), darkEnd: .high) else {
      throw .nothingToDraw(figure: name, what: "every map")
    }
    return [
      FigureFile(name: "\(name).gp", contents: script(scale, provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  private var data: DataTable {
    let panel = GridPanel(grid: grid, cell: 1)
    return DataTable(
      columns: GridPanel.cellColumns + ["negative-log-likelihood-in-nats", "standard-error"],
      blocks: maps.map { map in
        DataTable.Block(
          comment: map.title,
          rows: map.values.indices.map {
            panel.coordinates(of: $0) + [map.values[$0], map.errors[$0]]
          })
      })
  }

  private static let barLabel = "−log q [nats]"

  private func script(_ scale: ColorScale, _ provenance: [String]) -> String {
    let size = 11.0
    let panel = GridPanel(
      grid: grid, cell: GridPanel.cellSize(grid: grid, side: 260, atLeast: 2, atMost: 50))
    let titleHeight = (grid.isVideo ? 3.4 : 2.2) * size
    let left = 2.6 * size
    let titles = maps.map { GnuplotText.shortened($0.title, to: 40) }
    let stride = max(
      panel.width + 3 * size, (titles.map(GnuplotText.width).max() ?? 0) * size + size)
    let right = left + Double(maps.count - 1) * stride + panel.width
    let barHeight = max(
      panel.height, GnuplotScript.colorBarHeight(label: Self.barLabel, fontSize: size))
    let top = titleHeight + (barHeight - panel.height) / 2
    let width = max(right + 8.4 * size, 34 * size).rounded(.up)
    let lines = GnuplotText.wrapped(
      "Darker: harder to predict. " + caption,
      toWidth: (width - 2 * left) / (size * GnuplotScript.captionSize))
    let captionTop = titleHeight + barHeight + 3.2 * size
    var script = GnuplotScript(
      name: name, summary: "Negative log-likelihood of every cell's token: darker is larger.",
      provenance: provenance, width: width,
      height: (captionTop + Double(lines.count) * GnuplotScript.captionLeading * size).rounded(.up),
      fontSize: size)
    script.add(
      "", panel.placement, "gamma = \(scale.gamma)  # of the colours; 1 is linear",
      ColorRamp.reds.palette(darkEnd: scale.darkEnd),
      "set cbrange [\(DataTable.rounded(scale.low)):\(DataTable.rounded(scale.high))]  # shared by all panels",
      "unset key",
      "set multiplot")
    script.caption(lines, x: left, y: captionTop)
    script.colorBar(
      PageRectangle(x: right + 1.6 * size, y: titleHeight, width: 1.2 * size, height: barHeight),
      label: Self.barLabel)
    for (index, map) in maps.enumerated() {
      script.add("", GnuplotText.comment(map.title))
      panel.setUp(
        in: PageRectangle(
          x: left + Double(index) * stride, y: top, width: panel.width, height: panel.height),
        title: titles[index], script: &script)
      panel.cellBorders(color: FigureColor.cellBorder, script: &script)
      var parts = [panel.cells(index: index, column: 4)]
      if !map.values.allSatisfy(\.isFinite) { parts += panel.missingCells(index: index, column: 4) }
      script.add("plot " + parts.joined(separator: ", \\\n  "))
      if index == 0 {
        script.removeLabels()
        script.add("unset colorbox")
      }
    }
    script.add("", "unset multiplot", "unset output")
    return script.text
  }
}
