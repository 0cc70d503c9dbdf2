import Foundation
import TestSupport
import Testing
import TokenData
import TokenGrids

private let program = Program(name: "order-compare")

/// `Documentation/OneOrderByHand.md`, whose every number is compared with what the command prints.
private struct Page {
  /// A line of the table of an order.
  struct Row {
    let step: Int
    let cell: [Int]
    let parallelVariance, sequentialVariance: Double
    let parallel, sequential, increase: Double
  }

  let text: String

  init() throws {
    text = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Documentation/OneOrderByHand.md"), encoding: .utf8)
  }

  /// The text below a heading, as far as the next.
  private func section(_ heading: String) throws -> Substring {
    let start = try #require(text.range(of: "\n## \(heading)\n")).upperBound
    return text[start..<(text[start...].range(of: "\n## ")?.lowerBound ?? text.endIndex)]
  }

  /// The number or fraction of a field.
  private static func number(_ field: String) throws -> Double {
    let parts = try field.split(separator: "/").map { try #require(Double($0), "\(field)") }
    return parts.count == 2 ? parts[0] / parts[1] : try #require(parts.first, "\(field)")
  }

  /// The table of an order, which must have a line for each of the sixteen tokens.
  func rows(_ heading: String) throws -> [Row] {
    let lines = try section(heading).split(separator: "\n").filter {
      $0.hasPrefix("| ") && !$0.hasPrefix("| step")
    }
    try #require(lines.count == 16)
    return try lines.map { line in
      let fields = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(fields.count == 9, "\(line)")
      return Row(
        step: Int(try Self.number(fields[0])),
        cell: try fields[1].dropFirst().dropLast().split(separator: ", ")
          .map { Int(try Self.number(String($0))) },
        parallelVariance: try Self.number(fields[3]),
        sequentialVariance: try Self.number(fields[6]), parallel: try Self.number(fields[4]),
        sequential: try Self.number(fields[7]), increase: try Self.number(fields[8]))
    }
  }

  /// The number that an indented line ends with, before "nats".
  func result(_ start: String) throws -> Double {
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("    " + start) })
    let words = line.split(separator: " ")
    try #require(words.last == "nats")
    return try Self.number(String(words[words.count - 2]))
  }

  /// What stands between the fences of the first block in a language.
  func block(_ language: String) throws -> String {
    let start = try #require(text.range(of: "```\(language)\n")).upperBound
    let end = try #require(text[start...].range(of: "```\n")).lowerBound
    return String(text[start..<end])
  }
}

/// The images of the page: orthogonal columns of signs, passed through the chain of every row.
private func byHand() throws -> TokenDataset {
  var values: [Float] = []
  for image in 0..<1024 {
    var chain = 0.0
    for cell in 0..<16 {
      let fresh: Double = (image & (cell + 1)).nonzeroBitCount.isMultiple(of: 2) ? 1 : -1
      chain = cell % 4 == 0 ? fresh : 0.5 * chain + 0.75.squareRoot() * fresh
      values.append(Float(chain))
    }
  }
  return try TokenDataset(
    name: "by-hand.h5", grid: TokenGrid(rows: 4, columns: 4),
    tokens: .features(values, dimensions: 1))
}

/// The page rounds to four decimals; the file's single precision moves an entropy by less than 1e-6.
private let rounding = 0.5e-4 + 1e-6

@Test(arguments: ["Distant", "Raster"])
func everyNumberOfThePageIsPrinted(heading: String) throws {
  let page = try Page()
  let rows = try page.rows(heading)
  let name = heading.lowercased()
  let result = try withFile(byHand(), named: "by-hand.h5") {
    try program.run([name, "--tokens", $0, "--bound", "algorithm-1", "--csv"])
  }
  try #require(result.status == 0, "\(result.errors)")
  let lines = result.output.split(separator: "\n").map {
    $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
  let headings = try #require(lines.first)
  try #require(lines.count == 17)
  var (printed, total, joint) = (Set<[Int]>(), 0.0, 0.0)
  for line in lines.dropFirst() {
    func number(_ heading: String) throws -> Double {
      let column = try #require(headings.firstIndex(of: heading))
      return try #require(Double(line[column]))
    }
    let cell = [Int(try number("row")), Int(try number("column"))]
    let row = try #require(rows.first { $0.cell == cell }, "\(cell)")
    let (parallel, sequential) = (try number("parallel_nats"), try number("sequential_nats"))
    let increase = try number("increase_nats")
    #expect(try number("step") == Double(row.step))
    #expect(abs(parallel - row.parallel) < rounding, "\(line)")
    #expect(abs(sequential - row.sequential) < rounding, "\(line)")
    #expect(abs(increase - row.increase) < rounding, "\(line)")
    // The variances of the page are exact fractions.
    #expect(abs(parallel - 0.5 * log(2 * .pi * M_E * row.parallelVariance)) < 1e-6)
    #expect(abs(sequential - 0.5 * log(2 * .pi * M_E * row.sequentialVariance)) < 1e-6)
    printed.insert(cell)
    total += increase
    joint += sequential
  }
  #expect(printed.count == 16)
  #expect(abs(total - (try page.result("total increase of \(name)"))) < rounding)
  #expect(abs(joint - (try page.result("joint entropy"))) < rounding)
}

/// The page's command, to the last character, but for which of the cells with equal increases is named as the one with the
/// largest: that is rounding.
@Test func theTableOfThePageIsPrinted() throws {
  let page = try Page()
  let lines = try page.block("console").split(separator: "\n")
  let words = try #require(lines.first).split(separator: " ").map(String.init)
  try #require(words.prefix(2) == ["$", "order-compare"])
  let result = try withFile(byHand(), named: "by-hand.h5") { path in
    try program.run(words.dropFirst(2).map { $0 == "by-hand.h5" ? path : $0 })
  }
  #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
  let cell = /\((\d), (\d)\)/
  func unnamed(_ text: String) -> String { text.replacing(cell, with: "(row, column)") }
  #expect(
    unnamed(result.output) == unnamed(lines.dropFirst().joined(separator: "\n") + "\n"))
  let named = result.output.matches(of: cell).map { [Int($0.output.1), Int($0.output.2)] }
  try #require(named.count == 2)
  for (heading, cell) in [("Raster", named[0]), ("Distant", named[1])] {
    let rows = try page.rows(heading)
    let largest = rows.map(\.increase).max()
    #expect(rows.contains { $0.cell == cell.compactMap(\.self) && $0.increase == largest })
  }
}

/// The Python of the page writes the same images.
@Test(.enabled(if: Python.hasH5Py, "python3 with h5py is not installed"))
func thePythonOfThePageMakesTheImages() throws {
  let folder = try TemporaryFolder()
  try Python.run("import os; os.chdir('\(folder.path)')\n" + Page().block("python"))
  #expect(try TokenDataset(contentsOf: folder.file("by-hand.h5")).tokens == byHand().tokens)
}
