import LinearAlgebra
import TokenGrids

/// What generating tokens in parallel costs, for one order of generation: the sequential and the parallel conditional
/// entropy of every token, and the increase from one to the other. (PAR, supplement D.2, equations 7 and 8.)
///
/// Everything comes from one Cholesky factorisation of the scatter with the tokens arranged as the order generates them,
/// W = L·Lᵀ: token k's residual scatter given all tokens before it is L_kk·L_kkᵀ, and given only the earlier steps
/// L_g[k]·L_g[k]ᵀ, where L_g[k] is token k's rows in the columns of its own step g.
public struct OrderProfile: Sendable {
  /// The order.
  public let order: GenerationOrder
  /// How entropies were estimated.
  public let bound: EntropyBound
  /// m.
  public let imageCount: Int
  /// d.
  public let featureDimensions: Int
  /// H(v_k | V_seq(k)) in nats, by raster index.
  public let sequential: [Estimate]
  /// H(v_k | V_par(k)) in nats, by raster index.
  public let parallel: [Estimate]
  /// Parallel minus sequential entropy in nats, by raster index; exactly 0 for the first cell of a step.
  public let increase: [Estimate]
  /// The conditional total correlation TC(step | earlier steps) in nats, by step: the sum of the step's increases, and the
  /// information lost when its tokens are drawn independently.
  public let totalCorrelation: [Estimate]
  /// The sum of all increases, in nats.
  public let totalIncrease: Estimate

  /// The entropy of all tokens together, in nats: the sum of the sequential entropies, the same for every order.
  public var jointEntropy: Double { sequential.reduce(0) { $0 + $1.value } }
  /// The mean increase over all cells, in nats.
  public var meanIncrease: Double { totalIncrease.value / Double(order.grid.cellCount) }
  /// The cell with the largest increase and that increase, in nats.
  public var largestIncrease: (cell: GridCell, increase: Estimate) {
    let index = increase.indices.max { increase[$0].value < increase[$1].value } ?? 0
    return (order.grid.cell(at: index), increase[index])
  }

  /// Computes the profile of `order`.
  ///
  /// Standard errors are those of Gaussian data. An entropy has ½·√(Σ ψ₁((ν − i + 1)/2)). Par and seq share their noise,
  /// so an increase has its own: with canonical correlations ρ between a token's residual and those of the tokens listed
  /// before it in its step, variance Σρ²/ν + q·d/(2ν²), q the numbers in those tokens; likewise for a step, from the
  /// whitened cross-covariances of all its pairs. Innovations of different steps are independent, so variances of steps
  /// add up.
  ///
  /// - Throws: ``EstimationError`` for another grid, too few images (ν < d for the last token), and constant or linearly
  ///   dependent channels.
  /// - Complexity: (n·d)³/3 multiplications and additions, and (n·d)² numbers of memory besides the moments.
  public init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound = .debiased
  ) throws {
    let d = moments.featureDimensions
    guard order.grid == moments.grid else {
      throw EstimationError.gridMismatch(
        source: moments.name, data: moments.grid, order: order.name, orderGrid: order.grid)
    }
    try moments.requireImages(contextTokens: order.grid.cellCount - 1)
    try moments.requireVaryingChannels()
    let sequence = order.sequence
    let lower = try Self.factor(order: order, sequence: sequence, moments: moments)
    let estimator = StepEstimator(
      lower: lower, imageCount: moments.imageCount, channels: d, bound: bound)
    let empty = [Estimate](repeating: Estimate(value: 0, standardError: 0), count: sequence.count)
    var (sequential, parallel, increase) = (empty, empty, empty)
    var totalCorrelation: [Estimate] = []
    var position = 0
    for step in order.steps {
      let result = estimator.step(tokens: position..<position + step.count)
      for (index, cell) in step.enumerated() {
        sequential[cell] = result.sequential[index]
        parallel[cell] = result.parallel[index]
        increase[cell] = result.increase[index]
      }
      totalCorrelation.append(result.totalCorrelation)
      position += step.count
    }
    self.order = order
    self.bound = bound
    imageCount = moments.imageCount
    featureDimensions = d
    self.sequential = sequential
    self.parallel = parallel
    self.increase = increase
    self.totalCorrelation = totalCorrelation
    totalIncrease = Estimate(
      value: totalCorrelation.reduce(0) { $0 + $1.value },
      standardError: totalCorrelation.reduce(0) { $0 + $1.standardError * $1.standardError }
        .squareRoot())
  }

  /// L of the scatter with the tokens in the order's sequence.
  private static func factor(
    order: GenerationOrder, sequence: [Int], moments: TokenMoments
  ) throws(EstimationError) -> Matrix {
    let d = moments.featureDimensions
    func place(_ row: Int) -> (cell: GridCell, channel: Int, coordinate: Int) {
      let cell = sequence[row / d]
      return (order.grid.cell(at: cell), row % d, cell * d + row % d)
    }
    let lower: Matrix
    do throws(NotPositiveDefinite) {
      lower = try CholeskyFactor(
        ofLowerTriangle: moments.scatter.symmetricPermutation(ofBlocks: sequence, blockSize: d)
      ).lower
    } catch {
      let (cell, channel, _) = place(error.index)
      if moments.roundingScale != nil {
        throw .insufficientPrecision(source: moments.name, cell: cell, channel: channel)
      }
      throw .dependentChannel(
        source: moments.name, cell: cell, channel: channel,
        context: error.index < d
          ? "the token's other channels"
          : "its other channels and the tokens before it in \(order.name)")
    }
    if let scale = moments.roundingScale {
      for row in 0..<lower.rows {
        let (cell, channel, coordinate) = place(row)
        guard lower[row, row] * lower[row, row] > smallestResolvedShare * scale[coordinate] else {
          throw .insufficientPrecision(source: moments.name, cell: cell, channel: channel)
        }
      }
    }
    return lower
  }

  /// The share of a coordinate's sum of squares that must be left for mixed precision to resolve it: rounding by 10⁻⁹ of
  /// the sum then moves an entropy by less than 10⁻⁶.
  private static let smallestResolvedShare = 1e-3
}

/// A number and its standard error, in nats unless said otherwise.
public struct Estimate: Hashable, Sendable {
  /// The estimate.
  public var value: Double
  /// Its standard error.
  public var standardError: Double

  /// Makes an estimate.
  public init(value: Double, standardError: Double) {
    self.value = value
    self.standardError = standardError
  }
}
