extension FloatMatrix {
  /// Each row less a matrix times the same row of `other`; the matrices are taken in turn, `matrices.count` rows long.
  ///
  /// - Parameter matrices: Square, row-major, of as many rows as this matrix has columns.
  /// - Complexity: O(rows · columns²).
  public func subtractingProducts(_ matrices: [[Float]], _ other: FloatMatrix) -> FloatMatrix {
    precondition(rows == other.rows && columns == other.columns, "the shapes agree")
    let d = columns
    var result = self
    let all = matrices.flatMap { $0 }
    precondition(all.count == matrices.count * d * d, "the matrices are square")
    result.elements.withUnsafeMutableBufferPointer { result in
      other.elements.withUnsafeBufferPointer { other in
        all.withUnsafeBufferPointer { all in
          for i in 0..<rows {
            let matrix = i % matrices.count * d * d
            for a in 0..<d {
              var sum: Float = 0
              for b in 0..<d { sum += all[matrix + a * d + b] * other[i * d + b] }
              result[i * d + a] -= sum
            }
          }
        }
      }
    }
    return result
  }

  /// Minus the transpose of a matrix times each row; the matrices are taken in turn.
  ///
  /// - Parameter matrices: As in ``subtractingProducts(_:_:)``.
  /// - Complexity: O(rows · columns²).
  public func negativeTransposedProducts(_ matrices: [[Float]]) -> FloatMatrix {
    let d = columns
    var result = FloatMatrix(rows: rows, columns: d)
    let all = matrices.flatMap { $0 }
    precondition(all.count == matrices.count * d * d, "the matrices are square")
    result.elements.withUnsafeMutableBufferPointer { result in
      elements.withUnsafeBufferPointer { own in
        all.withUnsafeBufferPointer { all in
          for i in 0..<rows {
            let matrix = i % matrices.count * d * d
            for a in 0..<d {
              for b in 0..<d { result[i * d + b] -= all[matrix + a * d + b] * own[i * d + a] }
            }
          }
        }
      }
    }
    return result
  }
}
