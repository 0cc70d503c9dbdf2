import Files
import Foundation
import Statistics
import Testing
import TokenGrids

@testable import Atlas

/// The data of a page, read back by other means than they were written.
private struct Packed: Decodable {
  let encoding: String
  let low, step: Double
  let data: String

  var numbers: [Double] {
    let bytes = [UInt8](Data(base64Encoded: data) ?? Data())
    if encoding == "logarithmic8" {
      return bytes.map { $0 == 255 ? .nan : $0 == 0 ? 0 : low * exp(step * (Double($0) - 1)) }
    }
    return stride(from: 0, to: bytes.count, by: 2).map { index in
      let code = Int(bytes[index]) + 256 * Int(bytes[index + 1])
      return encoding == "linear16" && code == 65535 ? .nan : low + step * Double(code)
    }
  }
}

private struct ReadData: Decodable {
  struct Maps: Decodable {
    let marginal, marginalError, information, informationError, entropyError: Packed
  }
  struct Order: Decodable {
    let name, curve: String
    let isOptimal: Bool
    let step, increase, increaseError: Packed
    let stepLoss, stepLossError: [Double?]
    let total, totalError: Double?
  }
  struct Images: Decodable {
    let files: [String]
    let text: String
  }
  let data, facts, unit: String
  let grid: [Int]
  let provenance: [String]
  let reference: Int?
  let maps: Maps?
  let orders: [Order]
  let images: Images?

  init(ofPage page: String) throws {
    let start = try #require(page.range(of: #"id="atlas-data">"#)).upperBound
    let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
    self = try JSONDecoder().decode(Self.self, from: Data(page[start..<end].utf8))
  }
}

/// A page with maps and two orders of made-up numbers.
private func sample(
  _ grid: TokenGrid, names: [String] = ["one", "two"], seed: UInt64 = 1
) throws -> (atlas: Atlas, information: [[Double]]) {
  var generator = SeededGenerator(seed: seed, stream: 0)
  func number(_ low: Double, _ high: Double) -> Double {
    Double.random(in: low..<high, using: &generator)
  }
  let count = grid.cellCount
  func estimates() -> [Estimate] {
    (0..<count).map { _ in
      Estimate(value: number(-0.01, 2), standardError: exp(number(-8, -2)))
    }
  }
  let maps = (0..<count).map { reference in
    var information = estimates()
    information[reference] = Estimate(value: .nan, standardError: .nan)
    return (information: information, entropyErrors: information.map { 2 * $0.standardError })
  }
  let orders = try names.enumerated().map { index, name in
    let order = try OrderSpecification("raster:n=\(index + 2)").order(on: grid, tokensPerStep: 2)
    return Atlas.Order(
      name: name, order: order, increase: estimates(),
      stepLosses: order.steps.map { _ in Estimate(value: number(0, 1), standardError: 0) },
      total: index == 0 ? Estimate(value: 3, standardError: .nan) : nil)
  }
  let atlas = Atlas(
    grid: grid, unit: "nats", data: names[0], facts: names[0], provenance: names,
    maps: Atlas.Maps(marginal: estimates(), maps: maps), orders: orders)
  return (atlas, maps.map { $0.information.map(\.value) })
}

@Test func packedNumbersAreTrueToHalfAStep() throws {
  let (atlas, information) = try sample(TokenGrid(frames: 2, rows: 3, columns: 4))
  let read = try ReadData(ofPage: atlas.page())
  let maps = try #require(read.maps)
  let expected = information.flatMap(\.self)
  #expect(maps.information.numbers.count == 24 * 24)
  for (found, value) in zip(maps.information.numbers, expected) {
    // Half a step, and the rounding of the sum.
    #expect(found.isNaN && value.isNaN || abs(found - value) <= 0.5 * maps.information.step + 1e-12)
  }
  #expect(maps.information.step < 2.1 / 65000)
  let errors = try #require(atlas.maps).informationErrors
  for (found, value) in zip(maps.informationError.numbers, errors) {
    #expect(
      found.isNaN && value.isNaN
        || abs(log(found / value)) <= 0.5 * maps.informationError.step + 1e-9)
  }
  // Errors from e^-8 to e^-2: 253 steps.
  #expect(maps.informationError.step <= 6.0 / 253)
  #expect(read.grid == [2, 3, 4] && read.reference == nil && read.images == nil)
  for (order, found) in zip(atlas.orders, read.orders) {
    #expect(found.step.numbers == order.order.stepNumbers.map(Double.init))
    #expect(found.stepLoss == order.stepLosses.map(\.value))
    #expect(found.name == order.name && found.total == order.total?.value)
  }
  // A number that there is not is null, not a refusal.
  #expect(read.orders[0].totalError == nil && read.orders[1].total == nil)
}

