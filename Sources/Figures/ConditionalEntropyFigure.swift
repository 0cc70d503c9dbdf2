import TokenGrids

/// Maps of the conditional entropy H(v_i | v_j) of every token i, one panel per reference token j.
///
/// Darker red is lower conditional entropy, that is, stronger dependence on the reference, which is
/// a blue square. All panels share one colour scale. (PAR, supplement figure 11.) A panel of a
/// video shows its frames side by side.
public struct ConditionalEntropyFigure: Figure {
  /// The map of one reference token.
  public struct Map: Sendable {
    /// The raster index of the reference.
    public let reference: Int
    /// H(v_i | v_j) of every cell i in raster order; NaN where there is none. The reference's own
    /// is not shown.
    public let values: [Double]

    /// Makes a map from its values, N of them.
    public init(reference: Int, values: [Double]) {
      self.reference = reference
      self.values = values
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// The grid the values stand on.
  public let grid: TokenGrid
  /// One map per panel.
  public let maps: [Map]
  /// The unit of the values, as the colour bar names it: `nats` or `bits`.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption
  /// How many panels stand in a row; nil arranges them nearly square.
  public let panelsPerRow: Int?

  /// Makes a figure of one map or several.
  ///
  /// - Precondition: there is a map, and each has a value for every cell and a reference on the
  ///   grid.
  public init(
    name: String, grid: TokenGrid, maps: [Map], unit: String, caption: MeasurementCaption,
    panelsPerRow: Int? = nil
  ) {
    precondition(!maps.isEmpty && (panelsPerRow ?? 1) > 0, "a figure has at least one panel")
    for map in maps {
      precondition(map.values.count == grid.cellCount, "a map has a value for every cell")
      precondition((0..<grid.cellCount).contains(map.reference), "the reference is on the grid")
    }
    self.name = name
    self.grid = grid
    self.maps = maps
    self.unit = unit
    self.caption = caption
    self.panelsPerRow = panelsPerRow
  }

  /// The colour scale that all panels share; references do not count. Nil when no value is finite.
  public var colorScale: ColorScale? {
    ColorScale.fitting(maps.lazy.flatMap { Self.shown($0) }, darkEnd: .low)
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for map in maps where !Self.shown(map).contains(where: \.isFinite) {
      throw .nothingToDraw(
        figure: name, what: "the map of \(title(of: map))")
    }
    guard let scale = colorScale else { throw .nothingToDraw(figure: name, what: "every map") }
    return [
      FigureFile(name: "\(name).gp", contents: script(scale: scale, provenance: provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  /// The values of a map without its reference's own.
  private static func shown(_ map: Map) -> [Double] {
    var values = map.values
    values[map.reference] = .nan
    return values
  }

  private var data: DataTable {
    let panel = GridPanel(grid: grid, cell: 1)
    return DataTable(
      columns: GridPanel.cellColumns + ["conditional-entropy-in-\(unit)"],
      blocks: maps.map { map in
        let values = Self.shown(map)
        return DataTable.Block(
          comment: title(of: map),
          rows: values.indices.map { panel.coordinates(of: $0) + [values[$0]] })
      })
  }

  private func script(scale: ColorScale, provenance: [String]) -> String {
    let layout = Layout(self)
    let panel = layout.panel
    var script = GnuplotScript(
      name: name,
      summary: "Conditional entropy maps: darker is lower entropy, that is, stronger dependence"
        + " on the reference (blue).",
      provenance: provenance, width: layout.width, height: layout.height,
      fontSize: layout.fontSize)
    script.add(
      "", panel.placement,
      "gamma = \(scale.gamma)  # of the colours; 1 is linear, less shows faint dependence more",
      ColorRamp.reds.palette(darkEnd: scale.darkEnd),
      "set cbrange [\(scale.low):\(scale.high)]  # shared by all panels", "unset key",
      "set multiplot")
    script.caption(layout.caption, x: layout.left, y: layout.captionTop)
    script.colorBar(layout.colorBar, label: barLabel)
    for (index, map) in maps.enumerated() {
      let cell = grid.cell(at: map.reference)
      script.add("", GnuplotText.comment(title(of: map)))
      panel.setUp(in: layout.rectangle(index), title: title(of: map), script: &script)
      panel.cellBorders(color: FigureColor.cellBorder, script: &script)
      let (x, y) = (cell.frame * (grid.columns + 1) + cell.column, cell.row)
      script.add(
        "set object \(grid.frames + 1) rectangle from \(x)-0.5,\(y)-0.5 to \(x)+0.5,\(y)+0.5 front"
          + " fillcolor rgb '\(FigureColor.reference)' fillstyle solid border lc rgb '#ffffff' lw 1"
      )
      var parts = [panel.cells(index: index, column: 4)]
      if hasMissing(map) { parts += panel.missingCells(index: index, column: 4) }
      script.add("plot " + parts.joined(separator: ", \\\n  "))
      if index == 0 {
        script.removeLabels()
        script.add("unset colorbox")
      }
    }
    script.add("", "unset multiplot", "unset output")
    return script.text
  }

  private var barLabel: String { "conditional entropy [\(unit)]" }

  private func title(of map: Map) -> String {
    let cell = grid.cell(at: map.reference)
    let frame = grid.isVideo ? "frame \(cell.frame), " : ""
    return "reference \(frame)(\(cell.row), \(cell.column))"
  }

  private func hasMissing(_ map: Map) -> Bool {
    map.values.indices.contains { $0 != map.reference && !map.values[$0].isFinite }
  }

  /// Where everything stands on the page, in points.
  private struct Layout {
    let fontSize: Double
    let panel: GridPanel
    let columns: Int
    let count: Int
    let width: Double
    let height: Double
    let caption: [String]
    let captionTop: Double
    let colorBar: PageRectangle

    let left: Double
    private let top: Double
    private let stride: (x: Double, y: Double)

    init(_ figure: ConditionalEntropyFigure) {
      let count = figure.maps.count
      self.count = count
      columns = min(figure.panelsPerRow ?? Self.columns(for: count, of: figure.grid), count)
      let rows = (count + columns - 1) / columns
      let widest = Double(max(columns, rows))
      let video = figure.grid.isVideo ? 2.0 : 1
      let side = count == 1 ? 300 * video : max(480 * video / widest, count > 12 ? 110 : 140)
      let panel = GridPanel(
        grid: figure.grid,
        cell: GridPanel.cellSize(grid: figure.grid, side: side, atLeast: 2, atMost: 50))
      self.panel = panel
      let size = max(10, min(14, (Double(columns) * panel.width + 100) / 55))
      fontSize = size
      left = 2.4 * size
      let titleHeight = (figure.grid.isVideo ? 3.2 : 2.2) * size
      stride = (
        max(panel.width + 2.8 * size, 12 * size), panel.height + titleHeight + 1.4 * size
      )
      // A colour bar longer than the panels has them in its middle.
      let panelsHeight = Double(rows - 1) * stride.y + panel.height
      let leastBar = GnuplotScript.colorBarHeight(label: figure.barLabel, fontSize: size)
      top = titleHeight + max(0, leastBar - panelsHeight) / 2
      let right = left + Double(columns - 1) * stride.x + panel.width
      let bottom = top + panelsHeight
      let barHeight = max(min(panelsHeight, 520), leastBar)
      colorBar = PageRectangle(
        x: right + 1.6 * size, y: (top + bottom - barHeight) / 2, width: 1.2 * size,
        height: barHeight)
      width = max(right + 8.4 * size, 32 * size).rounded(.up)
      var sentence =
        "Darker: lower conditional entropy, stronger dependence on the reference token (blue)."
      if figure.maps.contains(where: figure.hasMissing) { sentence += " Grey, crossed: no value." }
      caption = GnuplotText.wrapped(
        sentence + " " + figure.caption.text,
        toWidth: (width - 2 * left) / (size * GnuplotScript.captionSize))
      captionTop = max(bottom, colorBar.y + barHeight) + 3.2 * size
      height =
        (captionTop + (Double(caption.count) - 0.2) * GnuplotScript.captionLeading * size)
        .rounded(.up)
    }

    /// Nearly square on the page: up to three in one row, then about as many rows as columns.
    private static func columns(for count: Int, of grid: TokenGrid) -> Int {
      if grid.isVideo { return 1 }
      if count <= 3 { return count }
      return Int(Double(count).squareRoot().rounded(.up))
    }

    /// The rectangle of a panel; an incomplete last row is centred.
    func rectangle(_ index: Int) -> PageRectangle {
      let row = index / columns
      let inRow = min(columns, count - row * columns)
      let shift = Double(columns - inRow) * stride.x / 2
      return PageRectangle(
        x: left + shift + Double(index % columns) * stride.x, y: top + Double(row) * stride.y,
        width: panel.width, height: panel.height)
    }
  }
}
