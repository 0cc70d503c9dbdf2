import Foundation
import LinearAlgebra
import Synchronization
import TokenData

/// The passes over the images that debiased entropies of every token given every shorter context take: what ``OrderPass`` finds
/// for the contexts of one order, for all contexts of a sequence.
///
/// A context before place a gives the images their leverages and weights w, whatever the token. The residuals of token k given ever
/// shorter contexts follow from each other by one product of d × d, and log|W| + log|S| is the log determinant of
/// E = Σ w·e·eᵀ, e the residual as it is. A second pass finds how noisy E is (``ScatterNoise``).
struct SequencePass<Scalar: ContextScalar>: Sendable {
  private let factorization: SequenceFactorization
  private let chunks: ImageChunks
  private let blocks: [Block]
  /// κ of each context, and whether some images belong to the same photograph.
  private let excessRatios: [Double]
  private let hasRuns: Bool
  /// By place, the fit of a token on all tokens before it.
  private let fits: [ResidualFit]

  /// Whitened images and their leverages.
  private struct Block: Sendable {
    let images: Range<Int>
    let columns: ContextBlock<Scalar>
    /// h by place, then image.
    let leverages: [[Double]]
  }

  /// Which weights residuals have; see ``LeverageSums``.
  private enum Weights: Sendable {
    case minque
    case simple
  }

  /// Whitens the images that were fitted to.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·(n·d)²/2), on all cores, and m·n·d numbers of memory.
  init(_ factorization: SequenceFactorization, over features: some TokenFeatures) throws {
    self.factorization = factorization
    chunks = ImageChunks(of: features, bytesPerChunk: 0)
    let (n, d) = (factorization.sequence.count, factorization.channels)
    fits = (0..<n).map {
      ResidualFit(
        imageCount: factorization.imageCount, channels: d, predictors: $0 * d,
        means: factorization.meanCount)
    }
    hasRuns = chunks.starts.contains(0)
    let factor = WhiteningFactor<Scalar>(factorization.factor)
    let ranges = chunks.chunks.flatMap(chunks.blocks)
    let store = ChunkStore<(block: Block, excess: [Double], leverage: [Double])>()
    let baseLeverages = chunks.baseLeverages
    try BLAS.onCallingThread {
      try parallelFor(ranges.count) { index in
        let images = ranges[index]
        let rows = WhitenedRows<Scalar>(capacity: images.count, columns: factor.order)
        rows.set(
          try features.features(ofImages: images)[...], count: images.count,
          sequence: factorization.sequence, blockSize: d, mean: factorization.mean)
        rows.whiten(by: factor)
        var context = Array(baseLeverages[images])
        var leverages: [[Double]] = []
        var (totalExcess, totalLeverage) = ([Double](), [Double]())
        for place in 0..<n {
          leverages.append(context)
          totalExcess.append(context.reduce(0) { $0 + Self.excess($1) })
          totalLeverage.append(context.reduce(0, +))
          rows.addSquaredLengths(columns: place * d..<(place + 1) * d, to: &context)
        }
        let block = Block(
          images: images, columns: ContextBlock(rows, channels: d), leverages: leverages)
        store.set(index, (block, totalExcess, totalLeverage))
      }
    }
    var blocks: [Block] = []
    var (excess, leverage) = (
      [Double](repeating: 0, count: n), [Double](repeating: 0, count: n)
    )
    for index in ranges.indices {
      guard let found = store.value(of: index) else { continue }
      blocks.append(found.block)
      for place in 0..<n {
        excess[place] += found.excess[place]
        leverage[place] += found.leverage[place]
      }
    }
    self.blocks = blocks
    excessRatios = zip(excess, leverage).map { $0 / $1 }
  }

  /// h/(1 − h).
  private static func excess(_ leverage: Double) -> Double {
    let rest = max(1 - leverage, LeverageWeights<Scalar>.least)
    return (1 - rest) / rest
  }

