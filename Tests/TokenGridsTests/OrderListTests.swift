import Foundation
import Statistics
import TestSupport
import Testing

@testable import TokenGrids

/// Orders written as raster indices.
@Suite struct OrderListTests {
  private let grid = TokenGrid(rows: 2, columns: 3)

  private func steps(_ text: String, index: Int = 0, on grid: TokenGrid? = nil) throws -> [[Int]] {
    try OrderJSON.steps(
      in: OrderText(file: "f", bytes: Array(text.utf8)), on: grid ?? self.grid, index: index)
  }

  @Test(arguments: [
    "[[5], [0, 3, 1], [4, 2]]",
    #"{"steps": [[5], [0, 3, 1], [4, 2]]}"#,
    #"{"grid": [2, 3], "steps": [[5], [0, 3, 1], [4, 2]], "note": ["x", null]}"#,
    #"{"sequence": [5, 0, 3, 1, 4, 2], "group_sizes": [1, 3, 2]}"#,
    #"{"group_sizes": [1, 3, 2], "order": [5, 0, 3, 1, 4, 2]}"#,
    #"{"group_sizes": [1, 3, 2], "orders": [[5, 0, 3, 1, 4, 2], [0, 1, 2, 3, 4, 5]], "repulsion": 2}"#,
  ])
  func formsOfOneOrder(text: String) throws {
    #expect(try steps(text) == [[5], [0, 3, 1], [4, 2]])
  }

  @Test func sequencesWithoutSizesGoOneByOne() throws {
    let single = [[5], [0], [3], [1], [4], [2]]
    #expect(try steps("[5, 0, 3, 1, 4, 2]") == single)
    #expect(try steps(#"{"sequence": [5, 0, 3, 1, 4, 2]}"#) == single)
    #expect(try steps("[[0, 1, 2, 3, 4, 5], [5, 0, 3, 1, 4, 2]]", index: 1) == single)
    // Numbers from 1, or with repeats, are step numbers.
    #expect(try steps("[6, 1, 4, 2, 5, 3]") == [[1], [3], [5], [2], [4], [0]])
    #expect(try steps("[0, 1, 1, 0, 2, 2]") == [[0, 3], [1, 2], [4, 5]])
  }

