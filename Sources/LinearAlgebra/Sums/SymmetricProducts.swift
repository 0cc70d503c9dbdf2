import COpenBLAS

extension Matrix {
  /// Adds the products of the columns of `rows` with each other, XᵀX, to the lower triangle.
  ///
  /// - Parameters:
  ///   - rows: X, row-major, with as many columns as this matrix.
  ///   - count: How many rows of X are taken, from the first; all by default.
  ///   - factor: What the products are multiplied by; −1 takes them off.
  /// - Complexity: rows · columns²/2 (`dsyrk`).
  public mutating func addScatter(
    ofRows rows: Matrix, first count: Int? = nil, times factor: Double = 1
  ) {
    let count = count ?? rows.rows
    precondition(
      rows.columns == columns && self.rows == columns, "the scatter is columns × columns")
    precondition(count >= 0 && count <= rows.rows, "the rows exist")
    guard count > 0, columns > 0 else { return }
    let (k, n) = (Int32(count), Int32(columns))
    elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dsyrk(
        CblasRowMajor, CblasLower, CblasTrans, n, k, factor, rows.elements, n, 1,
        buffer.baseAddress, n)
    }
  }

  /// X·Xᵀ, lower triangle; zero above the diagonal.
  ///
  /// - Complexity: rows² · columns/2 (`dsyrk`).
  public func timesTranspose() -> Matrix {
    var result = Matrix(rows: rows, columns: rows)
    guard rows > 0, columns > 0 else { return result }
    let (n, k) = (Int32(rows), Int32(columns))
    result.elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dsyrk(
        CblasRowMajor, CblasLower, CblasNoTrans, n, k, 1, elements, k, 0, buffer.baseAddress, n)
    }
    return result
  }

  /// X·Y, or X·Yᵀ with `transposed`.
  ///
  /// - Complexity: rows · columns · other's columns (`dgemm`).
  public func times(_ other: Matrix, transposed: Bool = false) -> Matrix {
    precondition(columns == (transposed ? other.columns : other.rows), "inner extents agree")
    var result = Matrix(rows: rows, columns: transposed ? other.rows : other.columns)
    guard rows > 0, columns > 0, result.columns > 0 else { return result }
    let n = Int32(result.columns)
    result.elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, Int32(rows), n,
        Int32(columns), 1, elements, Int32(columns), other.elements, Int32(other.columns), 0,
        buffer.baseAddress, n)
    }
    return result
  }

  /// The columns `range` of the rows `rows`.
  public func block(rows: Range<Int>, columns range: Range<Int>) -> Matrix {
    var result: [Double] = []
    result.reserveCapacity(rows.count * range.count)
    for i in rows {
      result.append(
        contentsOf: elements[i * columns + range.lowerBound..<i * columns + range.upperBound])
    }
    return Matrix(rows: rows.count, columns: range.count, elements: result)
  }

  /// The lower triangle of a symmetric matrix after its rows and columns, taken in blocks of `blockSize`, have been
  /// rearranged: block (a, b) of the result is block (order[a], order[b]) of this one. Only this matrix's lower triangle
  /// is read; above its diagonal the result has no meaning.
  ///
  /// - Parameter order: Distinct block numbers; with fewer than there are, the result is the submatrix of those blocks.
  /// - Complexity: O(result's elements), on all cores.
  public func symmetricPermutation(ofBlocks order: [Int], blockSize: Int) -> Matrix {
    precondition(rows == columns, "only square matrices are rearranged symmetrically")
    let (d, n) = (blockSize, columns)
    let size = order.count * d
    let storage = [Double](unsafeUninitializedCapacity: size * size) { result, initialized in
      initialized = size * size
      guard let base = result.baseAddress else { return }
      let shared = SharedPointer(base)
      elements.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let source = source
        parallelFor(order.count) { index in
          let a = order.count - 1 - index
          let target = shared.base + a * d * size
          for b in 0...a {
            let (i, j) = (order[a] * d, order[b] * d)
            for r in 0..<d {
              let row = target + r * size + b * d
              if i >= j {
                // In a diagonal block the part above the diagonal is copied too, and never read.
                for c in 0..<d { row[c] = source[(i + r) * n + j + c] }
              } else {
                for c in 0..<d { row[c] = source[(j + c) * n + i + r] }
              }
            }
          }
          // The rest of the rows is never read, but must not be left uninitialised.
          for r in 0..<d {
            (target + r * size + (a + 1) * d).update(repeating: 0, count: size - (a + 1) * d)
          }
        }
      }
    }
    return Matrix(rows: size, columns: size, elements: storage)
  }
}
