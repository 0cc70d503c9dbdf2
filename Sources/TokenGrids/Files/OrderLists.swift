/// What nested lists of whole numbers mean for a grid, and whether they are an order of it.
///
/// - One list of N numbers: a sequence of raster indices, one step each, where they are 0 to N − 1 in any order; else the
///   step number of every cell.
/// - Lists of numbers: where each has N of them, several such sequences; where all together are a table of the grid's rows
///   and columns, step numbers; else steps of raster indices. N different numbers from 0 in the shape of the table could
///   be either, and are refused.
/// - Lists of lists of numbers: steps of cells [row, column], or [frame, row, column].
struct OrderLists {
  let file: String
  let grid: TokenGrid

  /// The orders of a list that says no more of itself.
  func orders(in list: NestedNumbers) throws(OrderFileError) -> [[[Int]]] {
    switch list.depth {
    case 1: return [try steps(flat: list)]
    case 2:
      let rows = list.elements
      let lengths = rows.map(\.elements.count)
      if rows.count > 1, lengths.allSatisfy({ $0 == grid.cellCount }) {
        var orders: [[[Int]]] = []
        for row in rows { orders.append(cut(try sequence(row), into: nil)) }
        return orders
      }
      guard rows.count == grid.frames * grid.rows, lengths.allSatisfy({ $0 == grid.columns })
      else { return [try steps(list, hasFrames: false)] }
      let numbers = try rows.flatMapNumbers(self)
      guard !isPermutation(numbers) else {
        throw .unusable(
          file: file,
          reason:
            "\(rows.count) lists of \(grid.columns) different numbers from 0 are a table of step"
            + " numbers as well as steps of raster indices; number steps from 1, or write"
            + " {\"steps\": …}")
      }
      return [OrderTable.ranked(numbers)]
    case 3: return [try steps(list, hasFrames: grid.isVideo)]
    default:
      throw unexpected(list, expected: "lists of step numbers, raster indices or cells")
    }
  }

  /// One of the orders that a file holds, from 0.
  func chosen(_ index: Int, of orders: [[[Int]]]) throws(OrderFileError) -> [[Int]] {
    guard orders.indices.contains(index) else {
      let held = orders.count == 1 ? "one order, #0" : "the orders #0 to #\(orders.count - 1)"
      throw .unusable(
        file: file,
        reason: orders.isEmpty
          ? "there is no order in it" : "there is no order #\(index); it holds \(held)")
    }
    return orders[index]
  }

  /// One list of N numbers.
  func steps(flat numbers: [Int]) -> [[Int]] {
    isPermutation(numbers) ? numbers.map { [$0] } : OrderTable.ranked(numbers)
  }

  private func steps(flat list: NestedNumbers) throws(OrderFileError) -> [[Int]] {
    let numbers = try numbers(of: list)
    guard numbers.count == grid.cellCount else {
      throw .unusable(
        file: file,
        reason: "a list of \(numbers.count) numbers; the \(grid) grid needs \(grid.cellCount) step"
          + " numbers or raster indices")
    }
    return steps(flat: numbers)
  }

  /// Steps of raster indices or of cells.
  func steps(
    _ list: NestedNumbers, hasFrames: Bool
  ) throws(OrderFileError) -> [[Int]] {
    var stepOfCell = [Int](repeating: 0, count: grid.cellCount)
    var steps: [[Int]] = []
    for (step, cells) in try elements(of: list, "an array of steps").enumerated() {
      var indices: [Int] = []
      for cell in try elements(of: cells, "a step, an array of cells") {
        let index = try index(of: cell, hasFrames: hasFrames)
        guard stepOfCell[index] == 0 else {
          throw .repeatedCell(
            file: file, line: cell.line, column: cell.column, cell: grid.cell(at: index),
            firstStep: stepOfCell[index], step: step + 1)
        }
        stepOfCell[index] = step + 1
        indices.append(index)
      }
      guard !indices.isEmpty else {
        throw .emptyStep(file: file, line: cells.line, column: cells.column, step: step + 1)
      }
      steps.append(indices)
    }
    try requireAll(stepOfCell)
    return steps
  }

  /// A sequence of raster indices, every cell once.
  func sequence(_ list: NestedNumbers) throws(OrderFileError) -> [Int] {
    var placeOfCell = [Int](repeating: 0, count: grid.cellCount)
    var sequence: [Int] = []
    for element in try elements(of: list, "an array of raster indices") {
      let index = try rasterIndex(of: element)
      guard placeOfCell[index] == 0 else {
        throw .repeatedIndex(
          file: file, line: element.line, column: element.column, index: index,
          firstPlace: placeOfCell[index], place: sequence.count + 1)
      }
      sequence.append(index)
      placeOfCell[index] = sequence.count
    }
    try requireAll(placeOfCell)
    return sequence
  }

