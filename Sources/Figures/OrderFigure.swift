import TokenGrids

/// The steps of an order of generation: one panel with the number of every cell's step.
public struct OrderFigure: Figure {
  /// The name of its files, without extension.
  public let name: String
  /// The order.
  public let order: GenerationOrder

  /// Makes the figure of an order.
  public init(name: String, order: GenerationOrder) {
    self.name = name
    self.order = order
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    [
      FigureFile(name: "\(name).gp", contents: script(provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  private static let stepColumn = 4

  private var data: DataTable {
    let panel = GridPanel(grid: order.grid, cell: 1)
    let (steps, sequence) = (order.stepNumbers, order.sequentialized().stepNumbers)
    return DataTable(
      columns: GridPanel.cellColumns + ["step", "place-in-the-sequence"],
      blocks: [
        DataTable.Block(
          comment: order.name,
          rows: steps.indices.map {
            panel.coordinates(of: $0) + [Double(steps[$0]), Double(sequence[$0])]
          })
      ])
  }

  private var sentences: String {
    let sizes = order.steps.map(\.count)
    let (least, most) = (sizes.min() ?? 1, sizes.max() ?? 1)
    return "\(order.steps.count) steps of "
      + (least == most ? "\(most)" : "\(least) to \(most)")
      + " tokens. Numbers: generation steps; equal numbers are generated together, darker is later."
  }

  private func script(_ provenance: [String]) -> String {
    let size = 11.0
    let grid = order.grid
    // Numbers of at least 5 points, the smallest that a printed page shows.
    let digits = Double(String(order.steps.count).count)
    let least = 5 * GridPanel.digitWidth * digits / GridPanel.numberFill
    let panel = GridPanel(
      grid: grid,
      cell: GridPanel.cellSize(grid: grid, side: 360, atLeast: max(least, 9.1), atMost: 50))
    let (left, top) = (2.6 * size, (grid.isVideo ? 3.4 : 2.2) * size)
    let width = max(left + panel.width + 2 * size, 34 * size).rounded(.up)
    let lines = GnuplotText.wrapped(
      sentences, toWidth: (width - 2 * left) / (size * GnuplotScript.captionSize))
    let captionTop = top + panel.height + 3.2 * size
    var script = GnuplotScript(
      name: name, summary: "The steps of an order of generation: darker is later.",
      provenance: provenance, width: width,
      height: (captionTop + Double(lines.count) * GnuplotScript.captionLeading * size).rounded(.up),
      fontSize: size)
    script.add(
      "", panel.placement, "gamma = 1  # of the colours; 1 is linear",
      ColorRamp.paleBlues.palette(darkEnd: .high), "set cbrange [1:\(max(order.steps.count, 2))]",
      "unset key", "unset colorbox", "set multiplot")
    script.caption(lines, x: left, y: captionTop)
    script.add("", GnuplotText.comment(order.name))
    panel.setUp(
      in: PageRectangle(x: left, y: top, width: panel.width, height: panel.height),
      title: GnuplotText.shortened(order.name, to: 60), script: &script)
    panel.cellBorders(color: "#b8b8b8", script: &script)
    script.add(
      "plot "
        + [
          panel.cells(index: 0, column: Self.stepColumn),
          panel.numbers(index: 0, column: Self.stepColumn, largest: order.steps.count),
        ].joined(separator: ", \\\n  "))
    script.removeLabels()
    script.add("", "unset multiplot", "unset output")
    return script.text
  }
}
