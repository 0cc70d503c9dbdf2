import CKernels
import COpenBLAS

/// A lower triangular factor in the precision in which rows are whitened.
package struct WhiteningFactor<Scalar: WhiteningScalar>: Sendable {
  /// The number of rows and columns.
  package let order: Int
  fileprivate let lower: [Scalar]

  /// Rounds a factor.
  ///
  /// - Complexity: O(order²), on all cores.
  package init(_ factor: CholeskyFactor) {
    let n = factor.order
    order = n
    lower = [Scalar](unsafeUninitializedCapacity: n * n) { result, count in
      count = n * n
      guard let base = result.baseAddress else { return }
      let shared = SharedPointer(base)
      factor.lower.elements.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let source = source
        parallelFor(n) { index in
          // Long rows first. What is above the diagonal has no meaning there and is not read.
          let i = n - 1 - index
          let row = shared.base + i * n
          if let from = source.baseAddress { Scalar.kernels.rounded(i + 1, from + i * n, row) }
          (row + i + 1).update(repeating: 0, count: n - 1 - i)
        }
      }
    }
  }
}

/// Some rows of numbers that are whitened together, and sums over them.
///
/// A class, because a block is used again and again for other rows; not for several threads at once.
package final class WhitenedRows<Scalar: WhiteningScalar>: @unchecked Sendable {
  /// How many numbers a row has.
  package let columns: Int
  /// The most rows there is room for.
  package let capacity: Int
  /// The rows in use.
  package private(set) var count = 0
  private let storage: UnsafeMutablePointer<Scalar>
  private let stride: Int

  /// Makes room for `capacity` rows.
  package init(capacity: Int, columns: Int) {
    self.columns = columns
    self.capacity = capacity
    // An odd number of cache lines from row to row: at a power of two the same token of all images would share few places
    // in the caches.
    stride = columns.roundedUp(toMultipleOf: 32) + 16
    // Zero bytes are zeros; setting them as numbers would be a call for each where this is not specialised.
    let bytes = max(capacity * stride, 1) * MemoryLayout<Scalar>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    storage = raw.bindMemory(to: Scalar.self, capacity: max(capacity * stride, 1))
  }

  deinit { storage.deallocate() }

  /// Takes rows of blocks in another sequence, with the mean taken off: block `position` of a row is block
  /// `sequence[position]` of `rows`.
  ///
  /// - Parameters:
  ///   - rows: Row-major, `count` rows of whole blocks, all those that `sequence` names and perhaps others.
  ///   - mean: What is taken off, one number for each of the given rows' columns.
  package func set(
    _ rows: ArraySlice<Float>, count: Int, sequence: [Int], blockSize d: Int, mean: [Double]
  ) {
    precondition(count <= capacity && sequence.count * d == columns, "the rows fit")
    precondition(rows.count == count * mean.count, "a mean has as many numbers as a row")
    self.count = count
    let width = mean.count
    rows.withUnsafeBufferPointer { rows in
      guard count > 0, let base = rows.baseAddress else { return }
      Scalar.kernels.centredBlocks(
        count, base, width, mean, sequence, sequence.count, d, storage, stride)
    }
  }

  /// Calls `body` with the first row and the distance from row to row.
  package func withRows(_ body: (UnsafePointer<Scalar>, Int) -> Void) { body(storage, stride) }

  /// x ← L⁻¹x for every row.
  ///
  /// - Complexity: O(count · columns²/2) (`trsm`), on BLAS's threads.
  package func whiten(by factor: WhiteningFactor<Scalar>) {
    precondition(factor.order == columns, "a row has as many numbers as the factor has rows")
    guard count > 0, columns > 0 else { return }
    Scalar.kernels.solve(
      CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, blasint(count),
      blasint(columns), 1, factor.lower, blasint(columns), storage, blasint(stride))
  }

  /// Rows y = A·x of some columns x of another block's rows.
  ///
  /// - Parameter matrix: A, row-major, this block's columns × the range's numbers.
  /// - Complexity: O(count · columns · range) (`gemm`).
  package func setProduct(
    of other: WhitenedRows, columns range: Range<Int>, with matrix: [Scalar]
  ) {
    precondition(
      other.count <= capacity && matrix.count == columns * range.count
        && range.upperBound <= other.columns, "the extents of a product agree")
    count = other.count
    guard count > 0 else { return }
    Scalar.kernels.multiply(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(count), blasint(columns),
      blasint(range.count), 1, other.storage + range.lowerBound, blasint(other.stride), matrix,
      blasint(range.count), 0, storage, blasint(stride))
  }

  /// Adds the squared length of some columns of each row to `sums`.
  package func addSquaredLengths(columns range: Range<Int>, to sums: inout [Double]) {
    precondition(sums.count >= count && range.upperBound <= columns, "a sum for each row")
    Scalar.kernels.squaredLengths(
      count, storage + range.lowerBound, stride, range.count, &sums)
  }

  /// Adds Σ a·u·uᵀ and Σ b·u·uᵀ, u the `channels` columns from `first`, to the `channels²` numbers from `place` of each sum;
  /// of the squares only the lower triangles need be set.
  package func addProducts(
    from first: Int, channels: Int, weights: LeverageWeights<Scalar>, to sums: inout [Double],
    and others: inout [Double], at place: Int
  ) {
    precondition(
      first + channels <= columns && place + channels * channels <= min(sums.count, others.count),
      "the sums have room")
    sums.withUnsafeMutableBufferPointer { sums in
      others.withUnsafeMutableBufferPointer { others in
        guard let a = sums.baseAddress, let b = others.baseAddress else { return }
        Scalar.kernels.residualProducts(
          count, storage + first, stride, channels, weights.squaredInverse, weights.excess,
          a + place, b + place)
      }
    }
  }

  /// |T·u|² of each row, u the `channels` columns from `first`.
  ///
  /// - Parameter transform: T, row-major, zero above the diagonal.
  package func norms(
    from first: Int, channels: Int, transformedBy transform: [Scalar], into norms: inout [Scalar]
  ) {
    precondition(
      first + channels <= columns && transform.count == channels * channels && norms.count >= count,
      "the norms have room")
    Scalar.kernels.residualNorms(count, storage + first, stride, channels, transform, &norms)
  }
}

