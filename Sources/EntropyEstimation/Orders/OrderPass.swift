import LinearAlgebra
import Synchronization
import TokenData

/// The pass over the images that a factored order's debiased entropies and its errors from the images take.
///
/// One triangular solve whitens all residuals of an image at once, z = L⁻¹(x − x̄): token k's sequential residual, whitened by
/// its own scatter, is z_k, its parallel one a product of its step's part of z, and the squared lengths of z so far
/// are the leverages. The solve takes m·(n·d)² multiplications and additions, as much as the scatter, and single precision is enough for it: z
/// enters through S alone, a small correction whose rounding is far below its error.
struct OrderPass<Scalar: WhiteningScalar>: Sendable {
  private let factorization: OrderFactorization
  private let bound: EntropyBound
  private let factor: WhiteningFactor<Scalar>
  /// By step, row-major; empty for single tokens.
  private let stepWhitening: [[Scalar]]
  private let chunks: ImageChunks

  /// Whitened images are kept from the sums to the influences if they take no more bytes than this; else each is whitened
  /// twice.
  static var storageLimit: Int { 512 << 20 }

  /// Prepares the pass over the images that were fitted to.
  init(
    _ factorization: OrderFactorization, bound: EntropyBound, features: some TokenFeatures
  ) {
    self.factorization = factorization
    self.bound = bound
    factor = WhiteningFactor(factorization.factor)
    stepWhitening = factorization.steps.map { $0.whitening.elements.map { Scalar($0) } }
    let (n, d) = (factorization.order.grid.cellCount, factorization.channels)
    chunks = ImageChunks(of: features, bytesPerChunk: 4 * n * d * d * MemoryLayout<Double>.size)
  }

  /// Makes the pass.
  ///
  /// - Parameter storageLimit: In bytes; a test that wants images whitened twice sets 0.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·(n·d)²), twice that where whitened images do not fit the limit, on all cores.
  func run(
    over features: some TokenFeatures, storageLimit: Int = Self.storageLimit
  ) throws -> OrderPassResult {
    let bytes = features.imageCount * factor.order * MemoryLayout<Scalar>.size
    let stored = bytes <= storageLimit ? ChunkStore<[WhitenedRows<Scalar>]>() : nil
    return try BLAS.onCallingThread {
      guard bound == .debiased else {
        let fits = gaussianFits()
        return result(fits, try influences(of: fits, over: features, stored: stored))
      }
      let sums = try sums(over: features, stored: stored)
      var fits = weightedFits(sums)
      var influences = try influences(of: fits, over: features, stored: stored)
      // Only the influences tell how noisy a scatter is; where one is too noisy they are taken once more.
      let noisy = fits.indices.filter { position in
        !fits[position].isFallback
          && noise(fits[position], influences, at: position).contains(where: \.isTooLarge)
      }
      if !noisy.isEmpty {
        fits = weightedFits(sums, fallbacks: Set(noisy))
        influences = try self.influences(of: fits, over: features, stored: stored)
      }
      return result(fits, influences)
    }
  }

  /// The noise of a token's sequential and parallel scatters.
  private func noise(
    _ fits: TokenFits, _ influences: OrderInfluences, at position: Int
  ) -> [ScatterNoise] {
    let scales = scales(of: fits)
    return [
      ScatterNoise(
        influences.sequential[position], scale: scales.sequential,
        fit: (factorization.channels, fits.freedom.0)),
      ScatterNoise(
        influences.parallel[position], scale: scales.parallel,
        fit: (factorization.channels, fits.freedom.1)),
    ]
  }

  /// What makes the standard error of the mean of influences that of entropies: images' influences spread as if there were m
  /// degrees of freedom.
  private func scales(
    of fits: TokenFits
  ) -> (sequential: Double, parallel: Double, increase: Double) {
    let m = Double(factorization.imageCount)
    return (
      (m / fits.freedom.0).squareRoot(), (m / fits.freedom.1).squareRoot(),
      (m / (fits.freedom.0 * fits.freedom.1).squareRoot()).squareRoot()
    )
  }

