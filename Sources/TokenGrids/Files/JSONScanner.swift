/// Reads JSON (RFC 8259) value by value, and knows the line and column of each.
///
/// Foundation's parser tells neither in the same way on every system, and an order file's reader needs both.
struct JSONScanner {
  private var text: OrderText
  private var depth = 0

  /// How deep arrays and objects may nest, so that no file can exhaust the stack.
  static let deepestNesting = 64

  init(text: OrderText) { self.text = text }

  var file: String { text.file }

  /// The line and column of the value that comes next, once the space before it is skipped.
  var place: (line: Int, column: Int) { (text.line, text.column) }

  /// Reads an object: `member` is called with each name and its line, and has to read the value.
  mutating func members(
    _ member: (_ name: String, _ line: Int, inout JSONScanner) throws(OrderFileError) -> Void
  ) throws(OrderFileError) {
    try list("{", "}", expected: "'{'") { scanner throws(OrderFileError) in
      let line = scanner.text.line
      let name = try scanner.string(expected: "a name in quotes")
      scanner.skipSpace()
      try scanner.expect(":")
      scanner.skipSpace()
      try member(name, line, &scanner)
    }
  }

  /// Reads an array: `element` is called before each element, and has to read it.
  mutating func elements(
    of expected: String, _ element: (inout JSONScanner) throws(OrderFileError) -> Void
  ) throws(OrderFileError) {
    try list("[", "]", expected: expected, element)
  }

  /// Reads a whole number from 0.
  mutating func wholeNumber() throws(OrderFileError) -> Int {
    let (line, column) = place
    let token = text.advance(while: { !OrderText.isDelimiter($0) })
    guard let number = OrderText.wholeNumber(token) else {
      let expected = "a whole number from 0"
      if token.isEmpty { throw text.unexpected(expected: expected) }
      throw text.unexpected(token, line: line, column: column, expected: expected)
    }
    return number
  }

  /// Reads a value of any kind.
  mutating func skipValue() throws(OrderFileError) {
    switch text.next {
    case UInt8(ascii: "{"):
      try members { _, _, scanner throws(OrderFileError) in try scanner.skipValue() }
    case UInt8(ascii: "["):
      try elements(of: "an array") { scanner throws(OrderFileError) in try scanner.skipValue() }
    case UInt8(ascii: "\""):
      _ = try string(expected: "text in quotes")
    default:
      let (line, column) = place
      let token = text.advance(while: { !OrderText.isDelimiter($0) })
      let word = String(decoding: token, as: UTF8.self)
      guard ["true", "false", "null"].contains(word) || Self.isNumber(word) else {
        if token.isEmpty { throw text.unexpected(expected: "a JSON value") }
        throw text.unexpected(token, line: line, column: column, expected: "a JSON value")
      }
    }
  }

  /// Checks that nothing but space is left.
  mutating func expectEnd() throws(OrderFileError) {
    skipSpace()
    guard text.next == nil else { throw text.unexpected(expected: "the end of the file") }
  }

  /// The error of an object that has ended without the member.
  func missing(_ member: String) -> OrderFileError {
    .wrongMember(file: file, line: text.line, member: member, isRepeated: false)
  }

  /// The error of an object that names the member again.
  func repeated(_ member: String, line: Int) -> OrderFileError {
    .wrongMember(file: file, line: line, member: member, isRepeated: true)
  }

  private mutating func list(
    _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, expected: String,
    _ element: (inout JSONScanner) throws(OrderFileError) -> Void
  ) throws(OrderFileError) {
    skipSpace()
    try expect(opening, expected: expected)
    depth += 1
    guard depth <= Self.deepestNesting else {
      throw text.unexpected(expected: "at most \(Self.deepestNesting) nested arrays and objects")
    }
    skipSpace()
    if text.next != UInt8(ascii: closing) {
      try element(&self)
      skipSpace()
      while text.next == UInt8(ascii: ",") {
        text.advance()
        skipSpace()
        try element(&self)
        skipSpace()
      }
    }
    try expect(closing, expected: "',' or '\(closing)'")
    depth -= 1
  }

  private mutating func expect(
    _ scalar: Unicode.Scalar, expected: String? = nil
  ) throws(OrderFileError) {
    guard text.next == UInt8(ascii: scalar) else {
      throw text.unexpected(expected: expected ?? "'\(scalar)'")
    }
    text.advance()
  }

  private mutating func skipSpace() {
    text.advance(while: { OrderText.isBlank($0) || OrderText.isLineEnd($0) })
  }

  /// Reads a string; its escapes are checked and kept as they are written, since no name that matters has any.
  private mutating func string(expected: String) throws(OrderFileError) -> String {
    try expect("\"", expected: expected)
    let start = text.offset
    while let byte = text.next, byte != UInt8(ascii: "\"") {
      guard byte >= 32 else { throw text.unexpected(expected: "'\"' at the end of the text") }
      text.advance()
      if byte == UInt8(ascii: "\\") { try skipEscape() }
    }
    let name = String(decoding: text.bytes[start..<text.offset], as: UTF8.self)
    try expect("\"")
    return name
  }

  private mutating func skipEscape() throws(OrderFileError) {
    guard let letter = text.next, "\"\\/bfnrtu".utf8.contains(letter) else {
      throw text.unexpected(expected: "one of \" \\ / b f n r t u after '\\'")
    }
    text.advance()
    guard letter == UInt8(ascii: "u") else { return }
    for _ in 0..<4 {
      guard let digit = text.next, Character(Unicode.Scalar(digit)).isHexDigit else {
        throw text.unexpected(expected: "four hexadecimal digits after '\\u'")
      }
      text.advance()
    }
  }

  private static func isNumber(_ word: String) -> Bool {
    word.allSatisfy { "0123456789+-.eE".contains($0) } && Double(word) != nil
  }
}