@Test func packingHasNoRangeToDivideBy() {
  let same = PackedNumbers(linear: [2, 2, .nan])
  #expect(same.low == 2 && same.data == Data([0, 0, 0, 0, 255, 255]).base64EncodedString())
  let none = PackedNumbers(linear: [.nan, .infinity])
  #expect(none.data == Data([255, 255, 255, 255]).base64EncodedString())
  let errors = PackedNumbers(logarithmic: [0, 3, 3, .nan, -1])
  #expect(errors.low == 3 && errors.data == Data([0, 1, 1, 255, 255]).base64EncodedString())
}

/// Names that would end the element they stand in, begin another, or end a string.
@Test func namesBecomeNoPartOfThePage() throws {
  let names = [
    "</script><script>alert(1)</script>", "\"quoted\" 'too' \\u003c <!-- \n\u{2028}&lt;&amp;",
  ]
  let (atlas, _) = try sample(TokenGrid(rows: 2, columns: 3), names: names)
  let page = try atlas.page()
  let read = try ReadData(ofPage: page)
  #expect(read.orders.map(\.name) == names && read.data == names[0] && read.provenance == names)
  #expect(!page.contains("alert(1)</script>") && !page.contains("<script>alert"))
  #expect(page.components(separatedBy: "<!--").count == 1)
  // One element for the data, and one for each script.
  #expect(page.components(separatedBy: "</script>").count - 1 == Atlas.scripts.count + 1)
  #expect(page.components(separatedBy: "<script").count - 1 == Atlas.scripts.count + 1)
}

@Test func thePageIsAlone() throws {
  let page = try sample(TokenGrid(rows: 2, columns: 2)).atlas.page()
  for place in ["<link", "src=\"", "href=\"", "@import", "url(", "fetch(", "XMLHttpRequest"] {
    #expect(!page.contains(place), "\(place)")
  }
  #expect(page.contains("default-src 'none'"))
  for (name, contents) in Atlas.scripts {
    let text = String(decoding: contents, as: UTF8.self)
    #expect(!text.contains("</script") && !text.contains("<!--"), "\(name)")
    // Only what shows text may be given names.
    #expect(!text.contains("innerHTML") && !text.contains("insertAdjacent"), "\(name)")
    #expect(!text.contains("eval(") && !text.contains("document.write"), "\(name)")
  }
}

@Test func pageOf576TokensIsBelowThreeMegabytes() throws {
  var (atlas, _) = try sample(TokenGrid(rows: 24, columns: 24))
  // As many bytes as sixteen pictures of 144 x 144 pixels have at the most.
  atlas.pictures = Atlas.Pictures(
    files: [[UInt8]](repeating: [UInt8](repeating: 7, count: 45_000), count: 16), text: "noise")
  let page = try atlas.page()
  #expect(page.utf8.count < 3_000_000)
  let images = try #require(try ReadData(ofPage: page).images)
  #expect(images.files.count == 16 && images.files[0].hasPrefix("data:image/png;base64,Bw"))
}

@Test func writingReplacesAFileOrLeavesNothing() throws {
  let (atlas, _) = try sample(TokenGrid(rows: 2, columns: 2))
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("atlas-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let file = folder.appendingPathComponent("atlas.html").path
  try Data("old".utf8).write(to: URL(fileURLWithPath: file))
  try atlas.write(to: file)
  #expect(try String(contentsOfFile: file, encoding: .utf8) == atlas.page())
  #expect(throws: FileError.self) { try atlas.write(to: folder.path + "/missing/atlas.html") }
  #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["atlas.html"])
}