  private func result(_ fits: [TokenFits], _ influences: OrderInfluences) -> OrderPassResult {
    let corrections = fits.indices.map { position -> (Double, Double) in
      let fit = fits[position]
      let noise =
        bound == .debiased
        ? noise(fit, influences, at: position).map(\.correction) : [0, 0]
      return (
        fit.sequential.correction + fit.adjustment.0 + noise[0],
        fit.parallel.correction + fit.adjustment.1 + noise[1]
      )
    }
    let d = factorization.channels
    return OrderPassResult(
      sequential: corrections.map(\.0), parallel: corrections.map(\.1),
      degenerateVariances: fits.map {
        Double(d * $0.added) / (2 * $0.freedom.0 * $0.freedom.1)
      },
      fallbacks: fits.count(where: \.isFallback), influences: influences, starts: chunks.starts)
  }

  // MARK: Blocks of whitened images

  private func whitened(
    _ images: Range<Int>, of features: some TokenFeatures, into rows: WhitenedRows<Scalar>
  ) throws {
    rows.set(
      try features.features(ofImages: images)[...], count: images.count,
      sequence: factorization.order.sequence, blockSize: factorization.coordinates,
      mean: factorization.mean)
    rows.whiten(by: factor)
  }

  /// Calls `body` with each block of a chunk, whitened, from the store where it is there.
  private func forEachBlock(
    of chunk: Int, in features: some TokenFeatures, stored: ChunkStore<[WhitenedRows<Scalar>]>?,
    _ body: (Range<Int>, WhitenedRows<Scalar>) -> Void
  ) throws {
    let blocks = chunks.blocks(of: chunks.chunks[chunk])
    if let kept = stored?.value(of: chunk) {
      for (images, rows) in zip(blocks, kept) { body(images, rows) }
      return
    }
    let capacity = blocks.map(\.count).max() ?? 0
    var kept: [WhitenedRows<Scalar>] = []
    var shared: WhitenedRows<Scalar>?
    for images in blocks {
      let rows =
        shared
        ?? WhitenedRows<Scalar>(
          capacity: stored == nil ? capacity : images.count, columns: factor.order)
      if stored == nil { shared = rows } else { kept.append(rows) }
      try whitened(images, of: features, into: rows)
      body(images, rows)
    }
    stored?.set(chunk, kept)
  }

  // MARK: The weighted scatters

  /// Sums of a token's sequential fit and of its parallel one; the latter is nil for the first token of a step, whose fits are
  /// the same.
  private struct TokenSums: Sendable {
    var sequential: LeverageSums<Scalar>
    var parallel: LeverageSums<Scalar>?
  }

  private func sums(
    over features: some TokenFeatures, stored: ChunkStore<[WhitenedRows<Scalar>]>?
  ) throws -> [TokenSums] {
    let d = factorization.channels
    let none = LeverageSums<Scalar>(channels: d, hasJitter: factorization.hasJitter)
    let empty = factorization.steps.flatMap { step in
      step.sequentialFits.indices.map {
        TokenSums(sequential: none, parallel: $0 > 0 ? none : nil)
      }
    }
    let store = ChunkStore<[TokenSums]>()
    try parallelFor(chunks.chunks.count) { chunk in
      var sums = empty
      try forEachBlock(of: chunk, in: features, stored: stored) { images, rows in
        forEachToken(of: images, in: rows) { position, token in
          sums[position].sequential.add(
            token.rows, from: token.sequentialColumn, weights: token.sequential.weights,
            totalExcess: token.sequential.totalExcess,
            totalLeverage: token.sequential.totalLeverage)
          if let (parallel, column) = token.parallelRows {
            sums[position].parallel?.add(
              parallel, from: column, weights: token.parallel.weights,
              totalExcess: token.parallel.totalExcess, totalLeverage: token.parallel.totalLeverage)
          }
        }
      }
      store.set(chunk, sums)
    }
    var result = empty
    for chunk in chunks.chunks.indices {
      for (position, sums) in (store.value(of: chunk) ?? []).enumerated() {
        result[position].sequential.add(sums.sequential)
        if let parallel = sums.parallel { result[position].parallel?.add(parallel) }
      }
    }
    return result
  }

