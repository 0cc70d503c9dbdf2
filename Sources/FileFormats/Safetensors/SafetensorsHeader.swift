import Files

/// The header of a safetensors file: read, and checked against the file's size.
struct SafetensorsHeader {
  /// The header's free-form strings.
  private(set) var metadata: [String: String] = [:]
  /// The tensors, by the place of their bytes.
  private(set) var entries: [SafetensorsEntry] = []
  /// The types of tensors whose numbers this version does not know, by name: they refuse a file only where they are needed.
  private(set) var unknownTypes: [String: String] = [:]

  /// Reads the header at the start of `bytes`, the whole file.
  ///
  /// - Throws: ``SafetensorsError`` that names `path` and the tensor or byte at fault.
  init(bytes: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    guard bytes.count >= 8 else {
      throw .truncatedHeader(file: path, fileBytes: bytes.count, headerBytes: 0)
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(SafetensorsFile.largestHeader) else {
      throw .oversizedHeader(file: path, headerBytes: length)
    }
    guard length <= UInt64(bytes.count - 8) else {
      throw .truncatedHeader(file: path, fileBytes: bytes.count, headerBytes: length)
    }
    let dataStart = 8 + Int(length)
    var parser = HeaderParser(header: Array(bytes[8..<dataStart]), path: path)
    let drafts = try parser.header(metadata: &metadata)
    let dataBytes = bytes.count - dataStart
    entries.reserveCapacity(drafts.count)
    var places: [(bytes: Range<Int>, name: String)] = []
    for draft in drafts {
      guard SafetensorsType(rawValue: draft.type) != nil else {
        unknownTypes[draft.name] = draft.type
        let offsets = try Self.offsets(draft, dataBytes: dataBytes, path: path)
        places.append((dataStart + offsets.lowerBound..<dataStart + offsets.upperBound, draft.name))
        continue
      }
      let entry = try Self.entry(draft, dataBytes: dataBytes, dataStart: dataStart, path: path)
      entries.append(entry)
    }
    places += entries.map { ($0.bytes, $0.name) }
    try Self.checkCoverage(&places, dataStart: dataStart, end: bytes.count, path: path)
    entries.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name)
        < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
    }
  }

  private static func offsets(
    _ draft: HeaderParser.Draft, dataBytes: Int, path: String
  ) throws(SafetensorsError) -> Range<Int> {
    guard draft.offsets.count == 2, draft.offsets[0] <= draft.offsets[1],
      draft.offsets[1] <= dataBytes
    else {
      throw .offsetsOutsideData(
        file: path, tensor: draft.name, offsets: draft.offsets, dataBytes: dataBytes)
    }
    return draft.offsets[0]..<draft.offsets[1]
  }

  private static func entry(
    _ draft: HeaderParser.Draft, dataBytes: Int, dataStart: Int, path: String
  ) throws(SafetensorsError) -> SafetensorsEntry {
    guard let type = SafetensorsType(rawValue: draft.type) else {
      throw .unknownType(file: path, tensor: draft.name, type: draft.type)
    }
    _ = try offsets(draft, dataBytes: dataBytes, path: path)
    let size: Int
    do {
      let claimed = try FileClaim.bytes(draft.shape.filter { $0 != 0 }, each: type.byteCount)
      size = draft.shape.contains(0) ? 0 : claimed
    } catch {
      throw .impossibleShape(file: path, tensor: draft.name, shape: draft.shape)
    }
    guard size == draft.offsets[1] - draft.offsets[0] else {
      throw .sizeMismatch(
        file: path, tensor: draft.name, shape: draft.shape, type: type,
        bytes: draft.offsets[1] - draft.offsets[0])
    }
    return SafetensorsEntry(
      name: draft.name, type: type, shape: draft.shape,
      bytes: dataStart + draft.offsets[0]..<dataStart + draft.offsets[1])
  }

  /// Sorts the tensors by place and makes sure that they cover the data, each byte once.
  private static func checkCoverage(
    _ places: inout [(bytes: Range<Int>, name: String)], dataStart: Int, end: Int, path: String
  ) throws(SafetensorsError) {
    places.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name)
        < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
    }
    var covered = dataStart
    var previous = ""
    for entry in places {
      guard entry.bytes.lowerBound >= covered else {
        throw .overlap(file: path, first: previous, second: entry.name)
      }
      guard entry.bytes.lowerBound == covered else {
        throw .gap(file: path, before: entry.name, bytes: entry.bytes.lowerBound - covered)
      }
      covered = entry.bytes.upperBound
      previous = entry.name
    }
    guard covered == end else { throw .gap(file: path, before: nil, bytes: end - covered) }
  }
}

