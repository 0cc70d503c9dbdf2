import LinearAlgebra
import TokenData
import TokenGrids

/// An order's debiased entropies from moments of all images and passes over parts of them.
///
/// What a pass over all images does at once is done here in three: every part adds ``residualSums(of:baseLeverages:)``; of
/// all of them follow the weights, with which every part adds ``influences(of:baseLeverages:residuals:fallbacks:)``; and of
/// all of these follows the profile, the same as that of one pass but for rounding.
package struct ShardedOrder: Sendable {
  /// The order.
  package var order: GenerationOrder { factorization.order }
  private let factorization: OrderFactorization
  private let condition: FitCondition?

  /// Factors the scatter.
  ///
  /// - Parameter orders: All orders of the estimate; the first is told how well its fits are determined.
  /// - Throws: As ``OrderProfile/init(of:moments:bound:)``.
  /// - Complexity: (n·d)³/3 multiplications and additions, and (n·d)² numbers of memory besides the moments.
  package init(
    _ order: GenerationOrder, of orders: [GenerationOrder], moments: TokenMoments
  ) throws {
    factorization = try OrderFactorization(of: order, moments: moments, bound: .debiased)
    condition = FitCondition(factorization, of: orders, moments)
  }

  /// What a part of the images adds to the weighted scatters: ``residualCount`` numbers, which add up over parts.
  ///
  /// - Parameters:
  ///   - images: The part; the images of a photograph follow each other and stand in one part.
  ///   - baseLeverages: By image, one over the images, or over those of its class, whose mean is taken off it.
  /// - Throws: What reading the images throws.
  /// - Complexity: O(images·(n·d)²), on all cores.
  package func residualSums(
    of images: some TokenFeatures, baseLeverages: [Double]
  ) throws -> [Double] {
    factorization.isMixedPrecision
      ? try Pass<Float>(factorization).residualSums(of: images, baseLeverages)
      : try Pass<Double>(factorization).residualSums(of: images, baseLeverages)
  }

  /// How many numbers ``residualSums(of:baseLeverages:)`` returns.
  package var residualCount: Int {
    let sums = LeverageSums<Double>.numberCount(
      channels: factorization.channels, hasJitter: factorization.hasJitter)
    return factorization.steps.reduce(0) { $0 + (2 * $1.sequentialFits.count - 1) * sums }
  }

  /// Whether residual sums can be those of images: read from a file they may be anything.
  package func areSound(residuals: [Double]) -> Bool {
    residuals.count == residualCount && Pass<Double>(factorization).areSound(residuals)
  }

  /// What the images of a part contribute to the entropies.
  package struct Influences: Sendable {
    /// Sums over the images; those of parts add up one by one. By position, sequential, parallel and their difference; by
    /// step; then of the totals and of the joint entropies.
    package var sums: [RunSums]
    /// By image, the sum of its increases.
    package var totals: [Double]
  }

  /// What a part of the images adds to the errors.
  ///
  /// - Parameters:
  ///   - residuals: The residual sums of all parts, added up.
  ///   - fallbacks: Positions that are to have the weights 1/(1 − h).
  /// - Throws: What reading the images throws.
  /// - Complexity: O(images·(n·d)²), on all cores.
  package func influences(
    of images: some TokenFeatures, baseLeverages: [Double], residuals: [Double],
    fallbacks: Set<Int> = []
  ) throws -> Influences {
    factorization.isMixedPrecision
      ? try Pass<Float>(factorization).influences(
        of: images, baseLeverages, residuals, fallbacks)
      : try Pass<Double>(factorization).influences(of: images, baseLeverages, residuals, fallbacks)
  }

  /// How many sums there are in ``Influences/sums``.
  package var influenceCount: Int {
    3 * factorization.order.grid.cellCount + factorization.steps.count + 2
  }

  /// The positions whose weighted scatters turn out too noisy, which want the weights 1/(1 − h): with these the influences are
  /// to be taken once more.
  package func noisyTokens(residuals: [Double], influences: [RunSums]) -> Set<Int> {
    // Both precisions weigh alike.
    Pass<Double>(factorization).noisyTokens(residuals, influences)
  }

  /// The profile.
  ///
  /// - Parameters:
  ///   - fallbacks: Those with which the influences were taken.
  ///   - pairs: For other orders, sums of the differences of the images' totals from theirs.
  package func profile(
    residuals: [Double], fallbacks: Set<Int>, influences: [RunSums],
    pairs: [GenerationOrder: RunSums]
  ) -> OrderProfile {
    var profile = OrderProfile(
      factorization, bound: .debiased,
      pass: Pass<Double>(factorization).result(residuals, fallbacks, influences))
    profile.condition = condition
    profile.pairedSums = pairs
    return profile
  }
}

