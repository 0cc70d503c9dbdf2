import Reporting
import Testing

@Test func controlCharactersAreShown() {
  #expect("plain\ttext, ± nats\n".displayed == "plain\ttext, ± nats\n")
  #expect("a\u{1B}[31mred".displayed == "a\\u{1B}[31mred")
  #expect("back\r\u{8}\u{7F}\u{9B}1m\0".displayed == "back\\u{D}\\u{8}\\u{7F}\\u{9B}1m\\u{0}")
  // The second byte of these is that of a control character after another first one.
  #expect("Àß\u{A0}漢".displayed == "Àß\u{A0}漢")
}
