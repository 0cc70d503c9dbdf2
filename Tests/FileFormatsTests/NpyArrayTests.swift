import Foundation
import TestSupport
import Testing

@testable import FileFormats

/// A `.npy` file put together by hand, independently of the writer.
func npyBytes(
  version: UInt8 = 1, header: String, data: [UInt8] = [], headerLength: Int? = nil
) -> [UInt8] {
  let length = headerLength ?? header.utf8.count
  let lengthBytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(length >> (8 * $0) & 0xff) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + data
}

/// The usual header.
func npyHeader(_ type: String, _ shape: String, fortran: Bool = false) -> String {
  "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
}

struct NpyArrayTests {
  private func refusal(_ bytes: [UInt8]) -> NpyError? {
    do {
      _ = try NpyArray(bytes: bytes, name: "a.npy")
      return nil
    } catch {
      return error as? NpyError
    }
  }

  @Test func whatWasGivenBackIsReadAgain() throws {
    let folder = try TemporaryFolder()
    let values = (0..<40_000).map { Int64($0) }
    try NpyWriter.write(values, shape: [40_000], to: folder.file("a.npy"))
    let array = try NpyArray(path: folder.file("a.npy"))
    for range in [0..<40_000, 17..<30_001, 0..<0, 39_999..<40_000] {
      #expect(try array.integers(range) == Array(values[range]))
      array.release(range)
      #expect(try array.integers(range) == Array(values[range]))
    }
    let bytes = NpyWriter.bytes(values, shape: [40_000])
    let memory = try NpyArray(bytes: [UInt8](bytes), name: "memory")
    memory.release(0..<40_000)
    #expect(try memory.integers() == values)
  }

  @Test(
    arguments: [
      ("|i1", [0xfe, 0x03]), ("|u1", [0xfe, 0x03]), ("<i2", [0xfe, 0xff, 0x03, 0x00]),
      (">i2", [0xff, 0xfe, 0x00, 0x03]), ("<u2", [0xfe, 0xff, 0x03, 0x00]),
      (">u4", [0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3]), ("<i4", [0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0]),
      ("<i8", [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 0, 0, 0]),
      (">u8", [0, 0, 0, 0, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0, 3]),
    ] as [(String, [UInt8])])
  func readsEveryIntegerType(type: String, data: [UInt8]) throws {
    let array = try NpyArray(bytes: npyBytes(header: npyHeader(type, "(2,)"), data: data), name: "")
    let expected: [Int64] =
      switch type {
      case "|u1", ">u8": [254, 3]
      case "<u2": [65534, 3]
      case ">u4": [4_294_967_294, 3]
      default: [-2, 3]
      }
    #expect(try array.integers() == expected)
    #expect(array.doubles() == expected.map { Double($0) })
    #expect(array.floats() == expected.map { Float($0) })
    #expect(array.type.description == type)
  }

