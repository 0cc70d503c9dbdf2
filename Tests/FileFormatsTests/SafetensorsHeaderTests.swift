import Foundation
import Statistics
import TestSupport
import TokenGrids
import Testing

@testable import FileFormats

/// The bytes of a safetensors file with this header and so many bytes of data.
private func bytes(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
  let text = Array(header.utf8)
  return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text
    + Array(repeating: 0, count: data)
}

private func parse(_ bytes: [UInt8]) throws -> SafetensorsHeader {
  try bytes.withUnsafeBytes { try SafetensorsHeader(bytes: $0, path: "x.safetensors") }
}

private let twoTensors =
  #"{"__metadata__":{"a":"b"},"u":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
  + #""v":{"shape":[],"data_offsets":[24,26],"dtype":"BF16"}}"#

@Test func aHeaderIsReadInFull() throws {
  let header = try parse(bytes(twoTensors + "   ", data: 26))
  #expect(header.metadata == ["a": "b"])
  #expect(header.entries.map(\.name) == ["u", "v"])
  #expect(header.entries.map(\.shape) == [[2, 3], []])
  #expect(header.entries.map(\.type) == [.float32, .bfloat16])
  #expect(header.entries.map(\.elementCount) == [6, 1])
  #expect(header.entries[1].bytes.count == 2)
}

/// A tensor of a type of the future refuses the file only where it is needed.
@Test func unknownTypesRefuseOnlyTheirTensors() throws {
  let text =
    #"{"new":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[0,2]},"#
    + #""old":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}"#
  let header = try parse(bytes(text, data: 5))
  #expect(header.entries.map(\.name) == ["old"])
  #expect(header.unknownTypes == ["new": "F8_E8M0"])
  let folder = try TemporaryFolder()
  try Data(bytes(text, data: 5)).write(to: URL(fileURLWithPath: folder.file("a.safetensors")))
  let file = try SafetensorsFile(path: folder.file("a.safetensors"))
  #expect(try file.integers("old").count == 3)
  #expect(
    throws: SafetensorsError.unknownType(
      file: folder.file("a.safetensors"), tensor: "new", type: "F8_E8M0")
  ) { try file.floats("new") }
}

@Test func escapesInNamesAreRead() throws {
  let header = try parse(
    bytes(#"{"a\u00e9\ud83d\ude00\n\"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 1))
  #expect(header.entries.first?.name == "aé😀\n\"")
}

@Test(arguments: [
  ("", 0, nil, #"expected "{""#),
  ("{}", 0, 3 as UInt64?, "cut short"),
  ("{}", 0, UInt64.max, "header would be"),
  ("[]", 0, nil, #"expected "{""#),
  ("{} x", 0, nil, "nothing but spaces"),
  (#"{"u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#, 8, nil, #"expected "}""#),
  (#"{"u":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}"#, 4, nil, "cut short"),
  (#"{"u":{"dtype":"F32","shape":[2]}}"#, 8, nil, "data_offsets"),
  (#"{"u":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, nil, "non-negative"),
  (#"{"u":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#, 8, nil, "at byte"),
  (#"{"u":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, nil, "needs 12 bytes"),
  (#"{"u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7, nil, "has 7 bytes"),
  (#"{"u":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, nil, "lies at bytes [8, 0]"),
  (#"{"u":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, 8, nil, "lies at bytes [0]"),
  (#"{"u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9, nil, "after the last tensor"),
  (#"{"u":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, nil, "before tensor u"),
  (
    #"{"u":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
      + #""v":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, nil, "u and v share bytes"
  ),
  (
    #"{"u":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
      + #""u":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, 0, nil, "twice"
  ),
  (
    #"{"u":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,0]}}"#, 0, nil,
    "more elements"
  ),
  (
    #"{"u":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}"#, 0, nil,
    "below 2^63"
  ),
  (#"{"u\q":{}}"#, 0, nil, "escape"),
  (#"{"u\ud800":{}}"#, 0, nil, "whole character"),
])
func badHeadersAreNamed(header: String, data: Int, length: UInt64?, expected: String) {
  let error = #expect(throws: SafetensorsError.self) {
    _ = try parse(bytes(header, data: data, length: length))
  }
  #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  #expect(error?.description.hasPrefix("x.safetensors: ") == true)
}

/// Mutates valid headers a hundred thousand times: every outcome is a valid header or an error, never a crash, and
/// what is accepted covers the data exactly.
@Test func mutatedHeadersNeverCrash() {
  let valid = bytes(twoTensors, data: 26)
  let alphabet = Array(#"{}[]":,\u0129dF-. "#.utf8)
  var generator = SeededGenerator(seed: 1)
  var accepted = 0
  for _ in 0..<100_000 {
    var mutated = valid
    for _ in 0...generator.nextIndex(below: 3) {
      let place = generator.nextIndex(below: mutated.count)
      switch generator.nextIndex(below: 5) {
      case 0: mutated[place] = UInt8(generator.nextIndex(below: 256))
      case 1: mutated[place] = alphabet[generator.nextIndex(below: alphabet.count)]
      case 2: mutated.remove(at: place)
      case 3: mutated.insert(alphabet[generator.nextIndex(below: alphabet.count)], at: place)
      default: mutated.removeSubrange(place...)
      }
      if mutated.isEmpty { break }
    }
    guard let header = try? parse(mutated) else { continue }
    accepted += 1
    let covered = header.entries.reduce(0) { $0 + $1.bytes.count }
    let length = mutated.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    // Tensors of unknown types are passed over, and their places are checked as those of the others.
    if header.unknownTypes.isEmpty, covered != mutated.count - 8 - length {
      Issue.record("bytes that belong to no tensor")
    }
  }
  // Changes within the metadata and the names leave a header valid: both outcomes occur.
  #expect((1_000..<99_000).contains(accepted))
}
