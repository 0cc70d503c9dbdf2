import Foundation

/// An order as an array of step numbers in numpy's `.npy` format or as nested lists in JSON: one number for each cell, in
/// raster order, as ``OrderTable`` has them in text.
enum OrderArray {
  /// Whether bytes start as a `.npy` file does.
  static func isNpy(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x93] + Array("NUMPY".utf8)) }

  /// Reads a `.npy` array of whole numbers with the extents of the grid, or as many numbers as it has cells.
  ///
  /// - Throws: ``OrderFileError`` that says what was found.
  /// - Complexity: O(bytes + N log N).
  static func steps(npy bytes: [UInt8], file: String, on grid: TokenGrid) throws(OrderFileError)
    -> [[Int]]
  {
    func failure(_ reason: String) -> OrderFileError {
      .unusable(file: file, reason: "this .npy array is no order: " + reason)
    }
    guard bytes.count > 12 else { throw failure("it is cut short") }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else { throw failure("it is cut short") }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': *'([<>|])([iu])([1248])'/),
      let width = Int(type.3)
    else { throw failure("whole numbers are expected") }
    guard let shape = header.firstMatch(of: /'shape': *\(([0-9, ]*)\)/) else {
      throw failure("its header tells no shape")
    }
    let extents = shape.1.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let sides = [grid.rows, grid.columns]
    guard
      extents == [grid.cellCount] || extents == [grid.frames] + sides
        || (!grid.isVideo && extents == sides)
    else { throw failure("its shape is \(extents), and the grid here is \(grid)") }
    guard extents.count == 1 || header.contains(/'fortran_order': *False/) else {
      throw failure("the first index runs fastest; save numpy.ascontiguousarray of it")
    }
    let first = start + length
    guard bytes.count - first == grid.cellCount * width else {
      throw failure("\(bytes.count - first) bytes follow the header, not \(grid.cellCount * width)")
    }
    var numbers: [Int] = []
    for cell in 0..<grid.cellCount {
      let digits = bytes[first + cell * width..<first + (cell + 1) * width]
      let value = (type.1 == ">" ? Array(digits) : digits.reversed())
        .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard let number = Int(exactly: value),
        width == 8 || type.2 == "u" || value >> (8 * width - 1) == 0
      else { throw failure("a number is negative") }
      numbers.append(number)
    }
    return OrderTable.ranked(numbers)
  }

  /// Reads lists of step numbers: one list, or one for each row; nil where the text is something else.
  static func steps(json text: OrderText, on grid: TokenGrid) throws(OrderFileError) -> [[Int]]? {
    let decoder = JSONDecoder()
    let data = Data(text.bytes)
    let numbers: [Int]
    if let flat = try? decoder.decode([Int].self, from: data) {
      numbers = flat
    } else if let rows = try? decoder.decode([[Int]].self, from: data) {
      if let line = rows.firstIndex(where: { $0.count != grid.columns }) {
        throw .wrongRowLength(file: text.file, line: line + 1, found: rows[line].count, grid: grid)
      }
      numbers = rows.flatMap(\.self)
    } else {
      return nil
    }
    guard numbers.count == grid.cellCount, numbers.allSatisfy({ $0 >= 0 }) else {
      throw .unusable(
        file: text.file,
        reason:
          "a list of \(numbers.count) step numbers; the \(grid) grid needs \(grid.cellCount), from 0 on"
      )
    }
    return OrderTable.ranked(numbers)
  }
}
