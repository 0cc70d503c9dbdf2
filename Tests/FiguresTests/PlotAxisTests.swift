import Testing

@testable import Figures

@Test func linearAxisCoversErrorBars() {
  let axis = PlotAxis(
    curves: [[1, 2, .nan]], errors: [[0.5, .nan, 7]], scale: .linear, padding: 0.05)
  #expect(!axis.isLogarithmic)
  #expect(axis.range.lowerBound < 0.5 && axis.range.lowerBound > 0.3)
  #expect(axis.range.upperBound > 2 && axis.range.upperBound < 2.2)
}

@Test func linearAxisStartsAtZeroOnlyWhereNothingIsBelow() {
  let above = PlotAxis(curves: [[1, 2]], scale: .linear, startsAtZero: true, padding: 0.05)
  #expect(above.range.lowerBound == 0)
  let below = PlotAxis(curves: [[-1, 2]], scale: .linear, startsAtZero: true, padding: 0.05)
  #expect(below.range.lowerBound < -1)
}

@Test func automaticScaleLooksAtPositiveValues() {
  let near = PlotAxis(curves: [[1, 20, -5]], scale: .automatic(beyond: 30), padding: 0.05)
  #expect(!near.isLogarithmic)
  #expect(near.range.lowerBound < -5)
  let far = PlotAxis(curves: [[1, 40, -5, 0]], scale: .automatic(beyond: 30), padding: 0.05)
  #expect(far.isLogarithmic)
  #expect(far.range.lowerBound > 0 && far.range.lowerBound < 1 && far.range.upperBound > 40)
}

@Test func logarithmicAxisIsNotStretchedByNoise() {
  let curves = [[1e-9, 0.1, 0.2, 0.1], [10, 10]]
  let noisy = PlotAxis(
    curves: curves, errors: [[0.05, 0.05, 0.05, 0.05], [1, 1]], scale: .logarithmic, padding: 0.05)
  #expect(noisy.range.lowerBound > 0.05 && noisy.range.lowerBound < 0.1)
  // What is exact is shown, however small.
  let exact = PlotAxis(curves: curves, scale: .logarithmic, padding: 0.05)
  #expect(exact.range.lowerBound < 1e-9)
  // Where everything is within its error, everything positive is shown.
  let nothing = PlotAxis(
    curves: [[0.1, 1]], errors: [[2, 2]], scale: .logarithmic, padding: 0.05)
  #expect(nothing.range.lowerBound < 0.1)
}

@Test func logarithmicAxisNeedsAPositiveValue() {
  let axis = PlotAxis(curves: [[-1, 0]], scale: .logarithmic, padding: 0.05)
  #expect(!axis.isLogarithmic)
}

@Test(arguments: [
  ([0.0, 10], CurveFigure.Scale.linear, ["0", "2", "4", "6", "8", "10"]),
  ([-6.5, -9], .linear, ["-9", "-8.5", "-8", "-7.5", "-7", "-6.5"]),
  ([0, 0.3], .linear, ["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3"]),
  ([16, 288], .logarithmic, ["20", "50", "100", "200"]),
  ([0.0001, 100], .logarithmic, ["0.0001", "0.001", "0.01", "0.1", "1", "10", "100"]),
  ([6, 7], .logarithmic, ["5.5", "6", "6.5", "7", "7.5"]),
])
func ticksAreRound(values: [Double], scale: CurveFigure.Scale, labels: [String]) {
  let axis = PlotAxis(curves: [values], scale: scale, padding: 0.01)
  #expect(axis.tickLabels == labels)
  #expect(axis.ticks.allSatisfy(axis.range.contains))
}

@Test func aSinglePointStillHasAnAxis() {
  let axis = PlotAxis(curves: [[0]], scale: .linear, padding: 0.05)
  #expect(axis.range.lowerBound < 0 && axis.range.upperBound > 0)
  #expect(!axis.ticks.isEmpty)
}