  /// A fit's leverages in a block of images.
  private struct BlockLeverages {
    var weights: LeverageWeights<Scalar>
    var totalExcess = 0.0
    var totalLeverage = 0.0

    mutating func set(_ leverages: [Double], count: Int) {
      totalExcess = weights.set(leverages: leverages, count: count)
      totalLeverage = 0
      for i in 0..<count { totalLeverage += leverages[i] }
    }
  }

  /// One token in a block of images.
  private struct BlockToken {
    /// Whitened rows, of which the channels from `sequentialColumn` are the sequential residual.
    let rows: WhitenedRows<Scalar>
    let sequentialColumn: Int
    let sequential: BlockLeverages
    /// The rows and first column of the parallel residual; nil for the first token of a step.
    let parallelRows: (WhitenedRows<Scalar>, Int)?
    let parallel: BlockLeverages
  }

  private func forEachToken(
    of images: Range<Int>, in rows: WhitenedRows<Scalar>, _ body: (Int, BlockToken) -> Void
  ) {
    let (width, d) = (factorization.coordinates, factorization.channels)
    var context = Array(chunks.baseLeverages[images])
    var sequential = BlockLeverages(weights: LeverageWeights(capacity: images.count))
    var parallel = sequential
    var position = 0
    for (step, whitening) in zip(factorization.steps, stepWhitening) {
      let tokens = step.sequentialFits.count
      var residuals: WhitenedRows<Scalar>?
      if tokens > 1 {
        let columns = WhitenedRows<Scalar>(capacity: images.count, columns: tokens * d)
        columns.setProduct(
          of: rows, columns: position * width..<(position + tokens) * width, with: whitening)
        residuals = columns
      }
      for index in 0..<tokens {
        sequential.set(context, count: images.count)
        if index == 0 { parallel = sequential }
        body(
          position,
          BlockToken(
            rows: rows, sequentialColumn: position * width, sequential: sequential,
            parallelRows: index == 0 ? nil : residuals.map { ($0, index * d) }, parallel: parallel))
        rows.addSquaredLengths(columns: position * width..<(position + 1) * width, to: &context)
        position += 1
      }
    }
  }

  // MARK: The fits

  /// What weighs the images in a token's two fits.
  private struct TokenFits: Sendable {
    let sequential: WeightedScatter<Scalar>
    let parallel: WeightedScatter<Scalar>
    /// The degrees of freedom, those of the parallel fit second.
    let freedom: (Double, Double)
    /// How many numbers of the context are the step's own.
    let added: Int
    let isFallback: Bool
    /// What the fit's own use of degrees of freedom makes different from the closed form's p.
    let adjustment: (Double, Double)
  }

