import Foundation
import LinearAlgebra
import Statistics
import Synchronization
import TokenData
import TokenGrids

/// What a window leaves of the contexts of an order, position by position of its sequence.
private struct WindowContexts: Sendable {
  /// The cells before each position that its window holds.
  let cells: [[Int]]
  /// How many of them are of earlier steps, and come first.
  let past: [Int]
  /// The pairs of tokens drawn together, and those of them that a window holds apart.
  let pairs: Int
  let pairsBeyond: Int

  init(_ order: GenerationOrder, window: Int) {
    let (grid, sequence, steps) = (order.grid, order.sequence, order.stepNumbers)
    cells = sequence.indices.map { position in
      let target = grid.cell(at: sequence[position])
      return sequence[..<position].filter { cell in
        let other = grid.cell(at: cell)
        return abs(other.row - target.row) <= window && abs(other.column - target.column) <= window
          && abs(other.frame - target.frame) <= window
      }
    }
    past = zip(cells, sequence).map { cells, target in
      cells.count { steps[$0] < steps[target] }
    }
    pairs = order.steps.reduce(0) { $0 + $1.count * ($1.count - 1) / 2 }
    pairsBeyond = pairs - zip(cells, past).reduce(0) { $0 + $1.0.count - $1.1 }
  }
}

/// What the windows of an order make of its tokens.
struct WindowPassResult: Sendable {
  let pairs: Int
  let pairsBeyond: Int
  /// By step: how many pairs of numbers the windows compare.
  let pairsOfNumbers: [Int]
  /// By step.
  let degenerateVariances: [Double]
  let fallbacks: Int
  /// Nil without a pass over the images.
  let influences: WindowInfluences?
  /// As ``ImageChunks/starts``.
  let starts: [UInt8]
}

/// The images' influences on the sums over an order's tokens.
struct WindowInfluences: Sendable {
  /// By step.
  var steps: [RunSums]
  /// By image.
  var totals: [Double]
  var joint: [Double]
}

/// One token's fits in its window.
private struct WindowToken: Sendable {
  var sequential: Estimate
  var parallel: Estimate
  var increase: Estimate
  var pairsOfNumbers = 0
  var degenerateVariance = 0.0
  var isFallback = false
  /// By image: the influences on the sequential entropy and on the increase; empty without a pass.
  var influence: [Double] = []
  var increaseInfluence: [Double] = []
}

extension OrderEstimator {
  /// Profiles of orders whose contexts hold only tokens within a window about the target: for few images.
  ///
  /// - Throws: As ``OrderProfile/init(of:moments:bound:window:)``, and what reading the features throws.
  /// - Complexity: As there; the debiased bound and errors from the images add n solves of as many numbers for all images,
  ///   and keep all features in memory.
  static func windowProfiles(
    of orders: [GenerationOrder], features: some TokenFeatures, window: Int,
    _ settings: EstimationSettings, _ progress: @Sendable (EstimationStage) -> Void
  ) throws -> [OrderProfile] {
    guard settings.regressor == .linear, settings.bound != .heldOut, settings.shrinkage == .none
    else { throw EstimationError.windowIsOfLeastSquares }
    let takesPass = settings.bound == .debiased || settings.errorKind == .robust
    return try withMoments(
      of: features, channels: features.featureDimensions, settings, progress
    ) { moments in
      let images = try takesPass ? WindowImages(features, moments: moments) : nil
      return try orders.enumerated().map { index, order in
        defer { progress(.factoring(index + 1, of: orders.count)) }
        return try OrderProfile(
          of: order, moments: moments, bound: settings.bound, window: window, images: images)
      }
    }
  }
}

