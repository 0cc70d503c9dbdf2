import Testing

@testable import Figures

@Test func totalsAreSortedAndLabelledWithTheirN() throws {
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
        points: [.init(tokensPerStep: 4, steps: 147, total: 2, standardError: 0.5)]),
    ], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(blocks(of: data) == [[[51, 400, 2], [147, 90, 1]], [[147, 2, 0.5]]])
  let labels = script.matches(of: /'(n = \d+)' at ([0-9.]+),([0-9.]+) center offset 0,(\S+)/)
    .map { [$0.1, $0.2, $0.3, $0.4] }
  #expect(
    labels == [
      ["n = 16", "51.0", "400.0", "0.9"], ["n = 4", "147.0", "90.0", "0.9"],
      ["n = 4", "147.0", "2.0", "-0.9"],
    ])
  #expect(script.contains("set logscale y"))
}
