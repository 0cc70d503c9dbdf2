import TokenGrids

/// What a map shows of every token i, given a reference token j.
public enum MapQuantity: String, CaseIterable, Sendable {
  /// H(v_i | v_j), as the paper draws it; low mostly where H(v_i) is low, so no picture of dependence.
  case entropy
  /// I(v_i; v_j): what the reference tells of a token.
  case information

  /// Its name on colour bars and axes.
  public var label: String {
    switch self {
    case .entropy: "conditional entropy"
    case .information: "mutual information"
    }
  }

  /// Which values are dark.
  public var darkEnd: DarkEnd {
    switch self {
    case .entropy: .low
    case .information: .high
    }
  }

  /// What darkness means, in a sentence.
  var legend: String {
    switch self {
    case .entropy:
      "H(v_i | v_j): darker is lower conditional entropy given the reference token (blue); where a"
        + " token's own entropy is low, so is this."
    case .information:
      "I(v_i; v_j): darker is stronger dependence on the reference token (blue)."
    }
  }

  /// The name of the values' column in the data.
  var column: String {
    switch self {
    case .entropy: "conditional-entropy"
    case .information: "mutual-information"
    }
  }
}

/// Maps of what every token i still holds given a reference token j, H(v_i | v_j), or shares with it, I(v_i; v_j): one
/// panel per reference token.
///
/// Darker red is lower conditional entropy, or more information. The reference is a blue square. All panels of a quantity
/// share one colour scale. (PAR, supplement figure 11.) A panel of a video shows its frames side by
/// side. Two quantities stand side by side, or one above the other where there are many panels.
public struct ConditionalEntropyFigure: Figure {
  /// The map of one reference token.
  public struct Map: Sendable {
    /// The raster index of the reference.
    public let reference: Int
    /// The value of every cell i in raster order; NaN where there is none. The reference's own
    /// is not shown.
    public let values: [Double]

    /// Makes a map from its values, N of them.
    public init(reference: Int, values: [Double]) {
      self.reference = reference
      self.values = values
    }
  }

  /// The maps of one quantity.
  public struct Block: Sendable {
    /// What they show.
    public let quantity: MapQuantity
    /// One map per panel.
    public let maps: [Map]

    /// Makes a block of maps.
    public init(quantity: MapQuantity, maps: [Map]) {
      self.quantity = quantity
      self.maps = maps
    }

