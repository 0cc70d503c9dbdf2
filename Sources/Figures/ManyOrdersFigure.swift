import TokenGrids

/// Many orders of generation on one page: of each the steps and the entropy increase, side by side, in rows that wrap.
///
/// ``OrderComparisonFigure`` has a row of three large panels for each order, which more than a few orders make taller than any page, and
/// one linear scale, on which one bad order leaves all others white. Here the scale is logarithmic and shared, from a thousandth
/// of the largest increase.
public struct ManyOrdersFigure: Figure {
  /// The name of its files, without extension.
  public let name: String
  /// The orders, row by row from the top left.
  public let rows: [OrderComparisonFigure.Row]
  /// The unit of the increases, as the colour bar names it: `nats` or `bits`.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption

  /// How many times smaller than the largest increase the lightest one is.
  static let span = 1000.0

  /// Makes a figure of one order or several.
  ///
  /// - Precondition: there is an order, and all are of one grid.
  public init(
    name: String, rows: [OrderComparisonFigure.Row], unit: String, caption: MeasurementCaption
  ) {
    precondition(!rows.isEmpty, "a figure has at least one order")
    precondition(
      rows.allSatisfy { $0.order.grid == rows[0].order.grid }, "all orders are of one grid")
    self.name = name
    self.rows = rows
    self.unit = unit
    self.caption = caption
  }

  private var grid: TokenGrid { rows[0].order.grid }