/// Reads the JSON of a safetensors header and nothing more general.
///
/// The format allows one shape of document only, `{"name": {"dtype": …, "shape": […], "data_offsets": […]}, …}`, so
/// that nothing is ever nested deeper, and a header of a hundred thousand tensors is read in one pass.
private struct HeaderParser {
  /// A tensor as the header states it, unchecked.
  struct Draft {
    var name: String
    var type = ""
    var shape: [Int] = []
    var offsets: [Int] = []
  }

  private var reader: JSONReader
  private let path: String

  init(header: [UInt8], path: String) {
    reader = JSONReader(header, deepestNesting: 3)
    self.path = path
  }

  mutating func header(
    metadata: inout [String: String]
  ) throws(SafetensorsError) -> [Draft] {
    var drafts: [Draft] = []
    var names: Set<String> = []
    try expect("{")
    if !reader.take("}") {
      repeat {
        let name = try string()
        guard names.insert(name).inserted else {
          throw .repeatedTensor(file: path, tensor: name)
        }
        try expect(":")
        if name == "__metadata__" {
          try strings(into: &metadata)
        } else {
          drafts.append(try tensor(named: name))
        }
      } while reader.take(",")
      try expect("}")
    }
    // The header may be padded with spaces.
    try reading { reader throws(JSONProblem) in try reader.expectEnd() }
    return drafts
  }

  private mutating func strings(into metadata: inout [String: String]) throws(SafetensorsError) {
    try expect("{")
    if reader.take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      metadata[key] = try string()
    } while reader.take(",")
    try expect("}")
  }

  private mutating func tensor(named name: String) throws(SafetensorsError) -> Draft {
    var draft = Draft(name: name)
    var seen: Set<String> = []
    try expect("{")
    repeat {
      let start = reader.offset
      let key = try string()
      guard seen.insert(key).inserted else {
        throw malformed("each key of \(name) once", at: start)
      }
      try expect(":")
      switch key {
      case "dtype": draft.type = try string()
      case "shape": draft.shape = try integers()
      case "data_offsets": draft.offsets = try integers()
      default:
        throw malformed("\"dtype\", \"shape\" or \"data_offsets\" of tensor \(name)", at: start)
      }
    } while reader.take(",")
    try expect("}")
    guard seen.count == 3 else {
      throw malformed(
        "\"dtype\", \"shape\" and \"data_offsets\" of tensor \(name)", at: reader.offset)
    }
    return draft
  }

  private mutating func integers() throws(SafetensorsError) -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    if reader.take("]") { return numbers }
    repeat {
      numbers.append(
        try reading { reader throws(JSONProblem) in try reader.wholeNumber() })
    } while reader.take(",")
    try expect("]")
    return numbers
  }

  private mutating func string() throws(SafetensorsError) -> String {
    try reading { reader throws(JSONProblem) in try reader.string() }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError) {
    try reading { reader throws(JSONProblem) in try reader.expect(character) }
  }

  private mutating func reading<Value>(
    _ body: (inout JSONReader) throws(JSONProblem) -> Value
  ) throws(SafetensorsError) -> Value {
    do throws(JSONProblem) { return try body(&reader) } catch {
      throw malformed(Self.wording(error.expected), at: error.offset)
    }
  }

  /// An error at a byte of the header, which the length stands before.
  private func malformed(_ expected: String, at offset: Int) -> SafetensorsError {
    .malformedHeader(file: path, offset: 8 + offset, expected: expected)
  }

  private static func wording(_ expected: JSONProblem.Expectation) -> String {
    switch expected {
    case .character(let character): "\"\(character)\""
    case .endOf(let list): "\"\(list.closing)\""
    case .name: "\"\"\""
    case .nesting(let most): "at most \(most) nested arrays and objects"
    case .endOfDocument: "nothing but spaces after the last \"}\""
    case .endOfString: "the end of a string"
    case .noControlCharacter: "no control characters in a string"
    case .textInUTF8: "text in UTF-8"
    case .endOfEscape: "the end of an escape sequence"
    case .escape: "a JSON escape sequence"
    case .hexadecimal: "four hexadecimal digits"
    case .secondHalf: "the second half of a character"
    case .wholeCharacter: "a whole character"
    case .wholeNumber: "a non-negative whole number"
    case .smallerNumber: "a number below 2^63"
    case .value: "a value"
    }
  }
}
