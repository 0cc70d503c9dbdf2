import TokenGrids

/// How a token grid is drawn: square cells, the frames of a video side by side with a cell's width
/// between them.
struct GridPanel {
  let grid: TokenGrid
  /// The side of a cell, in points.
  let cell: Double

  /// The number of cells, gaps included, that a panel is wide.
  static func widthInCells(_ grid: TokenGrid) -> Int { grid.frames * (grid.columns + 1) - 1 }

  var width: Double { Double(Self.widthInCells(grid)) * cell }
  var height: Double { Double(grid.rows) * cell }

  /// The line that tells the script how to place a cell; needed once, before any panel.
  var placement: String { "place(frame, column) = frame * \(grid.columns + 1) + column" }

  /// The columns with which every data row of a panel begins.
  static let cellColumns = ["frame", "row", "column"]

  /// The first columns of a cell's row of data.
  func coordinates(of index: Int) -> [Double] {
    let cell = grid.cell(at: index)
    return [Double(cell.frame), Double(cell.row), Double(cell.column)]
  }

  /// Commands that set the axes of a panel: ranges, frame outlines, row and column numbers.
  func setUp(in rectangle: PageRectangle, title: String, script: inout GnuplotScript) {
    script.axes(rectangle)
    let small = GnuplotScript.number(script.fontSize * 0.8)
    let gray = "textcolor rgb '#707070'"
    if grid.isVideo {
      let names = (0..<grid.frames).map { frame in
        let middle = Double(frame * (grid.columns + 1)) + Double(grid.columns - 1) / 2
        return "'frame \(frame)' \(middle)"
      }
      script.add(
        "set x2range [-0.5:\(Self.widthInCells(grid)).-0.5]",
        "set x2tics scale 0 offset 0,-0.5 font \",\(small)\" \(gray)"
          + " (\(names.joined(separator: ", ")))"
      )
    }
    script.add(
      "set title \(GnuplotText.quoted(title)) offset 0,-0.6",
      "set xrange [-0.5:\(Self.widthInCells(grid)).-0.5]; set yrange [\(grid.rows).-0.5:-0.5]",
      "unset border",
      "set xtics out nomirror scale 0.3 offset 0,0.5 font \",\(small)\" (\(columnTicks)) \(gray)",
      "set ytics out nomirror scale 0.3 offset 0.6,0 font \",\(small)\" (\(rowTicks)) \(gray)",
      "unset object; unset arrow")
    for frame in 0..<grid.frames {
      let left = frame * (grid.columns + 1)
      script.add(
        "set object \(frame + 1) rectangle from \(left)-0.5,-0.5 to \(left + grid.columns)-0.5,"
          + "\(grid.rows)-0.5 front fillstyle empty border lc rgb '\(FigureColor.outline)' lw 0.6")
    }
  }

  /// Commands that draw lines between the cells, over what fills them; they also hide the hairlines
  /// that viewers leave between filled squares.
  func cellBorders(color: String, script: inout GnuplotScript) {
    let style = "nohead front lc rgb '\(color)' lw \(GnuplotScript.number(min(0.5, cell / 16)))"
    for frame in 0..<grid.frames {
      let left = frame * (grid.columns + 1)
      if grid.columns > 1 {
        script.add(
          "set for [i=\(left + 1):\(left + grid.columns - 1)] arrow i"
            + " from i-0.5,graph 0 to i-0.5,graph 1 \(style)")
      }
    }
    if grid.rows > 1 {
      script.add(
        "set for [i=1:\(grid.rows - 1)] arrow \(Self.widthInCells(grid))+i"
          + " from graph 0,first i-0.5 to graph 1,first i-0.5 \(style)")
    }
  }

  /// The part of a `plot` command that fills the cells of a data block, coloured by the palette.
  ///
  /// - Parameters:
  ///   - condition: which rows are drawn, an expression of the script; nil for those that have a
  ///     value.
  ///   - least: what is drawn in place of anything less, an expression of the script.
  func cells(
    index: Int, column: Int, condition: String? = nil, least: String? = nil
  ) -> String {
    let test = condition ?? "valid(\(column))"
    let value = least.map { "($\(column)<\($0)?\($0):$\(column))" } ?? "\(column)"
    return "data index \(index) using (\(test)?place($1,$3):NaN):2:(0.5):(0.5):\(value)"
      + " with boxxyerror fillstyle solid noborder lc palette notitle"
  }

  /// The part of a `plot` command that fills some cells of a data block with one colour.
  func cells(index: Int, where condition: String, color: String) -> String {
    "data index \(index) using (\(condition)?place($1,$3):NaN):2:(0.5):(0.5)"
      + " with boxxyerror fillstyle solid noborder lc rgb '\(color)' notitle"
  }

  /// The parts of a `plot` command that mark the cells without a value: grey, with a cross.
  func missingCells(index: Int, column: Int) -> [String] {
    let size = GnuplotScript.number(cell / 14)
    return [
      cells(index: index, where: "!valid(\(column))", color: FigureColor.noValue),
      "data index \(index) using (!valid(\(column))?place($1,$3):NaN):2 with points pointtype 2"
        + " pointsize \(size) lc rgb '\(FigureColor.outline)' notitle",
    ]
  }

  /// The part of a `plot` command that writes a number into every cell, in a font that fits the
  /// cell.
  func numbers(index: Int, column: Int, largest: Int) -> String {
    let font = "font \",\(GnuplotScript.number(numberSize(largest: largest)))\""
    return "data index \(index) using (place($1,$3)):2:(sprintf('%d',$\(column)))"
      + " with labels center \(font) textcolor rgb '#000000' notitle"
  }

  /// The font size at which `largest` fits into a cell.
  func numberSize(largest: Int) -> Double {
    min(cell * 0.55, cell * Self.numberFill / (Self.digitWidth * Double(String(largest).count)))
  }

  /// The width of a digit in ems: DejaVu Sans, the widest of the usual sans-serif fonts.
  static let digitWidth = 0.64
  /// How much of a cell's width its number may take.
  static let numberFill = 0.84

  /// The cell size that makes a panel about `side` points on its longer side, within bounds that
  /// can be read.
  static func cellSize(grid: TokenGrid, side: Double, atLeast least: Double, atMost most: Double)
    -> Double
  {
    min(max(side / Double(max(widthInCells(grid), grid.rows)), least), most)
  }

  private var columnTicks: String {
    (0..<grid.frames).flatMap { frame in
      ticks(grid.columns).map { "'\($0)' \(frame * (grid.columns + 1) + $0)" }
    }.joined(separator: ", ")
  }

  private var rowTicks: String { ticks(grid.rows).map(String.init).joined(separator: ", ") }

  /// Every cell's number where there is room, else every second, fourth, ….
  private func ticks(_ count: Int) -> [Int] {
    let step = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100].first { count / $0 <= 7 } ?? count / 6
    return Array(stride(from: 0, to: count, by: step))
  }
}
