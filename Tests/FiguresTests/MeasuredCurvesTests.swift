import Foundation
import TestSupport
import Testing

@testable import Figures

@Test func distanceCurvesKeepMeansAndErrors() throws {
  let figure = CurveFigure.againstDistance(
    name: "distance",
    curves: [
      .init("reference (12, 12)", [.init(1, -9, error: 0.25), .init(1.5, -8)]),
      .init("reference (3, 3)", [.init(1, -7, error: 0.5)]),
    ], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(blocks(of: data)[0][0] == [1, -9, 0.25])
  #expect(blocks(of: data)[0][1][2].isNaN)
  #expect(blocks(of: data)[1] == [[1, -7, 0.5]])
  #expect(script.contains("set xlabel 'distance to the reference token [cells]'"))
  #expect(script.contains("set ylabel 'conditional entropy [nats]'"))
  #expect(script.contains("title 'reference (3, 3)'"))
  #expect(!script.contains("logscale"))
  let information = CurveFigure.againstDistance(
    name: "distance", quantity: .information, curves: figure.curves, unit: "bits",
    caption: testCaption)
  #expect(
    try files(of: information).script.contains("set ylabel 'mutual information [bits]'"))
}

private func script(_ curves: [CurveFigure.Curve]) throws -> String {
  try files(
    of: CurveFigure.increasePerStep(
      name: "steps", curves: curves, unit: "bits", caption: testCaption)
  ).script
}

@Test func theAxisIsLogarithmicWhereOrdersDifferByMuch() throws {
  let raster = CurveFigure.Curve("raster", [.init(1, 0), .init(2, 3), .init(3, 4)])
  let distant = CurveFigure.Curve(
    "distant", [.init(1, 0), .init(2, 0.03), .init(3, -0.01)])
  #expect(try !script([raster]).contains("logscale"))
  let both = try script([raster, distant])
  #expect(both.contains("set logscale y"))
  #expect(both.contains("below the axis"))
  #expect(both.contains("set ylabel 'entropy increase per step [bits]'"))
}

@Test func totalsAreSortedAndStepsMarkedWithTheirN() throws {
  let figure = CurveFigure.totalIncrease(
    name: "total",
    curves: [
      .init("raster", [.init(147, 90, error: 1), .init(51, 400, error: 2)]),
      .init("distant", [.init(147, 2, error: 0.5)]),
    ], orders: [(147, 4), (51, 16), (147, 9)], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(blocks(of: data) == [[[51, 400, 2], [147, 90, 1]], [[147, 2, 0.5]]])
  let labels = script.matches(of: /'(n = [0-9, ]+)' at first ([0-9.]+), graph 1 center/)
    .map { [$0.1, $0.2] }
  #expect(labels == [["n = 16", "51.0"], ["n = 4, 9", "147.0"]])
  #expect(script.contains("set logscale y"))
}

@Test func lossesAreCurvesOverSteps() throws {
  let figure = CurveFigure.losses(
    name: "loss", training: [.init(1, 6.9), .init(2, 5)],
    validation: [.init(2, 5.5)], caption: "a model")
  let (script, data) = try files(of: figure)
  #expect(
    blocks(of: data).map { $0.map { Array($0.prefix(2)) } } == [[[1, 6.9], [2, 5]], [[2, 5.5]]])
  #expect(script.contains("held out") && script.contains("nats/token"))
}

private func proxies(floor: Double?, label: String = "distant (paper: 2.61)") -> CurveFigure {
  .proxy(
    name: "proxy", proxy: "FD texture",
    configurations: [
      (label, .init(1.14, 2, error: 0.1)), ("raster", .init(85, 5)),
      ("distant+one", .init(0, 1.8, error: 0.2)),
    ], noiseFloor: floor, unit: "nats", caption: "Small models.")
}

/// The axis of the increase holds 0 and 85; the data keep the plain numbers.
@Test func proxiesStandOverACompressedIncrease() throws {
  let (script, data) = try files(of: proxies(floor: 1.5))
  let first = blocks(of: data)
  #expect(first.prefix(3).map { Array($0[0].prefix(2)) } == [[1.14, 2], [85, 5], [0, 1.8]])
  #expect(script.contains("using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars"))
  let ticks = script.matches(of: /'([0-9.]+)' ([0-9.]+)[,)]/)
    .compactMap { match in Double(match.1).flatMap { x in Double(match.2).map { (x, $0) } } }
    .filter { abs(asinh($0.0) - $0.1) < 1e-9 }.map(\.0)
  #expect(ticks.starts(with: [0, 1, 2, 5, 10, 20, 50]))
}

@Test func theFloorIsALineOnlyWhereItIsNear() throws {
  let near = try files(of: proxies(floor: 1.5))
  #expect(blocks(of: near.data).last?.map { Array($0.prefix(2)) } == [[0, 1.5], [85, 1.5]])
  #expect(near.script.contains("real against real"))
  // The floor is no configuration: a line without marks.
  #expect(near.script.contains("with lines dashtype 2"))
  let far = try files(of: proxies(floor: 0.01))
  #expect(!far.data.contains("real against real"))
  #expect(far.script.contains("0.01"))
}

@Test func proxiesAreDrawnWithHostileNames() throws {
  guard let gnuplot = installedGnuplot else { return }
  try withTemporaryFolder { folder in
    let written = try FigureWriter(directory: folder, provenance: [hostileText], gnuplot: gnuplot)
      .write(proxies(floor: 1.5, label: hostileText), formats: [.svg])
    guard case .drawn(let images) = written.drawing else {
      Issue.record("nothing was drawn")
      return
    }
    #expect(images.count == 1)
  }
}