/// The passes in one precision.
private struct Pass<Scalar: WhiteningScalar> {
  private let factorization: OrderFactorization

  init(_ factorization: OrderFactorization) { self.factorization = factorization }

  private func pass(over images: some TokenFeatures, _ leverages: [Double]) -> OrderPass<Scalar> {
    OrderPass(factorization, bound: .debiased, features: images, baseLeverages: leverages)
  }

  /// A pass over no images, which knows what follows from sums.
  private var withoutImages: OrderPass<Scalar> {
    OrderPass(
      factorization, bound: .debiased,
      features: NoImages(grid: factorization.order.grid, channels: factorization.channels),
      baseLeverages: [])
  }

  func residualSums(of images: some TokenFeatures, _ leverages: [Double]) throws -> [Double] {
    let pass = pass(over: images, leverages)
    return try BLAS.onCallingThread {
      try pass.sums(over: images, stored: nil).flatMap {
        $0.sequential.numbers + ($0.parallel?.numbers ?? [])
      }
    }
  }

  private func sums(_ residuals: [Double]) -> [OrderPass<Scalar>.TokenSums] {
    let (d, hasJitter) = (factorization.channels, factorization.hasJitter)
    let size = LeverageSums<Scalar>.numberCount(channels: d, hasJitter: hasJitter)
    var rest = residuals[...]
    func next() -> LeverageSums<Scalar> {
      defer { rest = rest.dropFirst(size) }
      return LeverageSums(channels: d, hasJitter: hasJitter, numbers: rest.prefix(size))
    }
    return factorization.steps.flatMap { step in
      step.sequentialFits.indices.map { index in
        let sequential = next()
        return OrderPass<Scalar>.TokenSums(
          sequential: sequential, parallel: index > 0 ? next() : nil)
      }
    }
  }

  func areSound(_ residuals: [Double]) -> Bool {
    var rest = sums(residuals)[...]
    return factorization.steps.allSatisfy { step in
      step.sequentialFits.allSatisfy { fit in
        let token = rest.removeFirst()
        return token.sequential.isSound(fit) && token.parallel?.isSound(step.parallelFit) ?? true
      }
    }
  }

  func influences(
    of images: some TokenFeatures, _ leverages: [Double], _ residuals: [Double],
    _ fallbacks: Set<Int>
  ) throws -> ShardedOrder.Influences {
    let pass = pass(over: images, leverages)
    let fits = pass.weightedFits(sums(residuals), fallbacks: fallbacks)
    let found = try BLAS.onCallingThread {
      try pass.influences(of: fits, over: images, stored: nil)
    }
    // The mean influence on an entropy is ½·d times its scale, whatever the part.
    let half = 0.5 * Double(factorization.channels)
    var joint = RunSums(shift: fits.reduce(0) { $0 + pass.scales(of: $1).sequential * half })
    joint.add(found.joint, starts: pass.chunks.starts[...])
    var total = RunSums(shift: 0)
    total.add(found.totals, starts: pass.chunks.starts[...])
    return ShardedOrder.Influences(
      sums: found.sequential + found.parallel + found.increase + found.steps + [total, joint],
      totals: found.totals)
  }

  private func influences(_ sums: [RunSums]) -> OrderInfluences {
    let n = factorization.order.grid.cellCount
    return OrderInfluences(
      sequential: Array(sums[..<n]), parallel: Array(sums[n..<2 * n]),
      increase: Array(sums[2 * n..<3 * n]),
      steps: Array(sums[3 * n..<3 * n + factorization.steps.count]))
  }

  func noisyTokens(_ residuals: [Double], _ sums: [RunSums]) -> Set<Int> {
    let pass = withoutImages
    return pass.noisyTokens(pass.weightedFits(self.sums(residuals)), influences(sums))
  }

  func result(
    _ residuals: [Double], _ fallbacks: Set<Int>, _ sums: [RunSums]
  ) -> OrderPassResult {
    let pass = withoutImages
    return OrderPassResult(
      pass, pass.weightedFits(self.sums(residuals), fallbacks: fallbacks), influences(sums),
      total: sums[sums.count - 2], joint: sums[sums.count - 1])
  }
}

/// Features of no images.
private struct NoImages: TokenFeatures {
  let name = "no images"
  let grid: TokenGrid
  let imageCount = 0
  let featureDimensions: Int

  init(grid: TokenGrid, channels: Int) { (self.grid, featureDimensions) = (grid, channels) }

  func features(ofImages images: Range<Int>) throws -> [Float] { [] }
}
