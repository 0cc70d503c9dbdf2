import Foundation

/// Curves or points with error bars over two axes, a key beside them and a caption below: what every figure that is not a map is
/// made of.
///
/// Those of this package are its static functions; any other is its initialiser with its own axes.
public struct CurveFigure: Figure {
  /// One measured point.
  public struct Point: Sendable {
    /// Where it stands.
    public let x: Double
    /// The value; NaN where nothing was measured, and the curve then has a gap.
    public let y: Double
    /// The standard error of y, or nil.
    public let error: Double?
    /// The standard error of x, or nil.
    public let xError: Double?

    /// Makes a point.
    public init(_ x: Double, _ y: Double, error: Double? = nil, xError: Double? = nil) {
      self.x = x
      self.y = y
      self.error = error
      self.xError = xError
    }
  }

  /// One curve.
  public struct Curve: Sendable {
    /// How its points are drawn.
    public enum Style: Sendable {
      /// Marks, joined by a line.
      case line
      /// Marks alone.
      case points
      /// A grey line without marks, apart from the curves' colours: something to compare with.
      case reference
    }

    /// How standard errors are drawn, where points have them.
    public enum Errors: Sendable {
      /// A bar at every point.
      case bars
      /// A band along the curve, for points that lie close together.
      case band
    }

    /// What the key calls it.
    public let label: String
    /// Its points, in the order in which a line joins them.
    public let points: [Point]
    /// How they are drawn.
    public let style: Style
    /// How their errors are drawn.
    public let errors: Errors

    /// Makes a curve.
    public init(
      _ label: String, _ points: [Point], style: Style = .line, errors: Errors = .bars
    ) {
      self.label = label
      self.points = points
      self.style = style
      self.errors = errors
    }
  }

  /// How an axis runs.
  public enum Scale: Equatable, Sendable {
    /// Evenly.
    case linear
    /// By powers of ten; values of 0 and below, which have no place, are marked at the lower edge.
    case logarithmic
    /// Logarithmic when the positive values span more than this factor, linear otherwise.
    case automatic(beyond: Double)
    /// As asinh: linear around 0 and logarithmic far from it, for values from 0 to many times 1; of the x axis only.
    case compressed
  }

  /// An axis: what stands beside it and how it runs.
  public struct Axis: Sendable {
    /// What it shows, with its unit in brackets.
    public let label: String
    /// How it runs.
    public let scale: Scale
    /// Whether a linear axis begins at 0 when no value is below it.
    public let startsAtZero: Bool

    /// Makes an axis.
    public init(_ label: String, scale: Scale = .linear, startsAtZero: Bool = false) {
      self.label = label
      self.scale = scale
      self.startsAtZero = startsAtZero
    }
  }

  /// A text above the plot at one place of the x axis.
  public struct Mark: Sendable {
    /// The place.
    public let x: Double
    /// The text.
    public let label: String

    /// Makes a mark.
    public init(_ x: Double, _ label: String) {
      self.x = x
      self.label = label
    }
  }

  /// The name of its files, without extension.
  public let name: String
  /// One line that says what the figure shows, for the head of the script.
  public let summary: String
  /// The curves, in the order of the key.
  public let curves: [Curve]
  /// The axis to the right.
  public let x: Axis
  /// The axis upwards.
  public let y: Axis
  /// Texts above the plot.
  public let marks: [Mark]
  /// What stands below the plot.
  public let caption: String

  /// Makes a figure of one curve or several.
  ///
  /// - Precondition: the y axis is not compressed.
  public init(
    name: String, summary: String, curves: [Curve], x: Axis, y: Axis, marks: [Mark] = [],
    caption: String
  ) {
    precondition(y.scale != .compressed, "only the x axis may be compressed")
    self.name = name
    self.summary = summary
    self.curves = curves
    self.x = x
    self.y = y
    self.marks = marks
    self.caption = caption
  }

