import Foundation
import TestSupport
import Testing

@testable import Figures

private func plot(
  _ series: [LinePlot.Series], yScale: PlotAxis.Scale = .linear
) -> LinePlot {
  LinePlot(
    name: "plot", summary: "A plot.", series: series, xLabel: "some steps", yLabel: "cost [nats]",
    yScale: yScale, caption: "A caption.")
}

private func series(_ name: String, _ values: [Double], error: Double? = nil) -> LinePlot.Series {
  LinePlot.Series(
    name: name,
    points: values.enumerated().map { LinePlot.Point(x: Double($0), y: $1, error: error) })
}

@Test func plotDataIsOneBlockPerCurve() throws {
  let data = try plot([series("a", [1, 2], error: 0.5), series("b", [3, .nan])])
    .files(provenance: [])[1].contents
  #expect(
    data == """
      # columns: some-steps cost-[nats] standard-error
      # index 0: a
      0 1 0.5
      1 2 0.5


      # index 1: b
      0 3 NaN
      1 NaN NaN

      """)
}

@Test func errorBarsAppearWhereThereAreErrors() throws {
  let script = try plot([series("a", [1, 2], error: 0.5), series("b", [3, 4])])
    .files(provenance: [])[0].contents
  #expect(script.components(separatedBy: "with yerrorbars").count == 2)
  #expect(script.contains("title 'a'"))
  #expect(script.contains("title 'b'"))
}

@Test func valuesBelowALogarithmicAxisAreMarked() throws {
  let script = try plot(
    [series("a", [100, 1, 0, -2]), series("b", [3, 4])], yScale: .logarithmic
  )
  .files(provenance: [])[0].contents
  #expect(script.contains("set logscale y"))
  #expect(script.components(separatedBy: "($2<=lowest?lowest:NaN)").count == 2)
  #expect(script.contains("title 'below the axis: ≤ 0 or within its error'"))
  let positive = try plot([series("b", [3, 4])], yScale: .logarithmic)
    .files(provenance: [])[0].contents
  #expect(!positive.contains("below the axis"))
}

@Test func curvesDifferInMoreThanColour() throws {
  let script = try plot((0..<4).map { series("s\($0)", [1, 2]) }).files(provenance: [])[0].contents
  let styles = script.matches(of: /dashtype (\d) lw [0-9.]+ pointtype (\d+)/)
  #expect(Set(styles.map { $0.1 }).count == 4)
  #expect(Set(styles.map { $0.2 }).count == 4)
}

@Test func curvesWithoutValuesAreRefused() {
  #expect(throws: FigureError.nothingToDraw(figure: "plot", what: "b")) {
    try plot([series("a", [1]), series("b", [.nan])]).files(provenance: [])
  }
  #expect(throws: FigureError.nothingToDraw(figure: "plot", what: "a plot of no curves")) {
    try plot([]).files(provenance: [])
  }
}

@Test func pageHasRoomForLongNamesAndManyCurves() throws {
  func size(_ script: String) throws -> (width: Double, height: Double) {
    let match = try #require(script.firstMatch(of: /width = (\d+)\.; height = (\d+)\./))
    return (try #require(Double(match.1)), try #require(Double(match.2)))
  }
  let few = try size(plot([series("a", [1, 2])]).files(provenance: [])[0].contents)
  let many = try size(
    plot((0..<40).map { series("a curve with a long name \($0)", [1, 2]) })
      .files(provenance: [])[0].contents)
  #expect(many.width > few.width + 100)
  #expect(many.height > 40 * 15)
}

/// A figure made of a bare plot, to draw it.
private struct PlotFigure: Figure {
  let plot: LinePlot
  var name: String { plot.name }
  func files(provenance: [String]) throws(FigureError) -> [FigureFile] {
    try plot.files(provenance: provenance)
  }
}

@Test(.enabled(if: installedGnuplot != nil))
func plotsAreDrawnWithHostileNamesAndMarks() throws {
  try withTemporaryFolder { folder in
    let named = series(hostileText, [1, 100, 0, -3], error: 0.5)
    var scattered = series("points", [5, 6])
    scattered.connected = false
    var marked = plot([named, scattered], yScale: .logarithmic)
    marked.marks = [LinePlot.Mark(x: 1, label: "l_\(hostileText)")]
    let figure = PlotFigure(plot: marked)
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
    _ = try writer.write(figure)
    let svg = try text(of: folder.appendingPathComponent("plot.svg"))
      .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    #expect(svg.contains("<text>" + GnuplotText.shortened(hostileText, to: 40) + "</text>"))
    #expect(svg.contains("<text>l_\(hostileText)</text>"))
    #expect(try names(in: folder) == ["plot.dat", "plot.gp", "plot.pdf", "plot.png", "plot.svg"])
  }
}