  @Test(
    arguments: [
      ("<f2", [0x00, 0x3e, 0x00, 0xc0]), (">f2", [0x3e, 0x00, 0xc0, 0x00]),
      ("<f4", [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]), (">f4", [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0]),
      ("<f8", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0]),
      (">f8", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0]),
    ] as [(String, [UInt8])])
  func readsEveryFloatingPointType(type: String, data: [UInt8]) throws {
    let array = try NpyArray(
      bytes: npyBytes(header: npyHeader(type, "(2,)"), data: data), name: "x")
    #expect(array.floats() == [1.5, -2])
    #expect(array.doubles() == [1.5, -2])
    #expect(throws: NpyError.wrongType(file: "x", type: type, expected: "whole numbers")) {
      try array.integers()
    }
  }

  @Test(arguments: [UInt8(1), 2, 3])
  func readsEveryVersion(version: UInt8) throws {
    let array = try NpyArray(
      bytes: npyBytes(
        version: version, header: npyHeader("|u1", "(2, 3)"), data: [1, 2, 3, 4, 5, 6]),
      name: "")
    #expect(array.shape == [2, 3])
    #expect(try array.integers(2..<5) == [3, 4, 5])
  }

  @Test(arguments: [
    "{\"descr\":\"|u1\",\"fortran_order\":False,\"shape\":(2,)}",
    "{'shape': (2L,), 'fortran_order': False, 'descr': '|u1'}   \n",
    " {'descr' : '|u1' , 'fortran_order' : False , 'shape' : ( 2 , ) , } ",
  ])
  func readsEverySpellingOfTheHeader(header: String) throws {
    let array = try NpyArray(bytes: npyBytes(header: header, data: [7, 8]), name: "")
    #expect(try array.integers() == [7, 8])
  }

  @Test func readsSingleNumbersAndEmptyArrays() throws {
    let single = try NpyArray(bytes: npyBytes(header: npyHeader("|u1", "()"), data: [7]), name: "")
    #expect(try single.integers() == [7] && single.shape == [])
    let empty = try NpyArray(bytes: npyBytes(header: npyHeader("<f8", "(3, 0, 9)")), name: "")
    #expect(empty.doubles() == [] && empty.shape == [3, 0, 9])
  }

  @Test(arguments: [[6], [2, 3], [2, 3, 4], [1, 3, 1, 5]])
  func fortranOrderIsTurnedAround(shape: [Int]) throws {
    let count = shape.reduce(1, *)
    // Element (i, j, …) is its place in C order; the file has it at its place in Fortran order.
    var data = [UInt8](repeating: 0, count: count)
    for element in 0..<count {
      var (rest, index) = (element, [Int]())
      for extent in shape.reversed() {
        index.insert(rest % extent, at: 0)
        rest /= extent
      }
      var (place, stride) = (0, 1)
      for (i, extent) in zip(index, shape) {
        place += i * stride
        stride *= extent
      }
      data[place] = UInt8(element)
    }
    let text = "(" + shape.map { "\($0), " }.joined() + ")"
    let array = try NpyArray(
      bytes: npyBytes(header: npyHeader("|u1", text, fortran: true), data: data), name: "")
    #expect(array.isFortranOrder)
    for start in 0..<count {
      #expect(try array.integers(start..<count) == (start..<count).map { Int64($0) })
    }
  }

  @Test func refusesWhatIsNoArrayOfNumbers() {
    let good = npyHeader("|u1", "(2,)")
    #expect(refusal([]) == .notNpy(file: "a.npy"))
    #expect(refusal(Array("PK\u{3}\u{4} not numpy".utf8)) == .notNpy(file: "a.npy"))
    #expect(
      refusal(Array(npyBytes(header: good).prefix(9)))
        == .truncatedHeader(file: "a.npy", found: 9, expected: 10))
    #expect(
      refusal(npyBytes(version: 4, header: good))
        == .unknownVersion(file: "a.npy", major: 4, minor: 0))
    #expect(
      refusal(npyBytes(header: good, headerLength: 500))
        == .truncatedHeader(file: "a.npy", found: 10 + good.utf8.count, expected: 510))
    #expect(
      refusal(npyBytes(version: 2, header: good, headerLength: 1 << 30))
        == .oversizedHeader(file: "a.npy", bytes: 1 << 30))
    #expect(
      refusal(npyBytes(header: good, data: [1]))
        == .wrongSize(file: "a.npy", shape: [2], type: "|u1", found: 1, expected: 2))
    #expect(
      refusal(npyBytes(header: good, data: [1, 2, 3]))
        == .wrongSize(file: "a.npy", shape: [2], type: "|u1", found: 3, expected: 2))
    #expect(refusal(npyBytes(header: npyHeader("|O", "(2,)"))) == .pythonObjects(file: "a.npy"))
    for type in ["|b1", "<c8", "<U4", "|S3", "<f16", "<M8[ns]", "<i3", "|V2", "i4", "|f1"] {
      #expect(
        refusal(npyBytes(header: npyHeader(type, "(2,)")))
          == .unsupportedType(file: "a.npy", type: type))
    }
    #expect(
      refusal(
        npyBytes(
          header: "{'descr': [('a', '<i4'), ('b', '<f4')], 'fortran_order': False, 'shape': (2,)}"))
        == .unsupportedType(file: "a.npy", type: "a record of several fields"))
    let huge = "(3037000500, 3037000500)"
    #expect(
      refusal(npyBytes(header: npyHeader("<f8", huge)))
        == .impossibleShape(file: "a.npy", shape: [3_037_000_500, 3_037_000_500]))
  }

  @Test(arguments: [
    "", "{", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': 0, 'shape': ()}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': [2]}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x",
    "{'descr': '|u1' 'fortran_order': False, 'shape': (2,)}",
  ])
  func refusesMalformedHeaders(header: String) {
    guard case .malformedHeader = refusal(npyBytes(header: header, data: [1, 2])) else {
      Issue.record("accepted \(header)")
      return
    }
  }

  @Test func aLargeUnsignedNumberIsNamed() throws {
    let data = [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 0xff, count: 8)
    let array = try NpyArray(
      bytes: npyBytes(header: npyHeader("<u8", "(2,)"), data: data), name: "x")
    #expect(throws: NpyError.integerTooLarge(file: "x", element: 1, value: .max)) {
      try array.integers()
    }
    #expect(try array.integers(0..<1) == [0])
  }

  @Test func mutatedArraysAreReadOrRefused() throws {
    let original = npyBytes(header: npyHeader(">i2", "(2, 3)", fortran: true), data: Array(0..<12))
    try readMutations(of: original, structured: original.count - 12, refusal: NpyError.self) {
      let array = try NpyArray(bytes: $0, name: "f")
      #expect(array.doubles().count == array.elementCount)
      if array.type.isInteger { _ = try array.integers() }
    }
  }
}
