import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import Figures

private let grid = TokenGrid(rows: 6, columns: 5)

private func figure(
  _ maps: [ConditionalEntropyFigure.Map], grid: TokenGrid = grid, panelsPerRow: Int? = nil
) -> ConditionalEntropyFigure {
  ConditionalEntropyFigure(
    name: "maps", grid: grid, blocks: [.init(quantity: .entropy, maps: maps)], unit: "bits",
    caption: testCaption, panelsPerRow: panelsPerRow)
}

@Test func mapDataIsOneBlockPerReference() throws {
  let maps = [decayMap(7, on: grid), decayMap(20, on: grid)]
  let (_, data) = try files(of: figure(maps), provenance: ["seed 1"])
  #expect(data.hasPrefix("# seed 1\n# columns: frame row column conditional-entropy-in-bits\n"))
  #expect(data.contains("# index 1: reference (4, 0)\n"))
  let blocks = blocks(of: data)
  #expect(blocks.count == 2)
  for (map, block) in zip(maps, blocks) {
    #expect(block.count == grid.cellCount)
    for (index, row) in block.enumerated() {
      #expect(Array(row.prefix(3)) == [0, Double(index / 5), Double(index % 5)])
      if index == map.reference {
        #expect(row[3].isNaN)
      } else {
        // The fifth digit of numbers from 1 to 10.
        #expect(abs(row[3] - map.values[index]) <= 0.5001e-4)
      }
    }
  }
}

@Test func mapPanelsShareOneColourScale() throws {
  let maps = [decayMap(7, on: grid, depth: 1), decayMap(20, on: grid, depth: 5)]
  let (script, _) = try files(of: figure(maps))
  let ranges = script.split(separator: "\n").filter { $0.hasPrefix("set cbrange") }
  #expect(ranges.count == 1)
  let shown = maps.flatMap { map in
    map.values.indices.filter { $0 != map.reference }.map { map.values[$0] }
  }
  let (low, high) = (try #require(shown.min()), try #require(shown.max()))
  #expect(
    ranges.first?.hasPrefix(
      "set cbrange [\(DataTable.rounded(low)):\(DataTable.rounded(high))]") == true)
  #expect(script.components(separatedBy: "\nset colorbox").count == 2)
  #expect(script.contains("conditional entropy [bits]"))
}

@Test func mapScriptSaysWhatItIsAndHowToDrawIt() throws {
  let (script, _) = try files(
    of: figure([decayMap(7, on: grid)]), provenance: ["token-entropy 1.0", "seed 1"])
  let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
  #expect(
    lines[0].hasPrefix("# Maps for reference tokens (blue). Conditional entropy: darker is lower."))
  #expect(lines[2...3] == ["# token-entropy 1.0", "# seed 1"])
  #expect(script.contains("if (!exists(\"format\")) format = 'png'"))
  #expect(script.contains("data = 'maps.dat'"))
  for terminal in ["pngcairo", "svg", "pdfcairo"] {
    #expect(script.contains("set terminal \(terminal) noenhanced"))
  }
  #expect(script.contains("m = 10,000 images"))
}

@Test func theReferenceIsABlueSquare() throws {
  let (script, _) = try files(of: figure([decayMap(7, on: grid)]))
  #expect(
    script.contains(
      "rectangle from 2-0.5,1-0.5 to 2+0.5,1+0.5 front fillcolor rgb '\(FigureColor.reference)'"))
}

@Test func missingValuesAreMarkedAndExplained() throws {
  let complete = decayMap(7, on: grid)
  var values = complete.values
  values[3] = .nan
  values[4] = .infinity
  let map = ConditionalEntropyFigure.Map(reference: 7, values: values)
  let (script, data) = try files(of: figure([map]))
  #expect(script.contains("Grey, crossed: no value."))
  #expect(script.contains("!valid(4)"))
  #expect(blocks(of: data)[0].filter { $0[3].isNaN }.count == 3)
  #expect(try !files(of: figure([complete])).script.contains("no value"))
}

@Test func aMapWithoutValuesIsRefused() {
  let empty = ConditionalEntropyFigure.Map(
    reference: 7, values: [Double](repeating: .nan, count: grid.cellCount))
  let expected = FigureError.nothingToDraw(
    figure: "maps", what: "the map of reference (1, 2)")
  #expect(throws: expected) {
    try figure([decayMap(3, on: grid), empty]).files(provenance: [])
  }
}

/// The panels' rectangles as the script places them: left, right, top and bottom in points.
private func rectangles(_ script: String) throws -> [[Double]] {
  let pattern = /margin at screen [XY]\((-?[0-9.]+)\)/
  let numbers = script.matches(of: pattern).compactMap { Double($0.1) }
  return stride(from: 0, to: numbers.count, by: 4).map { Array(numbers[$0..<$0 + 4]) }
}

@Test(
  arguments: [
    (1, nil, 1), (2, nil, 1), (4, nil, 2), (4, 4, 1), (5, nil, 2), (9, 2, 5), (1, 3, 1),
  ] as [(Int, Int?, Int)])
func panelsAreSquareCellsThatDoNotOverlap(count: Int, perRow: Int?, rows: Int) throws {
  let maps = (0..<count).map { decayMap($0, on: grid) }
  let (script, _) = try files(of: figure(maps, panelsPerRow: perRow))
  let rectangles = try rectangles(script)
  #expect(rectangles.count == count)
  let width = try #require(script.firstMatch(of: /width = ([0-9]+)\./).flatMap { Double($0.1) })
  let height = try #require(script.firstMatch(of: /height = ([0-9]+)\./).flatMap { Double($0.1) })
  for (index, one) in rectangles.enumerated() {
    // Positions are written with two decimals.
    #expect(abs((one[1] - one[0]) / 5 - (one[3] - one[2]) / 6) < 0.01)
    #expect(one[0] > 0 && one[1] < width && one[2] > 0 && one[3] < height)
    for other in rectangles.dropFirst(index + 1) {
      let apart =
        one[1] < other[0] || other[1] < one[0] || one[3] < other[2] || other[3] < one[2]
      #expect(apart)
    }
  }
  #expect(Set(rectangles.map { $0[2] }).count == rows)
}

