import Foundation
import TestSupport
import Testing

@testable import TokenGrids

/// Calls `body` with the path of a folder that exists only meanwhile.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

@Suite struct OrderFileTests {
  @Test(arguments: OrderFamilyTests.specifications)
  func ordersRoundTrip(text: String) throws {
    try withTemporaryFolder { folder in
      for grid in [TokenGrid(rows: 6, columns: 8), TokenGrid(frames: 3, rows: 4, columns: 4)] {
        let order = try OrderSpecification(text).order(on: grid)
        for suffix in ["txt", "csv", "json"] {
          let path = "\(folder)/order.\(suffix)"
          try order.write(toFile: path)
          let copy = try GenerationOrder(contentsOfFile: path, grid: grid)
          #expect(copy.name == "order.\(suffix)")
          #expect(copy.stepNumbers == order.stepNumbers)
          // A table knows the cells of a step, not their order.
          #expect(copy.steps == (suffix == "json" ? order.steps : order.steps.map { $0.sorted() }))
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 3)
    }
  }

  @Test func csvIsSeparatedByCommas() throws {
    try withTemporaryFolder { folder in
      let order = GenerationOrder.diagonal(on: TokenGrid(rows: 2, columns: 2))
      try order.write(toFile: folder + "/o.csv")
      #expect(try String(contentsOfFile: folder + "/o.csv", encoding: .utf8) == "1,2\n2,3\n")
      #expect(order.tableText == "1 2\n2 3\n")
      #expect(order.jsonText.hasPrefix("{"))
    }
  }

  @Test func otherExtensionsAreToldByTheirContent() throws {
    let grid = TokenGrid(rows: 2, columns: 2)
    let order = GenerationOrder.diagonal(on: grid)
    try withTemporaryFolder { folder in
      for text in [order.tableText, "\n " + order.jsonText] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/order"))
        #expect(
          try GenerationOrder(contentsOfFile: folder + "/order", grid: grid).steps == order.steps)
      }
    }
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let grid = TokenGrid(rows: 2, columns: 2)
    try withTemporaryFolder { folder in
      func message(_ path: String) -> String? {
        do {
          _ = try GenerationOrder(contentsOfFile: path, grid: grid)
          return nil
        } catch { return error.description }
      }
      #expect(message(folder + "/none.txt") == "\(folder)/none.txt: there is no such file")
      #expect(message(folder) == "\(folder): this is a folder, not an order file")
      try Data().write(to: URL(fileURLWithPath: folder + "/empty.json"))
      #expect(
        message(folder + "/empty.json")?.hasPrefix("\(folder)/empty.json: the file is empty")
          == true)
      try Data([0x31, 0xFF]).write(to: URL(fileURLWithPath: folder + "/bytes.txt"))
      #expect(
        message(folder + "/bytes.txt")
          == "\(folder)/bytes.txt, line 1, column 2: not UTF-8 text; save the file as UTF-8")
    }
  }

  @Test func filesThatCannotBeWrittenLeaveNothing() throws {
    let order = GenerationOrder.diagonal(on: TokenGrid(rows: 2, columns: 2))
    try withTemporaryFolder { folder in
      #expect(throws: OrderFileError.self) { try order.write(toFile: folder + "/no/o.txt") }
      #expect(throws: OrderFileError.self) { try order.write(toFile: folder + "/o.png") }
      try FileManager.default.createDirectory(
        atPath: folder + "/o.txt", withIntermediateDirectories: false)
      #expect(throws: OrderFileError.self) { try order.write(toFile: folder + "/o.txt") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["o.txt"])
    }
  }
}
