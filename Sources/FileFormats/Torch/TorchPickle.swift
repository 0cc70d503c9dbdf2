import Foundation

/// The part of Python's pickle format that describes tensors, read without running anything.
///
/// A pickle is a program for a stack machine, and its `REDUCE` may call any function of Python.
/// Here nothing is ever called: storages, the functions that make tensors of them and dictionaries are
/// understood, and every other object is passed over as a whole, with what it is made of. Containers live in one table and refer to each other by
/// index, so that neither depth nor cycles can hurt. (Format: Python's `pickletools`, protocols 2
/// to 5; PyTorch's serialization notes.)
struct TorchPickle {
  /// A tensor as described; its numbers are elsewhere.
  struct Tensor: Hashable, Sendable {
    var storageType: String
    var key: String
    var storageCount: Int
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  private indirect enum Value {
    case none
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(String)
    case storage(type: String, key: String, count: Int)
    case tensor(Tensor)
    /// Something that is no tensor and holds none that is read, and its name where it has one.
    case foreign(String)
    case mark
  }

  /// The globals that may be named.
  private static let functions: Set<String> = [
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state", "collections.OrderedDict",
    "collections.defaultdict",
  ]

  /// The most bytes of a pickle that are read: some hundred thousand tensors take less.
  static let largestPickle: UInt64 = 1 << 25
  /// How deep dictionaries with tensors may stand in each other, and how many bytes all names together may have: names of
  /// nested dictionaries are joined, so that a short file could make very long ones.
  private static let (deepest, longestNames) = (64, 1 << 25)

  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]
  private var tuples: [[Value]] = []
  private var dictionaries: [[String: Value]] = []

  /// The tensors by their path in the nested dictionaries, names joined by dots; one that is alone has no name.
  private(set) var tensors: [String: Tensor] = [:]
  /// The first object that was passed over.
  private var firstForeign: String?

  /// Follows a pickle to its end.
  ///
  /// - Throws: ``TorchError``.
  /// - Complexity: O(bytes).
  init(_ bytes: [UInt8], file: String) throws(TorchError) {
    self.bytes = bytes
    self.file = file
    switch try run() {
    case .dictionary(let index):
      try collect(index)
      if tensors.isEmpty, let firstForeign { throw .forbidden(file: file, name: firstForeign) }
    case .tensor(let tensor): tensors[""] = tensor
    case .foreign(let name): throw .forbidden(file: file, name: firstForeign ?? name)
    default: throw .noDictionary(file: file)
    }
  }

  /// Lists the tensors in a dictionary and in those inside it, each once.
  private mutating func collect(_ root: Int) throws(TorchError) {
    var waiting = [(root, "", 0)]
    var seen: Set<Int> = [root]
    var length = 0
    while let (index, prefix, depth) = waiting.popLast() {
      for (name, value) in dictionaries[index].sorted(by: { $0.key < $1.key }) {
        switch value {
        case .tensor(let tensor):
          length += prefix.utf8.count + name.utf8.count
          guard length <= Self.longestNames else { throw failure("the names are too long") }
          tensors[prefix + name] = tensor
        case .dictionary(let inner) where depth < Self.deepest && seen.insert(inner).inserted:
          length += prefix.utf8.count + name.utf8.count
          guard length <= Self.longestNames else { throw failure("the names are too long") }
          waiting.append((inner, prefix + name + ".", depth + 1))
        default: break
        }
      }
    }
  }

  // MARK: The machine

