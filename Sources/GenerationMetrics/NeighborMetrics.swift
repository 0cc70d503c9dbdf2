import LinearAlgebra
import Synchronization

/// Precision, recall, density and coverage: how the samples of one set lie among the nearest neighbours of the other's.
///
/// The ball of a sample reaches to its k-th nearest neighbour in its own set, the border included. Precision is the share of
/// generated samples in the ball of some real one, recall that of real samples in the ball of some generated one
/// (Kynkäänniemi et al., 2019); density counts the real balls that a generated sample lies in, over k, and coverage is the
/// share of real balls with a generated sample in them (Naeem et al., 2020).
public struct NeighborMetrics: Hashable, Sendable {
  /// k.
  public let neighbors: Int
  /// The share of generated samples that are like real ones.
  public let precision: Double
  /// The share of real samples that are like generated ones.
  public let recall: Double
  /// About 1 for equal distributions, above it where generated samples crowd where real ones are dense.
  public let density: Double
  /// The share of real samples whose neighbourhood holds a generated one.
  public let coverage: Double

  /// Measures for several k at once.
  ///
  /// Distances come tile by tile from products in single precision; where rounding could decide, they are computed again in
  /// double precision, so that the result is that of exact comparison.
  ///
  /// - Parameters:
  ///   - real: Real samples, N × d.
  ///   - generated: Generated samples, M × d.
  ///   - neighbors: Every k, at least 1.
  ///   - tile: How many rows are compared with how many at a time.
  /// - Precondition: both sets have the same dimensions and more than k samples.
  /// - Complexity: O((N + M)²·d) through `sgemm`, on all cores; O(tile²) memory a thread.
  public static func metrics(
    real: FloatMatrix, generated: FloatMatrix, neighbors: [Int], tile: Int = 512
  ) -> [NeighborMetrics] {
    let most = neighbors.max() ?? 0
    precondition(real.columns == generated.columns, "features of one extractor are compared")
    precondition(
      most < min(real.rows, generated.rows) && neighbors.allSatisfy { $0 > 0 },
      "k neighbours exist")
    let (x, y) = (PointSet(real), PointSet(generated))
    let realRadii = x.radii(neighbors: neighbors, tile: tile)
    let generatedRadii = y.radii(neighbors: neighbors, tile: tile)
    return neighbors.indices.map { index in
      let (r, s) = (realRadii[index], generatedRadii[index])
      let counts = x.counts(with: y, radii: r, otherRadii: s, tile: tile)
      let (n, m) = (Double(real.rows), Double(generated.rows))
      return NeighborMetrics(
        neighbors: neighbors[index],
        precision: Double(counts.ballsAround.count { $0 > 0 }) / m,
        recall: Double(counts.isInOtherBall.count { $0 }) / n,
        density: Double(counts.ballsAround.reduce(0, +)) / (m * Double(neighbors[index])),
        coverage: Double(counts.holdsOther.count { $0 }) / n)
    }
  }
}

/// Points whose squared distances are known in single precision with a bound, and exactly on demand.
private struct PointSet: Sendable {
  let points: FloatMatrix
  /// ‖x‖², in double precision.
  let norms: [Double]

  init(_ points: FloatMatrix) {
    self.points = points
    let d = points.columns
    norms = (0..<points.rows).map { i in
      (0..<d).reduce(0.0) {
        let value = Double(points.elements[i * d + $1])
        return $0 + value * value
      }
    }
  }

  /// ‖x_i − y_j‖² in double precision, the same for both orders of the points.
  func exactSquaredDistance(_ i: Int, _ other: PointSet, _ j: Int) -> Double {
    let d = points.columns
    var sum = 0.0
    for c in 0..<d {
      let difference = Double(points.elements[i * d + c]) - Double(other.points.elements[j * d + c])
      sum += difference * difference
    }
    return sum
  }

  /// How far a distance from a product can be off, as a share of ‖x‖² + ‖y‖²: a sum of d products in single precision.
  private var relativeBound: Double { 2 * Double(points.columns + 4) * 0x1p-24 }