  /// H(k | before a) − H(k | before k) by pair, and how many pairs have simple weights.
  ///
  /// - Complexity: O(m·n²·d²), on all cores.
  func increases() -> (PairTable, fallbacks: Int) {
    let n = factorization.sequence.count
    let weighted = entropies(with: .minque)
    let isFallback = { (a: Int, k: Int) in weighted.isNoisy[a, k] > 0 || weighted.isNoisy[k, k] > 0
    }
    var fallbacks = 0
    for k in 0..<n {
      for a in 0...k where isFallback(a, k) { fallbacks += 1 }
    }
    let simple = fallbacks == 0 ? nil : entropies(with: .simple)
    var result = PairTable(places: n)
    for k in 0..<n {
      for a in 0..<k {
        let entropies = (isFallback(a, k) ? simple : nil) ?? weighted
        result[a, k] = entropies.values[a, k] - entropies.values[k, k]
      }
    }
    return (result, fallbacks)
  }

  /// Entropies by pair, but for what those of a token have in common, and 1 where a scatter is not positive definite or too noisy.
  private struct Entropies {
    var values: PairTable
    var isNoisy: PairTable
  }

  /// Tokens whose sums are kept at the same time: their sums take some hundred megabytes.
  private func bands() -> [Range<Int>] {
    let d = ContextBlock<Scalar>.paddedRows(factorization.channels)
    let n = factorization.sequence.count
    let perToken = n * d * d * (MemoryLayout<Double>.size + 2 * MemoryLayout<Scalar>.size)
    let size = max(min(n, 256 << 20 / max(perToken, 1)), 1)
    return stride(from: 0, to: n, by: size).map { $0..<min($0 + size, n) }
  }

  private func entropies(with kind: Weights) -> Entropies {
    let n = factorization.sequence.count
    // With jitter the weights that E takes are not those of the images' influences: no image has its noise.
    var rounding = setWeights(kind, besidesJitter: factorization.hasJitter)
    var result = Entropies(values: PairTable(places: n), isNoisy: PairTable(places: n))
    for band in bands() {
      // Long contexts first.
      let tokens = band.reversed().map {
        TokenContexts<Scalar>(factorization, token: $0, hasRuns: hasRuns)
      }
      parallelFor(tokens.count) { tokens[$0].prepare(factorization) }
      if factorization.hasJitter, band.lowerBound > 0 {
        rounding = setWeights(kind, besidesJitter: true)
      }
      for block in blocks { forEach(tokens, of: block) { $0.addProducts(of: $1, scratch: $2) } }
      let shares = fits.map { $0.degreesOfFreedom / Double($0.imageCount) }
      parallelFor(tokens.count) { index in
        tokens[index].factorScatters(
          factorization, jitterShares: factorization.hasJitter ? shares : nil)
      }
      if factorization.hasJitter { setWeights(kind) }
      for block in blocks {
        let starts = chunks.starts[block.images]
        forEach(tokens, of: block) { $0.addNorms(of: $1, starts: starts, scratch: $2) }
      }
      for token in tokens {
        for a in 0...token.token {
          let (value, isNoisy) = entropy(of: token, before: a, rounding: rounding[a])
          result.values[a, token.token] = value
          result.isNoisy[a, token.token] = isNoisy ? 1 : 0
        }
      }
    }
    return result
  }

  private func forEach(
    _ tokens: [TokenContexts<Scalar>], of block: Block,
    _ body:
      @Sendable (TokenContexts<Scalar>, ContextBlock<Scalar>, ContextBlock<Scalar>.Scratch) ->
      Void
  ) {
    let pool = Mutex<[ContextBlock<Scalar>.Scratch]>([])
    parallelFor(tokens.count) { index in
      let scratch =
        pool.withLock { $0.popLast() } ?? ContextBlock<Scalar>.Scratch(for: block.columns)
      body(tokens[index], block.columns, scratch)
      pool.withLock { $0.append(scratch) }
    }
  }

