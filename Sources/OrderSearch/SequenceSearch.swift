import EntropyEstimation
import LinearAlgebra
import Synchronization
import TokenGrids

/// A sequence and the sizes of its steps.
public struct FoundSteps: Hashable, Sendable, Codable {
  /// Raster indices, every cell of the grid once.
  public var sequence: [Int]
  /// The sizes of the steps.
  public var groupSizes: [Int]
  /// What the steps lose, in nats, with the covariance that they were fitted to.
  public var trainingLoss: Double

  /// Makes steps.
  public init(sequence: [Int], groupSizes: [Int], trainingLoss: Double) {
    self.sequence = sequence
    self.groupSizes = groupSizes
    self.trainingLoss = trainingLoss
  }

  /// The order that they make.
  ///
  /// - Throws: ``GenerationOrderError`` when they are not those of the grid.
  public func order(named name: String, on grid: TokenGrid) throws(GenerationOrderError)
    -> GenerationOrder
  {
    try GenerationOrder(name: name, grid: grid, sequence: sequence, groupSizes: groupSizes)
  }

  /// The steps, as raster indices.
  var steps: [[Int]] {
    var start = 0
    return groupSizes.map { size in
      defer { start += size }
      return Array(sequence[start..<start + size])
    }
  }
}

/// The search for a sequence and steps that lose least with a covariance.
///
/// Two moves take turns: tokens of neighbouring steps are exchanged (``StepExchange``), and the sequence is cut anew at the
/// best places (``OptimalGroups``). Neither ever loses more, so that the search ends at a sequence that none of them
/// improves: not the best there is, but a good one from a good start.
public struct SequenceSearch: Sendable {
  /// Of all tokens, lower triangle.
  public let covariance: Matrix
  /// d.
  public let featureDimensions: Int
  /// What steps may hold.
  public let constraints: StepConstraints

  /// Makes a search.
  public init(
    covariance: Matrix, featureDimensions: Int, constraints: StepConstraints = StepConstraints()
  ) {
    precondition(covariance.rows.isMultiple(of: featureDimensions), "tokens have d numbers each")
    self.covariance = covariance
    self.featureDimensions = featureDimensions
    self.constraints = constraints
  }

  /// The best steps of a sequence for a number of steps; nil where the constraints leave none.
  ///
  /// - Complexity: (n·d)³/3, O(n²·d³) and O(S·n²).
  public func cut(_ sequence: [Int], steps: Int) -> FoundSteps? {
    cut(sequence, steps: steps, factor: factor(of: sequence))
  }

  private func cut(_ sequence: [Int], steps: Int, factor: CholeskyFactor) -> FoundSteps? {
    let groups = OptimalGroups(
      StepCosts(of: sequence, factor: factor), constraints: constraints, largestStepCount: steps)
    guard let sizes = groups.groupSizes(steps: steps), let loss = groups.loss(steps: steps) else {
      return nil
    }
    return FoundSteps(sequence: sequence, groupSizes: sizes, trainingLoss: loss)
  }

  private func factor(of sequence: [Int]) -> CholeskyFactor {
    let permuted = covariance.symmetricPermutation(
      ofBlocks: sequence, blockSize: featureDimensions)
    guard let factor = try? CholeskyFactor(ofLowerTriangle: permuted) else {
      preconditionFailure("a covariance is positive definite in any sequence")
    }
    return factor
  }

  /// Improves steps until no exchange of tokens and no other sizes help by more than a thousandth, or time is over.
  ///
  /// - Parameters:
  ///   - found: Where to begin.
  ///   - shouldStop: Asked often.
  ///   - progress: Told what has been found after every round.
  /// - Complexity: In each round three factorisations of (n·d)³/3, and the exchanges: for two steps of a and b tokens O(a·b²·d³).
  public func improved(
    _ found: FoundSteps, shouldStop: @escaping @Sendable () -> Bool = { false },
    progress: (FoundSteps) -> Void = { _ in }
  ) -> FoundSteps {
    var best = found
    while !shouldStop() {
      var steps = best.steps
      for parity in 0...1 {
        exchange(in: &steps, from: parity, shouldStop)
      }
      guard
        let next = cut(steps.flatMap(\.self), steps: steps.count),
        next.trainingLoss < best.trainingLoss
      else { break }
      let gain = best.trainingLoss - next.trainingLoss
      best = next
      progress(best)
      if gain < 1e-3 * best.trainingLoss { break }
    }
    return best
  }

  /// Exchanges tokens between the steps `first` and `first` + 1, the next two, and so on: no pair changes what is known before
  /// and after another.
  private func exchange(
    in steps: inout [[Int]], from first: Int, _ shouldStop: @escaping @Sendable () -> Bool
  ) {
    let pairs = stride(from: first, to: steps.count - 1, by: 2).map { $0 }
    guard !pairs.isEmpty else { return }
    let factor = factor(of: steps.flatMap(\.self))
    let d = featureDimensions
    var starts = [0]
    for step in steps { starts.append(starts[starts.count - 1] + step.count) }
    let (before, places) = (steps, starts)
    let results = Mutex<[Int: ([Int], [Int])]>([:])
    BLAS.onCallingThread {
      parallelFor(pairs.count) { index in
        let step = pairs[index]
        let tokens = before[step] + before[step + 1]
        let range = places[step] * d..<places[step + 2] * d
        var rows = factor.lower.block(rows: range, columns: range)
        for i in 0..<rows.rows {
          for j in i + 1..<max(rows.columns, i + 1) { rows[i, j] = 0 }
        }
        let exchange = StepExchange(factor: rows, featureDimensions: d)
        let first = exchange.improved(
          first: Array(before[step].indices), shouldStop: shouldStop
        ).first
        let chosen = Set(first)
        let second = tokens.indices.filter { !chosen.contains($0) }
        results.withLock { $0[step] = (first.map { tokens[$0] }, second.map { tokens[$0] }) }
      }
    }
    for (step, (first, second)) in results.withLock(\.self) {
      steps[step] = first
      steps[step + 1] = second
    }
  }
}
