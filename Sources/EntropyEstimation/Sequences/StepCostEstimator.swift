import LinearAlgebra
import TokenData
import TokenGrids

/// Estimates what every step loses that sequences of tokens can be cut into: the door to ``StepCosts``.
public struct StepCostEstimator: Sendable {
  /// How to estimate: with the linear regressor, by `algorithm-1`, `wishart` or `debiased`, without shrinkage and window.
  public let settings: EstimationSettings

  /// Makes an estimator; without settings that of the commands.
  public init(_ settings: EstimationSettings = EstimationSettings()) { self.settings = settings }

  /// A sequence of tokens and what messages call it.
  public struct Sequence: Sendable {
    /// What it is called.
    public let name: String
    /// Raster indices, every cell of the grid once.
    public let cells: [Int]

    /// Names a sequence.
    public init(name: String, cells: [Int]) {
      self.name = name
      self.cells = cells
    }
  }

  /// The costs of all steps of some sequences.
  ///
  /// The sum of the costs of an order's steps is the order's total increase as ``OrderEstimator`` has it, to rounding.
  ///
  /// - Parameters:
  ///   - sequences: Sequences of the features' cells.
  ///   - features: The tokens.
  ///   - progress: Told what is being done; called from several threads.
  /// - Throws: ``EstimationError`` for too few images, constant and linearly dependent channels, too little memory and settings
  ///   that have no costs; what reading the features throws.
  /// - Complexity: O(m·(n·d)²/2), for each sequence (n·d)³/3 and n²·d³; the debiased bound takes O(m·n²·d²) more, and m·n·d
  ///   numbers of memory.
  public func costs(
    of sequences: [Sequence], in features: some TokenFeatures,
    progress: @Sendable (EstimationStage) -> Void = { _ in }
  ) throws -> [StepCosts] {
    // A scale common to a channel's tokens comes to all entropies of a token alike.
    if let rescaled = try RescaledFeatures(
      features, keepsProportions: settings.keepsProportions)
    {
      return try costs(of: sequences, in: rescaled, progress: progress)
    }
    if let arranged = features.arrangedByGroup {
      return try costs(of: sequences, in: arranged, progress: progress)
    }
    try settings.validate()
    guard settings.regressor == .linear, settings.shrinkage == .none,
      settings.contextWindow == nil, settings.bound != .heldOut
    else { throw EstimationError.noStepCosts }
    if settings.isGivenClass {
      return try costs(ofCentred: sequences, in: ClassCentred(features), progress)
    }
    return try costs(ofCentred: sequences, in: features, progress)
  }

  private func costs(
    ofCentred sequences: [Sequence], in features: some TokenFeatures,
    _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [StepCosts] {
    try MomentsMemory(costsOf: features, settings).require(for: features)
    try OrderEstimator.requireImages(for: features)
    return try OrderEstimator.withMoments(
      of: features, channels: features.featureDimensions, settings, progress
    ) { moments in
      try sequences.enumerated().map { index, sequence in
        defer { progress(.factoring(index + 1, of: sequences.count)) }
        let factorization = try SequenceFactorization(
          of: sequence.cells, on: features.grid, name: sequence.name, moments: moments)
        guard settings.bound == .debiased else {
          return StepCosts(factorization, bound: settings.bound)
        }
        let (increases, fallbacks) =
          factorization.isMixedPrecision
          ? try SequencePass<Float>(factorization, over: features).increases()
          : try SequencePass<Double>(factorization, over: features).increases()
        return StepCosts(
          sequence: sequence.cells, bound: .debiased, increases: increases,
          fallbackCount: fallbacks)
      }
    }
  }
}

extension StepCosts {
  /// The costs by a closed form.
  init(_ factorization: SequenceFactorization, bound: EntropyBound) {
    let d = factorization.channels
    let scatters = ContextScatters(factorization.factor, channels: d)
    let fits = factorization.sequence.indices.map {
      ResidualFit(
        imageCount: factorization.imageCount, channels: d, predictors: $0 * d,
        means: factorization.meanCount)
    }
    // What of an entropy depends on the number of predictors alone.
    let constants = fits.map { bound.entropy(logDeterminant: 0, $0) }
    var increases = PairTable(places: factorization.sequence.count)
    for k in factorization.sequence.indices {
      let own = 0.5 * scatters.logDeterminants[k, k] + constants[k]
      for a in 0..<k {
        increases[a, k] = 0.5 * scatters.logDeterminants[a, k] + constants[a] - own
      }
    }
    self.init(sequence: factorization.sequence, bound: bound, increases: increases)
  }

  /// The costs of Gaussian tokens whose covariance is known.
  ///
  /// - Parameters:
  ///   - sequence: Every token once.
  ///   - covariance: Of n·d numbers, token by token in raster order; only the lower triangle is read.
  /// - Throws: ``NotPositiveDefinite`` with the number, in the sequence, that is determined by those before it.
  /// - Complexity: (n·d)³/3 and O(n²·d³), on all cores.
  public init(of sequence: [Int], covariance: Matrix) throws(NotPositiveDefinite) {
    precondition(
      !sequence.isEmpty && covariance.rows.isMultiple(of: sequence.count),
      "tokens have as many numbers each")
    let d = covariance.rows / sequence.count
    self.init(
      of: sequence,
      factor: try CholeskyFactor(
        ofLowerTriangle: covariance.symmetricPermutation(ofBlocks: sequence, blockSize: d)))
  }

  /// The costs of Gaussian tokens with a known covariance, from its factor with the tokens in sequence.
  ///
  /// - Complexity: O(n²·d³), on all cores.
  package init(of sequence: [Int], factor: CholeskyFactor) {
    let scatters = ContextScatters(factor, channels: factor.order / sequence.count)
    var increases = PairTable(places: sequence.count)
    for k in sequence.indices {
      for a in 0..<k {
        increases[a, k] =
          0.5 * (scatters.logDeterminants[a, k] - scatters.logDeterminants[k, k])
      }
    }
    self.init(sequence: sequence, bound: nil, increases: increases)
  }
}
