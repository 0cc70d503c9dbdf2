import LinearAlgebra

/// log|W| of every token's residual scatter W given the tokens before each place up to its own: W = Σ_{j=a…k} L_kj·L_kjᵀ, so
/// that every shorter context adds one product.
struct ContextScatters {
  /// By pair a ≤ k.
  let logDeterminants: PairTable

  /// Sums up the products of a factor's blocks.
  ///
  /// - Parameters:
  ///   - factor: L, of whole tokens of `channels` numbers.
  /// - Complexity: O(n²·d³), on all cores.
  init(_ factor: CholeskyFactor, channels d: Int) {
    let places = factor.order / d
    let (lower, stride) = (factor.lower.elements, factor.order)
    logDeterminants = PairTable(places: places) { k, results in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * d * d) { buffer in
        guard let scatter = buffer.baseAddress else { return }
        buffer.initialize(repeating: 0)
        let (copy, own) = (scatter + d * d, scatter + 2 * d * d)
        lower.withUnsafeBufferPointer { lower in
          for a in (0...k).reversed() {
            for r in 0..<d {
              for c in 0..<d {
                // What stands above the diagonal of the factor has no meaning.
                own[r * d + c] = a == k && c > r ? 0 : lower[(k * d + r) * stride + a * d + c]
              }
            }
            for r in 0..<d {
              for c in 0...r {
                var sum = 0.0
                for x in 0..<d { sum += own[r * d + x] * own[c * d + x] }
                scatter[r * d + c] += sum
              }
            }
            copy.update(from: scatter, count: d * d)
            // A sum of L_kk·L_kkᵀ and squares is definite.
            results[a] =
              SmallFactor.factor(copy, order: d, stride: d, relativePivot: 0) ?? -.infinity
          }
        }
      }
    }
  }
}
