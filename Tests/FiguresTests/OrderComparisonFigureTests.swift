import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import Figures

private let grid = TokenGrid(rows: 4, columns: 6)

private func figure(_ rows: [OrderComparisonFigure.Row]) -> OrderComparisonFigure {
  OrderComparisonFigure(name: "orders", rows: rows, unit: "nats", caption: testCaption)
}

private func reversedOrder() throws -> GenerationOrder {
  try GenerationOrder(
    name: "reversed", grid: grid, steps: [[23, 22], Array((2...21).reversed()), [1, 0]])
}

@Test func orderDataNumbersStepsAndIncreases() throws {
  let rows = [
    comparisonRow(try rasterOrder(on: grid), size: 2),
    comparisonRow(try reversedOrder(), size: 0.5),
  ]
  let (_, data) = try files(of: figure(rows))
  let blocks = blocks(of: data)
  #expect(blocks.count == 2)
  for (row, block) in zip(rows, blocks) {
    #expect(block.map { Int($0[3]) } == row.order.stepNumbers)
    let sequence = row.order.sequence
    for (cell, values) in block.enumerated() {
      #expect(sequence[Int(values[4]) - 1] == cell)
      #expect(values[5] == row.increases[cell])
    }
  }
}

@Test func increasePanelsShareOneColourScale() throws {
  let rows = [
    comparisonRow(try rasterOrder(on: grid), size: 2.5),
    comparisonRow(try reversedOrder(), size: 0.5),
  ]
  let (script, _) = try files(of: figure(rows))
  #expect(figure(rows).colorScale == ColorScale(low: 0, high: 2.5, darkEnd: .high))
  #expect(script.contains("largest = 2.5 "))
  #expect(script.components(separatedBy: "set cbrange [0.0:largest]").count == 3)
  #expect(script.components(separatedBy: "\nset colorbox").count == 2)
}

@Test func rowsSayNameStepsAndTotal() throws {
  let row = OrderComparisonFigure.Row(
    order: try rasterOrder(on: grid),
    increases: comparisonRow(try rasterOrder(on: grid), size: 2).increases,
    totalError: 0.213)
  let (script, _) = try files(of: figure([row]))
  // 5 steps of four cells, three of which carry an increase of 2.
  #expect(script.contains("'raster'"))
  #expect(script.contains("9 steps; total increase 30.00 ± 0.21 nats, largest of a token 2 nats"))
}

@Test func initialCellsAreWhite() throws {
  let raster = try files(of: figure([comparisonRow(try rasterOrder(on: grid), size: 2)]))
  let white = "with boxxyerror fillstyle solid noborder lc rgb '#ffffff'"
  #expect(raster.script.contains("($5<=4?place($1,$3):NaN):2:(0.5):(0.5) " + white))
  #expect(raster.script.contains("white in the increase"))
  let reversed = try files(of: figure([comparisonRow(try reversedOrder(), size: 2)]))
  #expect(!reversed.script.contains(white))
  #expect(!reversed.script.contains("white in the increase"))
}

@Test func missingAndNegativeIncreasesAreExplained() throws {
  var increases = comparisonRow(try rasterOrder(on: grid), size: 2).increases
  // Cells of the initial steps need no value: they are white.
  increases[0] = .nan
  let order = try rasterOrder(on: grid)
  let initial = try files(of: figure([.init(order: order, increases: increases)]))
  #expect(!initial.script.contains("no value"))
  increases[9] = .nan
  increases[10] = -0.5
  let row = OrderComparisonFigure.Row(order: order, increases: increases)
  #expect(row.total == 30 - 2 - 2.5)
  let (script, _) = try files(of: figure([row]))
  #expect(script.contains("no value"))
  #expect(script.contains("below 0 take the colour of 0"))
}

@Test func increasesOfZeroStillHaveAScale() throws {
  let order = try reversedOrder().sequentialized()
  let row = OrderComparisonFigure.Row(
    order: order, increases: [Double](repeating: 0, count: grid.cellCount))
  #expect(figure([row]).colorScale == ColorScale(low: 0, high: 1, darkEnd: .high))
  #expect(try files(of: figure([row])).script.contains("total increase 0 nats"))
}

@Test func anOrderOfSingleCellsIsNotAllWhite() throws {
  let order = try rasterOrder(on: grid).sequentialized()
  let row = OrderComparisonFigure.Row(
    order: order, increases: [Double](repeating: 0, count: grid.cellCount))
  let (script, _) = try files(of: figure([row]))
  #expect(!script.contains("white in the increase"))
}

@Test func ordersWithoutIncreasesAreRefused() throws {
  let row = OrderComparisonFigure.Row(
    order: try reversedOrder(), increases: [Double](repeating: .nan, count: grid.cellCount))
  let expected = FigureError.nothingToDraw(
    figure: "orders", what: "the entropy increase of reversed")
  #expect(throws: expected) { try figure([row]).files(provenance: []) }
}

@Test func numbersOfLargeGridsAreLargeEnoughToRead() throws {
  let grid = TokenGrid(rows: 24, columns: 24)
  let (script, _) = try files(of: figure([comparisonRow(try rasterOrder(on: grid), size: 2)]))
  let sizes = script.matches(of: /with labels center font ",([0-9.]+)"/).compactMap {
    Double($0.1)
  }
  #expect(sizes.count == 2)
  #expect(sizes.allSatisfy { $0 >= 5 })
  // Two pixels a point: a digit of the PNG is at least ten pixels high.
  #expect(script.contains("scale = 2 "))
}

@Test func videoOrdersStackTheirPanels() throws {
  let video = TokenGrid(frames: 3, rows: 4, columns: 4)
  let (script, _) = try files(of: figure([comparisonRow(try rasterOrder(on: video), size: 2)]))
  let lefts = Set(script.matches(of: /lmargin at screen X\(([0-9.]+)\)/).map { $0.1 })
  let tops = Set(script.matches(of: /tmargin at screen Y\(([0-9.]+)\)/).map { $0.1 })
  #expect(lefts.count == 1)
  #expect(tops.count == 3)
  #expect(script.contains("'frame 2'"))
}

@Test(.enabled(if: installedGnuplot != nil))
func ordersAreDrawnWithHostileNames() throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(
      directory: folder, provenance: [hostileText + "\\", "second\nline"],
      gnuplot: installedGnuplot)
    let rows = [
      comparisonRow(try rasterOrder(on: grid, name: hostileText), size: 2),
      comparisonRow(try reversedOrder(), size: 0.1),
    ]
    let written = try writer.write(figure(rows))
    #expect(written.files.count == 5)
    #expect(
      try names(in: folder) == [
        "orders.dat", "orders.gp", "orders.pdf", "orders.png", "orders.svg",
      ])
    let svg = try text(of: folder.appendingPathComponent("orders.svg"))
      .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    #expect(svg.contains("<text>" + GnuplotText.shortened(hostileText, to: 60) + "</text>"))
    // Every cell of four number panels carries its number.
    #expect(svg.components(separatedBy: "<text>24</text>").count == 1 + 2)
  }
}
