import Testing

@testable import TokenGrids

@Suite struct OrderTextTests {
  @Test func countsLinesAndCharacters() throws {
    var text = try OrderText(file: "f", bytes: Array("aé\r\nb\rc\n€d".utf8))
    var places: [[Int]] = []
    while text.next != nil {
      places.append([text.line, text.column])
      text.advance()
    }
    // a, the two bytes of é, return, feed, b, return, c, feed, the three bytes of €, d
    #expect(
      places == [
        [1, 1], [1, 2], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [3, 2], [4, 1], [4, 1],
        [4, 1], [4, 2],
      ])
  }

  @Test func skipsTheByteOrderMark() throws {
    let text = try OrderText(file: "f", bytes: [0xEF, 0xBB, 0xBF] + Array("1".utf8))
    #expect(text.bytes == Array("1".utf8))
  }

  @Test(arguments: ["", " ", "\n\n", "\t \r\n"]) func nothingIsEmpty(text: String) {
    #expect(throws: OrderFileError.empty(file: "f")) {
      try OrderText(file: "f", bytes: Array(text.utf8))
    }
  }

  @Test(
    arguments: [
      ([0xFF, 0xFE, 0x31, 0x00], 1, 1), ([0x31, 0x0A, 0x32, 0xC3], 2, 2), ([0x31, 0x80], 1, 2),
      ([0xC3, 0xA9, 0xF0, 0x9F, 0x0A], 1, 2),
    ] as [([UInt8], Int, Int)])
  func otherEncodingsAreRefused(bytes: [UInt8], line: Int, column: Int) {
    #expect(throws: OrderFileError.notUTF8(file: "f", line: line, column: column)) {
      try OrderText(file: "f", bytes: bytes)
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("12", 12), ("007", 7), ("3.0", 3), ("1.500e+01", 15),
      ("0.000000000000000000e+00", 0),
      ("-1", nil), ("1.5", nil), ("", nil), ("nan", nil), ("inf", nil), ("0x10", nil), ("1_0", nil),
      ("1e400", nil), ("99999999999999999999", nil), ("e", nil), ("é", nil), ("-0.5", nil),
    ] as [(String, Int?)])
  func readsWholeNumbers(text: String, number: Int?) {
    #expect(OrderText.wholeNumber(Array(text.utf8)[...]) == number)
  }
}