  /// Sets the weights of every image given every context.
  ///
  /// - Parameter besidesJitter: Whether W itself comes to E as m/ν of it, as ``LeverageSums`` has it, so that images weigh as
  ///   much less.
  /// - Returns: By place, what rounding has made of the sum of the weights: where leverages are all alike it moves all weights
  ///   alike, and with them the entropies of all tokens.
  @discardableResult
  private func setWeights(_ kind: Weights, besidesJitter: Bool = false) -> [Double] {
    let store = ChunkStore<(exact: [Double], rounded: [Double])>()
    parallelFor(blocks.count) { index in
      let block = blocks[index]
      var sums = (exact: [Double](), rounded: [Double]())
      for (place, fit) in fits.enumerated() {
        let ratio = excessRatios[place]
        let share = besidesJitter ? Double(fit.imageCount) / fit.degreesOfFreedom : 0
        let leverages = block.leverages[place]
        var weights = [Scalar](repeating: 0, count: leverages.count)
        var (exact, rounded) = (0.0, 0.0)
        for i in weights.indices {
          let excess = Self.excess(leverages[i])
          let weight =
            switch kind {
            case .minque: (1 + excess) * (1 + excess) - ratio * excess - share
            case .simple: 1 + excess - share
            }
          weights[i] = Scalar(weight)
          exact += weight
          rounded += Double(weights[i])
        }
        sums.exact.append(exact)
        sums.rounded.append(rounded)
        block.columns.setWeights(weights, at: place)
      }
      store.set(index, sums)
    }
    var (exact, rounded) = (
      [Double](repeating: 0, count: fits.count), [Double](repeating: 0, count: fits.count)
    )
    for index in blocks.indices {
      guard let sums = store.value(of: index) else { continue }
      for place in fits.indices {
        exact[place] += sums.exact[place]
        rounded[place] += sums.rounded[place]
      }
    }
    return zip(exact, rounded).map { $1 == 0 ? 1 : $0 / $1 }
  }

  /// As ``OrderPass`` has it.
  private func entropy(
    of contexts: TokenContexts<Scalar>, before place: Int, rounding: Double
  ) -> (value: Double, isNoisy: Bool) {
    let fit = fits[place]
    guard let logDeterminant = contexts.logDeterminants[place] else { return (.infinity, true) }
    let (m, d, freedom) = (Double(fit.imageCount), Double(fit.channels), fit.degreesOfFreedom)
    let closed = EntropyBound.debiased.entropy(logDeterminant: logDeterminant, fit)
    let noise = ScatterNoise(
      meanSquare: 0.25 * m * contexts.squares[place],
      runFactor: contexts.runFactor(at: place, imageCount: fit.imageCount),
      fit: (fit.channels, freedom))
    return (closed + 0.5 * d * log(rounding * freedom / m) + noise.correction, noise.isTooLarge)
  }
}

/// The sums of one token given the tokens before each place up to its own. A class, because threads take turns with it.
private final class TokenContexts<Scalar: ContextScalar>: @unchecked Sendable {
  let token: Int
  private let channels: Int
  private let rows: Int
  /// L_kj by place j.
  private var factor: [Scalar] = []
  /// E by place.
  private var products: [Double]
  /// T with TᵀT = E⁻¹.
  private var transforms: [Scalar] = []
  /// log|E| by place; nil where E is not positive definite.
  private(set) var logDeterminants: [Double?] = []
  /// Σ (w·eᵀE⁻¹e)² over the images.
  private(set) var squares: [Double]
  private var runs: [Double]

  init(_ factorization: SequenceFactorization, token: Int, hasRuns: Bool) {
    self.token = token
    let d = factorization.channels
    channels = d
    rows = ContextBlock<Scalar>.paddedRows(d)
    let places = token + 1
    products = Array(repeating: 0, count: places * rows * rows)
    squares = Array(repeating: 0, count: places)
    runs = Array(repeating: 0, count: hasRuns ? 8 * places : 0)
  }

  /// Takes the factor's blocks.
  func prepare(_ factorization: SequenceFactorization) {
    let (d, places) = (channels, token + 1)
    let blocks = Self.whitenedBlocks(of: token, in: factorization)
    factor = Array(repeating: 0, count: places * rows * d)
    for a in 0..<places {
      for r in 0..<d {
        for c in 0..<d { factor[(a * rows + r) * d + c] = Scalar(blocks[(a * d + r) * d + c]) }
      }
    }
  }

