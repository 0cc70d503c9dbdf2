import Foundation

/// Curves or points with error bars over two axes: what every figure that is not a map is drawn
/// with.
struct LinePlot {
  /// One measured point.
  struct Point {
    let x: Double
    /// NaN where nothing was measured; the curve then has a gap.
    let y: Double
    /// The standard error of y, or nil.
    var error: Double?
  }

  /// One curve.
  struct Series {
    /// What the key calls it.
    let name: String
    var points: [Point]
    /// Whether a line joins the points.
    var connected = true
    /// Whether it is something to compare with: a grey line without marks, apart from the curves' colours.
    var isReference = false
  }

  /// A text above the plot at one place of the x axis.
  struct Mark {
    let x: Double
    let label: String
  }

  let name: String
  /// One line that says what the plot shows, for the head of the script.
  let summary: String
  let series: [Series]
  let xLabel: String
  let yLabel: String
  var marks: [Mark] = []
  var xScale = PlotAxis.Scale.linear
  var yScale = PlotAxis.Scale.linear
  /// Whether the x axis runs as asinh(x): linear around 0 and logarithmic far from it, for values from 0 to many times 1.
  var compressesX = false
  /// Whether the linear y axis begins at 0 when no value is below it.
  var startsAtZero = false
  /// What stands below the plot.
  let caption: String

