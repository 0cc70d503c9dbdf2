import CKernels

/// The mean of every token and its scatter with itself, in double precision.
public struct TokenMarginals: Sendable {
  /// The rows (images) added.
  public let count: Int
  /// x̄, tokens · width numbers.
  public let mean: [Double]
  /// Σ (x_i − x̄_i)(x_i − x̄_i)ᵀ of each token i, lower triangles.
  public let scatter: [Matrix]

  /// How many rows one task sums; it does not depend on the number of threads, so that sums are repeatable.
  private static let rowsPerTask = 512
  /// How many rows are asked for at once: they stay in the second-level cache.
  private static let rowsPerRun = 64

  /// Sums the products over `count` rows of `shift.count` = tokens · width numbers.
  ///
  /// - Parameters:
  ///   - width: The coordinates of a token.
  ///   - shift: What is subtracted from each row before it is multiplied; near the mean, for accuracy.
  ///   - rows: Returns a run of rows, row-major; called from several threads at once.
  /// - Throws: What `rows` throws.
  /// - Complexity: O(count · tokens · width²), on all cores.
  public init(
    count: Int, width: Int, shift: [Double], rows: @Sendable (Range<Int>) throws -> [Float]
  ) throws {
    let tokens = shift.count / width
    let square = width * width
    let tasks = count.dividedRoundingUp(by: Self.rowsPerTask)
    var partial = [(sums: [Double], products: [Double])](repeating: ([], []), count: tasks)
    try partial.withUnsafeMutableBufferPointer { partial in
      guard let base = partial.baseAddress else { return }
      let shared = SharedPointer(base)
      try parallelFor(tasks) { task in
        var sums = [Double](repeating: 0, count: shift.count)
        var products = [Double](repeating: 0, count: tokens * square)
        let end = min((task + 1) * Self.rowsPerTask, count)
        for start in stride(from: task * Self.rowsPerTask, to: end, by: Self.rowsPerRun) {
          let run = start..<min(start + Self.rowsPerRun, end)
          te_token_marginals(run.count, tokens, width, try rows(run), shift, &sums, &products)
        }
        shared.base[task] = (sums, products)
      }
    }
    var sums = [Double](repeating: 0, count: shift.count)
    var products = [Double](repeating: 0, count: tokens * square)
    for part in partial {
      for i in sums.indices { sums[i] += part.sums[i] }
      for i in products.indices { products[i] += part.products[i] }
    }
    self.count = count
    let divisor = Double(max(count, 1))
    mean = zip(shift, sums).map { $0 + $1 / divisor }
    // From sums about the shift to sums about the mean.
    scatter = (0..<tokens).map { token in
      var block = Matrix(rows: width, columns: width)
      for a in 0..<width {
        for b in 0...a {
          block[a, b] =
            products[token * square + a * width + b]
            - sums[token * width + a] * sums[token * width + b] / divisor
        }
      }
      return block
    }
  }
}
