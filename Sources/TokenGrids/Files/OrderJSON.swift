/// Orders as JSON.
///
/// An object holds `steps`, a list for each step, or a sequence of raster indices: `orders`, several of them, or
/// `sequence` (or `order`), one, with the `group_sizes` that cut it; `grid` is [H, W], [T, H, W] or the side of a square.
/// Other members are passed over. A list alone holds steps, step numbers or sequences, told apart by its shape; see
/// ``OrderLists``. Cells of steps are [row, column], [frame, row, column] or raster indices, and keep the order in which
/// they are listed.
enum OrderJSON {
  /// Reads an order.
  ///
  /// - Parameter index: which of several orders, from 0.
  /// - Throws: ``OrderFileError`` that names the place.
  /// - Complexity: O(bytes + N log N).
  static func steps(
    in text: OrderText, on grid: TokenGrid, index: Int = 0
  ) throws(OrderFileError) -> [[Int]] {
    try OrderLists(file: text.file, grid: grid).chosen(index, of: orders(in: text, on: grid))
  }

  /// Reads all orders.
  ///
  /// - Throws: ``OrderFileError`` that names the place.
  /// - Complexity: O(bytes + N log N).
  static func orders(
    in text: OrderText, on grid: TokenGrid
  ) throws(OrderFileError) -> [[[Int]]] {
    var scanner = JSONScanner(text: text)
    let lists = OrderLists(file: text.file, grid: grid)
    let opening = text.bytes.first { !OrderText.isBlank($0) && !OrderText.isLineEnd($0) }
    if opening == UInt8(ascii: "[") {
      let list = try scanner.nestedNumbers()
      try scanner.expectEnd()
      return try lists.orders(in: list)
    }
    var members: [String: NestedNumbers] = [:]
    try scanner.members { name, line, scanner throws(OrderFileError) in
      guard ["grid", "steps", "order", "sequence", "orders", "group_sizes"].contains(name) else {
        return try scanner.skipValue()
      }
      guard members[name] == nil else { throw scanner.repeated(name, line: line) }
      members[name] = try scanner.nestedNumbers()
    }
    try scanner.expectEnd()
    if let extents = members["grid"] { try lists.check(extents) }
    let sizes = try members["group_sizes"].map { sizes throws(OrderFileError) in
      try lists.groupSizes(sizes)
    }
    let kinds = ["steps", "sequence", "order", "orders"].filter { members[$0] != nil }
    guard let kind = kinds.first, let list = members[kind] else {
      throw scanner.missing(sizes == nil ? "steps" : "orders")
    }
    guard kinds.count == 1 else {
      throw .unusable(
        file: text.file, reason: "\"\(kinds[0])\" and \"\(kinds[1])\" are two orders; give one")
    }
    switch kind {
    case "steps":
      guard sizes == nil else {
        throw .unusable(
          file: text.file,
          reason: "\"group_sizes\" cut a \"sequence\", and \"steps\" are cut already")
      }
      // Cells of images need no grid to be told from others; frames and lists of numbers do not say what they are for.
      if list.depth == 3, members["grid"] == nil { throw scanner.missing("grid") }
      let isVideo = members["grid"].map { $0.elements.count == 3 } ?? grid.isVideo
      return [try lists.steps(list, hasFrames: isVideo)]
    case "orders":
      var orders: [[[Int]]] = []
      for sequence in try lists.elements(of: list, "an array of orders") {
        orders.append(lists.cut(try lists.sequence(sequence), into: sizes))
      }
      return orders
    default:
      return [lists.cut(try lists.sequence(list), into: sizes)]
    }
  }

  /// The JSON that ``steps(in:on:index:)`` reads, one step to a line.
  static func text(of order: GenerationOrder) -> String {
    let grid = order.grid
    let frames = grid.isVideo ? "\(grid.frames), " : ""
    let steps = order.steps.map { step in
      let cells = step.map { index in
        let cell = grid.cell(at: index)
        return "[\(grid.isVideo ? "\(cell.frame), " : "")\(cell.row), \(cell.column)]"
      }
      return "    [\(cells.joined(separator: ", "))]"
    }
    return """
      {
        "grid": [\(frames)\(grid.rows), \(grid.columns)],
        "steps": [
      \(steps.joined(separator: ",\n"))
        ]
      }

      """
  }
}
