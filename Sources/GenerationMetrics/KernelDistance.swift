import EntropyEstimation
import LinearAlgebra
import Statistics
import Synchronization

/// The kernel distance (KID): the unbiased squared maximum mean discrepancy with the kernel k(x, y) = (x·y/d + 1)³.
///
/// All pairs of samples are used, tile by tile, so that memory stays at two tiles a thread however many samples there are.
/// The standard error is that of the jackknife that leaves out one group of both sets at a time; it needs no further kernel
/// values. (Bińkowski et al., 2018; Gretton et al., 2012.)
public struct KernelDistance: Sendable {
  /// MMD²; may be negative, as an unbiased estimate of 0 must.
  public let estimate: Estimate
  /// The distances without each group of both sets, whose jackknife is the standard error.
  public let withoutGroups: [Double]

  /// Measures the distance between two sets of features.
  ///
  /// - Precondition: the features have the same dimensions.
  /// - Complexity: O((N₁ + N₂)²·d) through `sgemm`, on all cores.
  public init(_ first: FeatureSet, _ second: FeatureSet, tile: Int = 512) {
    precondition(first.dimensions == second.dimensions, "features of one extractor are compared")
    let groups = min(first.groupRows.count, second.groupRows.count)
    let a = KernelSums(within: first, tile: tile)
    let b = KernelSums(within: second, tile: tile)
    let ab = KernelSums(between: first, and: second, tile: tile)
    func distance(without left: Int?) -> Double {
      let (x, n) = a.total(without: left)
      let (y, m) = b.total(without: left)
      let (cross, _) = ab.total(without: left)
      return x / (n * (n - 1)) + y / (m * (m - 1)) - 2 * cross / (n * m)
    }
    withoutGroups = (0..<groups).map { distance(without: $0) }
    estimate = Estimate(
      value: distance(without: nil), standardError: jackknifeError(of: withoutGroups))
  }
}

/// The standard error of a statistic from its values with each of G groups left out in turn.
package func jackknifeError(of values: [Double]) -> Double {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares * (count - 1) / count).squareRoot()
}

/// Sums of kernel values between the groups of two sets; of a set with itself without the pairs of a sample with itself.
private struct KernelSums {
  /// Row by row, groups of the first by groups of the second.
  private let sums: [Double]
  private let firstSizes: [Int]
  private let secondSizes: [Int]
  private let isWithin: Bool

  /// Sums within one set.
  init(within set: FeatureSet, tile: Int) {
    self.init(set, set, isWithin: true, tile: tile)
  }

  /// Sums between two sets, which may have equal contents: they are still two samples, every pair of which counts.
  init(between first: FeatureSet, and second: FeatureSet, tile: Int) {
    self.init(first, second, isWithin: false, tile: tile)
  }

  private init(_ first: FeatureSet, _ second: FeatureSet, isWithin: Bool, tile: Int) {
    self.isWithin = isWithin
    firstSizes = first.groupRows.map(\.count)
    secondSizes = second.groupRows.map(\.count)
    let columns = secondSizes.count
    var jobs: [(Int, Range<Int>, Int, Range<Int>)] = []
    for (g, rows) in first.groupRows.enumerated() {
      for (h, others) in second.groupRows.enumerated() where !isWithin || h <= g {
        for r in rows.tiles(of: tile) {
          for s in others.tiles(of: tile) { jobs.append((g, r, h, s)) }
        }
      }
    }
    let totals = Mutex([Double](repeating: 0, count: firstSizes.count * columns))
    let parts = Mutex([Double](repeating: 0, count: jobs.count))
    let work = jobs
    BLAS.onCallingThread {
      parallelFor(work.count) { index in
        let (_, r, _, s) = work[index]
        let sum = Self.sum(
          first.rows.slice(r), second.rows.slice(s),
          skippingDiagonal: isWithin && r == s)
        parts.withLock { $0[index] = sum }
      }
    }
    // Added in a fixed order, so that the result does not depend on the threads.
    parts.withLock { parts in
      totals.withLock { totals in
        for (job, sum) in zip(work, parts) {
          totals[job.0 * columns + job.2] += sum
          if isWithin, job.0 != job.2 { totals[job.2 * columns + job.0] += sum }
        }
      }
    }
    sums = totals.withLock(\.self)
  }

  /// The sum over all pairs, one group of each set left out on request, and the samples of the first set in it.
  func total(without left: Int?) -> (sum: Double, samples: Double) {
    var sum = 0.0
    for g in firstSizes.indices where g != left {
      for h in secondSizes.indices where h != left { sum += sums[g * secondSizes.count + h] }
    }
    let all = firstSizes.reduce(0, +)
    return (sum, Double(all - (left.map { firstSizes[$0] } ?? 0)))
  }

  private static func sum(
    _ x: FloatMatrix, _ y: FloatMatrix, skippingDiagonal: Bool
  ) -> Double {
    let products = FloatMatrix.product(x, y, transposingSecond: true)
    let scale = 1 / Float(x.columns)
    var total = 0.0
    for i in 0..<products.rows {
      for j in 0..<products.columns where !(skippingDiagonal && i == j) {
        let value = products.elements[i * products.columns + j] * scale + 1
        total += Double(value * value * value)
      }
    }
    return total
  }
}

extension Range where Bound == Int {
  /// Pieces of at most `size`.
  func tiles(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map {
      $0..<Swift.min($0 + size, upperBound)
    }
  }
}

extension FloatMatrix {
  /// Some of the rows.
  func slice(_ rows: Range<Int>) -> FloatMatrix {
    FloatMatrix(
      rows: rows.count, columns: columns,
      elements: Array(elements[rows.lowerBound * columns..<rows.upperBound * columns]))
  }
}
