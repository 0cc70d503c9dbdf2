import LinearAlgebra
import Statistics
import TokenGrids

/// Points represented by the nearest of K centres, found by Lloyd's iteration.
///
/// The start cuts the cell with the largest squared error at its mean, across the channel in which
/// it is widest, until there are K cells (Su and Dy, "In search of deterministic methods for
/// initializing k-means and Gaussian mixture clustering", 2007: *Var-Part*). It costs O(N·d·log K)
/// where k-means++ costs O(N·d·K), and it spreads the error evenly over the cells, as the best
/// quantiser does. The centres are numbered in the order of the tree of cuts, so that centres
/// with near numbers are near each other.
public struct KMeans: Sendable {
  /// The centres, `K × d`.
  public let centres: FloatMatrix
  /// The mean squared distance of a point to its centre, after each assignment; never increases.
  public let distortions: [Double]
  /// Whether the last iterations changed the distortion by less than the tolerance.
  public let converged: Bool

  /// Clusters points.
  ///
  /// - Parameters:
  ///   - points: finite numbers, `N × d`.
  ///   - count: K, how many centres.
  ///   - maximumIterations: how many times centres are moved, at most.
  ///   - tolerance: the iteration ends when it lowers the distortion by a smaller share than this.
  ///   - seed: for the places to which centres without points are moved.
  ///   - progress: is told the number of each iteration and the distortion before it.
  /// - Throws: ``KMeansError`` when there are fewer than K different points.
  /// - Complexity: O(N·K·d) for each iteration, as matrix products on all cores.
  public init(
    points: FloatMatrix, count: Int, maximumIterations: Int = 50, tolerance: Double = 1e-3,
    seed: UInt64 = 0, progress: (Int, Double) -> Void = { _, _ in }
  ) throws {
    var centres = try VariancePartition(points: points, count: count).means
    var generator = SeededGenerator(seed: seed)
    var distortions: [Double] = []
    var converged = false
    for iteration in 0...maximumIterations {
      let assignment = NearestRows(centres).nearest(to: points)
      let errors = Self.squaredDistances(points, centres, assignment)
      let distortion = errors.reduce(0, +) / Double(points.rows)
      distortions.append(distortion)
      progress(iteration, distortion)
      if distortions.count > 1 {
        let before = distortions[distortions.count - 2]
        converged = before - distortion <= tolerance * before
      }
      if converged || iteration == maximumIterations { break }
      centres = Self.means(
        points, assignment, count: count, errors: errors, generator: &generator)
    }
    self.centres = centres
    self.distortions = distortions
    self.converged = converged
  }

  /// The squared distance of each point to the centre it is assigned to.
  static func squaredDistances(
    _ points: FloatMatrix, _ centres: FloatMatrix, _ assignment: [UInt32]
  ) -> [Double] {
    let d = points.columns
    return assignment.indices.map { i in
      var sum = 0.0
      for j in 0..<d {
        let difference = Double(
          points.elements[i * d + j] - centres.elements[Int(assignment[i]) * d + j])
        sum += difference * difference
      }
      return sum
    }
  }

  /// The mean of the points of each centre; a centre without points goes to a point, drawn with a
  /// probability in proportion to its squared error.
  static func means(
    _ points: FloatMatrix, _ assignment: [UInt32], count: Int, errors: [Double],
    generator: inout SeededGenerator
  ) -> FloatMatrix {
    let d = points.columns
    var sums = [Double](repeating: 0, count: count * d)
    var sizes = [Int](repeating: 0, count: count)
    for i in assignment.indices {
      let centre = Int(assignment[i])
      sizes[centre] += 1
      for j in 0..<d { sums[centre * d + j] += Double(points.elements[i * d + j]) }
    }
    var means = FloatMatrix(rows: count, columns: d)
    for centre in 0..<count where sizes[centre] > 0 {
      for j in 0..<d {
        means.elements[centre * d + j] = Float(sums[centre * d + j] / Double(sizes[centre]))
      }
    }
    let empty = sizes.indices.filter { sizes[$0] == 0 }
    guard !empty.isEmpty else { return means }
    var cumulative: [Double] = []
    cumulative.reserveCapacity(errors.count)
    var total = 0.0
    for error in errors {
      total += error
      cumulative.append(total)
    }
    for centre in empty {
      let draw = generator.nextUniform() * total
      let point = min(cumulative.partitionIndex { $0 > draw }, points.rows - 1)
      for j in 0..<d { means.elements[centre * d + j] = points.elements[point * d + j] }
    }
    return means
  }
}

/// Why points cannot be clustered.
public enum KMeansError: Error, Equatable, CustomStringConvertible {
  /// There are fewer different points than centres.
  case tooFewPoints(different: Int, wanted: Int)

  /// What was found, what was expected and what to do, in one sentence.
  public var description: String {
    switch self {
    case .tooFewPoints(let different, let wanted):
      "\(wanted) codes were asked for, but the training patches show only \(different) different "
        + "features; ask for fewer codes, or give more images"
    }
  }
}

extension Array where Element == Double {
  /// The first index whose element satisfies a condition that holds from some index on.
  fileprivate func partitionIndex(where condition: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
