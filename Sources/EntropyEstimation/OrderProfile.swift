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

  /// What the standard errors are taken from.
  public let errors: ErrorKind
  /// For each step the probability of a total correlation at least as large if there were none; nil for a single token.
  /// Box's test for in-sample bounds, the paired one-sided test of the mean for the held-out bound.
  public let stepTests: [StepTest?]
  /// Mardia's kurtosis of the sequential residuals over that of Gaussian ones, averaged over the tokens: 1 if they are
  /// Gaussian, more for heavy tails; nil where errors do not come from the images.
  public let kurtosisRatio: Double?
  /// How well the fits are determined; nil where moments were not at hand, and for all but the first of several orders,
  /// which have the same.
  public internal(set) var health: FitHealth?
  /// λ of the ridge λ·tr(Σ)/D that coefficients were shrunk by, chosen by the user or from the data; nil without one, and for
  /// all but the first of several orders.
  public internal(set) var ridge: Double?
  /// By image, where errors come from the images: numbers whose mean has the standard error of the total increase, and
  /// whose differences from another order's have that of the difference of totals.
  let imageTotals: [Double]?
  /// By image, with ``imageTotals``: whether it does not belong to the photograph of the one before.
  let startsOfGroups: [Bool]

  /// The difference of the total increases of this order and of another on the same images, with its paired standard
  /// error; the error is nil where errors do not come from the images.
  public func difference(from other: OrderProfile) -> (value: Double, standardError: Double?) {
    let value = totalIncrease.value - other.totalIncrease.value
    guard let a = imageTotals, let b = other.imageTotals, a.count == b.count else {
      return (value, nil)
    }
    return (
      value,
      RunningMoments(zip(a, b).lazy.map { $0 - $1 }, startsGroup: startsOfGroups).estimate
        .standardError
    )
  }

  /// Computes the profile of `order` with the errors of Gaussian data.
  ///
  /// An entropy has the standard error ½·√(Σ ψ₁((ν − i + 1)/2)). Par and seq share their noise, so an increase has its own:
  /// with canonical correlations ρ between a token's residual and those of the tokens listed before it in its step, variance
  /// Σρ²/ν + q·d/(2ν²), q the numbers in those tokens; likewise for a step, from the whitened cross-covariances of all its
  /// pairs. Innovations of different steps are independent, so variances of steps add up.
  ///
  /// - Parameter bound: One of ``EntropyBound/inSample``: moments hold no images to test on.
  /// - Throws: ``EstimationError`` for another grid, too few images (ν < d for the last token), and constant or linearly
  ///   dependent channels.
  /// - Complexity: (n·d)³/3 multiplications and additions, and (n·d)² numbers of memory besides the moments.
  public init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound = .wishart
  ) throws {
    precondition(bound != .heldOut, "the held-out bound needs images that were not fitted to")
    self.init(try OrderFactorization(of: order, moments: moments, bound: bound))
  }

  /// A profile with Gaussian errors and no tests.
  init(
    order: GenerationOrder, bound: EntropyBound, imageCount: Int, featureDimensions: Int,
    sequential: [Estimate], parallel: [Estimate], increase: [Estimate],
    totalCorrelation: [Estimate], totalIncrease: Estimate
  ) {
    self.order = order
    self.bound = bound
    self.imageCount = imageCount
    self.featureDimensions = featureDimensions
    self.sequential = sequential
    self.parallel = parallel
    self.increase = increase
    self.totalCorrelation = totalCorrelation
    self.totalIncrease = totalIncrease
    errors = .gaussian
    kurtosisRatio = nil
    stepTests = order.steps.map { _ in nil }
    imageTotals = nil
    startsOfGroups = []
  }

  /// The profile of a factorisation, with Gaussian errors.
  init(_ factorization: OrderFactorization) {
    let order = factorization.order
    let empty = [Estimate](
      repeating: Estimate(value: 0, standardError: 0), count: order.grid.cellCount)
    var (sequential, parallel, increase) = (empty, empty, empty)
    for (step, result) in zip(order.steps, factorization.steps) {
      for (index, cell) in step.enumerated() {
        sequential[cell] = result.sequential[index]
        parallel[cell] = result.parallel[index]
        increase[cell] = result.increase[index]
      }
    }
    let totalCorrelation = factorization.steps.map(\.totalCorrelation)
    self.order = order
    bound = factorization.bound
    imageCount = factorization.imageCount
    featureDimensions = factorization.channels
    self.sequential = sequential
    self.parallel = parallel
    self.increase = increase
    self.totalCorrelation = totalCorrelation
    totalIncrease = Estimate(
      value: totalCorrelation.reduce(0) { $0 + $1.value },
      standardError: totalCorrelation.reduce(0) { $0 + $1.standardError * $1.standardError }
        .squareRoot())
    errors = .gaussian
    kurtosisRatio = nil
    stepTests = StepTest.adjusted(factorization.steps.map(\.test))
    imageTotals = nil
    startsOfGroups = []
  }

  /// The profile of a factorisation, with errors from the images' influence on it.
  init(_ factorization: OrderFactorization, influence: ImageContributions) {
    let gaussian = OrderProfile(factorization)
    func replaced(_ estimates: [Estimate], by moments: [RunningMoments]) -> [Estimate] {
      zip(estimates, moments).map {
        Estimate(value: $0.value, standardError: $1.estimate.standardError)
      }
    }
    let sequence = gaussian.order.sequence
    var (sequential, parallel, increase) = (
      gaussian.sequential, gaussian.parallel, gaussian.increase
    )
    for (position, cell) in sequence.enumerated() {
      sequential[cell].standardError = influence.sequential[position].estimate.standardError
      parallel[cell].standardError = influence.parallel[position].estimate.standardError
      increase[cell].standardError = influence.increase[position].estimate.standardError
    }
    order = gaussian.order
    bound = gaussian.bound
    imageCount = gaussian.imageCount
    featureDimensions = gaussian.featureDimensions
    self.sequential = sequential
    self.parallel = parallel
    self.increase = increase
    totalCorrelation = replaced(gaussian.totalCorrelation, by: influence.steps)
    totalIncrease = Estimate(
      value: gaussian.totalIncrease.value,
      standardError: RunningMoments(influence.totals, startsGroup: influence.starts).estimate
        .standardError)
    startsOfGroups = influence.starts
    errors = .robust
    stepTests = gaussian.stepTests
    imageTotals = influence.totals
    // Influences are ½·√(m/ν)·M.
    let fits = factorization.steps.flatMap(\.sequentialFits)
    kurtosisRatio =
      zip(influence.sequential, fits).reduce(0.0) { sum, pair in
        let scale = 4 * pair.1.degreesOfFreedom / Double(pair.1.imageCount)
        return sum
          + EntropyEstimation.kurtosisRatio(
            variance: scale * pair.0.variance, channels: pair.1.channels)
      } / Double(fits.count)
  }

  /// The profile of losses: on held-out images, or for Algorithm 1 on those fitted to, whose mean loss is its entropy.
  init(losses: ImageContributions, bound: EntropyBound, imageCount: Int, featureDimensions: Int) {
    let order = losses.order
    let empty = [Estimate](
      repeating: Estimate(value: 0, standardError: 0), count: order.grid.cellCount)
    var (sequential, parallel, increase) = (empty, empty, empty)
    for (position, cell) in order.sequence.enumerated() {
      sequential[cell] = losses.sequential[position].estimate
      parallel[cell] = losses.parallel[position].estimate
      increase[cell] = losses.increase[position].estimate
    }
    self.order = order
    self.bound = bound
    self.imageCount = imageCount
    self.featureDimensions = featureDimensions
    self.sequential = sequential
    self.parallel = parallel
    self.increase = increase
    totalCorrelation = losses.steps.map(\.estimate)
    totalIncrease = RunningMoments(losses.totals, startsGroup: losses.starts).estimate
    startsOfGroups = losses.starts
    health = losses.health
    ridge = losses.ridge
    errors = .robust
    stepTests = StepTest.adjusted(
      zip(order.steps, totalCorrelation).map { step, estimate in
        step.count > 1 && bound == .heldOut ? StepTest(ofMean: estimate) : nil
      })
    imageTotals = losses.totals
    // Losses are ½·M and a constant.
    kurtosisRatio =
      losses.sequential.reduce(0.0) {
        $0
          + EntropyEstimation.kurtosisRatio(
            variance: 4 * $1.variance, channels: featureDimensions)
      } / Double(losses.sequential.count)
  }
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

  /// The one-sided 95% limit: the truth lies above it in one of twenty repetitions.
  public var upperLimit: Double { value + 1.645 * standardError }

  /// The two-sided 95% confidence interval.
  public var confidenceInterval: ClosedRange<Double> {
    value.isFinite && standardError.isFinite
      ? value - 1.96 * standardError...value + 1.96 * standardError
      : -.infinity ... .infinity
  }
}
