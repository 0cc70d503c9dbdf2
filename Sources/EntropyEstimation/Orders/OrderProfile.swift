import LinearAlgebra
import Statistics
import TokenGrids

/// What generating tokens in parallel costs, for one order of generation: the sequential and the parallel conditional
/// entropy of every token, and the increase from one to the other. (PAR, supplement D.2, equations 7 and 8.)
///
/// Everything comes from one Cholesky factorisation of the scatter with the tokens arranged as the order generates them,
/// W = L·Lᵀ: token k's residual scatter given all tokens before it is L_kk·L_kkᵀ, and given only the earlier steps
/// L_g[k]·L_g[k]ᵀ, where L_g[k] is token k's rows in the columns of its own step g. The debiased bound adds one pass over the
/// images.
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
  public private(set) var sequential: [Estimate]
  /// H(v_k | V_par(k)) in nats, by raster index.
  public private(set) var parallel: [Estimate]
  /// Parallel minus sequential entropy in nats, by raster index; exactly 0 for the first cell of a step.
  public private(set) var increase: [Estimate]
  /// The conditional total correlation TC(step | earlier steps) in nats, by step: the sum of the step's increases, and the
  /// information lost when its tokens are drawn independently. An estimate without bias is below zero about as often as
  /// above where there is nothing to lose.
  public private(set) var totalCorrelation: [Estimate]
  /// The sum of all increases, in nats.
  public private(set) var totalIncrease: Estimate
  /// The entropy of all tokens together, in nats: the sum of the sequential entropies. With the closed forms it is the same
  /// for every order; debiased ones differ by less than their errors, so quote that of raster.
  public private(set) var jointEntropy: Estimate

  /// The mean increase over all cells, in nats.
  public var meanIncrease: Double { totalIncrease.value / Double(order.grid.cellCount) }
  /// The cell with the largest increase and that increase, in nats.
  public var largestIncrease: (cell: GridCell, increase: Estimate) {
    let index = increase.indices.max { increase[$0].value < increase[$1].value } ?? 0
    return (order.grid.cell(at: index), increase[index])
  }

  /// What the standard errors are taken from.
  public private(set) var errors: ErrorKind
  /// For each step the probability of a total correlation at least as large if there were none; nil for a single token, and
  /// where no test is known.
  public private(set) var stepTests: [StepTest?]
  /// Mardia's kurtosis of the sequential residuals over that of Gaussian ones, averaged over the tokens: 1 if they are
  /// Gaussian, more for heavy tails; nil where errors do not come from the images.
  public private(set) var kurtosisRatio: Double?
  /// How many tokens' residual scatters were not positive definite with the weights of the debiased bound, so that they have
  /// the weights 1/(1 − h).
  public private(set) var fallbackCount = 0
  /// Where contexts are cut by a window, how many pairs of tokens that are drawn together it holds apart, which count as
  /// independent whatever the data say, and how many pairs there are; nil without a window.
  public internal(set) var pairsBeyondWindow: (beyond: Int, all: Int)?
  /// How well the fits are determined; nil where moments were not at hand, and for all but the first of several orders,
  /// which have the same.
  public var health: FitHealth? { condition?.health }
  /// λ of the ridge λ·tr(Σ)/D that coefficients were shrunk by, chosen by the user or from the data; nil without one, and for
  /// all but the first of several orders.
  public var ridge: Double? { condition?.ridge }
  /// Where both come from.
  var condition: FitCondition?
  /// By image, where errors come from the images: numbers whose mean has the standard error of the total increase, and
  /// whose differences from another order's have that of the difference of totals.
  private var imageTotals: [Double]?
  /// By image, with ``imageTotals``: whether it does not belong to the photograph of the one before.
  private var startsOfGroups: [Bool] = []
  /// The variance that the total increase has if there is nothing to lose.
  private var degenerateVariance = 0.0
  /// Sums of the differences of the images' totals from those of other orders, where images are not at hand.
  var pairedSums: [GenerationOrder: RunSums] = [:]

  /// Adds a number to the entropy of each token; increases are as they were.
  mutating func addToEntropies(_ shift: Double) {
    for index in sequential.indices {
      sequential[index].value += shift
      parallel[index].value += shift
    }
    jointEntropy.value += shift * Double(sequential.count)
  }

  /// The difference of the total increases of this order and of another on the same images, with its paired standard
  /// error; the error is nil where errors do not come from the images.
  public func difference(from other: OrderProfile) -> (value: Double, standardError: Double?) {
    let value = totalIncrease.value - other.totalIncrease.value
    guard let error = pairedError(with: other) else { return (value, nil) }
    // As in `resolved`; what two orders share is in neither's part of the difference, so it is not bounded below by theirs.
    let least = degenerateVariance + other.degenerateVariance
    return (value, max(error * error - least, error * error / 2).squareRoot())
  }

  /// The standard error of the mean difference of the two orders' ``imageTotals``.
  private func pairedError(with other: OrderProfile) -> Double? {
    if let sums = pairedSums[other.order] { return sums.standardError }
    guard let a = imageTotals, let b = other.imageTotals, a.count == b.count else { return nil }
    return RunningMoments(zip(a, b).lazy.map { $0 - $1 }, startsGroup: startsOfGroups)
      .estimate.standardError
  }

  /// Computes the profile of `order` by a closed form, with the errors of Gaussian data.
  ///
  /// An entropy has the standard error ½·√(Σ ψ₁((ν − i + 1)/2)). Par and seq share their noise, so an increase has its own:
  /// with canonical correlations ρ between a token's residual and those of the tokens listed before it in its step, variance
  /// Σρ²/ν + q·d/(2ν²), q the numbers in those tokens; likewise for a step, from the whitened cross-covariances of all its
  /// pairs. Innovations of different steps are independent, so variances of steps add up.
  ///
  /// - Parameter bound: One of ``EntropyBound/closedForm``: moments hold no images.
  /// - Throws: ``EstimationError`` for another bound or grid, too few images (ν < d for the last token), and constant or
  ///   linearly dependent channels.
  /// - Complexity: (n·d)³/3 multiplications and additions, and (n·d)² numbers of memory besides the moments.
  public init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound = .wishart
  ) throws {
    guard EntropyBound.closedForm.contains(bound) else {
      throw EstimationError.boundNeedsImages(bound)
    }
    self.init(try OrderFactorization(of: order, moments: moments, bound: bound), bound: bound)
  }

  /// A profile from entropies by raster index, with Gaussian errors and no tests.
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
    // Innovations of different tokens are independent where data are Gaussian.
    jointEntropy = sequential.sumOfIndependent
    errors = .gaussian
    stepTests = order.steps.map { _ in nil }
  }

  /// The closed-form profile of a factorisation, with Gaussian errors.
  private init(_ factorization: OrderFactorization, bound: EntropyBound) {
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
    self.init(
      order: order, bound: bound, imageCount: factorization.imageCount,
      featureDimensions: factorization.channels, sequential: sequential, parallel: parallel,
      increase: increase, totalCorrelation: totalCorrelation,
      totalIncrease: totalCorrelation.sumOfIndependent)
    stepTests = StepTest.adjusted(factorization.steps.map(\.gaussianTest))
  }

  /// The profile of a factorisation.
  ///
  /// - Parameter pass: Of the images fitted to, for the debiased bound and errors from the images; without one a closed form
  ///   with Gaussian errors.
  init(_ factorization: OrderFactorization, bound: EntropyBound, pass: OrderPassResult?) {
    self.init(factorization, bound: bound)
    guard let pass else { return }
    errors = .robust
    fallbackCount = pass.fallbacks
    imageTotals = pass.influences.totals.isEmpty ? nil : pass.influences.totals
    startsOfGroups = pass.starts.map { $0 != 0 }
    degenerateVariance = pass.degenerateVariances.reduce(0, +)
    for (position, cell) in order.sequence.enumerated() {
      sequential[cell].value += pass.sequential[position]
      sequential[cell].standardError = pass.influences.sequential[position].standardError
      parallel[cell].value += pass.parallel[position]
      parallel[cell].standardError = pass.influences.parallel[position].standardError
      increase[cell] = Self.resolved(
        parallel[cell].value - sequential[cell].value, pass.influences.increase[position],
        degenerateVariance: pass.degenerateVariances[position])
    }
    var position = 0
    var tests: [StepTest?] = []
    for (index, step) in order.steps.enumerated() {
      let positions = position..<position + step.count
      position += step.count
      totalCorrelation[index] = Self.resolved(
        step.reduce(0) { $0 + increase[$1].value }, pass.influences.steps[index],
        degenerateVariance: positions.reduce(0) { $0 + pass.degenerateVariances[$1] })
      let pairs = factorization.steps[index].pairsOfNumbers
      tests.append(
        pairs > 0 && !factorization.steps[index].isShrunk
          ? StepTest(ofTotalCorrelation: totalCorrelation[index], pairs: pairs) : nil)
    }
    stepTests = StepTest.adjusted(tests)
    totalIncrease = Self.resolved(
      totalCorrelation.reduce(0) { $0 + $1.value }, pass.total,
      degenerateVariance: degenerateVariance)
    jointEntropy = Estimate(
      value: sequential.reduce(0) { $0 + $1.value }, standardError: pass.joint.standardError)
    // Influences are ½·√(m/ν)·M, M the squared Mahalanobis norm.
    let fits = factorization.steps.flatMap(\.sequentialFits)
    kurtosisRatio =
      zip(pass.influences.sequential, fits).reduce(0.0) { sum, pair in
        let scale = 4 * pair.1.degreesOfFreedom / Double(pair.1.imageCount)
        return sum
          + EntropyEstimation.kurtosisRatio(
            variance: scale * pair.0.variance, channels: pair.1.channels)
      } / Double(fits.count)
  }

  /// An increase with the standard error that follows from the images' influences on it.
  ///
  /// Where there is nothing to lose an increase is a quadratic form in correlations that are noise, and the influences, which
  /// are linear in them, have twice its variance q. Taking q off is right there and everywhere else.
  static func resolved(
    _ value: Double, _ influences: RunSums, degenerateVariance q: Double
  ) -> Estimate {
    let error = influences.standardError
    return Estimate(value: value, standardError: max(error * error - q, q).squareRoot())
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
    self.init(
      order: order, bound: bound, imageCount: imageCount, featureDimensions: featureDimensions,
      sequential: sequential, parallel: parallel, increase: increase,
      totalCorrelation: losses.steps.map(\.estimate),
      totalIncrease: RunningMoments(losses.totals, startsGroup: losses.starts).estimate)
    jointEntropy = RunningMoments(losses.joint, startsGroup: losses.starts).estimate
    startsOfGroups = losses.starts
    condition = losses.condition
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

  /// Replaces what a window's pass over the images has found.
  mutating func setWindow(_ pass: WindowPassResult) {
    pairsBeyondWindow = (pass.pairsBeyond, pass.pairs)
    guard let influences = pass.influences else { return }
    errors = .robust
    fallbackCount = pass.fallbacks
    imageTotals = influences.totals
    startsOfGroups = pass.starts.map { $0 != 0 }
    degenerateVariance = pass.degenerateVariances.reduce(0, +)
    totalCorrelation = order.steps.enumerated().map { index, step in
      Self.resolved(
        step.reduce(0) { $0 + increase[$1].value }, influences.steps[index],
        degenerateVariance: pass.degenerateVariances[index])
    }
    stepTests = StepTest.adjusted(
      zip(totalCorrelation, pass.pairsOfNumbers).map { estimate, pairs in
        pairs > 0 ? StepTest(ofTotalCorrelation: estimate, pairs: pairs) : nil
      })
    totalIncrease = Self.resolved(
      totalCorrelation.reduce(0) { $0 + $1.value },
      RunSums(influences.totals, starts: pass.starts), degenerateVariance: degenerateVariance)
    jointEntropy.standardError = RunSums(influences.joint, starts: pass.starts).standardError
  }
}

extension RunSums {
  init(_ values: [Double], starts: [UInt8]) {
    self.init(shift: values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count))
    add(values, starts: starts[...])
  }
}

extension [Estimate] {
  /// Their sum, with the error that it has if they are independent.
  var sumOfIndependent: Estimate {
    Estimate(
      value: reduce(0) { $0 + $1.value },
      standardError: reduce(0) { $0 + $1.standardError * $1.standardError }.squareRoot())
  }
}
