import Testing

@testable import Figures

private func script(_ curves: [StepIncreaseFigure.Curve]) throws -> String {
  try files(
    of: StepIncreaseFigure(name: "steps", curves: curves, unit: "bits", caption: testCaption)
  ).script
}

@Test func stepsAreCountedFromOne() throws {
  let figure = StepIncreaseFigure(
    name: "steps",
    curves: [.init(label: "raster", increases: [0, 2, 3], standardErrors: [0, 0.1, 0.2])],
    unit: "bits", caption: testCaption)
  #expect(blocks(of: try files(of: figure).data) == [[[1, 0, 0], [2, 2, 0.1], [3, 3, 0.2]]])
}

@Test func theAxisIsLogarithmicWhereOrdersDifferByMuch() throws {
  let raster = StepIncreaseFigure.Curve(
    label: "raster", increases: [0, 3, 4], standardErrors: nil)
  let distant = StepIncreaseFigure.Curve(
    label: "distant", increases: [0, 0.03, -0.01], standardErrors: nil)
  #expect(try !script([raster]).contains("logscale"))
  let both = try script([raster, distant])
  #expect(both.contains("set logscale y"))
  #expect(both.contains("below the axis"))
  #expect(both.contains("set ylabel 'entropy increase per step [bits]'"))
}