  /// The largest increase of a token; 1 where nothing increases, so that everything is at the light end.
  var largest: Double {
    let largest = rows.lazy.flatMap(\.increases).filter(\.isFinite).max() ?? 0
    return largest > 0 ? largest : 1
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for row in rows where !row.increases.contains(where: \.isFinite) {
      throw .nothingToDraw(figure: name, what: "the entropy increase of \(row.order.name)")
    }
    return [
      FigureFile(name: "\(name).gp", contents: script(provenance: provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  // Columns of the data, from 1 as gnuplot counts.
  private static let stepColumn = 4
  private static let increaseColumn = 5

  private var data: DataTable {
    let panel = GridPanel(grid: grid, cell: 1)
    return DataTable(
      columns: GridPanel.cellColumns + ["parallel-step", "entropy-increase-in-\(unit)"],
      blocks: rows.map { row in
        let steps = row.order.stepNumbers
        return DataTable.Block(
          comment: row.order.name,
          rows: (0..<grid.cellCount).map { cell in
            panel.coordinates(of: cell) + [Double(steps[cell]), row.increases[cell]]
          })
      })
  }

  private func script(provenance: [String]) -> String {
    let layout = Layout(self)
    var script = GnuplotScript(
      name: name,
      summary: "Orders of generation: steps, and the entropy increase from sequential to parallel"
        + " generation (darker is larger, logarithmic).",
      provenance: provenance, width: layout.width, height: layout.height,
      fontSize: Layout.fontSize)
    script.add(
      "", layout.panel.placement,
      "gamma = 1  # of the colours; less shows small increases more",
      "largest = \(DataTable.rounded(largest))  # the dark end of the colours, shared by all orders",
      "least = largest / \(Int(Self.span)).  # the light end",
      "unset key",
      "set multiplot")
    script.caption(layout.caption, x: Layout.margin, y: layout.captionTop)
    for (index, row) in rows.enumerated() {
      let origin = layout.origin(index)
      let size = Layout.fontSize
      script.text(
        layout.fitting(row.order.name, size: size * Layout.nameSize), x: origin.x,
        y: origin.y + 0.9 * size, size: size * Layout.nameSize)
      script.text(
        layout.fitting(summary(of: row), size: size), x: origin.x, y: origin.y + 2.3 * size,
        color: FigureColor.outline)
    }
    for (index, row) in rows.enumerated() { addPanels(of: row, index, layout, to: &script) }
    script.add("", "unset multiplot", "unset output")
    return script.text
  }

  private func addPanels(
    of row: OrderComparisonFigure.Row, _ index: Int, _ layout: Layout,
    to script: inout GnuplotScript
  ) {
    let panel = layout.panel
    script.add(
      "", GnuplotText.comment(row.order.name), "unset colorbox", "unset logscale cb",
      ColorRamp.blues.palette(darkEnd: .high))
    panel.setUp(in: layout.rectangle(index, 0), title: "steps", script: &script)
    script.add("set cbrange [1:\(max(row.order.steps.count, 2))]")
    script.add("plot " + panel.cells(index: index, column: Self.stepColumn))
    if index == 0 {
      script.removeLabels()
      script.colorBar(layout.colorBar, label: barLabel)
    }
    panel.setUp(in: layout.rectangle(index, 1), title: "entropy increase", script: &script)
    script.add(
      ColorRamp.reds.palette(darkEnd: .high), "set logscale cb", "set cbrange [least:largest]")
    var parts = [panel.cells(index: index, column: Self.increaseColumn, least: "least")]
    if row.increases.contains(where: { !$0.isFinite }) {
      parts += panel.missingCells(index: index, column: Self.increaseColumn)
    }
    script.add("plot " + parts.joined(separator: ", \\\n  "))
  }

  private var barLabel: String { "entropy increase [\(unit) per token], logarithmic" }

  private func summary(of row: OrderComparisonFigure.Row) -> String {
    "\(row.order.steps.count) steps; \(NumberText.rounded(row.total, error: row.totalError)) \(unit)"
  }

  private var sentences: String {
    var text = "Above each order its steps and total increase. Steps: darker is later. Entropy"
    text += " increase: conditional entropy in parallel minus sequential generation, darker is"
    text += " larger; the scale is logarithmic and the same for all orders, and what is below"
    text += " \(NumberText.rounded(largest / Self.span)) \(unit), or below 0, takes its light end."
    if rows.contains(where: { $0.increases.contains { !$0.isFinite } }) {
      text += " Grey, crossed: no value."
    }
    return text
  }

  /// Where everything stands on the page, in points.
  private struct Layout {
    static let fontSize = 10.0
    static let nameSize = 1.15
    static let margin = 2.6 * fontSize
    /// A page is not taller than this many times its width.
    static let tallest = 1.35

    let panel: GridPanel
    let width: Double
    let height: Double
    let caption: [String]
    let captionTop: Double
    let colorBar: PageRectangle
    private let columns: Int
    private let tile: (width: Double, height: Double)
    private let stacked: Bool

    init(_ figure: ManyOrdersFigure) {
      let size = Self.fontSize
      let grid = figure.grid
      stacked = grid.isVideo
      panel = GridPanel(
        grid: grid,
        cell: GridPanel.cellSize(
          grid: grid, side: grid.isVideo ? 420 : 150, atLeast: 2, atMost: 24))
      let panels = (
        width: panel.width * (stacked ? 1 : 2) + (stacked ? 0 : 3.2 * size),
        height: panel.height * (stacked ? 2 : 1) + (stacked ? 4.6 * size : 0)
      )
      let tile = (width: max(panels.width, 24 * size), height: panels.height + 7.6 * size)
      self.tile = tile
      let count = figure.rows.count
      let bar = 12 * size
      var columns = 1
      func page(_ columns: Int) -> (width: Double, height: Double) {
        let lines = (count + columns - 1) / columns
        return (
          Double(columns) * (tile.width + 2.4 * size) + 2 * Self.margin + bar,
          Double(lines) * tile.height + 10 * size
        )
      }
      while columns < count, page(columns).height > Self.tallest * page(columns).width {
        columns += 1
      }
      self.columns = columns
      width = page(columns).width.rounded(.up)
      let lines = (count + columns - 1) / columns
      let bottom = Self.margin + Double(lines) * tile.height
      let barHeight = min(
        max(
          bottom - Self.margin - 8 * size,
          GnuplotScript.colorBarHeight(label: figure.barLabel, fontSize: size)), 320)
      colorBar = PageRectangle(
        x: width - bar - Self.margin + 2 * size, y: Self.margin + 5 * size, width: 1.2 * size,
        height: barHeight)
      caption = GnuplotText.wrapped(
        figure.sentences + " " + figure.caption.text,
        toWidth: (width - 2 * Self.margin) / (size * GnuplotScript.captionSize))
      captionTop = max(bottom, colorBar.y + barHeight) + 1.6 * size
      height =
        (captionTop + (Double(caption.count) + 0.4) * GnuplotScript.captionLeading * size)
        .rounded(.up)
    }

    /// The upper left corner of an order's part of the page.
    func origin(_ index: Int) -> (x: Double, y: Double) {
      (
        Self.margin + Double(index % columns) * (tile.width + 2.4 * Self.fontSize),
        Self.margin + Double(index / columns) * tile.height
      )
    }

    /// The rectangle of a panel: 0 steps, 1 entropy increase.
    func rectangle(_ index: Int, _ position: Int) -> PageRectangle {
      let (x, y) = origin(index)
      let size = Self.fontSize
      let along = Double(position)
      return PageRectangle(
        x: x + (stacked ? 0 : along * (panel.width + 3.2 * size)),
        y: y + 5 * size + (stacked ? along * (panel.height + 4.6 * size) : 0),
        width: panel.width, height: panel.height)
    }

    /// The beginning of a text that fits above an order.
    func fitting(_ text: String, size: Double) -> String {
      var count = text.count
      func width(_ count: Int) -> Double {
        GnuplotText.width(of: GnuplotText.shortened(text, to: count)) * size
      }
      while count > 4, width(count) > tile.width { count -= 1 }
      return GnuplotText.shortened(text, to: count)
    }
  }
}