  /// - Parameter fallbacks: The positions that are to have the weights 1/(1 − h) whatever their scatters.
  private func weightedFits(_ sums: [TokenSums], fallbacks: Set<Int> = []) -> [TokenFits] {
    var result: [TokenFits] = []
    for step in factorization.steps {
      for fit in step.sequentialFits {
        let sum = sums[result.count]
        let own = used(fit, sum.sequential)
        guard let parallelSum = sum.parallel else {
          let weighted = fallbacks.contains(result.count) ? nil : sum.sequential.weighted(own.fit)
          let scatter = weighted ?? sum.sequential.fallback(own.fit)
          result.append(
            TokenFits(
              sequential: scatter, parallel: scatter,
              freedom: (own.fit.degreesOfFreedom, own.fit.degreesOfFreedom), added: 0,
              isFallback: weighted == nil, adjustment: (own.adjustment, own.adjustment)))
          continue
        }
        let other = used(step.parallelFit, parallelSum)
        // Both fits of a token have the same weights: they share most of their error.
        let weighted =
          fallbacks.contains(result.count)
          ? nil
          : sum.sequential.weighted(own.fit).flatMap { sequential in
            parallelSum.weighted(other.fit).map { (sequential, $0) }
          }
        let pair =
          weighted
          ?? (sum.sequential.fallback(own.fit), parallelSum.fallback(other.fit))
        result.append(
          TokenFits(
            sequential: pair.0, parallel: pair.1,
            freedom: (own.fit.degreesOfFreedom, other.fit.degreesOfFreedom),
            added: fit.predictors - step.parallelFit.predictors, isFallback: weighted == nil,
            adjustment: (own.adjustment, other.adjustment)))
      }
    }
    return result
  }

  /// The fit with the degrees of freedom that it uses up. Predictors that functions of tokens add have a little noise on them,
  /// and those that hardly vary count for less than one; for least squares alone it is p.
  private func used(
    _ fit: ResidualFit, _ sums: LeverageSums<Scalar>
  ) -> (fit: ResidualFit, adjustment: Double) {
    guard factorization.coordinates > factorization.channels else { return (fit, 0) }
    let actual = ResidualFit(
      imageCount: fit.imageCount, channels: fit.channels, predictors: fit.predictors,
      effectivePredictors: sums.totalLeverage - Double(fit.means), means: fit.means)
    return (actual, 0.5 * (fit.expectedLogDeterminant - actual.expectedLogDeterminant))
  }

  private func gaussianFits() -> [TokenFits] {
    factorization.steps.flatMap { step in
      step.sequentialFits.map { fit in
        TokenFits(
          sequential: WeightedScatter(gaussian: fit),
          parallel: WeightedScatter(gaussian: step.parallelFit),
          freedom: (fit.degreesOfFreedom, step.parallelFit.degreesOfFreedom),
          added: fit.predictors - step.parallelFit.predictors, isFallback: false,
          adjustment: (0, 0))
      }
    }
  }

  // MARK: Influences

  private func influences(
    of fits: [TokenFits], over features: some TokenFeatures,
    stored: ChunkStore<[WhitenedRows<Scalar>]>?
  ) throws -> OrderInfluences {
    let (n, d, m) = (
      factorization.order.grid.cellCount, factorization.channels, factorization.imageCount
    )
    let half = 0.5 * Double(d)
    let scales = fits.map(scales)
    let empty = OrderInfluences(
      sequential: scales.map { RunSums(shift: $0.sequential * half) },
      parallel: scales.map { RunSums(shift: $0.parallel * half) },
      increase: Array(repeating: RunSums(shift: 0), count: n),
      steps: Array(repeating: RunSums(shift: 0), count: factorization.steps.count))
    let stepOfPosition = factorization.steps.enumerated().flatMap { index, step in
      step.sequentialFits.map { _ in index }
    }
    let store = ChunkStore<OrderInfluences>()
    try parallelFor(chunks.chunks.count) { chunk in
      var result = empty
      try forEachBlock(of: chunk, in: features, stored: stored) { images, rows in
        let starts = chunks.starts[images]
        let none = [Double](repeating: 0, count: images.count)
        var norms = [Scalar](repeating: 0, count: images.count)
        var (sequential, parallel, step) = (none, none, none)
        var (totals, joint) = (none, none)
        forEachToken(of: images, in: rows) { position, token in
          let (fit, scale) = (fits[position], scales[position])
          token.rows.norms(
            from: token.sequentialColumn, channels: d, transformedBy: fit.sequential.transform,
            into: &norms)
          fit.sequential.influences(
            norms, count: images.count, weights: token.sequential.weights, imageCount: m,
            into: &sequential)
          joint.add(sequential, times: scale.sequential)
          guard let (residuals, column) = token.parallelRows else {
            sequential.scale(by: scale.sequential)
            result.sequential[position].add(sequential, starts: starts)
            result.parallel[position].add(sequential, starts: starts)
            result.increase[position].add(none, starts: starts)
            if position > 0 {
              result.steps[stepOfPosition[position - 1]].add(step, starts: starts)
              step = none
            }
            return
          }
          residuals.norms(
            from: column, channels: d, transformedBy: fit.parallel.transform, into: &norms)
          fit.parallel.influences(
            norms, count: images.count, weights: token.parallel.weights, imageCount: m,
            into: &parallel)
          var increase = none
          increase.set(parallel, minus: sequential, times: scale.increase)
          step.add(increase, times: 1)
          totals.add(increase, times: 1)
          sequential.scale(by: scale.sequential)
          parallel.scale(by: scale.parallel)
          result.sequential[position].add(sequential, starts: starts)
          result.parallel[position].add(parallel, starts: starts)
          result.increase[position].add(increase, starts: starts)
        }
        if n > 0 { result.steps[stepOfPosition[n - 1]].add(step, starts: starts) }
        result.totals += totals
        result.joint += joint
      }
      store.set(chunk, result)
    }
    var influences = empty
    for chunk in chunks.chunks.indices {
      if let part = store.value(of: chunk) { influences.add(part) }
    }
    return influences
  }
}