  /// The script and its data; see ``Figure/files(provenance:)``.
  public func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    for one in curves where !one.points.contains(where: { $0.x.isFinite && $0.y.isFinite }) {
      throw .nothingToDraw(figure: name, what: one.label)
    }
    guard !curves.isEmpty else { throw .nothingToDraw(figure: name, what: "a plot of no curves") }
    return [
      FigureFile(name: "\(name).gp", contents: script(provenance: provenance)),
      FigureFile(name: "\(name).dat", contents: data.text(provenance: provenance)),
    ]
  }

  private var data: DataTable {
    let hasXErrors = curves.contains { $0.points.contains { $0.xError != nil } }
    let columns =
      [x.label, y.label, "standard error"] + (hasXErrors ? ["standard error of x"] : [])
    return DataTable(
      columns: columns.map { $0.replacing(" ", with: "-") },
      blocks: curves.map { one in
        DataTable.Block(
          comment: one.label,
          rows: one.points.map {
            [$0.x, $0.y, $0.error ?? .nan] + (hasXErrors ? [$0.xError ?? .nan] : [])
          })
      })
  }

  // MARK: Axes

  var xAxis: PlotAxis {
    PlotAxis(
      curves: curves.map { $0.points.map(\.x) }, scale: x.scale, startsAtZero: x.startsAtZero,
      padding: 0.05)
  }

  var yAxis: PlotAxis {
    PlotAxis(
      curves: curves.map { $0.points.map(\.y) }, errors: curves.map { $0.points.map(\.error) },
      scale: y.scale, startsAtZero: y.startsAtZero, padding: 0.05)
  }

  // MARK: Script

  private static let plotSize = (width: 400.0, height: 270.0)
  private static let fontSize = 11.0

  private func script(provenance: [String]) -> String {
    let size = Self.fontSize
    let yTicks = yAxis.tickLabels.map(GnuplotText.width).max() ?? 0
    let names = curves.map { GnuplotText.shortened($0.label, to: 40) }
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
      "set xlabel \(GnuplotText.quoted(x.label))", "set ylabel \(GnuplotText.quoted(y.label))")
    for (letter, axis) in [("x", xAxis), ("y", yAxis)] {
      var ticks = zip(axis.tickLabels, axis.ticks).map { "'\($0)' \($1)" }
      var range = axis.range
      if letter == "x", x.scale == .compressed { (range, ticks) = compressedX }
      script.add(
        "set \(letter)range [\(Self.end(range.lowerBound, of: range, axis)):\(Self.end(range.upperBound, of: range, axis))]",
        "set \(letter)tics out nomirror scale 0.5 (\(ticks.joined(separator: ", ")))")
      if axis.isLogarithmic { script.add("set logscale \(letter)") }
    }
    for mark in marks {
      script.text(mark.label, aboveAxesAtX: mark.x)
    }
    if yAxis.isLogarithmic {
      script.add(
        "lowest = \(Self.end(yAxis.range.lowerBound, of: yAxis.range, yAxis))  # values that are not above it are marked at the edge"
      )
    }
  }

  /// An end of a range to three digits, of the range's width where the axis is linear: the margins of a range are wider, and
  /// another processor gives the same.
  private static func end(_ value: Double, of range: ClosedRange<Double>, _ axis: PlotAxis)
    -> String
  {
    DataTable.rounded(
      value, largest: axis.isLogarithmic ? nil : range.upperBound - range.lowerBound, digits: 3)
  }

  /// The range of a compressed x axis, and its ticks.
  private var compressedX: (range: ClosedRange<Double>, ticks: [String]) {
    let values = curves.flatMap { $0.points.map(\.x) }.filter(\.isFinite)
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
  private var marksLowValues: Bool { curves.contains(where: hasLowValues) }

  private func hasLowValues(_ one: Curve) -> Bool {
    let axis = yAxis
    return axis.isLogarithmic && one.points.contains { $0.y <= axis.range.lowerBound }
  }

  private func addCurves(names: [String], to script: inout GnuplotScript) {
    let logarithmic = yAxis.isLogarithmic
    let x = x.scale == .compressed ? "(asinh($1))" : "1"
    let dense = curves.contains { $0.points.count > 60 }
    if dense { script.add("set errorbars 0") }
    let y = logarithmic ? "($2>lowest?$2:NaN)" : "2"
    let edgeMark = "with points pointtype 10 pointsize 0.9"
    var parts: [String] = []
    for (index, one) in curves.enumerated() {
      let rows = "data index \(index) using"
      if one.style == .reference {
        parts.append(
          "\(rows) \(x):\(y) with lines dashtype 2 lw 1.2 lc rgb '\(FigureColor.outline)'"
            + " title \(GnuplotText.quoted(names[index]))")
        continue
      }
      let color = "lc rgb '\(FigureColor.curves[index % FigureColor.curves.count])'"
      if one.points.contains(where: { ($0.error ?? .nan).isFinite }) {
        let low = logarithmic ? "($2-$3>lowest?$2-$3:lowest)" : "($2-$3)"
        switch one.errors {
        case .bars:
          parts.append(
            "\(rows) \(x):\(y):\(low):($2+$3) with yerrorbars pointtype 0 \(color)"
              + " lw \(dense ? 0.5 : 0.8) notitle")
        case .band:
          let high = logarithmic ? "($2+$3>lowest?$2+$3:lowest)" : "($2+$3)"
          parts.append(
            "\(rows) \(x):\(low):\(high) with filledcurves \(color)"
              + " fillstyle transparent solid 0.2 noborder notitle")
        }
      }
      if one.points.contains(where: { ($0.xError ?? .nan).isFinite }) {
        let ends =
          self.x.scale == .compressed ? "(asinh($1-$4)):(asinh($1+$4))" : "($1-$4):($1+$4)"
        parts.append(
          "\(rows) \(x):\(y):\(ends) with xerrorbars pointtype 0 \(color)"
            + " lw \(dense ? 0.5 : 0.8) notitle")
      }
      // Another mark and another dash for every curve: colour is not all that tells them apart.
      // Dashes need room between the points.
      let type = [7, 5, 9, 13, 6, 4, 8][(index + index / 7) % 7]
      let mark = "pointtype \(type) pointsize \(dense ? 0.4 : 0.8)"
      let line = "dashtype \(dense ? 1 : index % 4 + 1) lw \(dense ? 0.8 : 1.4)"
      parts.append(
        "\(rows) \(x):\(y) with \(one.style == .line ? "linespoints \(line)" : "points") \(mark) \(color)"
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
