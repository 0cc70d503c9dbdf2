import Foundation
import TokenGrids

/// A map of a token grid for the terminal.
public enum TerminalPreview {
  /// How cells are painted.
  public enum Style: Sendable, CaseIterable {
    /// Half blocks in 24-bit colours.
    case trueColor
    /// Half blocks in the 256 colours of xterm.
    case indexedColor
    /// ASCII characters, for files, pipes and plain terminals.
    case plain

    /// The style that suits an output.
    ///
    /// Follows `NO_COLOR`, `TERM` and `COLORTERM`; anything but a terminal is plain.
    public static func suiting(
      isTerminal: Bool, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Style {
      let terminal = environment["TERM"] ?? ""
      let refused = !(environment["NO_COLOR"] ?? "").isEmpty
      guard isTerminal, !refused, !terminal.isEmpty, terminal != "dumb" else { return .plain }
      let depth = environment["COLORTERM"] ?? ""
      return depth == "truecolor" || depth == "24bit" ? .trueColor : .indexedColor
    }

    /// The style that suits standard output.
    public static var standardOutput: Style { suiting(isTerminal: isatty(STDOUT_FILENO) == 1) }
  }

  /// The lines of a map, frame by frame, and a legend.
  ///
  /// - Parameters:
  ///   - values: N values in raster order; those that are not finite are shown as having no value.
  ///   - grid: the grid they stand on.
  ///   - title: a line above the map.
  ///   - unit: the unit of the values, for the legend.
  ///   - darkEnd: which values are dark.
  ///   - reference: the raster index of a cell to mark, or nil; its value does not count.
  ///   - scale: the colour scale; nil fits one to the values.
  ///   - style: how cells are painted.
  /// - Precondition: there is a value for every cell.
  public static func render(
    values: [Double], grid: TokenGrid, title: String, unit: String, darkEnd: DarkEnd,
    reference: Int? = nil, scale: ColorScale? = nil, style: Style = .standardOutput
  ) -> String {
    precondition(values.count == grid.cellCount, "a value for every cell")
    var shown = values
    if let reference { shown[reference] = .nan }
    guard let scale = scale ?? ColorScale.fitting(shown, darkEnd: darkEnd) else {
      return "\(title)\nno cell has a finite value\n"
    }
    let cells = shown.indices.map { index -> Cell in
      if index == reference { return .reference }
      return shown[index].isFinite ? .darkness(scale.darkness(of: shown[index])) : .noValue
    }
    var lines = [title]
    for frame in 0..<grid.frames {
      if grid.isVideo { lines.append("frame \(frame)") }
      let start = frame * grid.rows * grid.columns
      let rows = (0..<grid.rows).map { row in
        Array(cells[start + row * grid.columns..<start + (row + 1) * grid.columns])
      }
      lines += style == .plain ? rows.map(plain) : halfBlocks(rows, style: style)
    }
    lines.append(
      legend(
        scale: scale, unit: unit, hasReference: reference != nil,
        hasMissing: cells.contains { $0 == .noValue }, style: style))
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Cells

  private enum Cell: Equatable {
    case darkness(Double)
    case reference
    case noValue

    /// The parameters of the escape sequence that selects its colour.
    func code(_ style: Style) -> String {
      if style == .trueColor {
        let color =
          switch self {
          case .darkness(let darkness): ColorRamp.reds.color(at: darkness)
          case .reference: RGB(red: 31, green: 95, blue: 191)
          case .noValue: RGB(red: 138, green: 138, blue: 138)
          }
        return "2;\(color.red);\(color.green);\(color.blue)"
      }
      return switch self {
      case .darkness(let darkness): "5;\(TerminalPreview.level(darkness, of: indexedReds))"
      case .reference: "5;26"
      case .noValue: "5;245"
      }
    }

    /// Two characters, which together are about square.
    var characters: String {
      switch self {
      case .darkness(let darkness):
        return String(repeating: TerminalPreview.level(darkness, of: shades), count: 2)
      case .reference: return "[]"
      case .noValue: return "??"
      }
    }
  }

  /// From light to dark on white paper: the more ink, the darker.
  private static let shades: [Character] = Array(".:-=+*#%@")

  /// The reds among xterm's 256 colours, from light to dark.
  private static let indexedReds = [224, 217, 210, 203, 196, 160, 124, 88, 52]

  /// The entry of a ramp that stands for `darkness`, from 0 to 1.
  private static func level<Entry>(_ darkness: Double, of ramp: [Entry]) -> Entry {
    ramp[Int((min(max(darkness, 0), 1) * Double(ramp.count - 1)).rounded())]
  }

  private static func plain(_ row: [Cell]) -> String {
    row.map(\.characters).joined()
  }

  /// Two rows of cells in one line: the upper is the foreground of a half block, the lower its
  /// background.
  private static func halfBlocks(_ rows: [[Cell]], style: Style) -> [String] {
    stride(from: 0, to: rows.count, by: 2).map { top in
      var line = ""
      var current = ""
      for column in rows[top].indices {
        var colors = "\(escape)38;\(rows[top][column].code(style))m"
        if top + 1 < rows.count {
          colors += "\(escape)48;\(rows[top + 1][column].code(style))m"
        }
        if colors != current { line += colors }
        current = colors
        line += "▀"
      }
      return line + reset
    }
  }

  private static let escape = "\u{1B}["
  private static let reset = "\u{1B}[0m"

  // MARK: Legend

  private static func legend(
    scale: ColorScale, unit: String, hasReference: Bool, hasMissing: Bool, style: Style
  ) -> String {
    let steps = 16
    let darkness = (0...steps).map { Double($0) / Double(steps) }
    func paint(_ cell: Cell, _ count: Int) -> String {
      style == .plain
        ? String(cell.characters.prefix(count))
        : "\(escape)38;\(cell.code(style))m" + String(repeating: "█", count: count) + reset
    }
    let bar =
      style == .plain ? String(shades) : darkness.map { paint(.darkness($0), 1) }.joined()
    let (light, dark) = scale.darkEnd == .low ? (scale.high, scale.low) : (scale.low, scale.high)
    var text = "\(NumberText.rounded(light)) \(bar) \(NumberText.rounded(dark)) \(unit)"
    if scale.gamma != 1 { text += " (gamma \(scale.gamma))" }
    if hasReference { text += ", \(paint(.reference, 2)) reference" }
    if hasMissing { text += ", \(paint(.noValue, 2)) no value" }
    return text
  }
}