/// For each of some rows with leverage h the numbers 1/(1 − h)² and h/(1 − h), of which the weights of residuals are made.
package struct LeverageWeights<Scalar: WhiteningScalar>: Sendable {
  /// 1/(1 − h)².
  package private(set) var squaredInverse: [Scalar]
  /// h/(1 − h).
  package private(set) var excess: [Scalar]
  /// The least 1 − h; rounding must not bring it to zero.
  package static var least: Double { 1e-9 }

  /// Makes room for `capacity` rows.
  package init(capacity: Int) {
    squaredInverse = Array(repeating: 0, count: capacity)
    excess = squaredInverse
  }

  /// The weights of `count` rows that nothing was fitted to.
  package static func ones(count: Int) -> LeverageWeights {
    var weights = LeverageWeights(capacity: count)
    for i in 0..<count { weights.squaredInverse[i] = 1 }
    return weights
  }

  /// scale·w·n for the first `count` rows and some numbers n of theirs, w = 1/(1 − h)² − ratio·h/(1 − h), or 1/(1 − h) where there
  /// is no ratio.
  package func weighted(
    _ norms: [Scalar], count: Int, ratio: Double?, scale: Double, into result: inout [Double]
  ) {
    precondition(
      count <= min(norms.count, excess.count, result.count), "there is a number for each row")
    let squared = ratio == nil ? nil : squaredInverse
    Scalar.kernels.influences(count, norms, squared, excess, ratio ?? 0, scale, &result)
  }

  /// Takes the leverages of the first `count` rows; returns Σ h/(1 − h).
  package mutating func set(leverages: [Double], count: Int) -> Double {
    precondition(count <= min(leverages.count, excess.count), "a leverage for each row")
    return Scalar.kernels.leverageWeights(
      count, leverages, Self.least, &squaredInverse, &excess)
  }
}

