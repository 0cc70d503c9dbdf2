import Foundation
import Testing
import TokenGrids

@testable import Figures

@Test func likelihoodsAreMapsInOneScale() throws {
  let grid = TokenGrid(rows: 2, columns: 2)
  let figure = PositionLikelihoodFigure(
    name: "likelihood", grid: grid,
    maps: [
      .init(title: "par", values: [4, 3, 2, 1], errors: [0.1, 0.1, 0.1, 0.1]),
      .init(title: "seq", values: [0.5, 3, 2, .nan], errors: [0.1, 0.1, 0.1, .nan]),
    ], caption: hostileText)
  let (script, data) = try files(of: figure)
  let maps = blocks(of: data)
  #expect(maps.count == 2 && maps[0].map { $0[3] } == [4, 3, 2, 1])
  #expect(maps[0].map { Array($0.prefix(3)) } == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]])
  #expect(script.contains("set cbrange [0.5:4]"))
  if let installedGnuplot {
    try withTemporaryFolder { folder in
      _ = try FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
        .write(figure, formats: [.svg])
      #expect(try names(in: folder).contains("likelihood.svg"))
    }
  }
}

@Test func aMapWithoutAValueIsNotDrawn() {
  let figure = PositionLikelihoodFigure(
    name: "likelihood", grid: TokenGrid(rows: 1, columns: 1),
    maps: [.init(title: "par", values: [.nan], errors: [.nan])], caption: "")
  #expect(throws: FigureError.nothingToDraw(figure: "likelihood", what: "the map of par")) {
    try figure.files(provenance: [])
  }
}
