import Testing

@testable import Figures

@Test func totalsAreSortedAndStepsMarkedWithTheirN() throws {
  let figure = TotalIncreaseFigure(
    name: "total",
    curves: [
      .init(
        label: "raster",
        points: [
          .init(tokensPerStep: 4, steps: 147, total: 90, standardError: 1),
          .init(tokensPerStep: 16, steps: 51, total: 400, standardError: 2),
        ]),
      .init(
        label: "distant",
        points: [.init(tokensPerStep: 9, steps: 147, total: 2, standardError: 0.5)]),
    ], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(blocks(of: data) == [[[51, 400, 2], [147, 90, 1]], [[147, 2, 0.5]]])
  let labels = script.matches(of: /'(n = [0-9, ]+)' at first ([0-9.]+), graph 1 center/)
    .map { [$0.1, $0.2] }
  #expect(labels == [["n = 16", "51.0"], ["n = 4, 9", "147.0"]])
  #expect(script.contains("set logscale y"))
}
