import Foundation

/// Whole numbers in numpy's `.npy` format.
struct NpyIntegers {
  /// The extents of the array.
  let shape: [Int]
  /// The numbers, the last index running fastest.
  let numbers: [Int]

  /// Whether bytes start as a `.npy` file does.
  static func isNpy(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x93] + Array("NUMPY".utf8)) }

  /// Reads an array.
  ///
  /// - Throws: ``OrderFileError`` that says what was found.
  /// - Complexity: O(bytes).
  init(_ bytes: [UInt8], file: String) throws(OrderFileError) {
    func failure(_ reason: String) -> OrderFileError {
      .unusable(file: file, reason: "this .npy array holds no steps: " + reason)
    }
    guard bytes.count > 12 else { throw failure("it is cut short") }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else { throw failure("it is cut short") }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': *'([<>|])([iu])([1248])'/),
      let width = Int(type.3)
    else {
      let found = header.firstMatch(of: /'descr': *'([^']*)'/).map { "'\($0.1)'" }
      throw failure(
        "whole numbers are expected, and their type is \(found ?? "none"); save them as int32")
    }
    guard let text = header.firstMatch(of: /'shape': *\(([0-9, ]*)\)/) else {
      throw failure("its header tells no shape")
    }
    shape = text.1.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    var count = 1
    for extent in shape {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: extent)
      count = isTooLarge ? .max : product
    }
    guard shape.count == 1 || header.contains(/'fortran_order': *False/) else {
      throw failure("the first index runs fastest; save numpy.ascontiguousarray of it")
    }
    let first = start + length
    guard (bytes.count - first).isMultiple(of: width), (bytes.count - first) / width == count
    else {
      throw failure(
        "its shape \(shape) has \(count) numbers, and \(bytes.count - first) bytes of \(width) each follow the header"
      )
    }
    var numbers: [Int] = []
    numbers.reserveCapacity(count)
    let (isBigEndian, isSigned) = (type.1 == ">", type.2 == "i")
    for place in stride(from: first, to: bytes.count, by: width) {
      var value: UInt64 = 0
      for digit in 0..<width {
        value = value << 8 | UInt64(bytes[isBigEndian ? place + digit : place + width - 1 - digit])
      }
      // A negative number is spread over all 64 bits.
      let unused = 64 - 8 * width
      let number =
        isSigned ? Int(Int64(bitPattern: value << unused) >> unused) : Int(exactly: value)
      guard let number else { throw failure("a number is larger than any step's") }
      numbers.append(number)
    }
    self.numbers = numbers
  }
}

extension NpyIntegers {
  /// The order of an array with the extents of the grid, of step numbers; or of as many numbers as it has cells: a sequence
  /// of raster indices where they are 0 to N − 1 in any order, else step numbers.
  ///
  /// - Throws: ``OrderFileError`` that says what was found.
  /// - Complexity: O(N log N).
  func steps(on grid: TokenGrid, file: String) throws(OrderFileError) -> [[Int]] {
    func failure(_ reason: String) -> OrderFileError {
      .unusable(file: file, reason: "this .npy array is no order: " + reason)
    }
    let sides = [grid.rows, grid.columns]
    guard
      shape == [grid.cellCount] || shape == [grid.frames] + sides
        || (!grid.isVideo && shape == sides)
    else {
      let isOfImages = Array(shape.dropFirst()) == (grid.isVideo ? [grid.frames] : []) + sides
      throw failure(
        "its shape is \(shape), and the grid here is \(grid)"
          + (isOfImages ? "; the step maps of several images are no single order" : ""))
    }
    guard numbers.allSatisfy({ $0 >= 0 }) else { throw failure("a number is negative") }
    return shape.count == 1
      ? OrderLists(file: file, grid: grid).steps(flat: numbers) : OrderTable.ranked(numbers)
  }
}
