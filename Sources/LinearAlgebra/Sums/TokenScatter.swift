import CKernels

/// Sums of products between the tokens of images: of every token with itself, and of a few reference tokens with every
/// token; all that maps of H(v_i|v_j) need, without the products of all pairs.
public struct TokenScatter: Sendable {
  /// n, the tokens of an image.
  public let tokens: Int
  /// d, the channels of a token.
  public let channels: Int
  /// The reference tokens.
  public let references: [Int]
  /// The rows (images) added.
  public let count: Int
  /// x̄, n·d numbers.
  public let mean: [Double]
  /// Σ (x_i − x̄_i)(x_i − x̄_i)ᵀ for each token i: n × d × d, row-major.
  public let marginal: [Double]
  /// Σ (x_j − x̄_j)(x_i − x̄_i)ᵀ for each reference j and token i: references × n × d × d, row-major.
  public let cross: [Double]

  /// How many rows are summed in single precision.
  static let rowsPerRun = 32
  /// How many rows one task sums; it does not depend on the number of threads, so that sums are repeatable.
  static let rowsPerTask = 512

  /// Sums the products over `count` rows of `shift.count` = n·d numbers.
  ///
  /// - Parameters:
  ///   - shift: What is subtracted from each row before it is multiplied; near the mean, for accuracy.
  ///   - rows: Returns a run of rows, row-major; called from several threads at once.
  /// - Throws: What `rows` throws.
  /// - Complexity: O(count · n · d² · (1 + references)), on all cores.
  public init(
    count: Int, channels: Int, references: [Int], shift: [Float],
    rows: @Sendable (Range<Int>) throws -> [Float]
  ) throws {
    let (tokens, columns) = (shift.count / channels, shift.count)
    let tasks = count.dividedRoundingUp(by: Self.rowsPerTask)
    let square = channels * channels
    var partial = [Partial](repeating: Partial(), count: tasks)
    try partial.withUnsafeMutableBufferPointer { partial in
      guard let base = partial.baseAddress else { return }
      let shared = SharedPointer(base)
      try parallelFor(tasks) { task in
        var sum = Partial(
          columnSums: Array(repeating: 0, count: columns),
          marginal: Array(repeating: 0, count: tokens * square),
          cross: Array(repeating: 0, count: references.count * tokens * square))
        let end = min((task + 1) * Self.rowsPerTask, count)
        for start in stride(from: task * Self.rowsPerTask, to: end, by: Self.rowsPerRun) {
          var run = try rows(start..<min(start + Self.rowsPerRun, end))
          sum.add(&run, channels: channels, references: references, shift: shift)
        }
        shared.base[task] = sum
      }
    }
    var total = Partial(
      columnSums: Array(repeating: 0, count: columns),
      marginal: Array(repeating: 0, count: tokens * square),
      cross: Array(repeating: 0, count: references.count * tokens * square))
    for sum in partial { total.add(sum) }
    total.moveToMean(count: count, channels: channels, references: references)
    self.tokens = tokens
    self.channels = channels
    self.references = references
    self.count = count
    mean = zip(shift, total.columnSums).map { Double($0) + $1 / Double(max(count, 1)) }
    marginal = total.marginal
    cross = total.cross
  }

  private struct Partial: Sendable {
    var columnSums: [Double] = []
    var marginal: [Double] = []
    var cross: [Double] = []

    mutating func add(_ run: inout [Float], channels: Int, references: [Int], shift: [Float]) {
      let columns = shift.count
      let (tokens, count) = (columns / channels, run.count / columns)
      run.withUnsafeMutableBufferPointer { run in
        shift.withUnsafeBufferPointer { shift in
          columnSums.withUnsafeMutableBufferPointer { sums in
            for i in 0..<count {
              for j in 0..<columns {
                let value = run[i * columns + j] - shift[j]
                run[i * columns + j] = value
                sums[j] += Double(value)
              }
            }
          }
        }
      }
      let size = tokens * channels * channels
      var (own, products) = ([Float](repeating: 0, count: size), [Float](repeating: 0, count: size))
      for (index, reference) in references.enumerated() {
        if index == 0 {
          te_token_scatter(count, tokens, channels, run, reference, &own, &products)
        } else {
          te_token_scatter(count, tokens, channels, run, reference, nil, &products)
        }
        for element in 0..<size {
          cross[index * size + element] += Double(products[element])
          products[element] = 0
        }
      }
      for element in 0..<size { marginal[element] += Double(own[element]) }
    }

    mutating func add(_ other: Partial) {
      for i in columnSums.indices { columnSums[i] += other.columnSums[i] }
      for i in marginal.indices { marginal[i] += other.marginal[i] }
      for i in cross.indices { cross[i] += other.cross[i] }
    }

    /// From sums about the shift to sums about the mean: subtract the product of the column sums over the count.
    mutating func moveToMean(count: Int, channels d: Int, references: [Int]) {
      for token in 0..<columnSums.count / d {
        for a in 0..<d {
          for b in 0..<d {
            marginal[(token * d + a) * d + b] -=
              columnSums[token * d + a] * columnSums[token * d + b] / Double(count)
            for (index, reference) in references.enumerated() {
              cross[((index * (columnSums.count / d) + token) * d + a) * d + b] -=
                columnSums[reference * d + a] * columnSums[token * d + b] / Double(count)
            }
          }
        }
      }
    }
  }
}
