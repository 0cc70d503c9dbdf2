import Foundation

/// The part of Python's pickle format that describes tensors, read without running anything.
///
/// A pickle is a program for a stack machine, and its `REDUCE` may call any function of Python.
/// Here it may name ten things: storages, the functions that make tensors of them, and the ordered
/// dictionary. Everything else is refused. Containers live in one table and refer to each other by
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
    case mark
  }

  /// The globals that may be named.
  private static let storageTypes: Set<String> = [
    "FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage", "LongStorage", "IntStorage",
    "ShortStorage", "CharStorage", "ByteStorage", "BoolStorage",
  ]
  private static let functions: Set<String> = [
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    "collections.OrderedDict",
  ]

  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]
  private var tuples: [[Value]] = []
  private var dictionaries: [[String: Value]] = []

  /// The tensors by their path in the nested dictionaries, names joined by dots.
  private(set) var tensors: [String: Tensor] = [:]

  /// Follows a pickle to its end.
  ///
  /// - Throws: ``TorchError``.
  /// - Complexity: O(bytes).
  init(_ bytes: [UInt8], file: String) throws(TorchError) {
    self.bytes = bytes
    self.file = file
    let root = try run()
    guard case .dictionary(let index) = root else { throw .noDictionary(file: file) }
    collect(index)
  }

  /// Lists the tensors in a dictionary and in those inside it, each once.
  private mutating func collect(_ root: Int) {
    var waiting = [(root, "")]
    var seen: Set<Int> = [root]
    while let (index, prefix) = waiting.popLast() {
      for (name, value) in dictionaries[index].sorted(by: { $0.key < $1.key }) {
        switch value {
        case .tensor(let tensor): tensors[prefix + name] = tensor
        case .dictionary(let inner) where seen.insert(inner).inserted:
          waiting.append((inner, prefix + name + "."))
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
      case 0x8a: stack.append(.integer(try long()))
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
        try push(global: try line() + "." + (try line()))
      case 0x93:
        let names = try pop(2)
        guard case .text(let module) = names[0], case .text(let name) = names[1] else {
          throw failure("a name is no text")
        }
        try push(global: module + "." + name)
      case UInt8(ascii: "Q"): try pushStorage()
      case UInt8(ascii: "R"): try reduce()
      case UInt8(ascii: "b"):
        // BUILD: ordered dictionaries of modules carry their version; it is of no use here.
        _ = try pop()
        guard case .dictionary = try top() else { throw failure("only dictionaries have a state") }
      default: throw .unknownInstruction(file: file, code: code, offset: start)
      }
    }
  }

  private mutating func push(tuple values: [Value]) {
    tuples.append(values)
    stack.append(.tuple(tuples.count - 1))
  }

  private mutating func push(global name: String) throws(TorchError) {
    let isStorage =
      name.hasPrefix("torch.") && Self.storageTypes.contains(String(name.dropFirst(6)))
    guard isStorage || Self.functions.contains(name) else {
      throw .forbidden(file: file, name: name)
    }
    stack.append(.global(name))
  }

  /// ('storage', type, key, device, count)
  private mutating func pushStorage() throws(TorchError) {
    let parts = try tuple(try pop())
    guard parts.count == 5, case .text("storage") = parts[0], case .global(let type) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0,
      type.hasPrefix("torch."), Self.storageTypes.contains(String(type.dropFirst(6))),
      !key.isEmpty, key.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    else { throw failure("a storage is described in an unknown way") }
    stack.append(.storage(type: String(type.dropFirst(6)), key: key, count: count))
  }

  private mutating func reduce() throws(TorchError) {
    let arguments = try tuple(try pop())
    guard case .global(let function) = try pop() else { throw failure("something else is called") }
    switch function {
    case "collections.OrderedDict":
      guard arguments.isEmpty else { throw failure("an ordered dictionary with arguments") }
      dictionaries.append([:])
      stack.append(.dictionary(dictionaries.count - 1))
    case "torch._utils._rebuild_parameter":
      guard let first = arguments.first, case .tensor = first else {
        throw failure("a parameter of something else than a tensor")
      }
      stack.append(first)
    case "torch._utils._rebuild_tensor_v2":
      guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
        case .integer(let offset) = arguments[1], offset >= 0
      else { throw failure("a tensor is described in an unknown way") }
      let shape = try integers(arguments[2])
      let strides = try integers(arguments[3])
      guard shape.count == strides.count, (shape + strides).allSatisfy({ $0 >= 0 }) else {
        throw failure("the shape and strides of a tensor do not fit each other")
      }
      stack.append(
        .tensor(
          Tensor(
            storageType: type, key: key, storageCount: count, offset: offset, shape: shape,
            strides: strides)))
    default: throw failure("a storage type is called")
    }
  }

  /// Sets alternating names and values; entries whose name is no text are of no use here.
  private mutating func set(_ items: [Value]) throws(TorchError) {
    guard case .dictionary(let index) = try top(), items.count.isMultiple(of: 2) else {
      throw failure("entries are set in something that is no dictionary")
    }
    for place in stride(from: 0, to: items.count, by: 2) {
      if case .text(let name) = items[place] { dictionaries[index][name] = items[place + 1] }
    }
  }

  private func checkList() throws(TorchError) {
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

  private func tuple(_ value: Value) throws(TorchError) -> [Value] {
    guard case .tuple(let index) = value else { throw failure("a tuple is expected") }
    return tuples[index]
  }

  private func integers(_ value: Value) throws(TorchError) -> [Int] {
    var result: [Int] = []
    for item in try tuple(value) {
      guard case .integer(let integer) = item else { throw failure("an integer is expected") }
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

  /// A signed number of up to eight bytes.
  private mutating func long() throws(TorchError) -> Int {
    let count = Int(try byte())
    guard count <= 8 else { throw failure("a number is too large") }
    let digits = try take(count)
    let isNegative = (digits.last ?? 0) & 0x80 != 0
    return Int(
      truncatingIfNeeded: digits.reversed().reduce(isNegative ? UInt64.max : 0) {
        $0 << 8 | UInt64($1)
      })
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
