/// Rows that are put together from blocks of other rows: the inputs of a network that looks at some tokens about a target.
public struct BlockGather: Sendable {
  /// The numbers of a block.
  public let blockSize: Int
  /// The numbers of a row that is made.
  public let columns: Int
  /// The rows made of each row read.
  public let rowsPerSource: Int
  /// What is not copied, rowsPerSource × columns.
  private let template: [Float]
  /// From which block, and to which place among the rows made.
  private let copies: [(from: Int32, to: Int32)]

  /// Makes a gathering.
  ///
  /// - Parameters:
  ///   - template: rowsPerSource × columns; what stands where nothing is copied.
  ///   - copies: Which block of the row read goes to which element of the rows made.
  public init(
    blockSize: Int, template: FloatMatrix, copies: [(block: Int, row: Int, column: Int)]
  ) {
    self.blockSize = blockSize
    columns = template.columns
    rowsPerSource = template.rows
    self.template = template.elements
    for copy in copies {
      precondition(
        copy.block >= 0 && (0..<template.rows).contains(copy.row) && copy.column >= 0
          && copy.column + blockSize <= template.columns, "a block is copied into a row")
    }
    self.copies = copies.map {
      (Int32($0.block * blockSize), Int32($0.row * template.columns + $0.column))
    }
  }

  /// The rows made of some rows, `source.rows · rowsPerSource` × columns.
  ///
  /// - Complexity: O(the numbers made).
  public func rows(of source: FloatMatrix) -> FloatMatrix {
    let (size, count) = (template.count, source.rows)
    var result = FloatMatrix(rows: source.rows * rowsPerSource, columns: columns)
    precondition(
      copies.allSatisfy { Int($0.from) + blockSize <= source.columns }, "a block is in the row")
    let width = source.columns
    result.elements.withUnsafeMutableBufferPointer { result in
      source.elements.withUnsafeBufferPointer { source in
        template.withUnsafeBufferPointer { template in
          guard let result = result.baseAddress, let source = source.baseAddress,
            let template = template.baseAddress
          else { return }
          for i in 0..<count {
            let (from, to) = (source + i * width, result + i * size)
            to.update(from: template, count: size)
            for copy in copies {
              for c in 0..<blockSize { to[Int(copy.to) + c] = from[Int(copy.from) + c] }
            }
          }
        }
      }
    }
    return result
  }
}
