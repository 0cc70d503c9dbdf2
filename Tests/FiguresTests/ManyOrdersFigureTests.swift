import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import Figures

private let grid = TokenGrid(rows: 4, columns: 6)

private func figure(
  _ rows: [OrderComparisonFigure.Row]
) -> ManyOrdersFigure {
  ManyOrdersFigure(name: "orders", rows: rows, unit: "nats", caption: testCaption)
}

/// Orders whose increases are ten times apart.
private func rows(_ count: Int, on grid: TokenGrid = grid) throws -> [OrderComparisonFigure.Row] {
  try (0..<count).map {
    comparisonRow(try rasterOrder(on: grid, name: "order \($0)"), size: pow(10, -Double($0)))
  }
}

/// The size of a script's page in points.
private func size(of script: String) throws -> (width: Double, height: Double) {
  let match = try #require(script.firstMatch(of: /width = ([\d.]+); height = ([\d.]+)/))
  return try (
    #require(Double(match.1.hasSuffix(".") ? match.1.dropLast() : match.1)),
    #require(Double(match.2.hasSuffix(".") ? match.2.dropLast() : match.2))
  )
}

@Test func dataOfManyOrdersAreStepsAndIncreases() throws {
  let rows = try rows(5)
  let blocks = blocks(of: try files(of: figure(rows)).data)
  try #require(blocks.count == 5)
  for (row, block) in zip(rows, blocks) {
    #expect(block.map { Int($0[3]) } == row.order.stepNumbers)
    #expect(block.map { $0[4] } == row.increases)
  }
}

/// From four orders to forty, images and video: no page is taller than 1.5 times its width, nor six times wider than tall.
@Test(arguments: [4, 5, 9, 16, 40], [TokenGrid(rows: 24, columns: 24), grid])
func pagesOfManyOrdersKeepTheirShape(count: Int, grid: TokenGrid) throws {
  let (width, height) = try size(of: files(of: figure(rows(count, on: grid))).script)
  #expect(height <= 1.5 * width && width <= 6 * height, "\(width) x \(height)")
}

@Test func pagesOfVideosKeepTheirShape() throws {
  let video = TokenGrid(frames: 5, rows: 16, columns: 16)
  let (width, height) = try size(of: files(of: figure(rows(6, on: video))).script)
  #expect(height <= 1.5 * width)
}

@Test func manyOrdersShareALogarithmicScale() throws {
  let script = try files(of: figure(rows(4))).script
  #expect(script.contains("largest = 1  #") && script.contains("least = largest / 1000.  #"))
  #expect(script.components(separatedBy: "set cbrange [least:largest]").count == 1 + 4)
  #expect(script.components(separatedBy: "\nset colorbox").count == 2)
  #expect(script.contains("entropy increase [nats per token], logarithmic"))
  #expect(script.contains("($5<least?least:$5)"), "what is not positive has no logarithm")
}

@Test func nothingIsDrawnWithoutIncreases() throws {
  let order = try rasterOrder(on: grid)
  let none = OrderComparisonFigure.Row(
    order: order, increases: [Double](repeating: .nan, count: grid.cellCount))
  #expect(throws: FigureError.self) { try figure(rows(4) + [none]).files(provenance: []) }
  // Where nothing increases there is still a scale.
  let zero = comparisonRow(order, size: 0)
  #expect(try files(of: figure([zero, zero, zero, zero])).script.contains("largest = 1  #"))
}

@Test(.enabled(if: installedGnuplot != nil, "needs gnuplot"))
func manyOrdersAreDrawnWithHostileNames() throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(
      directory: folder, provenance: [hostileText, "second\nline"], gnuplot: installedGnuplot)
    var rows = try rows(4)
    rows[0] = comparisonRow(try rasterOrder(on: grid, name: hostileText), size: 2)
    let written = try writer.write(figure(rows))
    #expect(written.files.count == 5)
    #expect(!(try names(in: folder)).contains("PWNED"))
    let svg = try text(of: folder.appendingPathComponent("orders.svg"))
      .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    #expect(svg.contains("<text>a_b^c {x} @foo & <tag>"))
    #expect(svg.contains("<text>order 3</text>"))
  }
}
