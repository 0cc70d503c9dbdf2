import COpenBLAS

/// A matrix is not positive definite: its leading minor of order `index + 1` is not positive.
public struct NotPositiveDefinite: Error, Equatable {
  /// The row, from 0, at which the factorisation failed.
  public let index: Int
}

/// The Cholesky factor L of a symmetric positive definite matrix A = L·Lᵀ.
public struct CholeskyFactor: Sendable {
  /// L, lower triangular, row-major. What is above the diagonal has no meaning.
  public let lower: Matrix

  /// Factors the matrix whose lower triangle is given; what is above the diagonal is not read.
  ///
  /// - Parameter relativePivot: The least share of a diagonal element that may remain after the rows before it have
  ///   been eliminated; below it the matrix counts as singular, since rounding decides what is left.
  /// - Throws: ``NotPositiveDefinite`` with the row at which the factorisation failed.
  /// - Complexity: n³/3 multiplications and additions (`dpotrf`), on all of BLAS's threads.
  public init(
    ofLowerTriangle matrix: consuming Matrix, relativePivot: Double = 1e-12
  ) throws(NotPositiveDefinite) {
    let n = matrix.rows
    precondition(matrix.columns == n, "only square matrices have a Cholesky factor")
    let diagonal = (0..<n).map { matrix[$0, $0] }
    // A row-major lower triangle is a column-major upper one: Uᵀ·U there is L·Lᵀ here, and nothing is transposed.
    let info = matrix.elements.withUnsafeMutableBufferPointer { buffer in
      n == 0
        ? 0 : LAPACKE_dpotrf(LAPACK_COL_MAJOR, 85 /* U */, Int32(n), buffer.baseAddress, Int32(n))
    }
    if info < 0 {
      // LAPACKE looks for numbers that are none before it begins.
      let row = (0..<n).first { i in (0...i).contains { matrix[i, $0].isNaN } }
      guard let row else { preconditionFailure("dpotrf refuses its argument \(-info)") }
      throw NotPositiveDefinite(index: row)
    }
    // A singular row often leaves a tiny positive pivot, and the factorisation fails only at a later row.
    let factored = info == 0 ? n : Int(info) - 1
    for i in 0..<factored {
      let pivot = matrix[i, i]
      guard pivot * pivot > relativePivot * diagonal[i] else { throw NotPositiveDefinite(index: i) }
    }
    guard factored == n else { throw NotPositiveDefinite(index: factored) }
    lower = matrix
  }

  /// The order of the matrix.
  public var order: Int { lower.rows }

  /// log|A|, in nats.
  public var logDeterminant: Double { logDeterminant(ofLeading: order) }

  /// The logarithm of the determinant of A's first `size` rows and columns, in nats.
  public func logDeterminant(ofLeading size: Int) -> Double {
    var sum = 0.0
    for i in 0..<size { sum += Double.log(lower[i, i]) }
    return 2 * sum
  }

  /// L⁻¹·B for a B of as many rows.
  ///
  /// - Complexity: O(n² · columns) (`dtrsm`).
  public func solveLower(_ right: consuming Matrix) -> Matrix {
    precondition(right.rows == order, "a right-hand side has as many rows as the factor")
    let (rows, columns) = (Int32(right.rows), Int32(right.columns))
    guard rows > 0, columns > 0 else { return right }
    right.elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dtrsm(
        CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, rows, columns, 1,
        lower.elements, rows, buffer.baseAddress, columns)
    }
    return right
  }

  /// L⁻ᵀ·B for a B of as many rows.
  ///
  /// - Complexity: O(n² · columns) (`dtrsm`).
  public func solveLowerTransposed(_ right: consuming Matrix) -> Matrix {
    precondition(right.rows == order, "a right-hand side has as many rows as the factor")
    let (rows, columns) = (Int32(right.rows), Int32(right.columns))
    guard rows > 0, columns > 0 else { return right }
    right.elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dtrsm(
        CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, rows, columns, 1,
        lower.elements, rows, buffer.baseAddress, columns)
    }
    return right
  }

  /// L⁻¹x for every row x of `rows`: uncorrelated numbers of equal variance where A is the scatter of such rows.
  ///
  /// - Complexity: O(rows · n²/2) (`dtrsm`), on all of BLAS's threads.
  public func whiten(rows: consuming Matrix) -> Matrix {
    precondition(rows.columns == order, "a row has as many numbers as the factor has rows")
    let (count, columns) = (Int32(rows.rows), Int32(rows.columns))
    guard count > 0, columns > 0 else { return rows }
    rows.elements.withUnsafeMutableBufferPointer { buffer in
      cblas_dtrsm(
        CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, count, columns, 1,
        lower.elements, columns, buffer.baseAddress, columns)
    }
    return rows
  }

  /// The squared length of each row of L⁻¹: those of its first r rows add up to the trace of the inverse of A's first r rows
  /// and columns.
  ///
  /// - Complexity: n³/3 multiplications and additions (`dtrtri`), and n² numbers of memory.
  public var inverseRowNorms: [Double] {
    let n = order
    guard n > 0 else { return [] }
    var inverse = lower
    // A row-major lower triangle is a column-major upper one, of the transpose.
    let info = inverse.elements.withUnsafeMutableBufferPointer {
      LAPACKE_dtrtri(LAPACK_COL_MAJOR, 85 /* U */, 78 /* N */, Int32(n), $0.baseAddress, Int32(n))
    }
    precondition(info == 0, "a Cholesky factor has an inverse")
    return (0..<n).map { i in
      (0...i).reduce(0.0) { $0 + inverse[i, $1] * inverse[i, $1] }
    }
  }

  /// An estimate of A's condition number ‖A‖·‖A⁻¹‖ in the 1-norm (`dpocon`), seldom more than three times too small.
  ///
  /// - Parameter norm: ‖A‖, the largest sum of magnitudes of a column.
  /// - Complexity: O(n²).
  public func conditionNumber(norm: Double) -> Double {
    guard order > 0 else { return 1 }
    var reciprocal = 0.0
    let (n, elements) = (Int32(order), lower.elements)
    let status = LAPACKE_dpocon(
      LAPACK_COL_MAJOR, 85 /* U */, n, elements, n, norm, &reciprocal)
    return status == 0 && reciprocal > 0 ? 1 / reciprocal : .infinity
  }
}

extension Matrix {
  /// The trace, the sum of squares and the largest sum of magnitudes of a column of the symmetric matrix whose lower
  /// triangle this is.
  ///
  /// - Complexity: O(n²).
  public var symmetricNorms: (trace: Double, squares: Double, largestColumnSum: Double) {
    var (trace, squares) = (0.0, 0.0)
    var sums = [Double](repeating: 0, count: rows)
    elements.withUnsafeBufferPointer { elements in
      sums.withUnsafeMutableBufferPointer { sums in
        for i in 0..<rows {
          var own = 0.0
          for j in 0..<i {
            let value = abs(elements[i * columns + j])
            own += value
            sums[j] += value
            squares += 2 * value * value
          }
          let diagonal = elements[i * columns + i]
          trace += diagonal
          squares += diagonal * diagonal
          sums[i] += own + abs(diagonal)
        }
      }
    }
    return (trace, squares, sums.max() ?? 0)
  }
}
