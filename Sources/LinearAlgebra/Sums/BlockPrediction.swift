import CKernels

/// A linear prediction of each block of coordinates from a few earlier blocks, its parents: y = T(x − s), with T unit
/// lower triangular and sparse.
///
/// Residuals of a good prediction are small and nearly uncorrelated, so that sums of their products lose far less to
/// rounding than sums of the coordinates' own; and as T is known exactly, the scatter of the coordinates themselves,
/// T⁻¹·W_y·T⁻ᵀ, is recovered in double precision. The prediction need not be good for that to be exact.
public struct BlockPrediction: Sendable {
  /// d, the coordinates of a block.
  public let blockSize: Int
  /// s, subtracted from each row first.
  public let shift: [Double]
  /// The parents of all blocks, one block's after another's; block t has those at `offsets[t] ..< offsets[t + 1]`.
  private let parents: [Int32]
  private let offsets: [Int32]
  /// One d × d block a parent, row-major, a row a parent's coordinate.
  private let coefficients: [Double]

  /// The number of blocks.
  public var blockCount: Int { offsets.count - 1 }

  /// Fits a prediction by least squares to a sample of rows.
  ///
  /// - Parameters:
  ///   - sample: Rows of as many numbers as `shift` has.
  ///   - shift: s; near the mean.
  ///   - parents: The parents of each block, all with lower numbers.
  ///   - blockSize: d.
  /// - Complexity: O(rows · blocks · (parents · d)²), on all cores.
  public init(fittedTo sample: [Float], shift: [Double], parents: [[Int]], blockSize d: Int) {
    let columns = shift.count
    let count = sample.count / max(columns, 1)
    var offsets: [Int32] = [0]
    for block in parents { offsets.append(offsets[offsets.count - 1] + Int32(block.count)) }
    var coefficients = [Double](repeating: 0, count: Int(offsets[parents.count]) * d * d)
    let places = offsets
    coefficients.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let shared = SharedPointer(base)
      parallelFor(parents.count) { block in
        let tokens = parents[block] + [block]
        precondition(tokens.allSatisfy { $0 <= block }, "parents come before their block")
        guard tokens.count > 1 else { return }
        var rows = Matrix(rows: tokens.count * d, columns: count)
        for (index, token) in tokens.enumerated() {
          for c in 0..<d {
            let column = token * d + c
            for i in 0..<count {
              rows[index * d + c, i] = Double(sample[i * columns + column]) - shift[column]
            }
          }
        }
        guard let fit = Self.regression(products: rows.timesTranspose(), targets: d) else { return }
        (shared.base + Int(places[block]) * d * d).update(
          from: fit.elements, count: fit.elements.count)
      }
    }
    blockSize = d
    self.shift = shift
    self.parents = parents.flatMap { $0.map(Int32.init) }
    self.offsets = offsets
    self.coefficients = coefficients
  }

  /// The coefficients that predict the last `targets` coordinates from the others, a row a predictor; nil for predictors
  /// that cannot be told apart. A little ridge is harmless: any coefficients will do.
  private static func regression(products: Matrix, targets: Int) -> Matrix? {
    let p = products.rows - targets
    var predictors = products.block(rows: 0..<p, columns: 0..<p)
    let trace = (0..<p).reduce(0) { $0 + predictors[$1, $1] }
    for i in 0..<p { predictors[i, i] += 1e-6 * trace / Double(p) }
    guard let factor = try? CholeskyFactor(ofLowerTriangle: predictors) else { return nil }
    let cross = products.block(rows: p..<products.rows, columns: 0..<p).transposed()
    let result = factor.solveLowerTransposed(factor.solveLower(cross))
    return result.elements.allSatisfy(\.isFinite) ? result : nil
  }

  /// y for rows x, rounded to `Float`.
  ///
  /// - Complexity: O(rows · blocks · parents · d²).
  public func residuals(ofRows rows: [Float]) -> [Float] {
    let columns = shift.count
    let count = rows.count / max(columns, 1)
    var centred = [Double](repeating: 0, count: Self.rowsAtATime * columns)
    return [Float](unsafeUninitializedCapacity: rows.count) { result, initialized in
      initialized = rows.count
      guard let base = result.baseAddress else { return }
      rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        for first in stride(from: 0, to: count, by: Self.rowsAtATime) {
          te_block_residuals(
            min(Self.rowsAtATime, count - first), blockCount, blockSize, rows + first * columns,
            shift, parents, offsets, coefficients, &centred, base + first * columns)
        }
      }
    }
  }

  /// Rows that share each pass over the coefficients and stay in the second-level cache.
  private static let rowsAtATime = 8

  /// The mean of x from the mean of y.
  public func undone(mean: [Double]) -> [Double] {
    var result = mean
    let d = blockSize
    for block in 0..<blockCount {
      for place in Int(offsets[block])..<Int(offsets[block + 1]) {
        for a in 0..<d {
          let value = result[Int(parents[place]) * d + a]
          for c in 0..<d { result[block * d + c] += value * coefficients[(place * d + a) * d + c] }
        }
      }
    }
    return zip(result, shift).map { $0 + $1 }
  }

  /// The scatter of x, T⁻¹·W·T⁻ᵀ, from the scatter W of y; lower triangles both, zeros above.
  ///
  /// - Complexity: O((blocks · d)² · parents · d), on all cores.
  public func undone(scatter: consuming Matrix) -> Matrix {
    let (n, d) = (scatter.rows, blockSize)
    precondition(n == shift.count && scatter.columns == n, "the scatter of all coordinates")
    scatter.elements.withUnsafeMutableBufferPointer { elements in
      guard let base = elements.baseAddress else { return }
      let shared = SharedPointer(base)
      let strip = 128
      // T⁻¹·W: each row gains what its parents' rows predict, in the order of the blocks; columns are independent. All of
      // W is needed for that, so the lower triangle is mirrored first, strip by strip.
      parallelFor(n.dividedRoundingUp(by: strip)) { index in
        let w = shared.base
        let range = index * strip..<min((index + 1) * strip, n)
        for i in 0..<range.upperBound {
          for j in max(i + 1, range.lowerBound)..<max(range.upperBound, i + 1) {
            w[i * n + j] = w[j * n + i]
          }
        }
      }
      parallelFor(n.dividedRoundingUp(by: strip)) { index in
        let w = shared.base
        let first = index * strip
        let width = min(strip, n - first)
        for block in 0..<blockCount {
          for place in Int(offsets[block])..<Int(offsets[block + 1]) {
            for a in 0..<d {
              let source = w + (Int(parents[place]) * d + a) * n + first
              for c in 0..<d {
                let factor = coefficients[(place * d + a) * d + c]
                let target = w + (block * d + c) * n + first
                for j in 0..<width { target[j] += factor * source[j] }
              }
            }
          }
        }
      }
      // (T⁻¹·W)·T⁻ᵀ: the same along each row, of which only what is left of the diagonal is wanted.
      parallelFor(n) { task in
        let i = n - 1 - task
        let row = shared.base + i * n
        for block in 0...i / d {
          for place in Int(offsets[block])..<Int(offsets[block + 1]) {
            for a in 0..<d {
              let value = row[Int(parents[place]) * d + a]
              for c in 0..<d { row[block * d + c] += value * coefficients[(place * d + a) * d + c] }
            }
          }
        }
        (row + i + 1).update(repeating: 0, count: n - i - 1)
      }
    }
    return scatter
  }
}
