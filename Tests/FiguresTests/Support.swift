import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import Figures

/// Text that breaks every careless way of writing a gnuplot script.
let hostileText = "a_b^c {x} @foo & <tag> \"q\" it's \\ `touch PWNED` %d ~y $HOME Überraschung"

let testCaption = MeasurementCaption(
  data: "synthetic", images: 10_000, featureDimensions: 8, bound: "debiased")

/// The gnuplot of this machine; tests that draw are skipped without one.
let installedGnuplot = Gnuplot.installed()

/// Runs `body` with a folder of its own, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("figures-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// A folder's files, hidden ones too.
func names(in folder: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

func text(of file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

/// A program in `folder` that takes the place of gnuplot; `$out` is the image it is asked for.
func fakeGnuplot(_ commands: String, in folder: URL) throws -> Gnuplot {
  let file = folder.appendingPathComponent("gnuplot")
  let script = """
    #!/bin/sh
    \(commands)
    """
  // Another process writes the file: were it open for writing here while another test starts a
  // program, that program would hold it open too, and the system runs no file that is being
  // written.
  let writer = try Process.run(
    URL(fileURLWithPath: "/bin/sh"),
    arguments: ["-c", "printf '%s' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", script, file.path])
  writer.waitUntilExit()
  #expect(writer.terminationStatus == 0)
  return Gnuplot(executable: file)
}

/// The script and the data of a figure.
func files(of figure: some Figure, provenance: [String] = []) throws -> (
  script: String, data: String
) {
  let files = try figure.files(provenance: provenance)
  #expect(files.map(\.name) == ["\(figure.name).gp", "\(figure.name).dat"])
  return (files[0].contents, files[1].contents)
}

/// The blocks of a data file, as gnuplot's `index` finds them.
func blocks(of data: String) -> [[[Double]]] {
  data.components(separatedBy: "\n\n\n").map { block in
    block.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(separator: " ").map { Double($0) ?? .nan } }
  }
}

/// A map whose entropy falls off exponentially with the distance from the reference.
func decayMap(_ reference: Int, on grid: TokenGrid, depth: Double = 4)
  -> ConditionalEntropyFigure.Map
{
  let center = grid.cell(at: reference)
  let values = (0..<grid.cellCount).map { index in
    let cell = grid.cell(at: index)
    let (dy, dx) = (Double(cell.row - center.row), Double(cell.column - center.column))
    let distance = (dy * dy + dx * dx).squareRoot() + 3 * Double(abs(cell.frame - center.frame))
    return -6.5 - depth * exp(-distance / 2.3)
  }
  return ConditionalEntropyFigure.Map(reference: reference, values: values)
}

/// Raster order: four single cells, then runs of four.
func rasterOrder(on grid: TokenGrid, name: String = "raster") throws -> GenerationOrder {
  let count = grid.cellCount
  let runs = stride(from: 4, to: count, by: 4).map { Array($0..<min($0 + 4, count)) }
  return try GenerationOrder(name: name, grid: grid, steps: (0..<4).map { [$0] } + runs)
}

/// An increase of `size` in every cell that is not the first of its step.
func comparisonRow(_ order: GenerationOrder, size: Double) -> OrderComparisonFigure.Row {
  var increases = [Double](repeating: 0, count: order.grid.cellCount)
  for step in order.steps { for cell in step.dropFirst() { increases[cell] = size } }
  return OrderComparisonFigure.Row(order: order, increases: increases, totalError: size)
}