extension OrderProfile {
  /// The profile of an order whose contexts hold only tokens within a window about the target, by a closed form. A smaller
  /// context cannot lower a conditional entropy, so what is an upper bound stays one.
  ///
  /// Sequential and parallel contexts are cut by the same window. Tokens of a step that no window holds together count as
  /// independent, whatever the data say, so that a step's increases are no longer its total correlation:
  /// ``pairsBeyondWindow`` says how many pairs that concerns.
  ///
  /// - Parameter window: Cells whose row, column and frame are each at most this far from the target's.
  /// - Throws: ``EstimationError`` for another bound or grid, too few images for the largest context, and constant or
  ///   linearly dependent channels.
  /// - Complexity: n factorisations of at most (2·window + 1)²·d coordinates, on all cores.
  public init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound = .wishart, window: Int
  ) throws {
    guard EntropyBound.closedForm.contains(bound) else {
      throw EstimationError.boundNeedsImages(bound)
    }
    try self.init(of: order, moments: moments, bound: bound, window: window, images: nil)
  }

  fileprivate init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound, window: Int,
    images: WindowImages?
  ) throws {
    let (grid, sequence) = (order.grid, order.sequence)
    guard grid == moments.grid else {
      throw EstimationError.gridMismatch(
        source: moments.name, data: moments.grid, order: order.name, orderGrid: grid)
    }
    try moments.requireVaryingChannels()
    let contexts = WindowContexts(order, window: window)
    try RequiredImages(moments).suffice(
      contextTokens: contexts.cells.map(\.count).max() ?? 0)
    let none = Estimate(value: 0, standardError: 0)
    let empty = [Estimate](repeating: none, count: sequence.count)
    var (sequential, parallel, increase) = (empty, empty, empty)
    let stepOfPosition = order.steps.enumerated().flatMap { index, step in step.map { _ in index } }
    var pairsOfNumbers = [Int](repeating: 0, count: order.steps.count)
    var variances = [Double](repeating: 0, count: order.steps.count)
    var fallbacks = 0
    var sums = images.map { images in
      WindowInfluences(
        steps: Array(repeating: RunSums(shift: 0), count: order.steps.count),
        totals: Array(repeating: 0, count: images.chunks.starts.count),
        joint: Array(repeating: 0, count: images.chunks.starts.count))
    }
    var step = sums?.totals ?? []
    // A few tokens side by side, whose sums are added in the order's sequence: the same bits on any number of threads.
    for batch in Array(sequence.indices).batches(of: 16) {
      let results = Mutex([Int: WindowToken]())
      try BLAS.onCallingThread {
        try parallelFor(batch.count) { index in
          let position = batch[batch.startIndex + index]
          let token = try Self.windowToken(
            cell: sequence[position], context: contexts.cells[position],
            past: contexts.past[position], moments: moments, bound: bound, images: images)
          results.withLock { $0[position] = token }
        }
      }
      let tokens = results.withLock(\.self)
      for position in batch {
        guard let token = tokens[position] else { continue }
        let (cell, number) = (sequence[position], stepOfPosition[position])
        (sequential[cell], parallel[cell], increase[cell]) = (
          token.sequential, token.parallel, token.increase
        )
        pairsOfNumbers[number] += token.pairsOfNumbers
        variances[number] += token.degenerateVariance
        if token.isFallback { fallbacks += 1 }
        guard let images else { continue }
        for image in token.influence.indices {
          sums?.joint[image] += token.influence[image]
          sums?.totals[image] += token.increaseInfluence[image]
          step[image] += token.increaseInfluence[image]
        }
        if position == sequence.count - 1 || stepOfPosition[position + 1] != number {
          sums?.steps[number].add(step, starts: images.chunks.starts[...])
          step = Array(repeating: 0, count: step.count)
        }
      }
    }
    let totals = order.steps.map { step in step.map { increase[$0] }.sumOfIndependent }
    self.init(
      order: order, bound: bound, imageCount: moments.imageCount,
      featureDimensions: moments.featureDimensions, sequential: sequential, parallel: parallel,
      increase: increase, totalCorrelation: totals, totalIncrease: totals.sumOfIndependent)
    setWindow(
      WindowPassResult(
        pairs: contexts.pairs, pairsBeyond: contexts.pairsBeyond, pairsOfNumbers: pairsOfNumbers,
        degenerateVariances: variances, fallbacks: fallbacks, influences: sums,
        starts: images?.chunks.starts ?? []))
  }

  /// The fits of one token.
  private static func windowToken(
    cell: Int, context: [Int], past: Int, moments: TokenMoments, bound: EntropyBound,
    images: WindowImages?
  ) throws -> WindowToken {
    let (grid, d) = (moments.grid, moments.featureDimensions)
    let local = context + [cell]
    let factor: CholeskyFactor
    do throws(NotPositiveDefinite) {
      factor = try CholeskyFactor(
        ofLowerTriangle: moments.scatter.symmetricPermutation(ofBlocks: local, blockSize: d))
    } catch {
      let (place, channel) = (grid.cell(at: local[error.index / d]), error.index % d)
      throw moments.roundingScale != nil
        ? EstimationError.insufficientPrecision(source: moments.name, cell: place, channel: channel)
        : EstimationError.dependentChannel(
          source: moments.name, cell: place, channel: channel,
          context: "other channels in its window")
    }
    let step = StepEstimator(
      lower: factor.lower, imageCount: moments.imageCount, means: moments.meanCount,
      coordinates: d, channels: d, bound: bound
    ).step(tokens: past..<local.count)
    let last = local.count - past - 1
    let closed = WindowToken(
      sequential: step.sequential[last], parallel: step.parallel[last],
      increase: step.increase[last])
    guard let images else { return closed }
    return moments.roundingScale == nil
      ? try images.pass(Double.self, closed, cells: local, past: past, factor, step, bound)
      : try images.pass(Float.self, closed, cells: local, past: past, factor, step, bound)
  }
}

