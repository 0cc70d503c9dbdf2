import COpenBLAS

/// A dense matrix of `Float`, row-major: the storage of features, codebooks and patches.
public struct FloatMatrix: Hashable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The elements, row by row: element (i, j) is `elements[i * columns + j]`.
  public var elements: [Float]

  /// Makes a `rows` × `columns` matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, elements: Array(repeating: 0, count: rows * columns))
  }

  /// Makes a matrix from its elements in row-major order.
  ///
  /// - Precondition: there are `rows · columns` elements.
  public init(rows: Int, columns: Int, elements: [Float]) {
    precondition(elements.count == rows * columns, "a matrix has rows × columns elements")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// The element in row `i`, column `j`.
  @inlinable public subscript(i: Int, j: Int) -> Float {
    get { elements[i * columns + j] }
    set { elements[i * columns + j] = newValue }
  }

  /// Some of the rows, in the order given.
  public func rows(_ chosen: some Collection<Int>) -> FloatMatrix {
    var values: [Float] = []
    values.reserveCapacity(chosen.count * columns)
    for row in chosen { values += elements[row * columns..<(row + 1) * columns] }
    return FloatMatrix(rows: chosen.count, columns: columns, elements: values)
  }

  /// The product op(A)·op(B), through single-precision `gemm`; op is the identity or transposes.
  ///
  /// - Precondition: the inner extents agree.
  /// - Complexity: O(rows · inner · columns) of the product.
  public static func product(
    _ a: FloatMatrix, _ b: FloatMatrix,
    transposingFirst: Bool = false, transposingSecond: Bool = false
  ) -> FloatMatrix {
    var c = FloatMatrix(
      rows: transposingFirst ? a.columns : a.rows, columns: transposingSecond ? b.rows : b.columns)
    c.setProduct(a, b, transposingFirst: transposingFirst, transposingSecond: transposingSecond)
    return c
  }

  /// Replaces the elements by `scale`·op(A)·op(B), without allocating.
  ///
  /// - Precondition: the extents of the three matrices agree.
  /// - Complexity: O(rows · inner · columns).
  public mutating func setProduct(
    scale: Float = 1, _ a: FloatMatrix, _ b: FloatMatrix,
    transposingFirst: Bool = false, transposingSecond: Bool = false
  ) {
    let inner = transposingFirst ? a.rows : a.columns
    precondition(
      rows == (transposingFirst ? a.columns : a.rows)
        && columns == (transposingSecond ? b.rows : b.columns)
        && inner == (transposingSecond ? b.columns : b.rows),
      "the extents of a matrix product agree")
    guard rows > 0, columns > 0 else { return }
    let (m, n) = (rows, columns)
    elements.withUnsafeMutableBufferPointer { c in
      cblas_sgemm(
        CblasRowMajor, transposingFirst ? CblasTrans : CblasNoTrans,
        transposingSecond ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(inner), scale,
        a.elements, Int32(max(1, a.columns)), b.elements, Int32(max(1, b.columns)), 0,
        c.baseAddress, Int32(n))
    }
  }

  /// The rows with the given indices, one after the other: `indices.count × columns`, row-major.
  ///
  /// - Precondition: every index is a row.
  /// - Complexity: O(indices.count · columns), at the speed of memory.
  public func gatherRows(_ indices: ArraySlice<UInt32>) -> [Float] {
    let width = columns
    precondition(indices.allSatisfy { $0 < rows }, "a gathered row exists")
    return Array(unsafeUninitializedCapacity: indices.count * width) { output, count in
      elements.withUnsafeBufferPointer { source in
        indices.withUnsafeBufferPointer { indices in
          Self.gather(source, width: width, rows: indices, into: output)
        }
      }
      count = indices.count * width
    }
  }

  /// Copies rows; eight columns, the width of the usual codebooks, move as one vector.
  private static func gather(
    _ source: UnsafeBufferPointer<Float>, width: Int, rows: UnsafeBufferPointer<UInt32>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    guard let source = source.baseAddress, let target = output.baseAddress else { return }
    if width == 8 {
      let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
      for (i, row) in rows.enumerated() {
        let vector = from.loadUnaligned(fromByteOffset: Int(row) * 32, as: SIMD8<Float>.self)
        to.storeBytes(of: vector, toByteOffset: i * 32, as: SIMD8<Float>.self)
      }
    } else {
      for (i, row) in rows.enumerated() {
        (target + i * width).initialize(from: source + Int(row) * width, count: width)
      }
    }
  }
}