  @Test func publishedFilesHaveSeveralOrders() throws {
    let published = try PublishedLocalityOrders.load()
    let path = try #require(
      Bundle.module.path(
        forResource: "lpd-orders-16x16-steps20", ofType: "json", inDirectory: "Resources"))
    let grid = TokenGrid(rows: 16, columns: 16)
    for (k, sequence) in published.orders.enumerated() {
      let order = try OrderSpecification("\(path)#\(k)").order(on: grid)
      #expect(order.sequence == sequence)
      #expect(order.stepSizes == published.groupSizes)
      #expect(order.name == "lpd-orders-16x16-steps20.json#\(k)")
    }
    #expect(try OrderSpecification(path).order(on: grid).sequence == published.orders[0])
    let error = #expect(throws: OrderFileError.self) {
      try OrderSpecification("\(path)#4").order(on: grid)
    }
    #expect(
      error?.description == "\(path): there is no order #4; it holds the orders #0 to #3")
  }

  @Test(arguments: [
    (
      "[[0, 1], [2, 3, 4]]",
      "f: no step lists cell (1, 2) (1 of the 6 cells of the 2x3 grid are missing)"
    ),
    (
      "[[0, 1], [2, 3, 4], [6]]",
      "f, line 1, column 22: found '6', expected a raster index from 0 to 5 of the 2x3 grid"
    ),
    (
      "[[0, 1],\n[2, 3, 4], [1]]",
      "f, line 2, column 13: cell (0, 1) stands in step 3, but already in step 1"
    ),
    (
      "[[0, 1], [], [2, 3, 4, 5]]",
      "f, line 1, column 10: step 2 lists no cell; remove it or list its cells"
    ),
    (
      "[[0, 1, 2], [3, 4, 5]]",
      "f: 2 lists of 3 different numbers from 0 are a table of step numbers as well as steps of raster indices; number steps from 1, or write {\"steps\": …}"
    ),
    ("[1, 2]", "f: a list of 2 numbers; the 2x3 grid needs 6 step numbers or raster indices"),
    (
      "[[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 4]]",
      "f, line 1, column 38: raster index 4 stands at place 6, but already at place 5"
    ),
    ("[0, [1]]", "f, line 1, column 5: found '[', expected a whole number from 0"),
    ("[[0, 1.5]]", "f, line 1, column 6: found '1.5', expected a whole number from 0"),
    (
      "[[[[0]]]]",
      "f, line 1, column 1: found '[', expected lists of step numbers, raster indices or cells"
    ),
    (
      #"{"sequence": [0, 1, 2, 3, 4], "group_sizes": [6]}"#,
      "f: no step lists cell (1, 2) (1 of the 6 cells of the 2x3 grid are missing)"
    ),
    (
      #"{"sequence": [0, 1, 2, 3, 4, 5], "group_sizes": [1, 2]}"#,
      "f, line 1: the group sizes add up to 3, but the 2x3 grid has 6 cells"
    ),
    (
      #"{"sequence": [0, 1, 2, 3, 4, 5], "group_sizes": [1, 0, 5]}"#,
      "f, line 1, column 53: found '0', expected a group size from 1"
    ),
    (
      #"{"sequence": [0, 1, 2, 3, 4, 5], "group_sizes": 6}"#,
      "f, line 1, column 49: found '6', expected an array of group sizes"
    ),
    (#"{"group_sizes": [6]}"#, #"f, line 1: the object ends without "orders""#),
    (#"{"orders": [], "group_sizes": [6]}"#, "f: there is no order in it"),
    (
      #"{"orders": [0], "group_sizes": [6]}"#,
      "f, line 1, column 13: found '0', expected an array of raster indices"
    ),
    (
      #"{"steps": [[0, 1, 2, 3, 4, 5]], "order": [0]}"#,
      #"f: "steps" and "order" are two orders; give one"#
    ),
    (
      #"{"steps": [[0, 1, 2, 3, 4, 5]], "group_sizes": [6]}"#,
      #"f: "group_sizes" cut a "sequence", and "steps" are cut already"#
    ),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: OrderFileError.self) { try steps(text) }
    #expect(error?.description == message)
  }

  /// Mutated lists either give a partition of the grid or an error of the file.
  @Test(arguments: [
    #"{"group_sizes": [1, 3, 2], "orders": [[5, 0, 3, 1, 4, 2], [0, 1, 2, 3, 4, 5]]}"#,
    "[[5], [0, 3, 1], [4, 2]]", "[[0, 1, 1], [2, 3, 9]]",
  ])
  func mutationsNeverCrash(text: String) throws {
    try fuzz(Array(text.utf8), seed: 41) { bytes in
      try OrderJSON.steps(in: OrderText(file: "f", bytes: bytes), on: grid)
    } isValid: {
      isPartition(GenerationOrder(uncheckedName: "f", grid: grid, steps: $0))
    }
  }
}

/// What may follow a path, and names of files.
@Suite struct OrderFilePlaceTests {
  private let grid = TokenGrid(rows: 2, columns: 3)

  @Test(arguments: [
    ("a.json#3", "a.json", 3), ("a.json#3:steps=2", "a.json", 3), ("./a#b", "./a#b", 0),
    ("x/a:n=4", "x/a", 0), ("x/a:b=4", "x/a:b=4", 0), ("x/a#-1", "x/a#-1", 0),
    ("x:y/a.npy: schedule = cosine , steps = 3", "x:y/a.npy", 0),
  ])
  func placesAreRead(text: String, path: String, index: Int) throws {
    let place = try #require(OrderFilePlace.reading(text)).place
    #expect(place.path == path)
    #expect((place.index ?? 0) == index)
    #expect(try OrderSpecification(text).path == path)
    #expect(try OrderSpecification(text).text == text)
  }

  @Test(arguments: ["raster", "raster:n=4", "halton#3", "a#1"]) func othersAreNone(text: String) {
    #expect(OrderFilePlace.reading(text) == nil)
  }

  @Test func settingsCutTheSequenceAnew() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.json"
      try Data("[[5], [0, 3, 1], [4, 2]]".utf8).write(to: URL(fileURLWithPath: path))
      func steps(_ settings: String, n: Int = 4) throws -> [[Int]] {
        try OrderSpecification(path + settings).order(on: grid, tokensPerStep: n).steps
      }
      #expect(try steps("") == [[5], [0, 3, 1], [4, 2]])
      #expect(try steps(":steps=2") == [[5, 0, 3], [1, 4, 2]])
      #expect(try steps(":n=2,initial=0") == [[5, 0], [3, 1], [4, 2]])
      #expect(try steps(":schedule=constant", n: 2) == [[5], [0], [3, 1], [4, 2]])
      #expect(try steps("#0:steps=1") == [[5, 0, 3, 1, 4, 2]])
      let optimal = try OrderSpecification(path + ":schedule=optimal,steps=3")
      #expect(optimal.optimalSteps == 3)
      #expect(try optimal.sequence(on: grid) == [5, 0, 3, 1, 4, 2])
      #expect(throws: GenerationOrderError.self) { try optimal.order(on: grid) }
      #expect(throws: GenerationOrderError.self) { try steps(":steps=7") }
    }
    let error = #expect(throws: OrderSpecificationError.self) {
      try OrderSpecification("a.json:steps=3,seed=4")
    }
    #expect(
      error?.description
        == "a.json: there is no key 'seed'; its keys are n=, initial=, schedule=, steps=")
  }

  @Test(arguments: [
    (["a/o.txt", "b/o.txt"], ["a/o.txt", "b/o.txt"]),
    (["x/a/o.txt", "x/b/o.txt", "p.txt"], ["a/o.txt", "b/o.txt", "p.txt"]),
    (["/x/a/o.txt", "/y/a/o.txt", "z/o.txt"], ["/x/a/o.txt", "/y/a/o.txt", "z/o.txt"]),
    (["a/o.json#0", "a/o.json#1", "raster"], ["o.json#0", "o.json#1", "raster"]),
    (["o.txt", "a/o.txt"], ["o.txt", "a/o.txt"]), (["a/o.txt", "a/o.txt"], ["o.txt", "o.txt"]),
    (["a/raster", "raster"], ["a/raster", "raster"]), (["-"], ["standard input"]),
  ])
  func namesTellFilesApart(texts: [String], names: [String]) throws {
    let specifications = try texts.map { try OrderSpecification($0) }
    #expect(OrderSpecification.names(of: specifications) == names)
  }

  @Test func anOrderHasTheNameItIsGiven() throws {
    let order = try OrderSpecification("halton:steps=2").order(on: grid, named: "mine")
    #expect(order.name == "mine")
  }

  @Test func standardInputIsNoPath() throws {
    let specification = try OrderSpecification("-")
    #expect(specification.path == nil)
    #expect(specification.family == nil)
    #expect(specification.name == "standard input")
  }
}
