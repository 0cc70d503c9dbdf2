import COpenBLAS

extension Matrix {
  /// The eigenvalues of the symmetric matrix whose lower triangle this is, from the smallest to the largest.
  ///
  /// - Throws: ``SymmetricEigenError`` when an element is not finite or the iteration fails.
  /// - Precondition: the matrix is square.
  /// - Complexity: 4n³/3 multiplications and additions, LAPACK's `dsyevd` without vectors.
  public consuming func symmetricEigenvalues() throws -> [Double] {
    precondition(rows == columns, "a symmetric matrix is square")
    guard elements.allSatisfy(\.isFinite) else { throw SymmetricEigenError.notFinite }
    let n = Int32(rows)
    var values = [Double](repeating: 0, count: rows)
    // The lower triangle of the rows is the upper one of the columns.
    let status = elements.withUnsafeMutableBufferPointer { buffer in
      LAPACKE_dsyevd(
        LAPACK_COL_MAJOR, 0x4E /* N */, 0x55 /* U */, n, buffer.baseAddress, max(1, n), &values)
    }
    guard status == 0 else { throw SymmetricEigenError.noConvergence }
    return values
  }

  /// The singular values, from the largest to the smallest; their sum is the nuclear norm.
  ///
  /// - Throws: ``SymmetricEigenError`` when an element is not finite or the iteration fails.
  /// - Complexity: 8n³/3 multiplications and additions for n × n, LAPACK's `dgesdd` without vectors.
  public consuming func singularValues() throws -> [Double] {
    guard elements.allSatisfy(\.isFinite) else { throw SymmetricEigenError.notFinite }
    let (m, n) = (Int32(columns), Int32(rows))
    guard m > 0, n > 0 else { return [] }
    var values = [Double](repeating: 0, count: min(rows, columns))
    var (u, vt) = (0.0, 0.0)
    // Read by columns this is the transpose, which has the same singular values.
    let status = elements.withUnsafeMutableBufferPointer { buffer in
      LAPACKE_dgesdd(
        LAPACK_COL_MAJOR, 0x4E /* N */, m, n, buffer.baseAddress, m, &values, &u, 1, &vt, 1)
    }
    guard status == 0 else { throw SymmetricEigenError.noConvergence }
    return values
  }
}

extension CholeskyFactor {
  /// Lᵀ·B·L for a symmetric B: the lower triangle.
  ///
  /// - Parameter symmetric: B; only its lower triangle is read.
  /// - Complexity: n³ multiplications and additions (`dsygst`).
  public func congruence(_ symmetric: consuming Matrix) -> Matrix {
    precondition(
      symmetric.rows == order && symmetric.columns == order, "B is as large as the factor")
    let n = Int32(order)
    guard n > 0 else { return symmetric }
    let status = symmetric.elements.withUnsafeMutableBufferPointer { buffer in
      LAPACKE_dsygst(
        LAPACK_COL_MAJOR, 2 /* U·B·Uᵀ */, 85 /* U */, n, buffer.baseAddress, n, lower.elements, n)
    }
    precondition(status == 0, "dsygst refuses its argument \(-status)")
    return symmetric
  }
}