  /// The script and its data; see ``Figure/files(provenance:)``.
  func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for one in series where !one.points.contains(where: { $0.x.isFinite && $0.y.isFinite }) {
      throw .nothingToDraw(figure: name, what: one.name)
    }
    guard !series.isEmpty else { throw .nothingToDraw(figure: name, what: "a plot of no curves") }
    return [
      FigureFile(name: "\(name).gp", contents: script(provenance: provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  private var data: DataTable {
    DataTable(
      columns: [xLabel, yLabel, "standard error"].map { $0.replacing(" ", with: "-") },
      blocks: series.map { one in
        DataTable.Block(
          comment: one.name, rows: one.points.map { [$0.x, $0.y, $0.error ?? .nan] })
      })
  }

  // MARK: Axes

  var xAxis: PlotAxis {
    PlotAxis(curves: series.map { $0.points.map(\.x) }, scale: xScale, padding: 0.05)
  }

  var yAxis: PlotAxis {
    PlotAxis(
      curves: series.map { $0.points.map(\.y) }, errors: series.map { $0.points.map(\.error) },
      scale: yScale, startsAtZero: startsAtZero, padding: 0.05)
  }

  // MARK: Script

  private static let plotSize = (width: 400.0, height: 270.0)
  private static let fontSize = 11.0

  private func script(provenance: [String]) -> String {
    let size = Self.fontSize
    let yTicks = yAxis.tickLabels.map(GnuplotText.width).max() ?? 0
    let names = series.map { GnuplotText.shortened($0.name, to: 40) }
    let entries = names + (marksLowValues ? [Self.lowValuesName] : [])
    let keyHeight = Double(entries.count) * size * 1.6
    let area = PageRectangle(
      x: (yTicks + 3.2) * size, y: 1.6 * size, width: Self.plotSize.width,
      height: max(Self.plotSize.height, keyHeight))
    let keyLeft = area.x + area.width + 1.2 * size
    let keyWidth = (entries.map(GnuplotText.width).max() ?? 0) + 5
    let width = keyLeft + keyWidth * size * 0.9
    let captionLines = GnuplotText.wrapped(
      caption, toWidth: (width - area.x - size) / (size * GnuplotScript.captionSize))
    let captionTop = area.y + area.height + 4.8 * size
    var script = GnuplotScript(
      name: name, summary: summary, provenance: provenance, width: width,
      height: captionTop + Double(captionLines.count) * GnuplotScript.captionLeading * size,
      fontSize: size)
    script.add("")
    script.axes(area)
    script.caption(captionLines, x: area.x, y: captionTop)
    addAxes(to: &script)
    let key = "screen X(\(GnuplotScript.number(keyLeft))),screen Y(\(GnuplotScript.number(area.y)))"
    script.add(
      "set key at \(key) left top Left reverse vertical maxrows \(entries.count) samplen 2"
        + " spacing 1.2 font \",\(GnuplotScript.number(size * 0.9))\"", "")
    addCurves(names: names, to: &script)
    script.add("unset output")
    return script.text
  }

  private func addAxes(to script: inout GnuplotScript) {
    script.add(
      "set border 3 lc rgb '\(FigureColor.outline)'", "set grid lc rgb '#e2e2e2' lt 1 lw 0.6",
      "set xlabel \(GnuplotText.quoted(xLabel))", "set ylabel \(GnuplotText.quoted(yLabel))")
    for (letter, axis) in [("x", xAxis), ("y", yAxis)] {
      var ticks = zip(axis.tickLabels, axis.ticks).map { "'\($0)' \($1)" }
      var range = axis.range
      if letter == "x", compressesX { (range, ticks) = compressedX }
      script.add(
        "set \(letter)range [\(range.lowerBound):\(range.upperBound)]",
        "set \(letter)tics out nomirror scale 0.5 (\(ticks.joined(separator: ", ")))")
      if axis.isLogarithmic { script.add("set logscale \(letter)") }
    }
    for mark in marks {
      script.text(mark.label, aboveAxesAtX: mark.x)
    }
    if yAxis.isLogarithmic {
      script.add(
        "lowest = \(yAxis.range.lowerBound)  # values that are not above it are marked at the edge")
    }
  }

  /// The range of a compressed x axis, and its ticks.
  private var compressedX: (range: ClosedRange<Double>, ticks: [String]) {
    let values = series.flatMap { $0.points.map(\.x) }.filter(\.isFinite)
    let (low, high) = (asinh(values.min() ?? 0), asinh(values.max() ?? 1))
    let margin = 0.05 * max(high - low, 1)
    let decades = (0...12).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
    let ticks = (decades.reversed().map(-) + [0] + decades).filter {
      (low - margin...high + margin).contains(asinh($0))
    }
    return (
      low - margin...high + margin, ticks.map { "'\(String(format: "%.6g", $0))' \(asinh($0))" }
    )
  }

  private static let lowValuesName = "below the axis: ≤ 0 or within its error"

  /// Whether there are values that a logarithmic axis cannot show.
  private var marksLowValues: Bool { series.contains(where: hasLowValues) }

  private func hasLowValues(_ one: Series) -> Bool {
    let axis = yAxis
    return axis.isLogarithmic && one.points.contains { $0.y <= axis.range.lowerBound }
  }

  private func addCurves(names: [String], to script: inout GnuplotScript) {
    let logarithmic = yAxis.isLogarithmic
    let x = compressesX ? "(asinh($1))" : "1"
    let dense = series.contains { $0.points.count > 60 }
    if dense { script.add("set errorbars 0") }
    let y = logarithmic ? "($2>lowest?$2:NaN)" : "2"
    let edgeMark = "with points pointtype 10 pointsize 0.9"
    var parts: [String] = []
    for (index, one) in series.enumerated() {
      let rows = "data index \(index) using"
      if one.isReference {
        parts.append(
          "\(rows) \(x):\(y) with lines dashtype 2 lw 1.2 lc rgb '\(FigureColor.outline)'"
            + " title \(GnuplotText.quoted(names[index]))")
        continue
      }
      let color = "lc rgb '\(FigureColor.curves[index % FigureColor.curves.count])'"
      if one.points.contains(where: { ($0.error ?? .nan).isFinite }) {
        let low = logarithmic ? "($2-$3>lowest?$2-$3:lowest)" : "($2-$3)"
        parts.append(
          "\(rows) \(x):\(y):\(low):($2+$3) with yerrorbars pointtype 0 \(color)"
            + " lw \(dense ? 0.5 : 0.8) notitle")
      }
      // Another mark and another dash for every curve: colour is not all that tells them apart.
      // Dashes need room between the points.
      let mark = "pointtype \([7, 5, 9, 13, 6, 4, 8][index % 7]) pointsize \(dense ? 0.4 : 0.8)"
      let line = "dashtype \(dense ? 1 : index % 4 + 1) lw \(dense ? 0.8 : 1.4)"
      parts.append(
        "\(rows) \(x):\(y) with \(one.connected ? "linespoints \(line)" : "points") \(mark) \(color)"
          + " title \(GnuplotText.quoted(names[index]))")
      if hasLowValues(one) {
        parts.append("\(rows) \(x):($2<=lowest?lowest:NaN) \(edgeMark) \(color) notitle")
      }
    }
    if marksLowValues {
      parts.append(
        "NaN \(edgeMark) lc rgb '\(FigureColor.outline)'"
          + " title \(GnuplotText.quoted(Self.lowValuesName))")
    }
    script.add("plot " + parts.joined(separator: ", \\\n  "))
  }
}
