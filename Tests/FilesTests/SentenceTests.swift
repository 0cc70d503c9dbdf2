import Testing

@Test func aSentenceIsOneLineOfSomeLength() {
  #expect("f.pt: tensor ä\tb is 3 × 4".asSentence == "f.pt: tensor ä\\u{9}b is 3 × 4")
  #expect(
    "two\nlines\r\n\u{1B}[31mred\u{85}\u{7F}\0".asSentence
      == "two\\u{A}lines\\u{D}\\u{A}\\u{1B}[31mred\\u{85}\\u{7F}\\u{0}")
  let exact = String(repeating: "n", count: 2000)
  #expect(exact.asSentence == exact)
  let long = "file: \(String(repeating: "n", count: 1 << 20)) is no name".asSentence
  #expect(long.hasPrefix("file: nnn") && long.hasSuffix("nnn is no name"))
  #expect(long.count == 2000 * 2 / 3 + 3 + 2000 / 3)
}