/// A block's residuals and weights, those of the parallel fit second.
private struct WindowBlock<Scalar: WhiteningScalar> {
  let images: Range<Int>
  let rows: WhitenedRows<Scalar>
  let parallel: WhitenedRows<Scalar>
  let weights: (LeverageWeights<Scalar>, LeverageWeights<Scalar>)
}

/// All images, for the passes over them that the windows of many tokens take.
private struct WindowImages: Sendable {
  let chunks: ImageChunks
  private let rows: [Float]
  private let mean: [Double]
  private let hasJitter: Bool
  private let name: String
  private let grid: TokenGrid

  init(_ features: some TokenFeatures, moments: TokenMoments) throws {
    (name, grid) = (features.name, features.grid)
    mean = moments.mean
    hasJitter = moments.jitter > 0
    chunks = ImageChunks(of: features, bytesPerChunk: 0)
    try TokenMemory.require(
      images: features.imageCount, bytesPerImage: 4 * Double(mean.count), for: "features",
      source: features.name)
    rows = try features.features(ofImages: 0..<features.imageCount)
  }

  /// Completes a token's closed-form estimates by a pass over the images.
  func pass<Scalar: WhiteningScalar>(
    _ type: Scalar.Type, _ closed: WindowToken, cells: [Int], past: Int, _ factor: CholeskyFactor,
    _ step: StepEstimator.Step, _ bound: EntropyBound
  ) throws -> WindowToken {
    let d = step.parallelFit.channels
    let m = step.parallelFit.imageCount
    let (columns, target) = (cells.count * d, (cells.count - 1) * d)
    let whitener = WhiteningFactor<Scalar>(factor)
    let added = cells.count - 1 - past
    let own = added > 0 ? step.whitening.lastRows(d).elements.map { Scalar($0) } : []
    let none = LeverageSums<Scalar>(channels: d, hasJitter: hasJitter)
    var sums = (none, none)
    var blocks: [WindowBlock<Scalar>] = []
    for images in chunks.chunks.flatMap(chunks.blocks) {
      let block = WhitenedRows<Scalar>(capacity: images.count, columns: columns)
      block.set(
        rows[images.lowerBound * mean.count..<images.upperBound * mean.count], count: images.count,
        sequence: cells, blockSize: d, mean: mean)
      block.whiten(by: whitener)
      var leverages = Array(chunks.baseLeverages[images])
      block.addSquaredLengths(columns: 0..<past * d, to: &leverages)
      var weights = LeverageWeights<Scalar>(capacity: images.count)
      let parallelExcess = weights.set(leverages: leverages, count: images.count)
      let parallelTotal = leverages.reduce(0, +)
      let parallelWeights = weights
      block.addSquaredLengths(columns: past * d..<target, to: &leverages)
      let excess = weights.set(leverages: leverages, count: images.count)
      let parallel = WhitenedRows<Scalar>(capacity: images.count, columns: d)
      if added > 0 { parallel.setProduct(of: block, columns: past * d..<columns, with: own) }
      sums.0.add(
        block, from: target, weights: weights, totalExcess: excess,
        totalLeverage: leverages.reduce(0, +))
      if added > 0 {
        sums.1.add(
          parallel, from: 0, weights: parallelWeights, totalExcess: parallelExcess,
          totalLeverage: parallelTotal)
      }
      blocks.append(
        WindowBlock(
          images: images, rows: block, parallel: parallel, weights: (weights, parallelWeights)))
    }
    let fits = (step.sequentialFits[step.sequentialFits.count - 1], step.parallelFit)
    var result = closed
    let freedom = (fits.0.degreesOfFreedom, fits.1.degreesOfFreedom)
    let scales = (
      (Double(m) / freedom.0).squareRoot(), (Double(m) / freedom.1).squareRoot(),
      (Double(m) / (freedom.0 * freedom.1).squareRoot()).squareRoot()
    )
    typealias Scatters = (WeightedScatter<Scalar>, WeightedScatter<Scalar>)
    /// The images' influences on the sequential and the parallel entropy and on the increase.
    func influences(_ scatters: Scatters) -> (RunSums, RunSums, RunSums) {
      result.influence = Array(repeating: 0, count: m)
      result.increaseInfluence = result.influence
      var parallelInfluence = result.influence
      for block in blocks {
        let count = block.images.count
        var norms = [Scalar](repeating: 0, count: count)
        var sequential = [Double](repeating: 0, count: count)
        block.rows.norms(
          from: target, channels: d, transformedBy: scatters.0.transform, into: &norms)
        scatters.0.influences(
          norms, count: count, weights: block.weights.0, imageCount: m, into: &sequential)
        var parallel = sequential
        if added > 0 {
          block.parallel.norms(
            from: 0, channels: d, transformedBy: scatters.1.transform, into: &norms)
          scatters.1.influences(
            norms, count: count, weights: block.weights.1, imageCount: m, into: &parallel)
        }
        for (index, image) in block.images.enumerated() {
          result.influence[image] = scales.0 * sequential[index]
          parallelInfluence[image] = scales.1 * parallel[index]
          result.increaseInfluence[image] = scales.2 * (parallel[index] - sequential[index])
        }
      }
      return (
        RunSums(result.influence, starts: chunks.starts),
        RunSums(parallelInfluence, starts: chunks.starts),
        RunSums(result.increaseInfluence, starts: chunks.starts)
      )
    }
    func noise(_ sums: (RunSums, RunSums, RunSums)) -> (ScatterNoise, ScatterNoise) {
      (
        ScatterNoise(sums.0, scale: scales.0, fit: (d, freedom.0)),
        ScatterNoise(sums.1, scale: scales.1, fit: (d, freedom.1))
      )
    }
    var found: (RunSums, RunSums, RunSums)
    if bound == .debiased {
      guard sums.0.hasScatter(fits.0), added == 0 || sums.1.hasScatter(fits.1) else {
        throw EstimationError.imageDecides(
          source: name, cell: grid.cell(at: cells[cells.count - 1]))
      }
      let fallback = (
        sums.0.fallback(fits.0),
        added > 0 ? sums.1.fallback(fits.1) : sums.0.fallback(fits.0)
      )
      var scatters = fallback
      result.isFallback = true
      if let sequential = sums.0.weighted(fits.0),
        let parallel = added > 0 ? sums.1.weighted(fits.1) : sequential
      {
        scatters = (sequential, parallel)
        result.isFallback = false
      }
      found = influences(scatters)
      let (first, second) = noise(found)
      if !result.isFallback, first.isTooLarge || second.isTooLarge {
        result.isFallback = true
        scatters = fallback
        found = influences(scatters)
      }
      let corrections = noise(found)
      result.sequential.value += scatters.0.correction + corrections.0.correction
      result.parallel.value += scatters.1.correction + corrections.1.correction
    } else {
      found = influences((WeightedScatter(gaussian: fits.0), WeightedScatter(gaussian: fits.1)))
    }
    result.pairsOfNumbers = added * d * d
    result.degenerateVariance = Double(added * d * d) / (2 * freedom.0 * freedom.1)
    result.sequential.standardError = found.0.standardError
    result.parallel.standardError = found.1.standardError
    result.increase = OrderProfile.resolved(
      added > 0 ? result.parallel.value - result.sequential.value : 0, found.2,
      degenerateVariance: result.degenerateVariance)
    return result
  }
}

extension Matrix {
  /// The last rows.
  fileprivate func lastRows(_ count: Int) -> Matrix {
    block(rows: rows - count..<rows, columns: 0..<columns)
  }
}