@Test func theColourBarsLabelStaysOnThePageOnFlatGrids() throws {
  let flat = TokenGrid(rows: 1, columns: 8)
  let (script, _) = try files(of: figure([decayMap(3, on: flat)], grid: flat))
  let bar = try #require(
    script.firstMatch(of: /screen Y\(([0-9.]+)\) size screen [0-9.]+\/width, screen ([0-9.]+)\//))
  let (bottom, length) = (try #require(Double(bar.1)), try #require(Double(bar.2)))
  let height = try #require(script.firstMatch(of: /height = ([0-9]+)\./).flatMap { Double($0.1) })
  // The label is centred on the bar and stays on the page.
  let label = GnuplotText.width(of: "conditional entropy [bits]") * 10
  #expect(bottom - (length + label) / 2 > 0)
  #expect(bottom + (label - length) / 2 < height)
}

/// Two quantities of the same references: columns of one table, each with its own scale, and only information is said to be
/// dependence.
@Test(arguments: [1, 2, 3, 4])
func twoQuantitiesStandTogether(count: Int) throws {
  let maps = (0..<count).map { decayMap(7 + $0, on: grid) }
  let shared = maps.map { map in
    ConditionalEntropyFigure.Map(reference: map.reference, values: map.values.map { -6.5 - $0 })
  }
  let figure = ConditionalEntropyFigure(
    name: "maps", grid: grid,
    blocks: [
      .init(quantity: .entropy, maps: maps), .init(quantity: .information, maps: shared),
    ], unit: "nats", caption: testCaption)
  let (script, data) = try files(of: figure)
  #expect(
    data.contains(
      "columns: frame row column conditional-entropy-in-nats mutual-information-in-nats"))
  let block = blocks(of: data)[0]
  #expect(abs(block[0][3] - maps[0].values[0]) <= 0.5001e-4)
  #expect(abs(block[0][4] - shared[0].values[0]) <= 0.5001e-4)
  #expect(script.components(separatedBy: "set cbrange [").count == 3)
  #expect(script.components(separatedBy: "\nset colorbox").count == 3)
  #expect(script.contains("conditional entropy [nats]"))
  #expect(script.contains("mutual information [nats]"))
  let rectangles = try rectangles(script)
  #expect(rectangles.count == 2 * count)
  let width = try #require(script.firstMatch(of: /width = ([0-9]+)\./).flatMap { Double($0.1) })
  let height = try #require(script.firstMatch(of: /height = ([0-9]+)\./).flatMap { Double($0.1) })
  for (index, one) in rectangles.enumerated() {
    #expect(one[0] > 0 && one[1] < width && one[2] > 0 && one[3] < height)
    for other in rectangles.dropFirst(index + 1) {
      let apart =
        one[1] < other[0] || other[1] < one[0] || one[3] < other[2] || other[3] < one[2]
      #expect(apart)
    }
  }
  let alone = try files(
    of: ConditionalEntropyFigure(
      name: "maps", grid: grid, blocks: [.init(quantity: .entropy, maps: maps)], unit: "nats",
      caption: testCaption)
  ).script
  #expect(script.contains("stronger dependence") && !alone.contains("dependence"))
}

@Test func videoPanelsShowTheirFrames() throws {
  let video = TokenGrid(frames: 3, rows: 4, columns: 4)
  let (script, data) = try files(of: figure([decayMap(20, on: video)], grid: video))
  #expect(script.contains("reference frame 1, (1, 0)"))
  #expect(script.contains("'frame 2' 11.5"))
  // The reference: frame 1 begins at column 5.
  #expect(script.contains("rectangle from 5-0.5,1-0.5 to 5+0.5,1+0.5"))
  #expect(blocks(of: data)[0].count == 48)
}

@Test(.enabled(if: installedGnuplot != nil))
func mapsAreDrawnWithDarkNeighbours() throws {
  try withTemporaryFolder { folder in
    let writer = FigureWriter(directory: folder, provenance: [], gnuplot: installedGnuplot)
    var values = decayMap(7, on: grid).values
    values[29] = .nan
    let maps = [
      ConditionalEntropyFigure.Map(reference: 7, values: values), decayMap(20, on: grid),
    ]
    _ = try writer.write(figure(maps), formats: [.svg])
    let svg = try text(of: folder.appendingPathComponent("maps.svg"))
    let fills = svg.matches(of: /<polygon fill = 'rgb\( *(\d+), *(\d+), *(\d+)\)'/)
      .map { [$0.1, $0.2, $0.3].compactMap { UInt8($0) } }
    // The four neighbours of each reference are its darkest cells; the colour bar's end adds to
    // them.
    let dark = ColorRamp.reds.color(at: 1)
    #expect(fills.count { $0 == [dark.red, dark.green, dark.blue] } >= 8)
    #expect(fills.contains([31, 95, 191]))
    // All cells but the references have a value or the grey of those without.
    #expect(fills.contains([212, 212, 212]))
    #expect(svg.contains("<text>reference (1, 2)</text>"))
    #expect(svg.contains("<text>conditional entropy [bits]</text>"))
  }
}
