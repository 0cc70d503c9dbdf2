import EntropyEstimation
import Foundation
import LinearAlgebra

/// Exchanges of tokens between two steps that follow each other, which lose least together when the first tells most about the
/// second.
///
/// What is known before the two steps and after them does not change, so that what they lose is
/// Σ_{k∈A} H(k | past) + Σ_{k∈B} H(k | past, A) and a constant: only the covariance of their own tokens given the past matters.
struct StepExchange {
  /// d.
  private let d: Int
  /// Of the tokens of both steps given the past, each whitened by itself; row-major, whole.
  private let covariance: Matrix
  private let count: Int

  /// - Parameters:
  ///   - factor: Rows of the factor of the whole sequence, those of the tokens of both steps in their own columns: what they
  ///     have in common given the past is its product with its transpose.
  init(factor: Matrix, featureDimensions d: Int) {
    self.d = d
    count = factor.rows / d
    var products = factor.timesTranspose()
    for i in 0..<products.rows {
      for j in 0..<i { products[j, i] = products[i, j] }
    }
    // L_kk⁻¹ on both sides.
    for k in 0..<count {
      let own = products.block(rows: k * d..<(k + 1) * d, columns: k * d..<(k + 1) * d)
      guard let root = try? CholeskyFactor(ofLowerTriangle: own) else { continue }
      let rows = root.solveLower(
        products.block(rows: k * d..<(k + 1) * d, columns: 0..<products.columns))
      for r in 0..<d {
        for j in 0..<products.columns { products[k * d + r, j] = rows[r, j] }
      }
      let columns = root.solveLower(
        products.block(rows: 0..<products.rows, columns: k * d..<(k + 1) * d).transposed())
      for r in 0..<d {
        for j in 0..<products.rows { products[j, k * d + r] = columns[r, j] }
      }
    }
    covariance = products
  }

  /// Improves a choice of first tokens until no exchange of one for another helps.
  ///
  /// - Parameters:
  ///   - first: The numbers, 0 …, of the tokens of the first step.
  ///   - shouldStop: Asked before each token is tried.
  /// - Returns: The tokens of the first step, those that stayed before those that came, and by how much less is lost, in nats.
  /// - Complexity: O(|A|·|B|²·d³) each time all tokens are tried.
  func improved(
    first: [Int], shouldStop: () -> Bool = { false }
  ) -> (first: [Int], gain: Double) {
    var first = first
    guard !first.isEmpty, first.count < count else { return (first, 0) }
    guard var state = State(first, covariance, count: count, d: d) else { return (first, 0) }
    let start = state.value
    var isChanged = true
    while isChanged {
      isChanged = false
      for token in first {
        if shouldStop() { return (first, start - state.value) }
        guard let place = first.firstIndex(of: token),
          let (other, value) = state.bestExchange(of: place), value < state.value - 1e-9
        else { continue }
        var next = first
        next.remove(at: place)
        next.append(state.second[other])
        guard let changed = State(next, covariance, count: count, d: d),
          changed.value < state.value - 1e-9
        else { continue }
        (first, state, isChanged) = (next, changed, true)
      }
    }
    return (first, start - state.value)
  }

  /// What follows from a choice of first tokens.
  private struct State {
    let d: Int
    let second: [Int]
    /// Σ_{k∈B} ½log|Q_kk given A|.
    let value: Double
    /// (Q_AA)⁻¹.
    private let inverse: Matrix
    /// The regression of the second tokens on the first, Q_BA·(Q_AA)⁻¹.
    private let coefficients: Matrix
    /// Of the second tokens given the first.
    private let residual: Matrix

    init?(_ first: [Int], _ covariance: Matrix, count: Int, d: Int) {
      self.d = d
      let isFirst = Set(first)
      second = (0..<count).filter { !isFirst.contains($0) }
      let own = covariance.blocks(first, first, size: d)
      let cross = covariance.blocks(first, second, size: d)
      guard let factor = try? CholeskyFactor(ofLowerTriangle: own) else { return nil }
      inverse = factor.solveLowerTransposed(factor.solveLower(.identity(own.rows)))
      let whitened = factor.solveLower(cross)
      coefficients = factor.solveLowerTransposed(whitened).transposed()
      let known = whitened.transposed().times(whitened)
      var residual = covariance.blocks(second, second, size: d)
      for i in residual.elements.indices { residual.elements[i] -= known.elements[i] }
      self.residual = residual
      var sum = 0.0
      for k in second.indices {
        var block = residual.block(
          rows: k * d..<(k + 1) * d, columns: k * d..<(k + 1) * d
        ).elements
        let logarithm = block.withUnsafeMutableBufferPointer {
          $0.baseAddress.flatMap { SmallFactor.factor($0, order: d, stride: d) }
        }
        guard let logarithm else { return nil }
        sum += 0.5 * logarithm
      }
      value = sum
    }