  /// U·L_kk⁻¹·L_kj by place j, U orthogonal. What a token's residuals are multiplied by comes to its entropy given any context
  /// alike; whitened given the longest context and uncorrelated given the shortest, they are nearly uncorrelated given all
  /// others, and lose nothing in single precision to the channels' units and correlations.
  private static func whitenedBlocks(
    of token: Int, in factorization: SequenceFactorization
  ) -> [Double] {
    let (d, lower) = (factorization.channels, factorization.factor.lower)
    var blocks = [Double](repeating: 0, count: (token + 1) * d * d)
    for a in 0...token {
      for r in 0..<d {
        let row = token * d + r
        for c in 0..<d where a < token || c <= r {
          var value = lower[row, a * d + c]
          for x in 0..<r { value -= lower[row, token * d + x] * blocks[(a * d + x) * d + c] }
          blocks[(a * d + r) * d + c] = value / lower[row, row]
        }
      }
    }
    var scatter = Matrix(rows: d, columns: d)
    for a in 0...token {
      for r in 0..<d {
        for c in 0...r {
          for x in 0..<d {
            scatter[r, c] += blocks[(a * d + r) * d + x] * blocks[(a * d + c) * d + x]
          }
        }
      }
    }
    for r in 0..<d { for c in 0..<r { scatter[c, r] = scatter[r, c] } }
    // Without axes nothing but precision is lost.
    let axes = (try? SymmetricEigen(scatter).vectors) ?? .identity(d)
    for a in 0...token {
      let block = Matrix(
        rows: d, columns: d, elements: Array(blocks[a * d * d..<(a + 1) * d * d]))
      blocks.replaceSubrange(a * d * d..<(a + 1) * d * d, with: axes.times(block).elements)
    }
    return blocks
  }

  func addProducts(of block: ContextBlock<Scalar>, scratch: ContextBlock<Scalar>.Scratch) {
    block.addProducts(of: token, factor: factor, to: &products, scratch: scratch)
  }

  /// Factors the sums of products.
  ///
  /// - Parameter jitterShares: ν/m by place where something was added to the variances: what the images do not have of W then
  ///   comes to E.
  func factorScatters(_ factorization: SequenceFactorization, jitterShares: [Double]?) {
    let (d, rows) = (channels, rows)
    if let shares = jitterShares {
      let blocks = Self.whitenedBlocks(of: token, in: factorization)
      var scatter = [Double](repeating: 0, count: d * d)
      for place in (0...token).reversed() {
        let block = blocks[place * d * d..<(place + 1) * d * d]
        for r in 0..<d {
          for c in 0...r {
            for x in block.startIndex..<block.startIndex + d {
              scatter[r * d + c] += block[x + r * d] * block[x + c * d]
            }
            products[(place * rows + r) * rows + c] += scatter[r * d + c] / shares[place]
          }
        }
      }
    }
    let places = token + 1
    transforms = Array(repeating: 0, count: places * rows * rows)
    var inverse = [Double](repeating: 0, count: rows * rows)
    logDeterminants = (0..<places).map { place in
      products.withUnsafeMutableBufferPointer { products in
        guard let base = products.baseAddress else { return nil }
        let scatter = base + place * rows * rows
        guard let logarithm = SmallFactor.factor(scatter, order: d, stride: rows) else {
          return nil
        }
        inverse.withUnsafeMutableBufferPointer {
          if let to = $0.baseAddress {
            SmallFactor.invert(scatter, order: d, stride: rows, into: to)
          }
        }
        for r in 0..<d {
          for c in 0...r {
            transforms[(place * rows + r) * rows + c] = Scalar(inverse[r * rows + c])
          }
        }
        return logarithm
      }
    }
    products = []
  }

  func addNorms(
    of block: ContextBlock<Scalar>, starts: ArraySlice<UInt8>,
    scratch: ContextBlock<Scalar>.Scratch
  ) {
    block.addNorms(
      of: token, factor: factor, transforms: transforms, starts: starts, shift: 0,
      squares: &squares, runs: &runs, scratch: scratch)
  }

  /// What the variance of the mean of w·eᵀE⁻¹e is over that of independent images.
  func runFactor(at place: Int, imageCount: Int) -> Double {
    guard !runs.isEmpty else { return 1 }
    return RunSums(shift: 0, count: imageCount, sums: runs[8 * place..<8 * place + 8]).runFactor
  }
}
