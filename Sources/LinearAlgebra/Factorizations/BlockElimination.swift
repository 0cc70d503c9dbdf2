import COpenBLAS

/// The covariance of some tokens given others, as one token after another is taken from what is left: a Cholesky factorisation
/// whose pivots are chosen on the way.
///
/// In single precision: it is made for choosing pivots. A class, because it works in place.
package final class BlockElimination {
  /// d, the numbers of a token.
  package let blockSize: Int
  /// The tokens that are left, in any order; a token's place here is that of its block.
  package private(set) var remaining: [Int]
  private let stride: Int
  /// Lower triangle of the blocks that are left.
  private var covariance: [Float]

  /// Begins with a covariance.
  ///
  /// - Parameter covariance: Of whole tokens, lower triangle.
  /// - Complexity: O((n·d)²) numbers of memory.
  package init(_ covariance: Matrix, blockSize: Int) {
    self.blockSize = blockSize
    stride = covariance.rows
    remaining = Array(0..<covariance.rows / blockSize)
    self.covariance = covariance.elements.map(Float.init)
  }

  /// Writes the covariance of two remaining tokens, d × d, row-major, the rows those of the token at place `i`.
  package func block(_ i: Int, _ j: Int, into block: UnsafeMutablePointer<Float>) {
    let d = blockSize
    for r in 0..<d {
      for c in 0..<d {
        // Of a diagonal block only the lower triangle is kept.
        let (row, column) = (i * d + r, j * d + c)
        block[r * d + c] =
          row >= column ? covariance[row * stride + column] : covariance[column * stride + row]
      }
    }
  }

  /// Takes the token at a place: what is left is given it from now on, and the last remaining token takes its place.
  ///
  /// - Returns: Whether the token's block was positive definite; if it was not, nothing depends on it.
  /// - Complexity: O((remaining · d)² · d).
  @discardableResult package func take(at place: Int) -> Bool {
    let (d, last) = (blockSize, remaining.count - 1)
    swap(place, last)
    remaining.removeLast()
    guard last > 0 else { return true }
    // V = K·L⁻ᵀ, K the covariance of the others with the token, so that V·Vᵀ is what it tells of them.
    var pivot = Matrix(rows: d, columns: d)
    for r in 0..<d {
      for c in 0...r { pivot[r, c] = Double(covariance[(last * d + r) * stride + last * d + c]) }
    }
    guard let factor = try? CholeskyFactor(ofLowerTriangle: pivot, relativePivot: 1e-6) else {
      return false
    }
    let lower = factor.lower.elements.map(Float.init)
    // The token's rows are K's transpose, d × (last · d).
    var rows = [Float](repeating: 0, count: d * last * d)
    for r in 0..<d {
      let from = (last * d + r) * stride
      rows.replaceSubrange(
        r * last * d..<(r + 1) * last * d, with: covariance[from..<from + last * d])
    }
    let columns = Int32(last * d)
    cblas_strsm(
      CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, Int32(d), columns, 1, lower,
      Int32(d), &rows, columns)
    cblas_ssyrk(
      CblasRowMajor, CblasLower, CblasTrans, columns, Int32(d), -1, rows, columns, 1, &covariance,
      Int32(stride))
    return true
  }

  /// Exchanges the tokens at a place and at the last place.
  private func swap(_ place: Int, _ last: Int) {
    guard place != last else { return }
    remaining.swapAt(place, last)
    let d = blockSize
    covariance.withUnsafeMutableBufferPointer { covariance in
      func exchange(_ a: Int, _ b: Int) {
        (covariance[a], covariance[b]) = (covariance[b], covariance[a])
      }
      for r in 0..<d {
        for c in 0..<place * d {
          exchange((place * d + r) * stride + c, (last * d + r) * stride + c)
        }
        for row in (place + 1) * d..<last * d {
          exchange(row * stride + place * d + r, (last * d + r) * stride + row)
        }
        for c in 0...r {
          exchange((place * d + r) * stride + place * d + c, (last * d + r) * stride + last * d + c)
        }
        // The block of the two with each other is transposed.
        for c in 0..<r {
          exchange((last * d + r) * stride + place * d + c, (last * d + c) * stride + place * d + r)
        }
      }
    }
  }
}
