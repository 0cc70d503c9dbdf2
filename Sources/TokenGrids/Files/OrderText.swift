/// The bytes of an order file, read from front to back, and the place reached in them.
struct OrderText {
  let file: String
  let bytes: [UInt8]
  private(set) var offset = 0
  private(set) var line = 1
  private(set) var column = 1

  /// - Throws: ``OrderFileError`` where the bytes are empty or not UTF-8. A byte order mark is skipped.
  init(file: String, bytes: [UInt8]) throws(OrderFileError) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.file = file
    self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    try checkUTF8()
    guard !self.bytes.allSatisfy({ Self.isBlank($0) || Self.isLineEnd($0) }) else {
      throw .empty(file: file)
    }
  }

  /// The byte at the place reached, or nil at the end.
  var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// The byte after it.
  var afterNext: UInt8? { offset + 1 < bytes.count ? bytes[offset + 1] : nil }

  /// Moves one byte on; columns count characters (Unicode scalars), and a return with a line feed ends one line.
  mutating func advance() {
    let byte = bytes[offset]
    offset += 1
    if byte == Self.lineFeed || (byte == Self.carriageReturn && next != Self.lineFeed) {
      line += 1
      column = 1
    } else if next.map({ $0 & 0xC0 != 0x80 }) ?? true {
      column += 1
    }
  }

  /// Moves on while the bytes are such, and returns those passed.
  @discardableResult
  mutating func advance(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = offset
    while let byte = next, condition(byte) { advance() }
    return bytes[start..<offset]
  }

  /// An error at the place reached, which quotes what stands there.
  func unexpected(expected: String) -> OrderFileError {
    var word = bytes[offset...].prefix { !Self.isDelimiter($0) }
    if word.isEmpty { word = bytes[offset...].prefix(1) }
    return unexpected(word, line: line, column: column, expected: expected)
  }

  /// An error at a place already passed.
  func unexpected(
    _ found: ArraySlice<UInt8>, line: Int, column: Int, expected: String
  ) -> OrderFileError {
    .unexpected(
      file: file, line: line, column: column, found: Self.quoted(found), expected: expected)
  }

  /// The whole number from 0 that the bytes write, also as `3.0` or `3e0`; nil for anything else.
  static func wholeNumber(_ bytes: ArraySlice<UInt8>) -> Int? {
    let text = String(decoding: bytes, as: UTF8.self)
    if let number = Int(text) { return number >= 0 ? number : nil }
    guard bytes.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text),
      number >= 0, number < 0x1p53
    else { return nil }
    return Int(exactly: number)
  }

  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")

  static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 9 }
  static func isLineEnd(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }
  static func isDelimiter(_ byte: UInt8) -> Bool {
    isBlank(byte) || isLineEnd(byte) || ",;:[]{}\"".utf8.contains(byte)
  }

  /// The bytes in quotes, shortened, with control characters spelt out.
  private static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    guard let first = bytes.first else { return "the end of the file" }
    if isLineEnd(first) { return "the end of the line" }
    let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
    let shown = scalars.prefix(24).map {
      $0.value < 32 || $0.value == 127 ? $0.escaped(asASCII: true) : "\($0)"
    }
    return "'" + shown.joined() + (scalars.count > 24 ? "…'" : "'")
  }

  private func checkUTF8() throws(OrderFileError) {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var (line, column) = (1, 1)
    while true {
      switch decoder.decode(&iterator) {
      case .emptyInput: return
      case .error: throw .notUTF8(file: file, line: line, column: column)
      case .scalarValue("\n"): (line, column) = (line + 1, 1)
      case .scalarValue: column += 1
      }
    }
  }
}