  /// For every k the squared distance of each point to its k-th nearest neighbour.
  func radii(neighbors: [Int], tile: Int) -> [[Double]] {
    let count = points.rows
    let most = neighbors.max() ?? 0
    let kept = min(count - 1, most + 8)
    let tiles = (0..<count).tiles(of: tile)
    let bound = relativeBound
    let found = Mutex([[Double]](repeating: [], count: count))
    let largest = norms.max() ?? 0
    BLAS.onCallingThread {
      parallelFor(tiles.count) { index in
        let rows = tiles[index]
        let own = points.slice(rows)
        var nearest = rows.map { _ in Nearest(capacity: kept) }
        for columns in tiles {
          let products = FloatMatrix.product(
            own, points.slice(columns), transposingSecond: true)
          for i in rows {
            let line = (i - rows.lowerBound) * columns.count
            for j in columns where j != i {
              let distance =
                norms[i] + norms[j] - 2
                * Double(products.elements[line + j - columns.lowerBound])
              nearest[i - rows.lowerBound].add(distance, j)
            }
          }
        }
        for i in rows {
          let candidates = nearest[i - rows.lowerBound]
          var exact = candidates.indices.map { exactSquaredDistance(i, self, $0) }.sorted()
          // A point that was left out is at least this far away.
          let safe = candidates.largest - bound * (norms[i] + largest)
          if kept < count - 1, safe <= exact[most - 1] {
            exact = (0..<count).lazy.filter { $0 != i }
              .map { exactSquaredDistance(i, self, $0) }.sorted()
          }
          let result = Array(exact.prefix(most))
          found.withLock { $0[i] = result }
        }
      }
    }
    let all = found.withLock(\.self)
    return neighbors.map { k in all.map { $0[k - 1] } }
  }

  struct Counts {
    /// For each of the other points, in how many of the balls here it lies.
    var ballsAround: [Int]
    /// Whether a point here lies in one of the other balls.
    var isInOtherBall: [Bool]
    /// Whether the ball of a point here holds another point.
    var holdsOther: [Bool]
  }

  /// How the points of two sets lie in each other's balls, whose squared radii are given.
  func counts(
    with other: PointSet, radii: [Double], otherRadii: [Double], tile: Int
  ) -> Counts {
    let tiles = (0..<points.rows).tiles(of: tile)
    let otherTiles = (0..<other.points.rows).tiles(of: tile)
    let bound = relativeBound
    let result = Mutex(
      Counts(
        ballsAround: Array(repeating: 0, count: other.points.rows),
        isInOtherBall: Array(repeating: false, count: points.rows),
        holdsOther: Array(repeating: false, count: points.rows)))
    BLAS.onCallingThread {
      parallelFor(tiles.count) { index in
        let rows = tiles[index]
        let own = points.slice(rows)
        var around = [Int](repeating: 0, count: other.points.rows)
        var inside = [Bool](repeating: false, count: rows.count)
        var holds = inside
        for columns in otherTiles {
          let products = FloatMatrix.product(
            own, other.points.slice(columns), transposingSecond: true)
          for i in rows {
            let line = (i - rows.lowerBound) * columns.count
            for j in columns {
              var distance =
                norms[i] + other.norms[j] - 2
                * Double(products.elements[line + j - columns.lowerBound])
              let uncertainty = bound * (norms[i] + other.norms[j])
              if abs(distance - radii[i]) <= uncertainty
                || abs(distance - otherRadii[j]) <= uncertainty
              {
                distance = exactSquaredDistance(i, other, j)
              }
              if distance <= radii[i] {
                around[j] += 1
                holds[i - rows.lowerBound] = true
              }
              if distance <= otherRadii[j] { inside[i - rows.lowerBound] = true }
            }
          }
        }
        result.withLock { result in
          for j in around.indices { result.ballsAround[j] += around[j] }
          for i in rows {
            result.isInOtherBall[i] = inside[i - rows.lowerBound]
            result.holdsOther[i] = holds[i - rows.lowerBound]
          }
        }
      }
    }
    return result.withLock(\.self)
  }
}

/// The nearest points seen so far.
private struct Nearest {
  private let capacity: Int
  /// Sorted by distance.
  private var entries: [(distance: Double, index: Int)] = []

  init(capacity: Int) {
    self.capacity = capacity
    entries.reserveCapacity(capacity + 1)
  }

  /// The distance of the farthest that is kept; none that was left out is nearer.
  var largest: Double { entries.last?.distance ?? .infinity }
  var indices: [Int] { entries.map(\.index) }

  mutating func add(_ distance: Double, _ index: Int) {
    if entries.count == capacity {
      guard distance < largest else { return }
      entries.removeLast()
    }
    var place = entries.count
    while place > 0, entries[place - 1].distance > distance { place -= 1 }
    entries.insert((distance, index), at: place)
  }
}
