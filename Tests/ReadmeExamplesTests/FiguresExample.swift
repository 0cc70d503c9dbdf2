import Figures
import Testing
import TokenGrids

@Test func figuresExample() throws {
  // README.md:
  let preview = TerminalPreview.render(
    values: [0, 1, 2, 3], grid: TokenGrid(rows: 2, columns: 2), title: "increase", unit: "nats",
    darkEnd: .high, style: .plain)
  print(preview)  // a title, two rows of two cells, and a legend
  // What it says is so:
  let lines = preview.split(separator: "\n")
  #expect(lines.first?.contains("increase") == true && lines.count >= 3)
}
