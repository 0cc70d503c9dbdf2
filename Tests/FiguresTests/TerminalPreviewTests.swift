import Testing
import TokenGrids

@testable import Figures

private let grid = TokenGrid(rows: 3, columns: 4)
private let values: [Double] = [
  -10, -9, -8, -7,  //
  -6, -5, -4, .nan,  //
  -2, -1, 0, 0,
]

private func preview(
  _ values: [Double] = values, grid: TokenGrid = grid, style: TerminalPreview.Style,
  reference: Int? = 5
) -> [String] {
  TerminalPreview.render(
    values: values, grid: grid, title: "title", unit: "nats", darkEnd: .low, reference: reference,
    scale: ColorScale(low: -10, high: 0, darkEnd: .low), style: style
  ).split(separator: "\n").map(String.init)
}

@Test func plainPreviewUsesInkForDarkness() {
  #expect(
    preview(style: .plain) == [
      "title", "@@%%####", "**[]==??", "--::....",
      "0 .:-=+*#%@ -10 nats, [] reference, ?? no value",
    ])
}

@Test func plainPreviewIsASCII() {
  let text = preview(style: .plain).joined()
  #expect(text.utf8.count == text.count)
}

@Test func colourPreviewPutsTwoRowsInALine() {
  let lines = preview(style: .trueColor)
  #expect(lines.count == 1 + 2 + 1)
  for line in lines[1...2] {
    #expect(line.count { $0 == "▀" } == 4)
    #expect(line.hasSuffix("\u{1B}[0m"))
  }
  let dark = ColorRamp.reds.color(at: 1)
  #expect(lines[1].hasPrefix("\u{1B}[38;2;\(dark.red);\(dark.green);\(dark.blue)m"))
  // The reference is the lower half of the second block.
  #expect(lines[1].contains("\u{1B}[48;2;31;95;191m"))
  // The third row has none below it.
  #expect(!lines[2].contains("\u{1B}[48;"))
}

@Test func indexedColoursAreOfXtermsPalette() {
  let lines = preview(style: .indexedColor)
  #expect(lines[1].hasPrefix("\u{1B}[38;5;52m"))
  #expect(lines[1].contains("\u{1B}[48;5;26m"))
  #expect(!lines.joined().contains(";2;"))
}

@Test(arguments: TerminalPreview.Style.allCases)
func everyLegendNamesRangeAndUnit(style: TerminalPreview.Style) {
  let legend = preview(style: style).last ?? ""
  #expect(legend.hasPrefix("0 "))
  #expect(legend.contains(" -10 nats"))
  #expect(legend.contains("reference"))
  #expect(legend.contains("no value"))
}

@Test func videoFramesFollowEachOther() {
  let video = TokenGrid(frames: 2, rows: 1, columns: 2)
  let lines = preview([-10, 0, -5, -5], grid: video, style: .plain, reference: nil)
  #expect(lines.prefix(5) == ["title", "frame 0", "@@..", "frame 1", "++++"])
}

@Test func previewsFitTheirOwnScaleAndSayGamma() {
  let text = TerminalPreview.render(
    values: [0, 99.9, 99.9, 99.9, 100], grid: TokenGrid(rows: 1, columns: 5), title: "t",
    unit: "bits", darkEnd: .low, style: .plain)
  #expect(text.contains("100 .:-=+*#%@ 0 bits (gamma 0.5)"))
}

@Test func previewsWithoutValuesSaySo() {
  let text = TerminalPreview.render(
    values: [.nan], grid: TokenGrid(rows: 1, columns: 1), title: "t", unit: "bits",
    darkEnd: .low, style: .plain)
  #expect(text == "t\nno cell has a finite value\n")
}

@Test(arguments: [
  (true, ["TERM": "xterm-256color"], TerminalPreview.Style.indexedColor),
  (true, ["TERM": "xterm", "COLORTERM": "truecolor"], .trueColor),
  (true, ["TERM": "xterm", "COLORTERM": "24bit"], .trueColor),
  (false, ["TERM": "xterm", "COLORTERM": "truecolor"], .plain),
  (true, ["TERM": "dumb"], .plain), (true, [:], .plain),
  (true, ["TERM": "xterm", "NO_COLOR": "1"], .plain),
  (true, ["TERM": "xterm", "NO_COLOR": ""], .indexedColor),
])
func styleFollowsTheTerminal(
  isTerminal: Bool, environment: [String: String], style: TerminalPreview.Style
) {
  #expect(
    TerminalPreview.Style.suiting(isTerminal: isTerminal, environment: environment) == style)
}
