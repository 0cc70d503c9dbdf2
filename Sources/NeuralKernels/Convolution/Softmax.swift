import CKernels
import LinearAlgebra

extension FloatMatrix {
  /// Replaces every row by its softmax: eˣ divided by the row's sum of eˣ.
  ///
  /// - Complexity: O(rows · columns).
  public mutating func softmaxRows() {
    let (rows, columns) = (rows, columns)
    elements.withUnsafeMutableBufferPointer { elements in
      guard let base = elements.baseAddress else { return }
      let shared = SharedPointer(base)
      // A few rows at a time, so that threads find work of a hundred microseconds.
      let piece = max(1, 65_536 / max(1, columns))
      parallelFor((rows + piece - 1) / piece) { index in
        for row in index * piece..<min(rows, (index + 1) * piece) {
          te_softmax(nil, shared.base + row * columns, columns)
        }
      }
    }
  }
}
