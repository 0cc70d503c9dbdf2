import Foundation
import TestSupport
import Testing

@testable import Figures

private func figure(floor: Double?, label: String = "distant (paper: 2.61)") -> ProxyFigure {
  ProxyFigure(
    name: "proxy", proxy: "FD texture",
    points: [
      .init(label: label, increase: 1.14, value: 2, spread: 0.1),
      .init(label: "raster", increase: 85, value: 5, spread: nil),
      .init(label: "distant+one", increase: 0, value: 1.8, spread: 0.2),
    ], noiseFloor: floor, unit: "nats", caption: "Small models.")
}

/// The axis of the increase holds 0 and 85; the data keep the plain numbers.
@Test func proxiesStandOverACompressedIncrease() throws {
  let (script, data) = try files(of: figure(floor: 1.5))
  let first = blocks(of: data)
  #expect(first.prefix(3).map { Array($0[0].prefix(2)) } == [[1.14, 2], [85, 5], [0, 1.8]])
  #expect(script.contains("using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars"))
  let ticks = script.matches(of: /'([0-9.]+)' ([0-9.]+)[,)]/)
    .compactMap { match in Double(match.1).flatMap { x in Double(match.2).map { (x, $0) } } }
    .filter { abs(asinh($0.0) - $0.1) < 1e-9 }.map(\.0)
  #expect(ticks.starts(with: [0, 1, 2, 5, 10, 20, 50]))
}

@Test func theFloorIsALineOnlyWhereItIsNear() throws {
  let near = try files(of: figure(floor: 1.5))
  #expect(blocks(of: near.data).last?.map { Array($0.prefix(2)) } == [[0, 1.5], [85, 1.5]])
  #expect(near.script.contains("real against real"))
  // The floor is no configuration: a line without marks.
  #expect(near.script.contains("with lines dashtype 2"))
  let far = try files(of: figure(floor: 0.01))
  #expect(!far.data.contains("real against real"))
  #expect(far.script.contains("0.01"))
}

@Test func proxiesAreDrawnWithHostileNames() throws {
  guard let gnuplot = installedGnuplot else { return }
  try withTemporaryFolder { folder in
    let written = try FigureWriter(directory: folder, provenance: [hostileText], gnuplot: gnuplot)
      .write(figure(floor: 1.5, label: hostileText), formats: [.svg])
    guard case .drawn(let images) = written.drawing else {
      Issue.record("nothing was drawn")
      return
    }
    #expect(images.count == 1)
  }
}
