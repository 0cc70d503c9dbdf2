import EntropyEstimation
import LinearAlgebra

/// For every number of steps the sizes of groups that lose least, of all sizes there are: a dynamic programme over what each
/// step costs.
///
/// F_s(b) = min_a F_{s−1}(a) + cost(a, b) is the least loss of the first b tokens in s steps. The table holds the best
/// sizes for every number of steps at once.
public struct OptimalGroups: Sendable {
  /// N.
  public let count: Int
  /// F_s(N) for s = 1 …; infinite where the constraints leave no sizes.
  private let losses: [Double]
  /// By s − 1, then b: where the last step begins.
  private let starts: [[Int32]]

  /// Finds the best sizes.
  ///
  /// - Parameters:
  ///   - costs: What each step costs.
  ///   - constraints: What steps may hold.
  ///   - largestStepCount: The most steps that are asked for; nil for N.
  /// - Complexity: O(S·N²/2) time, on all cores, and S·N numbers of memory.
  public init(
    _ costs: StepCosts, constraints: StepConstraints = StepConstraints(),
    largestStepCount: Int? = nil
  ) {
    let n = costs.count
    count = n
    let most = min(largestStepCount ?? n, n)
    // By b, then a.
    var table = [Double](repeating: .infinity, count: (n + 1) * (n + 1))
    for a in 0..<n {
      for b in a + 1...n where constraints.allow(a, b, of: n) {
        table[b * (n + 1) + a] = costs[a, b]
      }
    }
    var best = [Double](repeating: .infinity, count: n + 1)
    best[0] = 0
    var losses: [Double] = []
    var starts: [[Int32]] = []
    losses.reserveCapacity(most)
    for step in 0..<most {
      var next = [Double](repeating: .infinity, count: n + 1)
      var from = [Int32](repeating: -1, count: n + 1)
      next.withUnsafeMutableBufferPointer { next in
        from.withUnsafeMutableBufferPointer { from in
          guard let nextBase = next.baseAddress, let fromBase = from.baseAddress else { return }
          let (values, origins) = (SharedPointer(nextBase), SharedPointer(fromBase))
          let (best, table) = (best, table)
          let lanes = 8
          parallelFor(lanes) { lane in
            best.withUnsafeBufferPointer { best in
              table.withUnsafeBufferPointer { table in
                for b in stride(from: step + 1 + lane, through: n, by: lanes) {
                  var (least, origin) = (Double.infinity, -1)
                  let row = b * (n + 1)
                  for a in step..<b {
                    let value = best[a] + table[row + a]
                    if value < least { (least, origin) = (value, a) }
                  }
                  values.base[b] = least
                  origins.base[b] = Int32(origin)
                }
              }
            }
          }
        }
      }
      best = next
      losses.append(next[n])
      starts.append(from)
    }
    self.losses = losses
    self.starts = starts
  }

  /// The least loss in nats with so many steps; nil where no sizes satisfy the constraints, or more steps than were asked for.
  public func loss(steps: Int) -> Double? {
    guard losses.indices.contains(steps - 1), losses[steps - 1].isFinite else { return nil }
    return losses[steps - 1]
  }

  /// The sizes that lose least with so many steps; nil as for ``loss(steps:)``.
  public func groupSizes(steps: Int) -> [Int]? {
    guard loss(steps: steps) != nil else { return nil }
    var sizes: [Int] = []
    var end = count
    for step in (0..<steps).reversed() {
      let start = Int(starts[step][end])
      sizes.append(end - start)
      end = start
    }
    return sizes.reversed()
  }

  /// The numbers of steps for which there are sizes, of those asked for.
  public var stepCounts: [Int] { (1...max(losses.count, 1)).filter { loss(steps: $0) != nil } }
}
