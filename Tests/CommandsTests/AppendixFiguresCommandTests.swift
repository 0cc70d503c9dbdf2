import Foundation
import Testing
import TokenGrids

@testable import Commands

@Test func referencesAreSpreadOverTheGrid() {
  #expect(
    AppendixFiguresCommand.references(on: TokenGrid(rows: 24, columns: 24))
      == [
        GridCell(row: 12, column: 12), GridCell(row: 4, column: 6), GridCell(row: 8, column: 20),
        GridCell(row: 20, column: 8),
      ])
  let tiny = TokenGrid(rows: 1, columns: 2)
  let references = AppendixFiguresCommand.references(on: tiny)
  #expect(references.allSatisfy(tiny.contains) && Set(references).count == references.count)
}

@Test(.enabled(if: Gnuplots.isInstalled)) func allFiguresAreDrawn() throws {
  let result = try withFile(smallDataset()) {
    try Program(name: "appendix-figures").run(
      ["--tokens", $0, "--figure-format", "svg", "--output-dir", "figures"],
      inspecting: { folder in
        let files = try FileManager.default.contentsOfDirectory(
          atPath: folder.appendingPathComponent("figures").path)
        for name in [
          "conditional-entropy-maps", "information-maps", "order-comparison",
          "entropy-against-distance", "information-against-distance", "increase-per-step",
          "total-increase-against-steps",
        ] {
          for ending in ["gp", "dat", "svg"] { #expect(files.contains("\(name).\(ending)")) }
        }
        #expect(files.count == 21)
      })
  }
  #expect(result.status == 0, "\(result.errors)")
}
