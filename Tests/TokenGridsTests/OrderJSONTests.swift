import Testing

@testable import TokenGrids

@Suite struct OrderJSONTests {
  private let grid = TokenGrid(rows: 2, columns: 2)

  private func steps(_ text: String, on grid: TokenGrid? = nil) throws -> [[Int]] {
    try OrderJSON.steps(
      in: OrderText(file: "f.json", bytes: Array(text.utf8)), on: grid ?? self.grid)
  }

  @Test(arguments: [
    #"{"grid":[2,2],"steps":[[[1,1],[0,0]],[[0,1]],[[1,0]]]}"#,
    #"{"steps":[[[1,1],[0,0]],[[0,1]],[[1,0]]],"grid":[2,2]}"#,
    #"{"grid":[1,2,2],"steps":[[[0,1,1],[0,0,0]],[[0,0,1]],[[0,1,0]]]}"#,
    "\n{ \"grid\" : [ 2 , 2.0 ] ,\r\n \"steps\" : [ [ [ 1 , 1 ] , [ 0 , 0 ] ] , [[0,1]], [[1,0]] ] }\n",
    #"{"name":"mé \"x\" \u00e9","grid":[2,2],"more":{"a":[1,-2.5e3,null,true,false,{},[]]},"steps":[[[1,1],[0,0]],[[0,1]],[[1,0]]]}"#,
  ])
  func formsOfOneOrder(text: String) throws {
    #expect(try steps(text) == [[3, 0], [1], [2]])
  }

  @Test func videoHasFrames() throws {
    let video = TokenGrid(frames: 2, rows: 1, columns: 2)
    #expect(
      try steps(#"{"grid":[2,1,2],"steps":[[[1,0,1],[0,0,0]],[[0,0,1],[1,0,0]]]}"#, on: video)
        == [[3, 0], [1, 2]])
  }