  private mutating func run() throws(TorchError) -> Value {
    while true {
      let start = position
      let code = try byte()
      switch code {
      case 0x80: _ = try byte()  // PROTO
      case 0x95: _ = try integer(bytes: 8)  // FRAME
      case UInt8(ascii: "."): return try pop()
      case UInt8(ascii: "("): stack.append(.mark)
      case UInt8(ascii: "0"): _ = try pop()
      case UInt8(ascii: "N"): stack.append(.none)
      case 0x88: stack.append(.boolean(true))
      case 0x89: stack.append(.boolean(false))
      case UInt8(ascii: "K"): stack.append(.integer(try integer(bytes: 1)))
      case UInt8(ascii: "M"): stack.append(.integer(try integer(bytes: 2)))
      case UInt8(ascii: "J"):
        stack.append(.integer(Int(Int32(truncatingIfNeeded: try integer(bytes: 4)))))
      case 0x8a: stack.append(try long(lengthBytes: 1))
      case 0x8b: stack.append(try long(lengthBytes: 4))
      case UInt8(ascii: "C"), UInt8(ascii: "U"): try pushBytes(lengthBytes: 1, code)
      case UInt8(ascii: "B"), UInt8(ascii: "T"): try pushBytes(lengthBytes: 4, code)
      case 0x8e, 0x96: try pushBytes(lengthBytes: 8, code)
      case UInt8(ascii: "I"), UInt8(ascii: "L"):
        let digits = try line().prefix { $0 != "L" }
        stack.append(Int(digits).map { .integer($0) } ?? .foreign("a number"))
      case UInt8(ascii: "F"), UInt8(ascii: "S"), UInt8(ascii: "V"), UInt8(ascii: "P"):
        _ = try line()
        stack.append(.foreign("a value"))
      case UInt8(ascii: "2"): stack.append(try top())
      case UInt8(ascii: "1"): _ = try popToMark()
      case UInt8(ascii: "p"): memo[try memoPlace()] = try top()
      case UInt8(ascii: "g"): stack.append(try remembered(try memoPlace()))
      case 0x8f: stack.append(.list(0))  // EMPTY_SET
      case 0x90:  // ADDITEMS
        _ = try popToMark()
        try checkList()
      case 0x91, UInt8(ascii: "l"):  // FROZENSET, LIST
        _ = try popToMark()
        stack.append(.list(0))
      case UInt8(ascii: "d"):
        let items = try popToMark()
        dictionaries.append([:])
        stack.append(.dictionary(dictionaries.count - 1))
        try set(items)
      case 0x81:  // NEWOBJ
        pushForeign(named: try pop(2)[0])
      case 0x92:  // NEWOBJ_EX
        pushForeign(named: try pop(3)[0])
      case UInt8(ascii: "o"):
        let parts = try popToMark()
        pushForeign(named: parts.first ?? .none)
      case UInt8(ascii: "i"):
        let name = try line() + "." + (try line())
        _ = try popToMark()
        pushForeign(named: .foreign(name))
      case UInt8(ascii: "G"):
        var bits: UInt64 = 0
        for byte in try take(8) { bits = bits << 8 | UInt64(byte) }
        stack.append(.number(Double(bitPattern: bits)))
      case UInt8(ascii: "X"): stack.append(.text(try text(lengthBytes: 4)))
      case 0x8c: stack.append(.text(try text(lengthBytes: 1)))
      case 0x8d: stack.append(.text(try text(lengthBytes: 8)))
      case UInt8(ascii: "}"):
        dictionaries.append([:])
        stack.append(.dictionary(dictionaries.count - 1))
      case UInt8(ascii: "]"): stack.append(.list(0))
      case UInt8(ascii: ")"): push(tuple: [])
      case 0x85: push(tuple: try pop(1))
      case 0x86: push(tuple: try pop(2))
      case 0x87: push(tuple: try pop(3))
      case UInt8(ascii: "t"): push(tuple: try popToMark())
      case UInt8(ascii: "q"): memo[try integer(bytes: 1)] = try top()
      case UInt8(ascii: "r"): memo[try integer(bytes: 4)] = try top()
      case 0x94: memo[memo.count] = try top()
      case UInt8(ascii: "h"): stack.append(try remembered(try integer(bytes: 1)))
      case UInt8(ascii: "j"): stack.append(try remembered(try integer(bytes: 4)))
      case UInt8(ascii: "a"):  // APPEND: lists hold no tensors that are read.
        _ = try pop()
        try checkList()
      case UInt8(ascii: "e"):
        _ = try popToMark()
        try checkList()
      case UInt8(ascii: "s"): try set(try pop(2))
      case UInt8(ascii: "u"): try set(try popToMark())
      case UInt8(ascii: "c"):
        push(global: try line() + "." + (try line()))
      case 0x93:
        let names = try pop(2)
        guard case .text(let module) = names[0], case .text(let name) = names[1] else {
          throw failure("a name is no text")
        }
        push(global: module + "." + name)
      case UInt8(ascii: "Q"): try pushStorage()
      case UInt8(ascii: "R"): try reduce()
      case UInt8(ascii: "b"):
        // BUILD: ordered dictionaries of modules carry their version, and other objects their contents; it is of no use here.
        _ = try pop()
        _ = try top()
      default: throw .unknownInstruction(file: file, code: code, offset: start)
      }
    }
  }

  private mutating func push(tuple values: [Value]) {
    tuples.append(values)
    stack.append(.tuple(tuples.count - 1))
  }

  private mutating func push(global name: String) {
    let isStorage = name.hasPrefix("torch.") && name.hasSuffix("Storage")
    if isStorage || Self.functions.contains(name) {
      stack.append(.global(name))
    } else {
      pushForeign(named: .foreign(name))
    }
  }

  /// Puts an object on the stack that is passed over.
  private mutating func pushForeign(named value: Value) {
    let name =
      switch value {
      case .foreign(let name), .global(let name): name
      default: "an object"
      }
    firstForeign = firstForeign ?? name
    stack.append(.foreign(name))
  }

  /// Bytes, or the text of Python 2.
  private mutating func pushBytes(lengthBytes: Int, _ code: UInt8) throws(TorchError) {
    let bytes = try take(try integer(bytes: lengthBytes))
    let isText = code == UInt8(ascii: "U") || code == UInt8(ascii: "T")
    if isText, let text = String(validating: bytes, as: UTF8.self) {
      stack.append(.text(text))
    } else {
      stack.append(.foreign("bytes"))
    }
  }

  private mutating func memoPlace() throws(TorchError) -> Int {
    guard let place = Int(try line()), place >= 0 else { throw failure("a place is no number") }
    return place
  }

