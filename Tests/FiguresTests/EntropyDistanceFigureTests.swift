import Testing

@testable import Figures

@Test func distanceCurvesKeepMeansAndErrors() throws {
  let figure = EntropyDistanceFigure(
    name: "distance",
    curves: [
      .init(
        label: "reference (12, 12)",
        points: [
          .init(distance: 1, mean: -9, standardError: 0.25),
          .init(distance: 1.5, mean: -8, standardError: nil),
        ]),
      .init(
        label: "reference (3, 3)", points: [.init(distance: 1, mean: -7, standardError: 0.5)]),
    ], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(blocks(of: data)[0][0] == [1, -9, 0.25])
  #expect(blocks(of: data)[0][1][2].isNaN)
  #expect(blocks(of: data)[1] == [[1, -7, 0.5]])
  #expect(script.contains("set xlabel 'distance to the reference token [cells]'"))
  #expect(script.contains("set ylabel 'conditional entropy [nats]'"))
  #expect(script.contains("title 'reference (3, 3)'"))
  #expect(!script.contains("logscale"))
  let information = EntropyDistanceFigure(
    name: "distance", quantity: .information, curves: figure.curves, unit: "bits",
    caption: testCaption)
  #expect(
    try files(of: information).script.contains("set ylabel 'mutual information [bits]'"))
}
