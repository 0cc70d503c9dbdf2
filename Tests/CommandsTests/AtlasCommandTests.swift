import Foundation
import Testing
import TokenGrids

@testable import Commands

/// What a page holds, as far as these tests look.
private struct PageData: Decodable {
  struct Order: Decodable {
    let name, curve: String
    let isOptimal: Bool
    let total: Double?
    let stepLoss: [Double?]
  }
  struct Maps: Decodable {
    struct Packed: Decodable {
      let low, step: Double
      let data: String
    }
    let information: Packed
  }
  struct Images: Decodable { let files: [String] }
  let data, facts, unit: String
  let grid: [Int]
  let reference: Int?
  let maps: Maps?
  let orders: [Order]
  let images: Images?

  init(_ file: URL) throws {
    let page = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(page.range(of: #"id="atlas-data">"#)).upperBound
    let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
    self = try JSONDecoder().decode(Self.self, from: Data(page[start..<end].utf8))
  }

  /// I(v_i; v_j) by j and i.
  func information() throws -> [[Double]] {
    let packed = try #require(maps).information
    let bytes = [UInt8](try #require(Data(base64Encoded: packed.data)))
    let count = grid.reduce(1, *)
    return (0..<count).map { j in
      (0..<count).map { i in
        let code = Int(bytes[2 * (j * count + i)]) + 256 * Int(bytes[2 * (j * count + i) + 1])
        return code == 65535 ? .nan : packed.low + packed.step * Double(code)
      }
    }
  }
}

private struct MapJSON: Decodable {
  struct Map: Decodable { let information: [[Double?]] }
  let maps: [Map]
}

@Test func pageOfMapsHasEveryReference() throws {
  let dataset = try smallDataset(grid: TokenGrid(rows: 3, columns: 4))
  try withFile(dataset) { path in
    let json = try Program(name: "entropy-map").run(
      ["--all", "--tokens", path, "--json", "--units", "bits"])
    let expected = try JSONDecoder().decode(MapJSON.self, from: Data(json.output.utf8)).maps
    let result = try Program(name: "entropy-map").run(
      ["--ref", "2,1", "--tokens", path, "--units", "bits", "--atlas", "a.html"]
    ) { folder in
      let page = try PageData(folder.appendingPathComponent("a.html"))
      #expect(page.unit == "bits" && page.grid == [1, 3, 4] && page.reference == 9)
      #expect(page.data == "small.h5" && page.orders.isEmpty && page.images == nil)
      let information = try page.information()
      let step = try #require(page.maps).information.step
      for (j, map) in expected.enumerated() {
        for (i, value) in map.information.flatMap(\.self).enumerated() {
          guard let value else {
            #expect(i == j && information[j][i].isNaN)
            continue
          }
          #expect(abs(information[j][i] - value) <= 0.5 * step + 1e-12)
        }
      }
    }
    // The table has the reference that was named, and no figure is drawn besides.
    #expect(result.status == 0 && result.errors == "wrote a.html\n" && result.files == ["a.html"])
    #expect(result.output.contains("(2, 1)") && !result.output.contains("(0, 0)"))
    let alone = try Program(name: "entropy-map").run(["--tokens", path, "--atlas", "a.html"])
    #expect(alone.status == 0 && alone.output.split(separator: "\n").count == 1)
  }
}

@Test func pageOfOrdersHasMapsToo() throws {
  try withFile(try smallDataset()) { path in
    let name = "<|script><b>&.txt"
    let result = try Program(name: "order-compare").run(
      ["raster", "halton:steps=9", "halton:steps=5", "--tokens", path, "--atlas", "a.html"]
    ) { folder in
      let page = try PageData(folder.appendingPathComponent("a.html"))
      #expect(page.orders.map(\.name) == ["raster", "halton:steps=9", "halton:steps=5"])
      #expect(page.orders.map(\.curve) == ["raster", "halton", "halton"])
      #expect(page.orders.map(\.stepLoss.count).suffix(2) == [9, 5])
      for order in page.orders {
        let total = try #require(order.total)
        #expect(abs(total - order.stepLoss.compactMap(\.self).reduce(0, +)) < 1e-9)
      }
      #expect(try page.information().count == 36 && page.images == nil)
    }
    #expect(result.status == 0 && result.files == ["a.html"], "\(result.errors)")
    // A name from a file is that text and nothing else.
    let hostile = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: hostile) }
    let file = hostile.appendingPathComponent(name)
    try (0..<6).map { row in (0..<6).map { "\(1 + row * 2 + $0 / 3)" }.joined(separator: " ") }
      .joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    let shown = try Program(name: "order-compare").run(
      ["./" + name, "--tokens", path, "--atlas", "a.html"], in: hostile)
    #expect(shown.status == 0, "\(shown.errors)")
    let page = hostile.appendingPathComponent("a.html")
    #expect(try PageData(page).orders[0].name.contains(name))
    #expect(!(try String(contentsOf: page, encoding: .utf8)).contains("<b>"))
  }
}

@Test(arguments: [
  (["--atlas", "a.png"], "ends in .html"),
  (["--atlas", "a.html", "--preview"], "needs --ref or --all"),
  (["--atlas", "a.html", "--quantity", "information"], "needs --ref or --all"),
  (["--atlas", "missing/a.html"], "cannot be written"),
])
func pagesThatCannotBeAreRefused(arguments: [String], sentence: String) throws {
  try withFile(try smallDataset(grid: TokenGrid(rows: 2, columns: 2))) { path in
    let result = try Program(name: "entropy-map").run(["--tokens", path] + arguments)
    #expect(result.status != 0 && result.files.isEmpty && result.output.isEmpty)
    #expect(result.errors.contains(sentence), "\(result.errors)")
  }
}

@Test(arguments: [
  ("raster", "raster", false), ("halton:steps=24", "halton", false),
  ("halton:schedule=optimal,steps=24", "halton", true),
  ("random:seed=3,n=4", "random:seed=3", false), ("C:/orders/a.txt", "C:/orders/a.txt", false),
  ("best.json:steps=12", "best.json", false),
])
func ordersOfOneSequenceShareACurve(name: String, curve: String, isOptimal: Bool) {
  let found = sequenceName(ofOrder: name)
  #expect(found.name == curve && found.isOptimal == isOptimal)
}

@Test func tablesAreSorted() throws {
  try withFile(try smallDataset()) { path in
    func names(_ sorting: [String]) throws -> [String] {
      let result = try Program(name: "order-compare").run(
        ["raster", "distant", "raster:n=6", "--tokens", path, "--no-figure"] + sorting)
      #expect(result.status == 0 && result.output.contains("minus raster"), "\(result.errors)")
      return result.output.split(separator: "\n").compactMap { line in
        line.split(separator: " ").first.map(String.init)
      }.filter { $0.hasPrefix("raster") || $0.hasPrefix("distant") }
    }
    #expect(try names([]) == ["raster", "distant", "raster:n=6"])
    // Neighbours depend on each other, so the more of them are drawn together the more is lost.
    #expect(try names(["--sort", "total"]) == ["distant", "raster", "raster:n=6"])
    #expect(try names(["--sort", "steps"]).first == "raster:n=6")
    let refused = try Program(name: "order-compare").run(
      ["raster", "--tokens", path, "--sort", "total", "--json"])
    #expect(refused.status != 0 && refused.errors.contains("--sort is for the table"))
  }
}
