import Files
import Testing

private func reader(_ text: String, deepest: Int = 8) -> JSONReader {
  JSONReader(Array(text.utf8), deepestNesting: deepest)
}

@Test func listsAreEnteredAndLeft() throws {
  var json = reader(#" { "a" : [ 1 , 22 ], "b": {} , "c":[] } "#)
  var found: [String] = []
  var isThere = try json.enter(.object)
  while isThere {
    found.append(try json.string())
    try json.expect(":")
    json.skipSpace()
    if found.last == "a" {
      var hasMore = try json.enter(.array)
      while hasMore {
        found.append("\(try json.wholeNumber())")
        hasMore = try json.goesOn(in: .array)
      }
    } else {
      try json.skipValue()
    }
    isThere = try json.goesOn(in: .object)
  }
  try json.expectEnd()
  #expect(found == ["a", "1", "22", "b", "c"])
}

@Test(arguments: [
  (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
  (#""a\u00e9\ud83d\ude00""#, "aé😀"), (#""é漢""#, "é漢"), (#""""#, ""),
])
func stringsAreRead(text: String, value: String) throws {
  var json = reader(text)
  #expect(try json.string() == value)
  try json.expectEnd()
}

@Test(arguments: [
  (#""a"#, JSONProblem.Expectation.endOfString, 2), ("\"a\u{1}\"", .noControlCharacter, 2),
  (#""\q""#, .escape, 2), (#""\"#, .endOfEscape, 2), (#""\u12g4""#, .hexadecimal, 5),
  (#""\ud83dx""#, .wholeCharacter, 7), (#""\ud83d\n""#, .secondHalf, 8),
  (#""\ud83d\u0041""#, .secondHalf, 13), (#""\udc00""#, .wholeCharacter, 7),
  ("7", .character("\""), 0),
])
func badStringsHaveAPlace(text: String, expected: JSONProblem.Expectation, offset: Int) {
  var json = reader(text)
  let problem = #expect(throws: JSONProblem.self) { try json.string() }
  #expect(
    problem?.expected == expected && problem?.offset == offset, "\(String(describing: problem))")
}

@Test func textMustBeUTF8() {
  var json = JSONReader([0x22, 0xC3, 0x28, 0x22], deepestNesting: 1)
  let problem = #expect(throws: JSONProblem.self) { try json.string() }
  #expect(problem?.expected == .textInUTF8 && problem?.offset == 3)
}

@Test(arguments: [
  ("[1, {\"a\": [true, null, -1.5e3]}]", nil, 0),
  ("[1 2]", JSONProblem.Expectation.endOf(.array), 3),
  ("{\"a\" 1}", .character(":"), 5), ("{1: 2}", .name, 1), ("[tru]", .value, 1),
  ("[1e]", .value, 1),
  ("[[[[1]]]]", .nesting(atMost: 3), 4), ("[1,]", .value, 3), ("", .value, 0),
])
func valuesAreSteppedOver(text: String, expected: JSONProblem.Expectation?, offset: Int) throws {
  var json = reader(text, deepest: 3)
  guard let expected else {
    try json.skipValue()
    return try json.expectEnd()
  }
  let problem = #expect(throws: JSONProblem.self) { try json.skipValue() }
  #expect(
    problem?.expected == expected && problem?.offset == offset, "\(String(describing: problem))")
}

@Test func numbersAreBelowTheLargest() throws {
  var largest = reader("9223372036854775807")
  #expect(try largest.wholeNumber() == Int.max)
  for (text, expected) in [
    ("9223372036854775808", JSONProblem.Expectation.smallerNumber), ("-1", .wholeNumber),
    ("", .wholeNumber),
  ] {
    var json = reader(text)
    let problem = #expect(throws: JSONProblem.self) { try json.wholeNumber() }
    #expect(problem?.expected == expected && problem?.offset == 0)
  }
}