    /// The colour scale that the panels share; references do not count. Nil when no value is finite.
    public var colorScale: ColorScale? {
      ColorScale.fitting(
        maps.lazy.flatMap { ConditionalEntropyFigure.shown($0) }, darkEnd: quantity.darkEnd)
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// The grid the values stand on.
  public let grid: TokenGrid
  /// A block of panels for each quantity, all with the same references.
  public let blocks: [Block]
  /// The unit of the values, as the colour bar names it: `nats` or `bits`.
  public let unit: String
  /// What the values were measured on.
  public let caption: MeasurementCaption
  /// How many panels stand in a row; nil arranges them nearly square.
  public let panelsPerRow: Int?

  /// Makes a figure of one map or several, of one quantity or several.
  ///
  /// - Precondition: there is a map, every block has as many, and each has a value for every cell and a reference on the
  ///   grid.
  public init(
    name: String, grid: TokenGrid, blocks: [Block], unit: String, caption: MeasurementCaption,
    panelsPerRow: Int? = nil
  ) {
    precondition(
      !(blocks.first?.maps.isEmpty ?? true) && (panelsPerRow ?? 1) > 0,
      "a figure has at least one panel")
    for block in blocks {
      precondition(block.maps.count == blocks[0].maps.count, "all blocks have the same references")
      for map in block.maps {
        precondition(map.values.count == grid.cellCount, "a map has a value for every cell")
        precondition((0..<grid.cellCount).contains(map.reference), "the reference is on the grid")
      }
    }
    self.name = name
    self.grid = grid
    self.blocks = blocks
    self.unit = unit
    self.caption = caption
    self.panelsPerRow = panelsPerRow
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    var scales: [ColorScale] = []
    for block in blocks {
      for map in block.maps where !Self.shown(map).contains(where: \.isFinite) {
        throw .nothingToDraw(figure: name, what: "the map of \(title(of: map))")
      }
      guard let scale = block.colorScale else {
        throw .nothingToDraw(figure: name, what: "every map")
      }
      scales.append(scale)
    }
    return [
      FigureFile(name: "\(name).gp", contents: script(scales: scales, provenance: provenance)),
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
    // The quantities of a reference stand side by side, so that its block is read as a table.
    return DataTable(
      columns: GridPanel.cellColumns + blocks.map { "\($0.quantity.column)-in-\(unit)" },
      blocks: blocks[0].maps.indices.map { index in
        let values = blocks.map { Self.shown($0.maps[index]) }
        return DataTable.Block(
          comment: title(of: blocks[0].maps[index]),
          rows: values[0].indices.map { cell in
            panel.coordinates(of: cell) + values.map { $0[cell] }
          })
      })
  }

  private func script(scales: [ColorScale], provenance: [String]) -> String {
    let layout = Layout(self)
    let panel = layout.panel
    let names = blocks.map { "\($0.quantity.label): darker is \($0.quantity.darkMeaning)" }
    var script = GnuplotScript(
      name: name,
      summary:
        "Maps for reference tokens (blue). \(names.joined(separator: "; ").capitalizedFirst).",
      provenance: provenance, width: layout.width, height: layout.height,
      fontSize: layout.fontSize)
    script.add("", panel.placement, "unset key", "set multiplot")
    script.caption(layout.caption, x: layout.left, y: layout.captionTop)
    var hasCaption = true
    for (place, block) in blocks.enumerated() {
      let scale = scales[place]
      let column = GridPanel.cellColumns.count + 1 + place
      script.add(
        "", "gamma = \(scale.gamma)  # of the colours; 1 is linear, less shows faint values more",
        ColorRamp.reds.palette(darkEnd: scale.darkEnd),
        "set cbrange [\(DataTable.rounded(scale.low)):\(DataTable.rounded(scale.high))]  # shared by all panels of \(block.quantity.label)"
      )
      script.colorBar(layout.colorBar(place), label: barLabel(block.quantity))
      for (index, map) in block.maps.enumerated() {
        let cell = grid.cell(at: map.reference)
        script.add("", GnuplotText.comment("\(block.quantity.label), \(title(of: map))"))
        panel.setUp(
          in: layout.rectangle(index, block: place), title: title(of: map), script: &script)
        panel.cellBorders(color: FigureColor.cellBorder, script: &script)
        let (x, y) = (cell.frame * (grid.columns + 1) + cell.column, cell.row)
        script.add(
          "set object \(grid.frames + 1) rectangle from \(x)-0.5,\(y)-0.5 to \(x)+0.5,\(y)+0.5 front"
            + " fillcolor rgb '\(FigureColor.reference)' fillstyle solid border lc rgb '#ffffff' lw 1"
        )
        var parts = [panel.cells(index: index, column: column)]
        if hasMissing(map) { parts += panel.missingCells(index: index, column: column) }
        script.add("plot " + parts.joined(separator: ", \\\n  "))
        if hasCaption {
          script.removeLabels()
          hasCaption = false
        }
        if index == 0 { script.add("unset colorbox") }
      }
    }
    script.add("", "unset multiplot", "unset output")
    return script.text
  }

  private func barLabel(_ quantity: MapQuantity) -> String { "\(quantity.label) [\(unit)]" }

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

    let left: Double
    private let top: Double
    private let stride: (x: Double, y: Double)
    /// From one block to the next: to the right, or down.
    private let blockStride: (x: Double, y: Double)
    private let bar: PageRectangle

    init(_ figure: ConditionalEntropyFigure) {
      let count = figure.blocks[0].maps.count
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
      let leastBar =
        figure.blocks.map {
          GnuplotScript.colorBarHeight(label: figure.barLabel($0.quantity), fontSize: size)
        }.max() ?? 0
      top = titleHeight + max(0, leastBar - panelsHeight) / 2
      let right = left + Double(columns - 1) * stride.x + panel.width
      let bottom = top + panelsHeight
      let barHeight = max(min(panelsHeight, 520), leastBar)
      bar = PageRectangle(
        x: right + 1.6 * size, y: (top + bottom - barHeight) / 2, width: 1.2 * size,
        height: barHeight)
      // Beside each other, or below where a block is wider than it is high.
      let blockWidth = max(right + 8.4 * size, figure.blocks.count > 1 ? 0 : 32 * size)
      let blockHeight = max(bottom, bar.y + bar.height) + 1.4 * size
      let isBeside = !figure.grid.isVideo && columns <= 2 && columns <= rows
      let last = Double(figure.blocks.count - 1)
      blockStride = isBeside ? (blockWidth, 0) : (0, blockHeight)
      width = max(blockWidth + last * blockStride.x, 32 * size).rounded(.up)
      var sentence = figure.blocks.map(\.quantity.legend).joined(separator: " ")
      if figure.blocks.contains(where: { $0.maps.contains(where: figure.hasMissing) }) {
        sentence += " Grey, crossed: no value."
      }
      caption = GnuplotText.wrapped(
        sentence + " " + figure.caption.text,
        toWidth: (width - 2 * left) / (size * GnuplotScript.captionSize))
      captionTop = max(bottom, bar.y + bar.height) + last * blockStride.y + 3.2 * size
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

    /// The rectangle of a block's colour bar.
    func colorBar(_ block: Int) -> PageRectangle {
      PageRectangle(
        x: bar.x + Double(block) * blockStride.x, y: bar.y + Double(block) * blockStride.y,
        width: bar.width, height: bar.height)
    }

    /// The rectangle of a panel; an incomplete last row is centred.
    func rectangle(_ index: Int, block: Int) -> PageRectangle {
      let row = index / columns
      let inRow = min(columns, count - row * columns)
      let shift = Double(columns - inRow) * stride.x / 2
      return PageRectangle(
        x: left + shift + Double(index % columns) * stride.x + Double(block) * blockStride.x,
        y: top + Double(row) * stride.y + Double(block) * blockStride.y,
        width: panel.width, height: panel.height)
    }
  }
}

extension MapQuantity {
  /// What a dark cell has, for a script's first line.
  fileprivate var darkMeaning: String {
    switch self {
    case .entropy: "lower"
    case .information: "more, that is, stronger dependence"
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
