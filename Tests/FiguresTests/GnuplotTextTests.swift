import Testing

@testable import Figures

@Test(arguments: [
  ("plain", "'plain'"), ("it's", "'it'.\"'\".'s'"), ("a_b^c@d&e{f}", "'a_b^c@d&e{f}'"),
  ("back\\slash", "'back\\slash'"), ("`ls`", "'`ls`'"), ("\"q\"", "'\"q\"'"),
  ("Größe 汉", "'Größe 汉'"),
  ("two\nlines\tand\u{7}bell\u{2028}", "'two lines and bell '"), ("", "''"),
])
func textIsQuoted(text: String, literal: String) {
  #expect(GnuplotText.quoted(text) == literal)
}

@Test(arguments: [
  ("fact", "# fact"), ("two\nlines", "# two\n# lines"), ("", "#"), ("ends in \\", "# ends in \\ "),
  ("windows\r\nends", "# windows\n# ends"), ("a\u{0}b", "# a b"),
])
func textIsCommented(text: String, comment: String) {
  #expect(GnuplotText.comment(text) == comment)
}

@Test func wrappingKeepsWordsAndWidths() {
  let text = "one two three four five six seven eight nine ten m\u{A0}=\u{A0}10,000 eleven"
  let lines = GnuplotText.wrapped(text, toWidth: 10)
  #expect(lines.joined(separator: " ") == text.replacing("\u{A0}", with: " "))
  #expect(lines.contains { $0.contains("m = 10,000") })
  #expect(lines.allSatisfy { GnuplotText.width(of: $0) <= 10 })
  let path = "/" + String(repeating: "folder/", count: 10)
  let pieces = GnuplotText.wrapped("in \(path)", toWidth: 10)
  #expect(pieces.joined() == "in" + path)
  #expect(pieces.allSatisfy { GnuplotText.width(of: $0) <= 10 })
  #expect(GnuplotText.wrapped("", toWidth: 2).isEmpty)
}

@Test func shorteningMarksWhatIsMissing() {
  #expect(GnuplotText.shortened("raster", to: 6) == "raster")
  #expect(GnuplotText.shortened("rasters", to: 6) == "raste…")
}
