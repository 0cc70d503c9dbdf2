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
    var parser = HeaderParser(bytes: bytes, position: 8, end: dataStart, path: path)
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

  let bytes: UnsafeRawBufferPointer
  var position: Int
  let end: Int
  let path: String

  mutating func header(
    metadata: inout [String: String]
  ) throws(SafetensorsError) -> [Draft] {
    var drafts: [Draft] = []
    var names: Set<String> = []
    skipSpace()
    try expect("{")
    if !take("}") {
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
      } while take(",")
      try expect("}")
    }
    // The header may be padded with spaces.
    skipSpace()
    guard position == end else { throw failure("nothing but spaces after the last \"}\"") }
    return drafts
  }

  private mutating func strings(into metadata: inout [String: String]) throws(SafetensorsError) {
    try expect("{")
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      metadata[key] = try string()
    } while take(",")
    try expect("}")
  }

  private mutating func tensor(named name: String) throws(SafetensorsError) -> Draft {
    var draft = Draft(name: name)
    var seen: Set<String> = []
    try expect("{")
    repeat {
      let start = position
      let key = try string()
      guard seen.insert(key).inserted else {
        throw .malformedHeader(file: path, offset: start, expected: "each key of \(name) once")
      }
      try expect(":")
      switch key {
      case "dtype": draft.type = try string()
      case "shape": draft.shape = try integers()
      case "data_offsets": draft.offsets = try integers()
      default:
        throw .malformedHeader(
          file: path, offset: start,
          expected: "\"dtype\", \"shape\" or \"data_offsets\" of tensor \(name)")
      }
    } while take(",")
    try expect("}")
    guard seen.count == 3 else {
      throw failure("\"dtype\", \"shape\" and \"data_offsets\" of tensor \(name)")
    }
    return draft
  }

  private mutating func integers() throws(SafetensorsError) -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    if take("]") { return numbers }
    repeat {
      skipSpace()
      let start = position
      var number = 0
      while let digit = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
        let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, overflowToo) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
        guard !overflow, !overflowToo else {
          throw .malformedHeader(
            file: path, offset: start, expected: "a number below 2^63")
        }
        number = sum
        position += 1
      }
      guard position > start else { throw failure("a non-negative whole number") }
      numbers.append(number)
    } while take(",")
    try expect("]")
    return numbers
  }

  private mutating func string() throws(SafetensorsError) -> String {
    try expect("\"")
    var characters: [UInt8] = []
    while let byte = current {
      let start = position
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: characters, as: UTF8.self) else {
          throw .malformedHeader(file: path, offset: start, expected: "text in UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        try escape(into: &characters)
      case 0..<0x20:
        throw .malformedHeader(
          file: path, offset: start, expected: "no control characters in a string")
      default:
        characters.append(byte)
      }
    }
    throw failure("the end of a string")
  }

  private mutating func escape(into characters: inout [UInt8]) throws(SafetensorsError) {
    guard let byte = current else { throw failure("the end of an escape sequence") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): characters.append(byte)
    case UInt8(ascii: "b"): characters.append(8)
    case UInt8(ascii: "f"): characters.append(12)
    case UInt8(ascii: "n"): characters.append(10)
    case UInt8(ascii: "r"): characters.append(13)
    case UInt8(ascii: "t"): characters.append(9)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      // A character beyond the first plane comes as two escapes.
      if (0xd800..<0xdc00).contains(unit), current == UInt8(ascii: "\\") {
        position += 1
        guard current == UInt8(ascii: "u") else { throw failure("the second half of a character") }
        position += 1
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else {
          throw failure("the second half of a character")
        }
        unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw failure("a whole character") }
      characters.append(contentsOf: String(scalar).utf8)
    default: throw failure("a JSON escape sequence")
    }
  }

  private mutating func hexadecimal() throws(SafetensorsError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private var current: UInt8? { position < end ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      position += 1
    }
  }

  /// Steps over `character` and the space around it, if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError) {
    guard take(character) else { throw failure("\"\(character)\"") }
  }

  private func failure(_ expected: String) -> SafetensorsError {
    .malformedHeader(file: path, offset: position, expected: expected)
  }
}
