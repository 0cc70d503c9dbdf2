/// Reads JSON (RFC 8259) value by value, without a tree of it in memory, and knows the place of everything it reads.
///
/// Foundation's parser tells no places in the same way on every system, and builds all of a document before anything can be
/// refused. Who reads a format gives the limits and words the problems.
package struct JSONReader {
  /// The document, or the part of it that is read.
  package let bytes: [UInt8]
  /// The byte that comes next.
  package private(set) var offset = 0
  private var depth = 0
  private let deepestNesting: Int

  /// Starts before the first byte.
  ///
  /// - Parameter deepestNesting: How deep arrays and objects may nest, so that no file can exhaust the stack.
  package init(_ bytes: [UInt8], deepestNesting: Int) {
    self.bytes = bytes
    self.deepestNesting = deepestNesting
  }

  /// The byte at the place reached, or nil at the end.
  package var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  // MARK: Punctuation

  /// Steps over spaces, tabulators and ends of lines.
  package mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  /// Steps over the space that comes next and over `character`, if that is behind it.
  package mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// The same where nothing else may come.
  package mutating func expect(_ character: Unicode.Scalar) throws(JSONProblem) {
    guard take(character) else { throw problem(.character(character)) }
  }

  /// Checks that nothing but space is left.
  package mutating func expectEnd() throws(JSONProblem) {
    skipSpace()
    guard next == nil else { throw problem(.endOfDocument) }
  }

  // MARK: Arrays and objects

  /// Steps into an array or an object, up to its first element or name.
  ///
  /// - Returns: Whether there is one; an empty list has been passed otherwise.
  package mutating func enter(_ list: JSONList) throws(JSONProblem) -> Bool {
    try expect(list.opening)
    depth += 1
    guard depth <= deepestNesting else { throw problem(.nesting(atMost: deepestNesting)) }
    return !leave(list)
  }

  /// Steps to the next element or name of a list, after one has been read.
  ///
  /// - Returns: Whether there is one; the list's end has been passed otherwise.
  package mutating func goesOn(in list: JSONList) throws(JSONProblem) -> Bool {
    if take(",") {
      skipSpace()
      return true
    }
    guard leave(list) else { throw problem(.endOf(list)) }
    return false
  }

  private mutating func leave(_ list: JSONList) -> Bool {
    guard take(list.closing) else { return false }
    depth -= 1
    return true
  }

  // MARK: Values

  /// Reads a string, its escapes replaced by what they mean.
  package mutating func string() throws(JSONProblem) -> String {
    let start = try skipString()
    var characters: [UInt8] = []
    var at = start.lowerBound
    while at < start.upperBound {
      if bytes[at] == UInt8(ascii: "\\") {
        try unescape(&at, into: &characters)
      } else {
        characters.append(bytes[at])
        at += 1
      }
    }
    guard let text = String(validating: characters, as: UTF8.self) else {
      throw JSONProblem(.textInUTF8, at: start.upperBound)
    }
    return text
  }

  /// Steps over a string, whose escapes are checked.
  ///
  /// - Returns: Where its characters are, as they are written.
  @discardableResult
  package mutating func skipString() throws(JSONProblem) -> Range<Int> {
    try expect("\"")
    let start = offset
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw problem(.noControlCharacter) }
      offset += 1
      if byte == UInt8(ascii: "\\") { try skipEscape() }
    }
    guard next != nil else { throw problem(.endOfString) }
    offset += 1
    return start..<offset - 1
  }

  /// Reads a number of digits alone.
  package mutating func wholeNumber() throws(JSONProblem) -> Int {
    skipSpace()
    let start = offset
    var number = 0
    while let digit = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflowToo) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
      guard !overflow, !overflowToo else { throw JSONProblem(.smallerNumber, at: start) }
      number = sum
      offset += 1
    }
    guard offset > start else { throw problem(.wholeNumber) }
    return number
  }

  /// Reads what is no list and no string, up to the next space or punctuation; it may be empty.
  package mutating func word() -> ArraySlice<UInt8> {
    let start = offset
    while let byte = next, byte != 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09,
      !",;:[]{}\"".utf8.contains(byte)
    { offset += 1 }
    return bytes[start..<offset]
  }

  /// Steps over a value of any kind.
  package mutating func skipValue() throws(JSONProblem) {
    switch next {
    case UInt8(ascii: "{"):
      var isThere = try enter(.object)
      while isThere {
        guard next == UInt8(ascii: "\"") else { throw problem(.name) }
        try skipString()
        try expect(":")
        skipSpace()
        try skipValue()
        isThere = try goesOn(in: .object)
      }
    case UInt8(ascii: "["):
      var isThere = try enter(.array)
      while isThere {
        try skipValue()
        isThere = try goesOn(in: .array)
      }
    case UInt8(ascii: "\""): try skipString()
    default:
      let start = offset
      let word = String(decoding: word(), as: UTF8.self)
      guard ["true", "false", "null"].contains(word) || Self.isNumber(word) else {
        throw JSONProblem(.value, at: start)
      }
    }
  }

  private static func isNumber(_ word: String) -> Bool {
    word.allSatisfy { "0123456789+-.eE".contains($0) } && Double(word) != nil
  }

  // MARK: Escapes

  private mutating func skipEscape() throws(JSONProblem) {
    guard let letter = next else { throw problem(.endOfEscape) }
    guard "\"\\/bfnrtu".utf8.contains(letter) else { throw problem(.escape) }
    offset += 1
    guard letter == UInt8(ascii: "u") else { return }
    for _ in 0..<4 {
      guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else {
        throw problem(.hexadecimal)
      }
      offset += 1
    }
  }

  /// Reads an escape, whose letters and digits have been checked.
  private func unescape(
    _ at: inout Int, into characters: inout [UInt8]
  ) throws(JSONProblem) {
    let letter = bytes[at + 1]
    at += 2
    switch letter {
    case UInt8(ascii: "b"): characters.append(8)
    case UInt8(ascii: "f"): characters.append(12)
    case UInt8(ascii: "n"): characters.append(10)
    case UInt8(ascii: "r"): characters.append(13)
    case UInt8(ascii: "t"): characters.append(9)
    case UInt8(ascii: "u"):
      var unit = hexadecimal(&at)
      // A character beyond the first plane comes as two escapes.
      if (0xD800..<0xDC00).contains(unit), bytes[at] == UInt8(ascii: "\\") {
        guard bytes[at + 1] == UInt8(ascii: "u") else {
          throw JSONProblem(.secondHalf, at: at + 1)
        }
        at += 2
        let low = hexadecimal(&at)
        guard (0xDC00..<0xE000).contains(low) else { throw JSONProblem(.secondHalf, at: at) }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw JSONProblem(.wholeCharacter, at: at) }
      characters.append(contentsOf: String(scalar).utf8)
    default: characters.append(letter)
    }
  }

  private func hexadecimal(_ at: inout Int) -> UInt32 {
    defer { at += 4 }
    return bytes[at..<at + 4].reduce(0) {
      $0 << 4 | UInt32(Character(Unicode.Scalar($1)).hexDigitValue ?? 0)
    }
  }

  private func problem(_ expected: JSONProblem.Expectation) -> JSONProblem {
    JSONProblem(expected, at: offset)
  }
}

/// The two kinds of lists.
package enum JSONList: Equatable, Sendable {
  case array, object

  package var opening: Unicode.Scalar { self == .array ? "[" : "{" }
  package var closing: Unicode.Scalar { self == .array ? "]" : "}" }
}

/// What was expected at a place of a document and is not there.
package struct JSONProblem: Error, Equatable {
  /// What was expected.
  package enum Expectation: Equatable, Sendable {
    case character(Unicode.Scalar)
    /// The name of a member of an object, in quotes.
    case name
    /// A comma or the end of a list.
    case endOf(JSONList)
    case nesting(atMost: Int)
    case endOfDocument, endOfString, noControlCharacter, textInUTF8
    case endOfEscape, escape, hexadecimal, secondHalf, wholeCharacter
    case wholeNumber
    /// A number below 2^63.
    case smallerNumber
    case value
  }

  package let expected: Expectation
  /// The byte where it was expected, from 0.
  package let offset: Int

  init(_ expected: Expectation, at offset: Int) {
    self.expected = expected
    self.offset = offset
  }
}
