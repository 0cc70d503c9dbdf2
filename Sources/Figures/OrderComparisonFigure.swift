import TokenGrids

/// What parallel generation costs under several orders, one row of three panels per order.
///
/// The panels show the parallel steps (cells with equal numbers are generated together), the
/// sequential steps (1 to N), and the entropy increase of every token from sequential to parallel
/// generation: darker red is a larger increase, cells generated one by one at the start are white,
/// and **all increase panels share one colour scale**. (PAR, supplement figure 12.) For a video the
/// three panels of an order stand below each other, each with its frames side by side.
public struct OrderComparisonFigure: Figure {
  /// One order and its increases.
  public struct Row: Sendable {
    /// The order; its name labels the row.
    public let order: GenerationOrder
    /// The entropy increase of every cell in raster order; NaN where there is none.
    public let increases: [Double]
    /// The sum of the increases.
    public let total: Double
    /// The standard error of the total, or nil.
    public let totalError: Double?

    /// Makes a row; the total is the sum of the finite increases unless it is given.
    ///
    /// - Precondition: there is an increase for every cell.
    public init(
      order: GenerationOrder, increases: [Double], total: Double? = nil, totalError: Double? = nil
    ) {
      precondition(increases.count == order.grid.cellCount, "an increase for every cell")
      self.order = order
      self.increases = increases
      self.total = total ?? increases.lazy.filter(\.isFinite).reduce(0, +)
      self.totalError = totalError
    }

    /// How many cells the order generates one by one before its first larger step; none where no
    /// larger step follows.
    var initialCells: Int { order.tokensPerStep == 1 ? 0 : order.initialSingleSteps }
  }

  /// The name of its files, without extension.
  public let name: String
  /// The orders, from the top.
  public let rows: [Row]
  /// The unit of the increases, as the colour bar names it: `nats` or `bits`.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption

  /// Makes a figure of one order or several.
  ///
  /// - Precondition: there is a row, and all orders are of one grid.
  public init(name: String, rows: [Row], unit: String, caption: MeasurementCaption) {
    precondition(!rows.isEmpty, "a figure has at least one row")
    precondition(
      rows.allSatisfy { $0.order.grid == rows[0].order.grid }, "all orders are of one grid")
    self.name = name
    self.rows = rows
    self.unit = unit
    self.caption = caption
  }

  /// The grid of all orders.
  public var grid: TokenGrid { rows[0].order.grid }