  /// The sequence cut into groups of these sizes, which add up to its length; single cells without any.
  func cut(_ sequence: [Int], into sizes: [Int]?) -> [[Int]] {
    guard let sizes else { return sequence.map { [$0] } }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return Array(sequence[start..<start + size])
    }
  }

  /// Group sizes: from 1, and together as many as the grid has cells.
  func groupSizes(_ list: NestedNumbers) throws(OrderFileError) -> [Int] {
    var total = 0
    var sizes: [Int] = []
    for element in try elements(of: list, "an array of group sizes") {
      guard let size = element.number, size >= 1 else {
        throw unexpected(element, expected: "a group size from 1")
      }
      sizes.append(size)
      // No sum of what a file says may overflow.
      total = total.addingReportingOverflow(size).overflow ? .max : total + size
    }
    guard total == grid.cellCount else {
      throw .wrongGroupSizes(file: file, line: list.line, total: total, grid: grid)
    }
    return sizes
  }

  /// Checks that the file is for this grid.
  func check(_ extents: NestedNumbers) throws(OrderFileError) {
    let found: [Int]
    if let side = extents.number {
      found = [side, side]
    } else {
      found = try numbers(of: extents)
    }
    let expected = (found.count == 3 ? [grid.frames] : []) + [grid.rows, grid.columns]
    guard found == expected, found.count == 3 || !grid.isVideo else {
      throw .wrongGrid(file: file, line: extents.line, found: found, grid: grid)
    }
  }

  /// The elements of a list.
  func elements(
    of list: NestedNumbers, _ expected: String
  ) throws(OrderFileError) -> [NestedNumbers] {
    guard list.number == nil else { throw unexpected(list, expected: expected) }
    return list.elements
  }

  /// The numbers of a list of numbers.
  fileprivate func numbers(of list: NestedNumbers) throws(OrderFileError) -> [Int] {
    var numbers: [Int] = []
    for element in try elements(of: list, "an array of whole numbers from 0") {
      guard let number = element.number else {
        throw unexpected(element, expected: "a whole number from 0")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// Whether the numbers are the grid's raster indices, each once.
  private func isPermutation(_ numbers: [Int]) -> Bool {
    var isThere = [Bool](repeating: false, count: grid.cellCount)
    for number in numbers {
      guard isThere.indices.contains(number), !isThere[number] else { return false }
      isThere[number] = true
    }
    return numbers.count == grid.cellCount
  }

  private func index(of cell: NestedNumbers, hasFrames: Bool) throws(OrderFileError) -> Int {
    guard cell.number == nil else { return try rasterIndex(of: cell) }
    let numbers = try numbers(of: cell)
    let coordinates = (hasFrames ? [] : [0]) + numbers
    guard coordinates.count == 3 else { throw wrongCell(cell, numbers, hasFrames: hasFrames) }
    let place = GridCell(frame: coordinates[0], row: coordinates[1], column: coordinates[2])
    guard grid.contains(place) else { throw wrongCell(cell, numbers, hasFrames: hasFrames) }
    return grid.index(of: place)
  }

  private func wrongCell(
    _ cell: NestedNumbers, _ numbers: [Int], hasFrames: Bool
  ) -> OrderFileError {
    .wrongCell(
      file: file, line: cell.line, column: cell.column, cell: numbers,
      coordinates: hasFrames ? 3 : 2, grid: grid)
  }

  private func rasterIndex(of element: NestedNumbers) throws(OrderFileError) -> Int {
    guard let index = element.number, (0..<grid.cellCount).contains(index) else {
      throw unexpected(
        element, expected: "a raster index from 0 to \(grid.cellCount - 1) of the \(grid) grid")
    }
    return index
  }

  private func requireAll(_ numbers: [Int]) throws(OrderFileError) {
    let missing = numbers.indices.filter { numbers[$0] == 0 }
    if let first = missing.first {
      throw .missingCell(
        file: file, cell: grid.cell(at: first), missing: missing.count, grid: grid)
    }
  }

  private func unexpected(_ found: NestedNumbers, expected: String) -> OrderFileError {
    .unexpected(
      file: file, line: found.line, column: found.column,
      found: found.number.map { "'\($0)'" } ?? "'['", expected: expected)
  }
}

extension [NestedNumbers] {
  /// The numbers of all lists, one after another.
  fileprivate func flatMapNumbers(_ lists: OrderLists) throws(OrderFileError) -> [Int] {
    var numbers: [Int] = []
    for list in self { numbers += try lists.numbers(of: list) }
    return numbers
  }
}