/// Sums of numbers and of their squares, and of those of runs of numbers that are not independent of each other, from which
/// the mean and its standard error follow. Sums of disjoint sets add up.
package struct RunSums: Sendable {
  /// How many numbers were added.
  package private(set) var count = 0.0
  /// Taken off every number, for accuracy.
  package private(set) var shift: Double
  /// As `te_run_sums` has them.
  private var sums = [Double](repeating: 0, count: 8)

  /// Makes empty sums about a number near the mean.
  package init(shift: Double) { self.shift = shift }

  /// Takes over sums as `te_run_sums` has them.
  package init(shift: Double, count: Int, sums: ArraySlice<Double>) {
    self.shift = shift
    self.count = Double(count)
    self.sums = Array(sums)
  }

  /// Adds the first `count` numbers.
  ///
  /// - Parameter starts: For each whether it begins a run.
  package mutating func add(_ values: [Double], starts: ArraySlice<UInt8>) {
    precondition(values.count >= starts.count, "a mark for each number")
    count += Double(starts.count)
    starts.withUnsafeBufferPointer {
      te_run_sums(starts.count, values, $0.baseAddress, shift, &sums)
    }
  }

  /// Adds the sums of other numbers, which belong to other runs.
  ///
  /// Sums about another number are taken about this one's first: processors differ in the last bits of a shift.
  package mutating func add(_ other: RunSums) {
    complete()
    var other = other
    other.complete()
    if other.shift != shift { other.move(to: shift) }
    count += other.count
    for i in sums.indices { sums[i] += other.sums[i] }
  }

  /// Takes the sums of complete runs about another number.
  private mutating func move(to shift: Double) {
    let delta = self.shift - shift
    sums[1] += delta * (2 * sums[0] + delta * count)
    sums[0] += delta * count
    sums[3] += delta * (2 * sums[4] + delta * sums[5])
    sums[4] += delta * sums[5]
    self.shift = shift
  }

  private mutating func complete() {
    guard sums[7] > 0 else { return }
    sums[2] += 1
    sums[3] += sums[6] * sums[6]
    sums[4] += sums[6] * sums[7]
    sums[5] += sums[7] * sums[7]
    sums[6] = 0
    sums[7] = 0
  }

  /// How many ``numbers`` there are.
  package static let numberCount = 8

  /// The count, the shift and the sums, as files hold them. Sums about the same number add up number by number but for the
  /// shift.
  package var numbers: [Double] {
    var complete = self
    complete.complete()
    return [count, shift] + complete.sums.prefix(6)
  }

  /// The sums whose ``numbers`` these are.
  package init(numbers: ArraySlice<Double>) {
    precondition(numbers.count == Self.numberCount, "all of the sums")
    let first = numbers.startIndex
    (count, shift) = (numbers[first], numbers[first + 1])
    sums = Array(numbers[(first + 2)...]) + [0, 0]
  }

  /// The mean.
  package var mean: Double { shift + sums[0] / max(count, 1) }

  /// The variance of single numbers.
  package var variance: Double {
    count > 1 ? max(sums[1] - sums[0] * sums[0] / count, 0) / (count - 1) : 0
  }

  /// The mean of the squares.
  package var meanSquare: Double {
    count > 0 ? mean * mean + variance * (count - 1) / count : 0
  }

  /// What the variance of the mean is over that of independent numbers.
  package var runFactor: Double {
    let plain = variance / max(count, 1)
    return plain > 0 ? standardError * standardError / plain : 1
  }

  /// The standard error of the mean: that of clusters, √(G/(G − 1)·Σ_g (Σ_{i∈g} (xᵢ − x̄))²)/m over G runs (Liang and Zeger,
  /// 1986), which for runs of one is the usual one; infinite for a single run of several numbers.
  package var standardError: Double {
    var complete = self
    complete.complete()
    let (sums, centre) = (complete.sums, complete.sums[0] / max(count, 1))
    let groups = sums[2]
    guard groups > 1 else { return count > 1 ? .infinity : 0 }
    let squares = sums[3] - 2 * centre * sums[4] + centre * centre * sums[5]
    return (groups / (groups - 1) * max(squares, 0)).squareRoot() / count
  }
}