/// What a pass over the images finds, by position in the order's sequence.
struct OrderPassResult: Sendable {
  /// What comes to the closed form's sequential and parallel entropies.
  let sequential: [Double]
  let parallel: [Double]
  /// The variance that an increase of zero has, d·q/(2ν²), q the numbers of the step that come to its context.
  let degenerateVariances: [Double]
  /// How many tokens have the weights 1/(1 − h), because their scatters with those of the debiased bound were not positive
  /// definite or too noisy.
  let fallbacks: Int
  let influences: OrderInfluences
  /// As ``ImageChunks/starts``.
  let starts: [UInt8]
}

/// The images' influences on the entropies of an order, scaled so that the standard error of their mean is that of the
/// entropy.
struct OrderInfluences: Sendable {
  /// By position.
  var sequential: [RunSums]
  var parallel: [RunSums]
  var increase: [RunSums]
  /// By step.
  var steps: [RunSums]
  /// By image: on the sum of all increases, and on that of all sequential entropies.
  var totals: [Double] = []
  var joint: [Double] = []

  /// Adds those of the images that come next.
  mutating func add(_ other: OrderInfluences) {
    for k in sequential.indices {
      sequential[k].add(other.sequential[k])
      parallel[k].add(other.parallel[k])
      increase[k].add(other.increase[k])
    }
    for k in steps.indices { steps[k].add(other.steps[k]) }
    totals += other.totals
    joint += other.joint
  }
}

/// Results that threads leave for chunks.
final class ChunkStore<Value: Sendable>: Sendable {
  private let values = Mutex<[Int: Value]>([:])

  func set(_ chunk: Int, _ value: Value) { values.withLock { $0[chunk] = value } }

  func value(of chunk: Int) -> Value? { values.withLock { $0[chunk] } }
}

extension [Double] {
  fileprivate mutating func scale(by factor: Double) {
    withUnsafeMutableBufferPointer { for i in $0.indices { $0[i] *= factor } }
  }

  fileprivate mutating func add(_ other: [Double], times factor: Double) {
    withUnsafeMutableBufferPointer { own in
      other.withUnsafeBufferPointer { for i in own.indices { own[i] += factor * $0[i] } }
    }
  }

  fileprivate mutating func set(_ first: [Double], minus second: [Double], times factor: Double) {
    withUnsafeMutableBufferPointer { own in
      first.withUnsafeBufferPointer { first in
        second.withUnsafeBufferPointer {
          for i in own.indices { own[i] = factor * (first[i] - $0[i]) }
        }
      }
    }
  }
}
