import Files

/// Reads the JSON of an order file value by value, and knows the line and column of each.
struct JSONScanner {
  /// The place up to which lines and columns have been counted, at most that of ``reader``.
  private var text: OrderText
  private var reader: JSONReader

  /// How deep arrays and objects may nest, so that no file can exhaust the stack.
  static let deepestNesting = 64

  init(text: OrderText) {
    self.text = text
    reader = JSONReader(text.bytes, deepestNesting: Self.deepestNesting)
  }

  var file: String { text.file }

  /// The line and column of the value that comes next, once the space before it is skipped.
  var place: (line: Int, column: Int) {
    mutating get {
      text.advance(to: reader.offset)
      return (text.line, text.column)
    }
  }

  /// Whether the value that comes next is an array.
  var isArrayNext: Bool { reader.next == UInt8(ascii: "[") }

  /// Goes on to the value that comes next.
  mutating func skipSpace() { reader.skipSpace() }

  /// Reads an object: `member` is called with each name and its line, and has to read the value.
  ///
  /// Names are as they are written: none that matters has escapes.
  mutating func members(
    _ member: (_ name: String, _ line: Int, inout JSONScanner) throws(OrderFileError) -> Void
  ) throws(OrderFileError) {
    var isThere = try enter(.object, expected: "'{'")
    while isThere {
      let line = place.line
      guard reader.next == UInt8(ascii: "\"") else { throw unexpected(Self.wording(.name)) }
      let characters = try reading { reader throws(JSONProblem) in
        let characters = try reader.skipString()
        try reader.expect(":")
        reader.skipSpace()
        return characters
      }
      try member(String(decoding: text.bytes[characters], as: UTF8.self), line, &self)
      isThere = try reading { reader throws(JSONProblem) in try reader.goesOn(in: .object) }
    }
  }

  /// Reads an array: `element` is called before each element, and has to read it.
  mutating func elements(
    of expected: String, _ element: (inout JSONScanner) throws(OrderFileError) -> Void
  ) throws(OrderFileError) {
    var isThere = try enter(.array, expected: expected)
    while isThere {
      try element(&self)
      isThere = try reading { reader throws(JSONProblem) in try reader.goesOn(in: .array) }
    }
  }

  /// Reads a whole number from 0, also as `3.0` or `3e0`.
  mutating func wholeNumber() throws(OrderFileError) -> Int {
    text.advance(to: reader.offset)
    guard let number = OrderText.wholeNumber(reader.word()) else {
      throw text.unexpected(expected: "a whole number from 0")
    }
    return number
  }

  /// Reads a value of any kind.
  mutating func skipValue() throws(OrderFileError) {
    try reading { reader throws(JSONProblem) in try reader.skipValue() }
  }

  /// Checks that nothing but space is left.
  mutating func expectEnd() throws(OrderFileError) {
    try reading { reader throws(JSONProblem) in try reader.expectEnd() }
  }

  /// The error of an object that has ended without the member.
  mutating func missing(_ member: String) -> OrderFileError {
    .wrongMember(file: file, line: place.line, member: member, isRepeated: false)
  }

  /// The error of an object that names the member again.
  func repeated(_ member: String, line: Int) -> OrderFileError {
    .wrongMember(file: file, line: line, member: member, isRepeated: true)
  }

  private mutating func enter(
    _ list: JSONList, expected: String
  ) throws(OrderFileError) -> Bool {
    reader.skipSpace()
    guard reader.next == UInt8(ascii: list.opening) else { throw unexpected(expected) }
    return try reading { reader throws(JSONProblem) in try reader.enter(list) }
  }

  private mutating func reading<Value>(
    _ body: (inout JSONReader) throws(JSONProblem) -> Value
  ) throws(OrderFileError) -> Value {
    do throws(JSONProblem) { return try body(&reader) } catch {
      text.advance(to: error.offset)
      throw text.unexpected(expected: Self.wording(error.expected))
    }
  }

  /// An error at the place reached.
  private mutating func unexpected(_ expected: String) -> OrderFileError {
    text.advance(to: reader.offset)
    return text.unexpected(expected: expected)
  }

  private static func wording(_ expected: JSONProblem.Expectation) -> String {
    switch expected {
    case .name: "a name in quotes"
    case .character("\""): "text in quotes"
    case .character(let character): "'\(character)'"
    case .endOf(let list): "',' or '\(list.closing)'"
    case .nesting(let most): "at most \(most) nested arrays and objects"
    case .endOfDocument: "the end of the file"
    case .endOfString: "'\"'"
    case .noControlCharacter: "'\"' at the end of the text"
    case .textInUTF8: "text in UTF-8"
    case .endOfEscape, .escape: "one of \" \\ / b f n r t u after '\\'"
    case .hexadecimal, .secondHalf, .wholeCharacter: "four hexadecimal digits after '\\u'"
    case .wholeNumber, .smallerNumber: "a whole number from 0"
    case .value: "a JSON value"
    }
  }
}

extension OrderText {
  /// Moves on to a place that has not been passed.
  fileprivate mutating func advance(to offset: Int) {
    while self.offset < offset { advance() }
  }
}