  @Test(arguments: [
    ("[]", "f.json: a list of 0 numbers; the 2x2 grid needs 4 step numbers or raster indices"),
    ("{", "f.json, line 1, column 2: found the end of the file, expected a name in quotes"),
    ("{}", #"f.json, line 1: the object ends without "steps""#),
    (#"{"grid":[2,2]}"#, #"f.json, line 1: the object ends without "steps""#),
    (#"{"steps":[[[0,0]]]}"#, #"f.json, line 1: the object ends without "grid""#),
    ("{\"grid\":[2,2],\n\"grid\":[2,2]}", #"f.json, line 2: "grid" is given twice"#),
    (#"{"grid" 2}"#, "f.json, line 1, column 9: found '2', expected ':'"),
    (
      #"{"grid":3,"steps":[]}"#,
      #"f.json, line 1: "grid" is [3, 3], but the grid here is 2x2, [2, 2]"#
    ),
    (#"{"grid":[2,a]}"#, "f.json, line 1, column 12: found 'a', expected a whole number from 0"),
    (#"{"grid":[2,-2]}"#, "f.json, line 1, column 12: found '-2', expected a whole number from 0"),
    (
      #"{"grid":[2,2.5]}"#, "f.json, line 1, column 12: found '2.5', expected a whole number from 0"
    ),
    (#"{"grid":[2,]}"#, "f.json, line 1, column 12: found ']', expected a whole number from 0"),
    (#"{"grid":[2 2]}"#, "f.json, line 1, column 12: found '2', expected ',' or ']'"),
    (#"{"grid":["2",2]}"#, "f.json, line 1, column 10: found '\"', expected a whole number from 0"),
    (
      #"{"grid":[2,2],"steps":[[[0,0]]]"#,
      "f.json, line 1, column 32: found the end of the file, expected ',' or '}'"
    ),
    (
      #"{"grid":[3,2],"steps":[]}"#,
      #"f.json, line 1: "grid" is [3, 2], but the grid here is 2x2, [2, 2]"#
    ),
    (
      #"{"grid":[],"steps":[]}"#, #"f.json, line 1: "grid" is [], but the grid here is 2x2, [2, 2]"#
    ),
    (
      #"{"grid":[2,2,2],"steps":[]}"#,
      #"f.json, line 1: "grid" is [2, 2, 2], but the grid here is 2x2, [2, 2]"#
    ),
    (
      #"{"grid":[2,2],"steps":[]}"#,
      "f.json: no step lists cell (0, 0) (4 of the 4 cells of the 2x2 grid are missing)"
    ),
    (
      #"{"grid":[2,2],"steps":[[[0,0],[1,1]],[[1,0]]]}"#,
      "f.json: no step lists cell (0, 1) (1 of the 4 cells of the 2x2 grid are missing)"
    ),
    (
      "{\"grid\":[2,2],\"steps\":[\n[[0,0],[0,1]],\n[[1,0],[0,1]]]}",
      "f.json, line 3, column 8: cell (0, 1) stands in step 2, but already in step 1"
    ),
    (
      #"{"grid":[2,2],"steps":[[[0,0],[0,0]]]}"#,
      "f.json, line 1, column 31: cell (0, 0) stands in step 1, but already in step 1"
    ),
    (
      #"{"grid":[2,2],"steps":[[[0,2]]]}"#,
      "f.json, line 1, column 25: found [0, 2], expected a cell [row, column] from [0, 0] to [1, 1] of the 2x2 grid"
    ),
    (
      #"{"grid":[2,2],"steps":[[[0]]]}"#,
      "f.json, line 1, column 25: found [0], expected a cell [row, column] from [0, 0] to [1, 1] of the 2x2 grid"
    ),
    (
      #"{"grid":[1,2,2],"steps":[[[0,0]]]}"#,
      "f.json, line 1, column 27: found [0, 0], expected a cell [frame, row, column] from [0, 0, 0] to [0, 1, 1] of the 2x2 grid"
    ),
    (
      #"{"grid":[2,2],"steps":[[[0,0]],[]]}"#,
      "f.json, line 1, column 32: step 2 lists no cell; remove it or list its cells"
    ),
    (
      #"{"grid":[2,2],"steps":[[0,[1]]]}"#,
      "f.json, line 1, column 27: found [1], expected a cell [row, column] from [0, 0] to [1, 1] of the 2x2 grid"
    ),
    (
      #"{"grid":[2,2],"steps":[0]}"#,
      "f.json, line 1, column 24: found '0', expected a step, an array of cells"
    ),
    (
      #"{"grid":[2,2],"steps":{}}"#,
      "f.json, line 1, column 23: found '{', expected a whole number from 0"
    ),
    (
      #"{"grid":[2,2],"x":nul,"steps":[]}"#,
      "f.json, line 1, column 19: found 'nul', expected a JSON value"
    ),
    (
      #"{"x":"a\q"}"#,
      #"f.json, line 1, column 9: found 'q', expected one of " \ / b f n r t u after '\'"#
    ),
    (
      #"{"x":"\u12g4"}"#,
      #"f.json, line 1, column 11: found 'g4', expected four hexadecimal digits after '\u'"#
    ),
    (
      "{\"x\":\"a\nb\"}",
      "f.json, line 1, column 8: found the end of the line, expected '\"' at the end of the text"
    ),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: OrderFileError.self) { try steps(text) }
    #expect(error?.description == message)
  }

  @Test func textAfterTheObjectIsRefused() {
    let error = #expect(throws: OrderFileError.self) {
      try steps(#"{"grid":[2,2],"steps":[[[1,1],[0,0]],[[0,1]],[[1,0]]]} 5"#)
    }
    #expect(
      error?.description == "f.json, line 1, column 56: found '5', expected the end of the file")
  }

  @Test func nestingIsLimited() {
    let text = #"{"x":"# + String(repeating: "[", count: 100_000)
    let error = #expect(throws: OrderFileError.self) { try steps(text) }
    #expect(error?.description.contains("at most 64 nested arrays and objects") == true)
  }

  @Test func aVideoNeedsFrames() {
    let video = TokenGrid(frames: 2, rows: 2, columns: 2)
    let error = #expect(throws: OrderFileError.self) {
      try steps(#"{"grid":[2,2],"steps":[]}"#, on: video)
    }
    #expect(
      error?.description
        == #"f.json, line 1: "grid" is [2, 2], but the grid here is 2x2x2, [2, 2, 2]"#)
  }

  @Test func writesOneStepToALine() {
    let order = GenerationOrder.diagonal(on: grid)
    #expect(
      OrderJSON.text(of: order) == """
        {
          "grid": [2, 2],
          "steps": [
            [[0, 0]],
            [[0, 1], [1, 0]],
            [[1, 1]]
          ]
        }

        """)
  }

  /// Mutated JSON either gives a partition of the grid or an error of the file.
  @Test func mutationsNeverCrash() throws {
    let grid = TokenGrid(frames: 2, rows: 2, columns: 2)
    let order = try GenerationOrder.random(on: grid, seed: 1, schedule: .runs(of: 3))
    let text =
      #"{"name": "é\u00e9\n", "x": [1.5, null, {"y": true}], "#
      + OrderJSON.text(of: order).dropFirst()
    try fuzz(Array(text.utf8), seed: 22) { bytes in
      try OrderJSON.steps(in: OrderText(file: "f", bytes: bytes), on: grid)
    } isValid: {
      isPartition(GenerationOrder(uncheckedName: "f", grid: grid, steps: $0))
    }
  }
}