  /// The colour scale that all increase panels share: linear from 0 to the largest increase. Nil
  /// when none is finite.
  public var colorScale: ColorScale? {
    let finite = rows.lazy.flatMap(\.increases).filter(\.isFinite)
    guard let largest = finite.max() else { return nil }
    // Where nothing increases, any positive bound draws everything at the light end.
    return ColorScale(low: 0, high: largest > 0 ? largest : 1, darkEnd: .high)
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for row in rows where !row.increases.contains(where: \.isFinite) {
      throw .nothingToDraw(figure: name, what: "the entropy increase of \(row.order.name)")
    }
    guard let scale = colorScale else { throw .nothingToDraw(figure: name, what: "every order") }
    return [
      FigureFile(name: "\(name).gp", contents: script(scale: scale, provenance: provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  // Columns of the data, from 1 as gnuplot counts.
  private static let parallelColumn = 4
  private static let sequentialColumn = 5
  private static let increaseColumn = 6

  private var data: DataTable {
    let panel = GridPanel(grid: grid, cell: 1)
    return DataTable(
      columns: GridPanel.cellColumns
        + ["parallel-step", "sequential-step", "entropy-increase-in-\(unit)"],
      blocks: rows.map { row in
        let parallel = row.order.stepNumbers
        let sequential = row.order.sequentialized().stepNumbers
        return DataTable.Block(
          comment: row.order.name,
          rows: (0..<grid.cellCount).map { cell in
            panel.coordinates(of: cell)
              + [Double(parallel[cell]), Double(sequential[cell]), row.increases[cell]]
          })
      })
  }

  private func script(scale: ColorScale, provenance: [String]) -> String {
    let layout = Layout(self)
    var script = GnuplotScript(
      name: name,
      summary: "Orders of generation compared: steps, and the entropy increase from sequential to"
        + " parallel generation (darker is larger).",
      provenance: provenance, width: layout.width, height: layout.height,
      fontSize: layout.fontSize)
    script.add(
      "", layout.panel.placement,
      "gamma = \(scale.gamma)  # of the colours; 1 is linear, less shows small increases more",
      "largest = \(DataTable.rounded(scale.high))  # the dark end of the colours, shared by all increase panels",
      "unset key",
      "set multiplot")
    script.caption(layout.caption, x: layout.left, y: layout.captionTop)
    for (index, row) in rows.enumerated() {
      let name = Self.shortName(of: row)
      script.text(
        name, x: layout.left, y: layout.headerLine(index), size: layout.fontSize * Self.nameSize)
      script.text(
        summary(of: row), x: layout.left + Self.nameWidth(of: row) * layout.fontSize,
        y: layout.headerLine(index), color: FigureColor.outline)
    }
    for (index, row) in rows.enumerated() { addPanels(of: row, index, layout, to: &script) }
    script.add("", "unset multiplot", "unset output")
    return script.text
  }

  private func addPanels(
    of row: Row, _ index: Int, _ layout: Layout, to script: inout GnuplotScript
  ) {
    let panel = layout.panel
    func title(_ column: Int, _ text: String) -> String {
      let letters = Array("abcdefghijklmnopqrstuvwxyz")
      return rows.count * 3 <= letters.count ? "(\(letters[index * 3 + column])) \(text)" : text
    }
    let initial = "$\(Self.sequentialColumn)<=\(row.initialCells)"
    script.add(
      "", GnuplotText.comment(row.order.name), "unset colorbox",
      ColorRamp.paleBlues.palette(darkEnd: .high))
    let steps = [
      (Self.parallelColumn, "parallel steps", row.order.steps.count),
      (Self.sequentialColumn, "sequential steps", grid.cellCount),
    ]
    for (position, (column, text, largest)) in steps.enumerated() {
      panel.setUp(
        in: layout.rectangle(index, position), title: title(position, text), script: &script)
      panel.cellBorders(color: "#b8b8b8", script: &script)
      script.add("set cbrange [1:\(max(largest, 2))]")
      var parts = [panel.cells(index: index, column: column)]
      if row.initialCells > 0 {
        parts.append(panel.cells(index: index, where: initial, color: FigureColor.initialStep))
      }
      parts.append(panel.numbers(index: index, column: column, largest: largest))
      script.add("plot " + parts.joined(separator: ", \\\n  "))
      if index == 0, position == 0 { script.removeLabels() }
    }
    guard let scale = colorScale else { return }
    panel.setUp(
      in: layout.rectangle(index, 2), title: title(2, "entropy increase"), script: &script)
    panel.cellBorders(color: FigureColor.cellBorder, script: &script)
    if index == 0 {
      script.colorBar(layout.colorBar, label: barLabel)
    }
    script.add(
      ColorRamp.reds.palette(darkEnd: scale.darkEnd), "set cbrange [\(scale.low):largest]")
    var parts = [panel.cells(index: index, column: Self.increaseColumn)]
    if hasMissing(row) { parts += panel.missingCells(index: index, column: Self.increaseColumn) }
    if row.initialCells > 0 {
      parts.append(panel.cells(index: index, where: initial, color: "#ffffff"))
    }
    script.add("plot " + parts.joined(separator: ", \\\n  "))
  }

  private var barLabel: String { "entropy increase [\(unit) per token]" }

  /// The size of an order's name in multiples of the font size.
  private static let nameSize = 1.25

  private static func shortName(of row: Row) -> String {
    GnuplotText.shortened(row.order.name, to: 60)
  }

  /// The width kept for an order's name, in multiples of the font size.
  private static func nameWidth(of row: Row) -> Double {
    GnuplotText.width(of: shortName(of: row)) * nameSize + 1.2
  }

  private func summary(of row: Row) -> String {
    let largest = row.increases.lazy.filter(\.isFinite).max() ?? 0
    let total = NumberText.rounded(row.total, error: row.totalError)
    return "\(row.order.steps.count) steps; total increase \(total) \(unit),"
      + " largest of a token \(NumberText.rounded(largest)) \(unit)"
  }

  /// What the colours and numbers mean.
  private var sentences: String {
    var text = "Numbers: generation steps; equal numbers are generated together. Entropy increase:"
    text += " conditional entropy in parallel minus sequential generation, darker is larger."
    if rows.contains(where: { $0.initialCells > 0 }) {
      text +=
        " Tokens generated one by one at the start: yellow in the steps, white in the increase."
    }
    if rows.contains(where: { $0.increases.contains { $0 < 0 } }) {
      text += " Estimates below 0 take the colour of 0."
    }
    if rows.contains(where: hasMissing) { text += " Grey, crossed: no value." }
    return text
  }

  private func hasMissing(_ row: Row) -> Bool {
    let initial = Set(row.order.sequence.prefix(row.initialCells))
    return row.increases.indices.contains {
      !row.increases[$0].isFinite && !initial.contains($0)
    }
  }

  /// Where everything stands on the page, in points.
  private struct Layout {
    let fontSize: Double
    let panel: GridPanel
    let width: Double
    let height: Double
    let caption: [String]
    let captionTop: Double
    let colorBar: PageRectangle
    let left: Double
    private let top: Double
    private let stacked: Bool
    /// The distances between the panels of an order, and between orders.
    private let panelStride: Double
    private let rowStride: Double

    init(_ figure: OrderComparisonFigure) {
      let grid = figure.grid
      stacked = grid.isVideo
      // Numbers of at least 5 points, the smallest that a printed page shows.
      let digits = Double(String(grid.cellCount).count)
      let least = 5 * digits * GridPanel.digitWidth / GridPanel.numberFill
      let panel = GridPanel(
        grid: grid,
        cell: GridPanel.cellSize(
          grid: grid, side: stacked ? 900 : 330, atLeast: least, atMost: 50))
      self.panel = panel
      let cellsWidth = panel.width * (stacked ? 1 : 3)
      let size = max(9, min(16, cellsWidth / 72))
      fontSize = size
      left = 2.6 * size
      let headerHeight = (stacked ? 5.4 : 4.4) * size
      panelStride =
        stacked
        ? panel.height + 4.6 * size : max(panel.width + 3 * size, 13.5 * size)
      let rowHeight = stacked ? 2 * panelStride + panel.height : panel.height
      rowStride = rowHeight + headerHeight + (stacked ? 2 : 1.6) * size
      // A colour bar longer than the panels has them in its middle.
      let panelsHeight = Double(figure.rows.count - 1) * rowStride + rowHeight
      let leastBar = GnuplotScript.colorBarHeight(label: figure.barLabel, fontSize: size)
      top = headerHeight + max(0, leastBar - panelsHeight) / 2
      let headers = figure.rows.map { row in
        OrderComparisonFigure.nameWidth(of: row) + GnuplotText.width(of: figure.summary(of: row))
      }
      let panelsWidth = stacked ? panel.width : 2 * panelStride + panel.width
      let right = left + max(panelsWidth, (headers.max() ?? 0) * size)
      let bottom = top + panelsHeight
      let barHeight = max(min(panelsHeight, 320), leastBar)
      colorBar = PageRectangle(
        x: right + 1.6 * size, y: (top + bottom - barHeight) / 2, width: 1.2 * size,
        height: barHeight)
      width = (right + 8.4 * size).rounded(.up)
      caption = GnuplotText.wrapped(
        figure.sentences + " " + figure.caption.text,
        toWidth: (width - 2 * left) / (size * GnuplotScript.captionSize))
      captionTop = max(bottom, colorBar.y + barHeight) + 3.2 * size
      height =
        (captionTop + (Double(caption.count) - 0.2) * GnuplotScript.captionLeading * size)
        .rounded(.up)
    }

    /// The rectangle of a panel: 0 parallel steps, 1 sequential steps, 2 entropy increase.
    func rectangle(_ row: Int, _ position: Int) -> PageRectangle {
      let along = Double(position) * panelStride
      return PageRectangle(
        x: left + (stacked ? 0 : along),
        y: top + Double(row) * rowStride + (stacked ? along : 0), width: panel.width,
        height: panel.height)
    }

    /// The middle of the line above an order's panels.
    func headerLine(_ row: Int) -> Double {
      top + Double(row) * rowStride - (stacked ? 4.2 : 3.2) * fontSize
    }
  }
}
