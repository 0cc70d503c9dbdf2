import Testing

@testable import TokenGrids

@Suite struct OrderTableTests {
  private let grid = TokenGrid(rows: 2, columns: 3)

  private func steps(_ text: String, on grid: TokenGrid? = nil) throws -> [[Int]] {
    try OrderTable.steps(
      in: OrderText(file: "f.txt", bytes: Array(text.utf8)), on: grid ?? self.grid)
  }

  @Test(arguments: [
    "1 2 3\n1 2 3\n", "1 2 3\n1 2 3", "1,2,3\n1,2,3\n", "1;2;3\r\n1;2;3\r\n", "1\t2\t3\r1\t2\t3",
    "  1 , 2 ,3  \n\t1  2   3\t\n\n\n", "\n\n1 2 3\n1 2 3\n", "# steps\n1 2 3\n  # more\n1 2 3\n#",
    "1.0 2.0 3.0\n1e0 2e0 3e0", "0 1 2\n0 1 2\n", "5 70 900\n5 70 900\n", "\u{FEFF}1 2 3\n1 2 3\n",
  ])
  func formsOfOneTable(text: String) throws {
    #expect(try steps(text) == [[0, 3], [1, 4], [2, 5]])
  }

  @Test func numbersAreRanked() throws {
    #expect(try steps("9 0 4\n4 9 12\n") == [[1], [2, 3], [0, 4], [5]])
  }

  @Test func framesAreSeparatedByBlankLines() throws {
    let video = TokenGrid(frames: 2, rows: 2, columns: 2)
    #expect(
      try steps("1 2\n3 4\n\n1 2\n3 5\n", on: video) == [[0, 4], [1, 5], [2, 6], [3], [7]])
    #expect(try steps("1 2\n3 4\n \t\n\n# b\n1 2\n3 5\n\n", on: video).count == 5)
  }

  @Test(arguments: [
    (
      "1 2 x\n1 2 3",
      "f.txt, line 1, column 5: found 'x', expected a step number (a whole number from 0)"
    ),
    (
      "1 2 3\n1 -2 3",
      "f.txt, line 2, column 3: found '-2', expected a step number (a whole number from 0)"
    ),
    (
      "1 2 3\n1 2.5 3",
      "f.txt, line 2, column 3: found '2.5', expected a step number (a whole number from 0)"
    ),
    (
      "1,,3\n1,2,3",
      "f.txt, line 1, column 3: found ',', expected a step number (a whole number from 0)"
    ),
    (
      ",2,3\n1,2,3",
      "f.txt, line 1, column 1: found ',', expected a step number (a whole number from 0)"
    ),
    (
      "1,2,\n1,2,3",
      "f.txt, line 1, column 5: found the end of the line, expected a step number (a whole number from 0)"
    ),
    (
      "1,2,3\n1,2,",
      "f.txt, line 2, column 5: found the end of the file, expected a step number (a whole number from 0)"
    ),
    (
      "1 2 nan\n1 2 3",
      "f.txt, line 1, column 5: found 'nan', expected a step number (a whole number from 0)"
    ),
    (
      "row one\n1 2 3",
      "f.txt, line 1, column 1: found 'row', expected a step number (a whole number from 0)"
    ),
    (
      "1 é\u{1B}[2 3\n",
      "f.txt, line 1, column 3: found 'é\\u{1B}[2', expected a step number (a whole number from 0)"
    ),
    (
      "1 2 abcdefghijklmnopqrstuvwxyz\n",
      "f.txt, line 1, column 5: found 'abcdefghijklmnopqrstuvwx…', expected a step number (a whole number from 0)"
    ),
    ("1 2\n1 2 3", "f.txt, line 1: 2 step numbers, but a row of the 2x3 grid has 3 cells"),
    ("1 2 3\n# c\n1 2 3 4", "f.txt, line 3: 4 step numbers, but a row of the 2x3 grid has 3 cells"),
    ("1 2 3\n1 2 3\n1 2 3", "f.txt: the table has 3 rows, but the 2x3 grid has 2 rows"),
    ("1 2 3", "f.txt: the table has 1 row, but the 2x3 grid has 2 rows"),
    ("1 2 3\n\n1 2 3", "f.txt: 2 frames (separated by blank lines), but the 2x3 grid has 1 frame"),
    ("# nothing", "f.txt: the file is empty; expected a table of step numbers or JSON"),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: OrderFileError.self) { try steps(text) }
    #expect(error?.description == message)
  }

  @Test func framesOfTheWrongSizeAreNamed() {
    let video = TokenGrid(frames: 2, rows: 2, columns: 2)
    let missing = #expect(throws: OrderFileError.self) { try steps("1 2\n3 4\n", on: video) }
    #expect(
      missing?.description
        == "f.txt: 1 frame (separated by blank lines), but the 2x2x2 grid has 2 frames")
    let short = #expect(throws: OrderFileError.self) { try steps("1 2\n3 4\n\n1 2\n", on: video) }
    #expect(
      short?.description
        == "f.txt: frame 2, which begins in line 4, has 1 row, but the 2x2x2 grid has 2 rows")
  }

  @Test func writesAlignedNumbers() throws {
    let order = try GenerationOrder.raster(
      on: TokenGrid(frames: 2, rows: 2, columns: 3), tokensPerStep: 1)
    #expect(
      OrderTable.text(of: order)
        == " 1  2  3\n 4  5  6\n\n 7  8  9\n10 11 12\n")
  }

  /// Mutated tables either give a partition of the grid or an error of the file.
  @Test func mutationsNeverCrash() throws {
    let grid = TokenGrid(frames: 2, rows: 3, columns: 3)
    let order = try GenerationOrder.random(on: grid, seed: 1, schedule: .runs(of: 2))
    try fuzz(Array(OrderTable.text(of: order, separator: ", ").utf8), seed: 21) { bytes in
      try OrderTable.steps(in: OrderText(file: "f", bytes: bytes), on: grid)
    } isValid: {
      isPartition(GenerationOrder(uncheckedName: "f", grid: grid, steps: $0))
    }
  }
}
