import Foundation

/// Cholesky factorisations of very many matrices of a few rows, where a call of LAPACK would take longer than the work.
package enum SmallFactor {
  /// Replaces the lower triangle of a matrix by that of its factor L.
  ///
  /// - Parameters:
  ///   - stride: From row to row.
  ///   - relativePivot: As for ``CholeskyFactor``.
  /// - Returns: log|A|; nil where the matrix is not positive definite.
  package static func factor(
    _ a: UnsafeMutablePointer<Double>, order n: Int, stride: Int, relativePivot: Double = 1e-12
  ) -> Double? {
    var logarithm = 0.0
    for i in 0..<n {
      let row = a + i * stride
      for j in 0..<i {
        let other = a + j * stride
        var value = row[j]
        for c in 0..<j { value -= row[c] * other[c] }
        row[j] = value / other[j]
      }
      var pivot = row[i]
      let least = relativePivot * pivot
      for c in 0..<i { pivot -= row[c] * row[c] }
      guard pivot > least, pivot > 0 else { return nil }
      logarithm += log(pivot)
      row[i] = pivot.squareRoot()
    }
    return logarithm
  }

  /// L⁻¹ of a factor, its lower triangle.
  package static func invert(
    _ l: UnsafePointer<Double>, order n: Int, stride: Int,
    into inverse: UnsafeMutablePointer<Double>
  ) {
    for j in 0..<n {
      for i in 0..<j { inverse[i * stride + j] = 0 }
      inverse[j * stride + j] = 1 / l[j * stride + j]
      for i in j + 1..<max(n, j + 1) {
        var value = 0.0
        for c in j..<i { value -= l[i * stride + c] * inverse[c * stride + j] }
        inverse[i * stride + j] = value / l[i * stride + i]
      }
    }
  }
}
