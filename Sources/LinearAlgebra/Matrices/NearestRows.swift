import CKernels
import COpenBLAS

/// Finds the nearest of many rows, in Euclidean distance: the encoding step of a codebook.
///
/// For a point x the nearest row c has the largest score x·c − ½‖c‖². There are two ways to the
/// scores. For many columns they are the tiles of a matrix product, with the constant as one more
/// column, searched while they are in the cache. For the few columns of usual codebooks such a
/// product spends its time writing scores; there a kernel in C keeps them in registers. On two
/// AVX2 cores the kernel is 3.7 times as fast for 8 columns, and a little slower from 64 on.
public struct NearestRows: Sendable {
  /// How the scores are computed.
  public enum Method: Sendable {
    /// A kernel of its own, the fastest that this processor runs.
    case kernel
    /// The same in plain C, on every processor.
    case portableKernel
    /// Matrix products in single precision, by BLAS.
    case matrixProduct

    /// The faster one for rows of so many columns.
    static func best(forColumns columns: Int) -> Method { columns <= 32 ? .kernel : .matrixProduct }
  }

  /// The rows that are searched, `K × d`.
  public let rows: FloatMatrix

  private enum Preparation {
    /// Panels of rows side by side, the constant after their channels.
    case panels([Float], te_nearest_kernel)
    /// One row after the other, the constant after its channels; whole vectors of rows.
    case augmentedRows(FloatMatrix)
  }

  private let preparation: Preparation

  private static let pointsPerTile = Int(te_nearest_points)
  private static let lanes = 16

  /// Prepares the search.
  ///
  /// - Parameters:
  ///   - rows: finite numbers, `K × d`.
  ///   - method: how scores are computed; nil for the faster way.
  /// - Precondition: there is at least one row.
  /// - Complexity: O(K·d).
  public init(_ rows: FloatMatrix, method: Method? = nil) {
    precondition(rows.rows > 0, "the nearest of no rows does not exist")
    self.rows = rows
    switch method ?? .best(forColumns: rows.columns) {
    case .kernel:
      preparation = Self.panels(of: rows, for: te_nearest_kernel_best())
    case .portableKernel:
      preparation = Self.panels(of: rows, for: te_nearest_kernel_portable())
    case .matrixProduct:
      // Panels of width 1 are rows with the constant behind them.
      let padded = rows.rows.roundedUp(toMultipleOf: Self.lanes)
      preparation = .augmentedRows(
        FloatMatrix(
          rows: padded, columns: rows.columns + 1,
          elements: Self.panels(of: rows, width: 1, count: padded)))
    }
  }

  private static func panels(of rows: FloatMatrix, for kernel: te_nearest_kernel) -> Preparation {
    let count = rows.rows.dividedRoundingUp(by: kernel.width)
    return .panels(panels(of: rows, width: kernel.width, count: count), kernel)
  }

  /// Panels of `width` rows, `(d + 1) × width` each; rows that are missing never have the best score.
  private static func panels(of rows: FloatMatrix, width: Int, count: Int) -> [Float] {
    let d = rows.columns
    var result = [Float](repeating: 0, count: count * width * (d + 1))
    for row in 0..<(count * width) {
      let start = row / width * width * (d + 1) + row % width
      var squares = 0.0
      for j in 0..<d where row < rows.rows {
        let value = rows.elements[row * d + j]
        result[start + j * width] = value
        squares += Double(value) * Double(value)
      }
      result[start + d * width] =
        row < rows.rows ? Float(-squares / 2) : -Float.greatestFiniteMagnitude
    }
    return result
  }

  /// The index of the row nearest to each point, on all cores.
  ///
  /// Rows whose scores are equal but for rounding, about 2⁻²³·‖x‖·‖c‖, count as equally near.
  ///
  /// - Parameter points: finite numbers, `N × d`.
  /// - Precondition: points have as many columns as the rows.
  /// - Complexity: O(N·K·d).
  public func nearest(to points: FloatMatrix) -> [UInt32] {
    precondition(points.columns == rows.columns, "points and rows have the same columns")
    let count = points.rows
    return [UInt32](unsafeUninitializedCapacity: count) { output, initialized in
      if let base = output.baseAddress {
        let shared = SharedPointer(base)
        BLAS.onCallingThread {
          parallelFor(count.dividedRoundingUp(by: Self.pointsPerTile)) { tile in
            let first = tile * Self.pointsPerTile
            let range = first..<min(count, first + Self.pointsPerTile)
            switch preparation {
            case .panels(let panels, let kernel):
              points.elements.withUnsafeBufferPointer { points in
                guard let points = points.baseAddress else { return }
                kernel.search(
                  range.count, rows.columns, rows.rows.dividedRoundingUp(by: kernel.width),
                  points + first * rows.columns, panels, shared.base + first)
              }
            case .augmentedRows(let augmented):
              search(augmented, points, range, into: shared.base + first)
            }
          }
        }
      }
      initialized = count
    }
  }

  /// Searches for one tile of points by matrix products.
  private func search(
    _ augmented: FloatMatrix, _ points: FloatMatrix, _ tile: Range<Int>,
    into output: UnsafeMutablePointer<UInt32>
  ) {
    let d = points.columns
    var block = FloatMatrix(rows: tile.count, columns: d + 1)
    for (i, point) in tile.enumerated() {
      for j in 0..<d { block.elements[i * (d + 1) + j] = points.elements[point * d + j] }
      block.elements[i * (d + 1) + d] = 1
    }
    // A tile of scores, 256 kB, stays in the second-level cache until it has been searched.
    let rowsPerTile = min(1024, augmented.rows)
    // Per point, the best score and the vector of rows it was found in, for each lane.
    var best = [SIMD16<Float>](repeating: SIMD16(repeating: -.infinity), count: tile.count)
    var bestVector = [SIMD16<Int32>](repeating: .zero, count: tile.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: tile.count * rowsPerTile) { scores in
      guard let scores = scores.baseAddress else { return }
      for row in stride(from: 0, to: augmented.rows, by: rowsPerTile) {
        let rowCount = min(rowsPerTile, augmented.rows - row)
        augmented.elements.withUnsafeBufferPointer { rows in
          guard let rows = rows.baseAddress else { return }
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(tile.count), Int32(rowCount),
            Int32(d + 1), 1, block.elements, Int32(d + 1), rows + row * (d + 1), Int32(d + 1), 0,
            scores, Int32(rowCount))
        }
        for i in 0..<tile.count {
          let line = UnsafeRawPointer(scores + i * rowCount)
          var (value, vector) = (best[i], bestVector[i])
          for k in 0..<(rowCount / Self.lanes) {
            let candidate = line.loadUnaligned(
              fromByteOffset: k * Self.lanes * 4, as: SIMD16<Float>.self)
            let isBetter = candidate .> value
            value.replace(with: candidate, where: isBetter)
            vector.replace(
              with: SIMD16(repeating: Int32(truncatingIfNeeded: row / Self.lanes + k)),
              where: isBetter)
          }
          (best[i], bestVector[i]) = (value, vector)
        }
      }
    }
    for i in 0..<tile.count {
      var lane = 0
      for other in 1..<Self.lanes where best[i][other] > best[i][lane] { lane = other }
      output[i] = UInt32(Int(bestVector[i][lane]) * Self.lanes + lane)
    }
  }
}
