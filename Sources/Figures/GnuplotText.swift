/// How text from outside enters a gnuplot script or data file.
///
/// Scripts select `noenhanced` terminals, in which `_ ^ { } @ & ~` stand for themselves, and quote
/// every text in single quotes, where gnuplot replaces neither backslashes, macros nor commands in
/// backquotes. What is left to escape is the quote itself and anything that would end the line.
enum GnuplotText {
  /// `text` as a gnuplot string literal, in single quotes, on one line.
  ///
  /// A doubled quote stands for one only where gnuplot 5.4 meets it alone and not at the start, so that quotes have
  /// double quotes around them and are joined to the rest.
  static func quoted(_ text: String) -> String {
    var parts: [String] = []
    var rest = Substring(oneLine(text))
    while !rest.isEmpty {
      let isQuote = rest.first == "'"
      let part = rest.prefix { ($0 == "'") == isQuote }
      parts.append(isQuote ? "\"\(part)\"" : "'\(part)'")
      rest = rest[part.endIndex...]
    }
    return parts.isEmpty ? "''" : parts.joined(separator: ".")
  }

  /// `text` as comment lines; a text of several lines becomes several comments.
  static func comment(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { line in
        var comment = line.isEmpty ? "#" : "# " + oneLine(String(line))
        // A backslash at the end would pull the next line into the comment.
        if comment.hasSuffix("\\") { comment += " " }
        return comment
      }
      .joined(separator: "\n")
  }

  /// `text` with every line break and control character replaced by a space.
  static func oneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .lineSeparator, .paragraphSeparator: " "
          default: scalar
          }
        }))
  }

  /// About how wide `text` is, in multiples of the font size; rather too wide than too narrow.
  ///
  /// Measured on DejaVu Sans, the widest of the usual sans-serif fonts; East Asian characters are
  /// one em.
  static func width(of text: String) -> Double {
    text.unicodeScalars.reduce(0) { sum, scalar in
      switch scalar.value {
      case 0x1100...0x11FF, 0x2E80...0xD7FF, 0xF900...0xFAFF, 0xFF00...0xFF60, 0x1F000...0x3FFFF:
        sum + 1
      default: sum + (scalar.properties.isUppercase ? 0.72 : scalar == " " ? 0.34 : 0.6)
      }
    }
  }

  /// `text` broken into lines of at most `width` ems: between words, or within a word that is
  /// longer than a line.
  ///
  /// Words joined by a no-break space stay together; the lines have ordinary spaces.
  static func wrapped(_ text: String, toWidth width: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(whereSeparator: { $0 == " " || $0.isNewline }) {
      if let last = lines.last, Self.width(of: last + " " + word) <= width {
        lines[lines.count - 1] = last + " " + word
        continue
      }
      var line = ""
      for character in word {
        if !line.isEmpty, Self.width(of: line + String(character)) > width {
          lines.append(line)
          line = ""
        }
        line.append(character)
      }
      lines.append(line)
    }
    return lines.map { $0.replacing("\u{A0}", with: " ") }
  }

  /// `text`, or its beginning and an ellipsis where it has more than `count` characters.
  static func shortened(_ text: String, to count: Int) -> String {
    text.count <= count ? text : text.prefix(count - 1) + "…"
  }
}