  /// ('storage', type, key, device, count)
  private mutating func pushStorage() throws(TorchError) {
    guard case .tuple(let index) = try pop() else { return pushForeign(named: .none) }
    let parts = tuples[index]
    guard parts.count == 5, case .text("storage") = parts[0], case .global(let type) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0,
      type.hasPrefix("torch."), type.hasSuffix("Storage"),
      !key.isEmpty, key.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    else { return pushForeign(named: .none) }
    stack.append(.storage(type: String(type.dropFirst(6)), key: key, count: count))
  }

  private mutating func reduce() throws(TorchError) {
    let (list, called) = (try pop(), try pop())
    guard case .tuple(let index) = list, case .global(let function) = called else {
      return pushForeign(named: called)
    }
    let arguments = tuples[index]
    switch function {
    case "collections.OrderedDict", "collections.defaultdict":
      dictionaries.append([:])
      stack.append(.dictionary(dictionaries.count - 1))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard let first = arguments.first, case .tensor = first else {
        return pushForeign(named: called)
      }
      stack.append(first)
    case "torch._utils._rebuild_tensor_v2":
      guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
        case .integer(let offset) = arguments[1], offset >= 0
      else { return pushForeign(named: called) }
      guard let shape = integers(arguments[2]), let strides = integers(arguments[3]),
        shape.count == strides.count, (shape + strides).allSatisfy({ $0 >= 0 })
      else { return pushForeign(named: called) }
      stack.append(
        .tensor(
          Tensor(
            storageType: type, key: key, storageCount: count, offset: offset, shape: shape,
            strides: strides)))
    default: pushForeign(named: called)
    }
  }

  /// Sets alternating names and values; entries whose name is no text are of no use here.
  private mutating func set(_ items: [Value]) throws(TorchError) {
    if case .foreign = try top() { return }
    guard case .dictionary(let index) = try top(), items.count.isMultiple(of: 2) else {
      throw failure("entries are set in something that is no dictionary")
    }
    for place in stride(from: 0, to: items.count, by: 2) {
      if case .text(let name) = items[place] { dictionaries[index][name] = items[place + 1] }
    }
  }

  private func checkList() throws(TorchError) {
    if case .foreign = try top() { return }
    guard case .list = try top() else { throw failure("items are appended to what is no list") }
  }

  // MARK: The stack

  private func top() throws(TorchError) -> Value {
    guard let value = stack.last else { throw failure("the stack is empty") }
    return value
  }

  private mutating func pop() throws(TorchError) -> Value {
    guard let value = stack.popLast() else { throw failure("the stack is empty") }
    return value
  }

  private mutating func pop(_ count: Int) throws(TorchError) -> [Value] {
    guard stack.count >= count else { throw failure("the stack is empty") }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws(TorchError) -> [Value] {
    let mark = stack.lastIndex {
      if case .mark = $0 { true } else { false }
    }
    guard let mark else { throw failure("there is no mark") }
    let values = Array(stack[(mark + 1)...])
    stack.removeSubrange(mark...)
    return values
  }

  private func remembered(_ index: Int) throws(TorchError) -> Value {
    guard let value = memo[index] else { throw failure("nothing was remembered as \(index)") }
    return value
  }

  private func integers(_ value: Value) -> [Int]? {
    guard case .tuple(let index) = value else { return nil }
    var result: [Int] = []
    for item in tuples[index] {
      guard case .integer(let integer) = item else { return nil }
      result.append(integer)
    }
    return result
  }

  // MARK: The bytes

  private mutating func byte() throws(TorchError) -> UInt8 {
    guard position < bytes.count else { throw failure("it ends too early") }
    position += 1
    return bytes[position - 1]
  }

  private mutating func take(_ count: Int) throws(TorchError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw failure("it ends too early") }
    position += count
    return bytes[position - count..<position]
  }

  /// An unsigned number, least significant byte first.
  private mutating func integer(bytes count: Int) throws(TorchError) -> Int {
    let value = try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let integer = Int(exactly: value) else { throw failure("a number is too large") }
    return integer
  }

  /// A signed number; one of more than eight bytes, such as the state of a random generator, describes no tensor.
  private mutating func long(lengthBytes: Int) throws(TorchError) -> Value {
    let digits = try take(try integer(bytes: lengthBytes))
    guard digits.count <= 8 else { return .foreign("a number") }
    let isNegative = (digits.last ?? 0) & 0x80 != 0
    return .integer(
      Int(
        truncatingIfNeeded: digits.reversed().reduce(isNegative ? UInt64.max : 0) {
          $0 << 8 | UInt64($1)
        }))
  }

  private mutating func text(lengthBytes: Int) throws(TorchError) -> String {
    let characters = try take(try integer(bytes: lengthBytes))
    guard let text = String(validating: characters, as: UTF8.self) else {
      throw failure("text is not UTF-8")
    }
    return text
  }

  private mutating func line() throws(TorchError) -> String {
    guard let end = bytes[position...].firstIndex(of: 0x0a) else {
      throw failure("it ends too early")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private func failure(_ reason: String) -> TorchError {
    .malformed(file: file, offset: position, reason: reason)
  }
}
