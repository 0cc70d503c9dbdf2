import Foundation
import TestSupport
import Testing

@testable import Figures

private func figure(
  _ curves: [CurveFigure.Curve], yScale: CurveFigure.Scale = .linear,
  marks: [CurveFigure.Mark] = []
) -> CurveFigure {
  CurveFigure(
    name: "plot", summary: "A plot.", curves: curves, x: .init("some steps"),
    y: .init("cost [nats]", scale: yScale), marks: marks, caption: "A caption.")
}

private func curve(
  _ label: String, _ values: [Double], error: Double? = nil, style: CurveFigure.Curve.Style = .line,
  errors: CurveFigure.Curve.Errors = .bars
) -> CurveFigure.Curve {
  CurveFigure.Curve(
    label, values.enumerated().map { .init(Double($0), $1, error: error) }, style: style,
    errors: errors)
}

@Test func errorsMayGoBothWays() throws {
  let both = CurveFigure.Curve(
    "a", [.init(1, 2, error: 0.5, xError: 0.25), .init(3, 4)], style: .points)
  let files = try figure([both, curve("b", [5])]).files(provenance: [])
  #expect(files[0].contents.contains("data index 0 using 1:2:($1-$4):($1+$4) with xerrorbars"))
  #expect(!files[0].contents.contains("data index 1 using 1:2:($1-$4)"))
  #expect(
    files[1].contents == """
      # columns: some-steps cost-[nats] standard-error standard-error-of-x
      # index 0: a
      1 2 0.5 0.25
      3 4 NaN NaN


      # index 1: b
      0 5 NaN NaN

      """)
  // On a compressed axis the ends of a bar are compressed as the points are.
  let compressed = CurveFigure(
    name: "plot", summary: "", curves: [both], x: .init("x", scale: .compressed), y: .init("y"),
    caption: "")
  #expect(
    try compressed.files(provenance: [])[0].contents.contains(
      "using (asinh($1)):2:(asinh($1-$4)):(asinh($1+$4)) with xerrorbars"))
}

@Test func plotDataIsOneBlockPerCurve() throws {
  let data = try figure([curve("a", [1, 2], error: 0.5), curve("b", [3, .nan])])
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
  let script = try figure([curve("a", [1, 2], error: 0.5), curve("b", [3, 4])])
    .files(provenance: [])[0].contents
  #expect(script.components(separatedBy: "with yerrorbars").count == 2)
  #expect(script.contains("title 'a'"))
  #expect(script.contains("title 'b'"))
}

@Test func bandsTakeThePlaceOfBars() throws {
  func script(_ scale: CurveFigure.Scale) throws -> String {
    try files(of: figure([curve("a", [1, 200], error: 2, errors: .band)], yScale: scale)).script
  }
  #expect(try script(.linear).contains("using 1:($2-$3):($2+$3) with filledcurves"))
  // A logarithmic axis has no place for what a band's lower end may be.
  #expect(
    try script(.logarithmic).contains(
      "using 1:($2-$3>lowest?$2-$3:lowest):($2+$3>lowest?$2+$3:lowest) with filledcurves"))
  #expect(try !script(.linear).contains("yerrorbars"))
}

@Test func valuesBelowALogarithmicAxisAreMarked() throws {
  let script = try figure(
    [curve("a", [100, 1, 0, -2]), curve("b", [3, 4])], yScale: .logarithmic
  )
  .files(provenance: [])[0].contents
  #expect(script.contains("set logscale y"))
  #expect(script.components(separatedBy: "($2<=lowest?lowest:NaN)").count == 2)
  #expect(script.contains("title 'below the axis: ≤ 0 or within its error'"))
  let positive = try figure([curve("b", [3, 4])], yScale: .logarithmic)
    .files(provenance: [])[0].contents
  #expect(!positive.contains("below the axis"))
}

@Test func curvesDifferInMoreThanColour() throws {
  let script = try figure((0..<4).map { curve("s\($0)", [1, 2]) }).files(provenance: [])[0].contents
  let styles = script.matches(of: /dashtype (\d) lw [0-9.]+ pointtype (\d+)/)
  #expect(Set(styles.map { $0.1 }).count == 4)
  #expect(Set(styles.map { $0.2 }).count == 4)
}

@Test func curvesWithoutValuesAreRefused() {
  #expect(throws: FigureError.nothingToDraw(figure: "plot", what: "b")) {
    try figure([curve("a", [1]), curve("b", [.nan])]).files(provenance: [])
  }
  #expect(throws: FigureError.nothingToDraw(figure: "plot", what: "a plot of no curves")) {
    try figure([]).files(provenance: [])
  }
}

@Test func pageHasRoomForLongNamesAndManyCurves() throws {
  func size(_ script: String) throws -> (width: Double, height: Double) {
    let match = try #require(script.firstMatch(of: /width = (\d+)\.; height = (\d+)\./))
    return (try #require(Double(match.1)), try #require(Double(match.2)))
  }
  let few = try size(figure([curve("a", [1, 2])]).files(provenance: [])[0].contents)
  let many = try size(
    figure((0..<40).map { curve("a curve with a long name \($0)", [1, 2]) })
      .files(provenance: [])[0].contents)
  #expect(many.width > few.width + 100)
  #expect(many.height > 40 * 15)
}

@Test(.enabled(if: installedGnuplot != nil))
func plotsAreDrawnWithHostileNamesAndMarks() throws {
  try withTemporaryFolder { folder in
    let figure = figure(
      [
        curve(hostileText, [1, 100, 0, -3], error: 0.5),
        curve("points", [5, 6], style: .points),
        curve("band", [2, 3, 0], error: 0.5, errors: .band),
      ], yScale: .logarithmic, marks: [.init(1, "l_\(hostileText)")])
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
    _ = try writer.write(figure)
    let svg = try text(of: folder.appendingPathComponent("plot.svg"))
      .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    #expect(svg.contains("<text>" + GnuplotText.shortened(hostileText, to: 40) + "</text>"))
    #expect(svg.contains("<text>l_\(hostileText)</text>"))
    #expect(try names(in: folder) == ["plot.dat", "plot.gp", "plot.pdf", "plot.png", "plot.svg"])
  }
}
