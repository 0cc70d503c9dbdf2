import COpenBLAS

/// The eigenvalues and eigenvectors of a symmetric matrix A = Σ λᵢ·vᵢ·vᵢᵀ, largest first.
public struct SymmetricEigen: Sendable {
  /// The eigenvalues, from the largest to the smallest.
  public let values: [Double]
  /// The eigenvectors as *rows*, in the order of the values; each has length 1.
  ///
  /// The sign of a vector is free; here its component of the largest magnitude is positive.
  public let vectors: Matrix

  /// Decomposes a symmetric matrix; only its lower triangle is read.
  ///
  /// - Throws: ``SymmetricEigenError`` when an element is not finite or the iteration fails.
  /// - Precondition: the matrix is square.
  /// - Complexity: O(n³), LAPACK's divide-and-conquer `dsyevd`.
  public init(_ matrix: Matrix) throws {
    precondition(matrix.rows == matrix.columns, "a symmetric matrix is square")
    guard matrix.elements.allSatisfy(\.isFinite) else { throw SymmetricEigenError.notFinite }
    let n = matrix.rows
    var a = matrix.elements
    var ascending = [Double](repeating: 0, count: n)
    // Read as column-major, the lower triangle of the rows is the upper one of the columns, and
    // the eigenvectors that LAPACK leaves in the columns are the rows of the array.
    let status = LAPACKE_dsyevd(
      LAPACK_COL_MAJOR, 0x56 /* V */, 0x55 /* U */, Int32(n), &a, Int32(max(1, n)), &ascending)
    guard status == 0 else { throw SymmetricEigenError.noConvergence }
    values = ascending.reversed()
    var vectors = Matrix(rows: n, columns: n)
    for row in 0..<n {
      let vector = a[((n - 1 - row) * n)..<((n - row) * n)]
      let largest = vector.max { abs($0) < abs($1) } ?? 1
      for (column, component) in vector.enumerated() {
        vectors[row, column] = largest < 0 ? -component : component
      }
    }
    self.vectors = vectors
  }
}

/// Why a symmetric matrix has no eigendecomposition.
public enum SymmetricEigenError: Error, Equatable, CustomStringConvertible {
  /// An element is NaN or infinite.
  case notFinite
  /// The iteration did not converge.
  case noConvergence

  /// What was found, in one sentence.
  public var description: String {
    switch self {
    case .notFinite: "the matrix whose eigenvectors are wanted has an element that is not finite"
    case .noConvergence: "the eigenvalues of the matrix did not converge"
    }
  }
}
