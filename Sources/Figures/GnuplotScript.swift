/// A rectangle on the page, in points from its top left corner.
struct PageRectangle: Equatable {
  var x: Double
  var y: Double
  var width: Double
  var height: Double
}

/// A gnuplot script that places everything in points on a page of known size.
///
/// Positions are written as `X(72)` and `Y(72)`: points from the left and from the top.
struct GnuplotScript {
  /// Where a text is anchored.
  enum Alignment: String {
    case left, center, right
  }

  private(set) var lines: [String] = []
  /// The size of ordinary text, in points.
  let fontSize: Double
  /// The width of the page in points.
  let width: Double
  private var labels = 0

  /// Begins a script: what it is, how it was made, and the terminal it draws on.
  ///
  /// - Parameters:
  ///   - summary: one line that says what the figure shows.
  ///   - pixelsPerPoint: the resolution of PNG; reduced where the page would exceed what image
  ///     viewers open.
  init(
    name: String, summary: String, provenance: [String], width: Double, height: Double,
    fontSize: Double, pixelsPerPoint: Double = 2
  ) {
    let (width, height) = (width.rounded(.up), height.rounded(.up))
    self.fontSize = fontSize
    self.width = width
    let largestSide = 16_000.0
    let scale = min(pixelsPerPoint, largestSide / max(width, height))
    let font = "font \"sans-serif,\(Self.number(fontSize))\""
    // Cairo and gd terminals take a font's point for 4/3 of a pixel.
    lines = [
      GnuplotText.comment(summary),
      "#",
      provenance.map(GnuplotText.comment).joined(separator: "\n"),
      "#",
      GnuplotText.comment("Draw it in this folder:    gnuplot \(name).gp"),
      GnuplotText.comment("as png, svg or pdf:        gnuplot -e \"format='pdf'\" \(name).gp"),
      "",
      "if (!exists(\"format\")) format = 'png'",
      "if (!exists(\"output\")) output = \(GnuplotText.quoted(name + ".")).format",
      "data = \(GnuplotText.quoted(name + ".dat"))",
      "width = \(Self.number(width)).; height = \(Self.number(height)).  # of the page, in points",
      "scale = \(Self.number(scale))  # pixels per point in png",
      "has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0",
      "",
      "if (format eq 'png' && has('pngcairo')) {",
      "  set terminal pngcairo noenhanced size scale*width,scale*height \(font) \\",
      "    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'",
      "} else { if (format eq 'png' && has('png')) {",
      "  set terminal png noenhanced truecolor size scale*width,scale*height \(font) \\",
      "    fontscale 0.75*scale linewidth scale background '#ffffff'",
      "} else { if (format eq 'svg' && has('svg')) {",
      "  set terminal svg noenhanced size width,height fixed \(font) background '#ffffff'",
      "} else { if (format eq 'pdf' && has('pdfcairo')) {",
      "  set terminal pdfcairo noenhanced size width/72,height/72 \(font) \\",
      "    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'",
      "} else {",
      "  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'",
      "} } } }",
      "set encoding utf8",
      "set output output",
      "",
      "X(points) = points / width  # from the left edge",
      "Y(points) = 1 - points / height  # from the top edge",
    ]
    if provenance.isEmpty { lines.removeSubrange(1...2) }
  }

  /// The whole script.
  var text: String { lines.joined(separator: "\n") + "\n" }

  /// Appends lines as they are.
  mutating func add(_ newLines: String...) { lines += newLines }

  /// Puts a text on the page, its vertical middle at `y`.
  mutating func text(
    _ text: String, x: Double, y: Double, align: Alignment = .left, size: Double? = nil,
    color: String? = nil
  ) {
    labels += 1
    var line = "set label \(labels) \(GnuplotText.quoted(text)) at screen X(\(Self.number(x))),"
    line += "screen Y(\(Self.number(y))) \(align.rawValue)"
    if let size { line += " font \",\(Self.number(size))\"" }
    if let color { line += " textcolor rgb '\(color)'" }
    add(line)
  }

  /// Puts a small text above the axes at one place of the x axis.
  ///
  /// gnuplot's `with labels` would cut a text at a double quote; `set label` takes any.
  mutating func text(_ text: String, aboveAxesAtX x: Double) {
    labels += 1
    add(
      "set label \(labels) \(GnuplotText.quoted(text)) at first \(x), graph 1 center offset 0,0.6"
        + " font \",\(Self.number(fontSize * 0.8))\"")
  }

  /// Puts the lines of a caption below each other, the first at `y`.
  mutating func caption(_ captionLines: [String], x: Double, y: Double) {
    for (index, line) in captionLines.enumerated() {
      text(
        line, x: x, y: y + Double(index) * fontSize * Self.captionLeading,
        size: fontSize * Self.captionSize, color: FigureColor.outline)
    }
  }

  /// Places the axes of the next plot.
  mutating func axes(_ rectangle: PageRectangle) {
    let (left, right) = (rectangle.x, rectangle.x + rectangle.width)
    let (top, bottom) = (rectangle.y, rectangle.y + rectangle.height)
    func screen(_ margin: String, _ function: String, _ points: Double) -> String {
      "set \(margin)margin at screen \(function)(\(Self.number(points)))"
    }
    add(
      screen("l", "X", left) + "; " + screen("r", "X", right),
      screen("t", "Y", top) + "; " + screen("b", "Y", bottom))
  }

  /// Puts the colour bar of the next plot into a rectangle, its label to the right.
  mutating func colorBar(_ rectangle: PageRectangle, label: String) {
    let (x, width) = (Self.number(rectangle.x), Self.number(rectangle.width))
    let (bottom, height) = (
      Self.number(rectangle.y + rectangle.height), Self.number(rectangle.height)
    )
    add(
      "set colorbox vertical user origin screen X(\(x)), screen Y(\(bottom))"
        + " size screen \(width)/width, screen \(height)/height",
      "set cbtics scale 0.4 offset -0.6,0 font \",\(Self.number(fontSize * 0.9))\"",
      "set format cb '%g'",
      "set cblabel \(GnuplotText.quoted(label))")
  }

  /// The least height of a colour bar; its label may reach a little beyond both ends.
  static func colorBarHeight(label: String, fontSize: Double) -> Double {
    (GnuplotText.width(of: label) - 4) * fontSize
  }

  /// Takes the texts off, so that the next plot of a page does not draw them again.
  mutating func removeLabels() {
    add("unset label")
    labels = 0
  }

  /// The size of caption text and the distance of its lines, in multiples of the font size.
  static let captionSize = 0.85
  static let captionLeading = 1.25

  /// `value` with at most two decimals.
  static func number(_ value: Double) -> String {
    DataTable.number((value * 100).rounded() / 100)
  }
}