    /// The second token for which the first token at a place is best exchanged, and the value then.
    ///
    /// Without token i the others tell Γ·R·Γᵀ less about the second tokens, R = ((Q_AA)⁻¹_ii)⁻¹ and Γ its coefficients.
    func bestExchange(of place: Int) -> (Int, Double)? {
      let (d, n) = (d, second.count)
      let own = inverse.block(
        rows: place * d..<(place + 1) * d, columns: place * d..<(place + 1) * d)
      guard let factor = try? CholeskyFactor(ofLowerTriangle: own) else { return nil }
      let rest = factor.solveLowerTransposed(factor.solveLower(.identity(d)))
      let gamma = coefficients.block(
        rows: 0..<n * d, columns: place * d..<(place + 1) * d)
      let told = gamma.times(rest)
      var best: (Int, Double)?
      let size = d * d
      // M of all second tokens and the token itself with one of them, and its own.
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * size) { buffer in
        guard let cross = buffer.baseAddress else { return }
        let (changed, root) = (cross + size, cross + 2 * size)
        residual.elements.withUnsafeBufferPointer { residual in
          gamma.elements.withUnsafeBufferPointer { gamma in
            told.elements.withUnsafeBufferPointer { told in
              rest.elements.withUnsafeBufferPointer { rest in
                /// Q_kj given the first tokens but one.
                func block(_ k: Int, _ j: Int, into result: UnsafeMutablePointer<Double>) {
                  for r in 0..<d {
                    let from = (k * d + r) * n * d + j * d
                    for c in 0..<d {
                      var sum = residual[from + c]
                      for x in 0..<d {
                        sum += told[(k * d + r) * d + x] * gamma[(j * d + c) * d + x]
                      }
                      result[r * d + c] = sum
                    }
                  }
                }
                /// ½log|D − M·(L·Lᵀ)⁻¹·Mᵀ|, D in `changed`, M in `cross` and L in `root`.
                func half() -> Double {
                  for r in 0..<d {
                    for c in 0..<d {
                      var value = cross[r * d + c]
                      for x in 0..<c { value -= cross[r * d + x] * root[c * d + x] }
                      cross[r * d + c] = value / root[c * d + c]
                    }
                  }
                  for r in 0..<d {
                    for c in 0...r {
                      var value = changed[r * d + c]
                      for x in 0..<d { value -= cross[r * d + x] * cross[c * d + x] }
                      changed[r * d + c] = value
                    }
                  }
                  return 0.5
                    * (SmallFactor.factor(changed, order: d, stride: d, relativePivot: 0)
                      ?? .infinity)
                }
                var diagonals = [Double](repeating: 0, count: n * size)
                diagonals.withUnsafeMutableBufferPointer {
                  guard let base = $0.baseAddress else { return }
                  for k in 0..<n { block(k, k, into: base + k * size) }
                }
                for j in 0..<n {
                  for x in 0..<size { root[x] = diagonals[j * size + x] }
                  guard SmallFactor.factor(root, order: d, stride: d) != nil else { continue }
                  var value = 0.0
                  for k in 0..<n where k != j {
                    block(k, j, into: cross)
                    for x in 0..<size { changed[x] = diagonals[k * size + x] }
                    value += half()
                  }
                  // The token that leaves: its covariance with j is R·Γ_jᵀ.
                  for r in 0..<d {
                    for c in 0..<d {
                      cross[r * d + c] = told[(j * d + c) * d + r]
                      changed[r * d + c] = rest[r * d + c]
                    }
                  }
                  value += half()
                  if value < best?.1 ?? .infinity { best = (j, value) }
                }
              }
            }
          }
        }
      }
      return best
    }
  }
}

extension Matrix {
  /// The blocks of some rows and some columns of tokens.
  fileprivate func blocks(_ rows: [Int], _ columns: [Int], size d: Int) -> Matrix {
    var result = Matrix(rows: rows.count * d, columns: columns.count * d)
    for (i, row) in rows.enumerated() {
      for r in 0..<d {
        let from = (row * d + r) * self.columns
        let to = (i * d + r) * result.columns
        for (j, column) in columns.enumerated() {
          for c in 0..<d { result.elements[to + j * d + c] = elements[from + column * d + c] }
        }
      }
    }
    return result
  }
}
