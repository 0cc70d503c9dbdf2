import LinearAlgebra
import Synchronization
import TokenGrids

extension OrderProfile {
  /// The profile of an order whose contexts hold only tokens within a window about the target: for few images. A smaller
  /// context cannot lower a conditional entropy, so what is an upper bound stays one.
  ///
  /// Sequential and parallel contexts are cut by the same window. A step's increases no longer add up to its total
  /// correlation; errors of sums take the increases as independent, and steps are not tested.
  ///
  /// - Parameter window: Cells whose row, column and frame are each at most this far from the target's.
  /// - Throws: ``EstimationError`` for another grid, too few images for the largest context, and constant or linearly
  ///   dependent channels.
  /// - Complexity: n factorisations of at most (2·window + 1)²·d coordinates, on all cores.
  public init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound = .wishart, window: Int
  ) throws {
    precondition(bound != .heldOut, "the held-out bound needs images that were not fitted to")
    let (grid, d) = (order.grid, moments.featureDimensions)
    guard grid == moments.grid else {
      throw EstimationError.gridMismatch(
        source: moments.name, data: moments.grid, order: order.name, orderGrid: grid)
    }
    try moments.requireVaryingChannels()
    let sequence = order.sequence
    let steps = order.stepNumbers
    let contexts = sequence.indices.map { position in
      let target = grid.cell(at: sequence[position])
      return sequence[..<position].filter { cell in
        let other = grid.cell(at: cell)
        return abs(other.row - target.row) <= window && abs(other.column - target.column) <= window
          && abs(other.frame - target.frame) <= window
      }
    }
    try moments.requireImages(contextTokens: contexts.map(\.count).max() ?? 0)
    let none = Estimate(value: 0, standardError: 0)
    let results = Mutex(
      [(Estimate, Estimate, Estimate)](
        repeating: (none, none, none), count: sequence.count))
    try BLAS.onCallingThread {
      try parallelFor(sequence.count) { position in
        let cell = sequence[position]
        let local = contexts[position] + [cell]
        let past = contexts[position].count { steps[$0] < steps[cell] }
        let factor: CholeskyFactor
        do throws(NotPositiveDefinite) {
          factor = try CholeskyFactor(
            ofLowerTriangle: moments.scatter.symmetricPermutation(ofBlocks: local, blockSize: d))
        } catch {
          if moments.roundingScale != nil {
            throw EstimationError.insufficientPrecision(
              source: moments.name, cell: grid.cell(at: local[error.index / d]),
              channel: error.index % d)
          }
          throw EstimationError.dependentChannel(
            source: moments.name, cell: grid.cell(at: local[error.index / d]),
            channel: error.index % d, context: "other channels in its window")
        }
        let step = StepEstimator(
          lower: factor.lower, imageCount: moments.imageCount, coordinates: d, channels: d,
          bound: bound
        ).step(tokens: past..<local.count)
        let last = local.count - past - 1
        results.withLock {
          $0[position] = (step.sequential[last], step.parallel[last], step.increase[last])
        }
      }
    }
    let estimates = results.withLock(\.self)
    let empty = [Estimate](repeating: none, count: sequence.count)
    var (sequential, parallel, increase) = (empty, empty, empty)
    for (position, cell) in sequence.enumerated() {
      (sequential[cell], parallel[cell], increase[cell]) = estimates[position]
    }
    func sum(_ estimates: [Estimate]) -> Estimate {
      Estimate(
        value: estimates.reduce(0) { $0 + $1.value },
        standardError: estimates.reduce(0) { $0 + $1.standardError * $1.standardError }
          .squareRoot())
    }
    self.init(
      order: order, bound: bound, imageCount: moments.imageCount, featureDimensions: d,
      sequential: sequential, parallel: parallel, increase: increase,
      totalCorrelation: order.steps.map { step in sum(step.map { increase[$0] }) },
      totalIncrease: sum(increase))
  }
}
