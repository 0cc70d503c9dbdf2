/// A whole number, or a list of such, as they stand in a file.
struct NestedNumbers {
  /// The line and column where the value begins, from 1.
  var line: Int
  var column: Int
  var value: Value

  enum Value {
    case number(Int)
    case list([NestedNumbers])
  }

  /// What a list holds; nothing for a number.
  var elements: [NestedNumbers] { if case .list(let elements) = value { elements } else { [] } }

  /// The number, or nil for a list.
  var number: Int? { if case .number(let number) = value { number } else { nil } }

  /// How deep lists nest along the first elements: 0 for a number, 1 for a list of numbers or an empty list.
  var depth: Int { number != nil ? 0 : 1 + (elements.first?.depth ?? 0) }
}

extension JSONScanner {
  /// Reads a whole number from 0 or a list of such or of lists.
  mutating func nestedNumbers() throws(OrderFileError) -> NestedNumbers {
    skipSpace()
    let (line, column) = place
    guard isArrayNext else {
      return NestedNumbers(line: line, column: column, value: .number(try wholeNumber()))
    }
    var elements: [NestedNumbers] = []
    try self.elements(of: "an array") { scanner throws(OrderFileError) in
      elements.append(try scanner.nestedNumbers())
    }
    return NestedNumbers(line: line, column: column, value: .list(elements))
  }
}
