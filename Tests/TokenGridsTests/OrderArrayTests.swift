import Foundation
import Testing

@testable import TokenGrids

@Suite struct OrderArrayTests {
  let grid = TokenGrid(rows: 2, columns: 3)
  let expected = [[1, 5], [0], [2, 3], [4]]

  func order(_ name: String, _ bytes: [UInt8]) throws -> GenerationOrder {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return try GenerationOrder(contentsOfFile: file.path, grid: grid)
  }

  func npy(_ type: String, _ shape: String, _ numbers: [UInt8]) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
      + Array(header.utf8) + numbers
  }

  @Test(arguments: ["(2, 3)", "(6,)"]) func arraysOfStepNumbers(shape: String) throws {
    let numbers: [UInt8] = [3, 0, 4, 4, 9, 0]
    #expect(try order("rank.npy", npy("|u1", shape, numbers)).steps == expected)
    let wide = numbers.flatMap { (byte: UInt8) -> [UInt8] in [byte, 0, 0, 0, 0, 0, 0, 0] }
    #expect(try order("rank", npy("<i8", shape, wide)).steps == expected)
    let big = numbers.flatMap { (byte: UInt8) -> [UInt8] in [0, byte] }
    #expect(try order("rank.npy", npy(">i2", shape, big)).steps == expected)
  }

  @Test(arguments: [
    "[[3, 0, 4], [4, 9, 0]]", "[3,0,4,4,9,0]",
    "[[[0, 1], [1, 2]], [[0, 0]], [[0, 2], [1, 0]], [[1, 1]]]",
  ])
  func listsInJSON(text: String) throws {
    for name in ["order.json", "order"] {
      #expect(try order(name, Array(text.utf8)).steps == expected)
    }
  }

  @Test func whatDoesNotFitIsRefused() {
    for bytes in [
      npy("<f4", "(2, 3)", Array(repeating: 0, count: 24)),
      npy("|u1", "(3, 2)", [1, 2, 3, 4, 5, 6]),
      npy("|u1", "(2, 3)", [1, 2]), npy("|i1", "(2, 3)", [1, 2, 3, 4, 5, 255]),
      Array("[[1, 2], [3, 4, 5]]".utf8), Array("[1, 2]".utf8), Array("[".utf8),
    ] {
      #expect(throws: OrderFileError.self) { try order("order", bytes) }
    }
  }

  /// As many different numbers from 0 as there are cells are a sequence, but in the grid's shape they are step numbers.
  @Test func permutationsAreSequences() throws {
    let sequence: [UInt8] = [5, 0, 3, 1, 4, 2]
    #expect(try order("o.npy", npy("|u1", "(6,)", sequence)).sequence == [5, 0, 3, 1, 4, 2])
    #expect(try order("o.npy", npy("|u1", "(2, 3)", sequence)).sequence == [1, 3, 5, 2, 4, 0])
    #expect(
      try order("o.npy", npy("|u1", "(6,)", sequence.map { $0 + 1 })).sequence == [
        1, 3, 5, 2, 4, 0,
      ])
  }

  @Test(arguments: [
    (
      "<f4", "(2, 3)", 24, "whole numbers are expected, and their type is '<f4'; save them as int32"
    ),
    ("|b1", "(6,)", 6, "whole numbers are expected, and their type is '|b1'; save them as int32"),
    ("|u1", "(2, 3)", 5, "its shape [2, 3] has 6 numbers, and 5 bytes of 1 each follow the header"),
    ("<i2", "(6,)", 13, "its shape [6] has 6 numbers, and 13 bytes of 2 each follow the header"),
    (
      "|u1", "(3, 2)", 6,
      "its shape is [3, 2], and the grid here is 2x3"
    ),
    ("|u1", "(7,)", 7, "its shape is [7], and the grid here is 2x3"),
  ])
  func mistakesAreNamed(type: String, shape: String, bytes: Int, message: String) {
    let error = #expect(throws: OrderFileError.self) {
      try order("o.npy", npy(type, shape, Array(repeating: 0, count: bytes)))
    }
    #expect(error?.description.hasSuffix(": " + message) == true)
  }

  /// A pipe has no size and is read once.
  @Test func pipesAreRead() throws {
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: Data("[3,0,4,4,9,0]".utf8))
    try pipe.fileHandleForWriting.close()
    let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    #expect(try GenerationOrder(contentsOfFile: path, grid: grid).steps == expected)
  }

  @Test func cellsOfVideoHaveThreeCoordinates() {
    let cell = GridCell(row: 0, column: 7)
    #expect(cell.description(on: TokenGrid(rows: 8, columns: 8)) == "(0, 7)")
    #expect(cell.description(on: TokenGrid(frames: 5, rows: 8, columns: 8)) == "(0, 0, 7)")
  }
}
