import LinearAlgebra
import TokenData
import TokenGrids

/// A sequence's factorisation and what the steps of an order make of it, and the pass over images that whitens their residuals
/// with one triangular solve.
struct OrderFactorization: Sendable {
  let order: GenerationOrder
  let bound: EntropyBound
  /// The factor, in which steps play no part.
  let base: SequenceFactorization
  let steps: [StepEstimator.Step]

  /// Factors the scatter and reads the steps off the factor.
  ///
  /// - Parameter channels: d where a token has more coordinates than channels; nil for as many.
  /// - Throws: ``EstimationError`` for another grid, too few images (ν < d for the last token), and constant or linearly
  ///   dependent channels.
  /// - Complexity: (n·d)³/3 multiplications and additions.
  init(
    of order: GenerationOrder, moments: TokenMoments, bound: EntropyBound, channels: Int? = nil
  ) throws {
    base = try SequenceFactorization(
      of: order.sequence, on: order.grid, name: order.name, moments: moments, channels: channels)
    self.order = order
    self.bound = bound
    let estimator = StepEstimator(
      lower: base.factor.lower, imageCount: base.imageCount, means: base.meanCount,
      coordinates: base.coordinates, channels: base.channels, bound: bound,
      penalty: moments.penalty,
      penaltyShares: moments.penalty > 0 ? base.factor.inverseRowNorms : [])
    if let last = estimator.leastDegreesOfFreedom, last <= Double(base.channels) + 1 {
      throw EstimationError.ridgeTooSmall(
        source: moments.name, images: moments.imageCount, degreesOfFreedom: last,
        channels: base.channels)
    }
    var position = 0
    steps = order.steps.map { step in
      defer { position += step.count }
      return estimator.step(tokens: position..<position + step.count)
    }
  }

  /// m, the images fitted to.
  var imageCount: Int { base.imageCount }
  /// The coordinates of a token.
  var coordinates: Int { base.coordinates }
  /// d, the channels of a token whose entropy is wanted: its first coordinates.
  var channels: Int { base.channels }
  /// L with the tokens in the order's sequence.
  var factor: CholeskyFactor { base.factor }
  /// x̄ in raster order.
  var mean: [Double] { base.mean }
  /// Whether images may be whitened in single precision.
  var isMixedPrecision: Bool { base.isMixedPrecision }
  /// Whether something was added to the variances.
  var hasJitter: Bool { base.hasJitter }
}

// MARK: The pass over images

extension OrderFactorization {
  /// Images whitened together; a block of them with the factor stays well below a gigabyte.
  private static let imagesPerBlock = 256

  /// Residuals of some images given the earlier steps and given all tokens before, both in the coordinates in which the
  /// scatter of the former is the identity: token k's parallel residual is C_k times what stands here, with
  /// C_k·C_kᵀ = L_g[k]·L_g[k]ᵀ.
  struct Residuals {
    /// `images × n·d`, by position in the sequence.
    var parallel: Matrix
    /// `images × n·d`; the same as `parallel` for the first token of a step.
    var sequential: Matrix
    /// eᵀW⁻¹e of the sequential residuals with their own scatter W, `images × n`.
    var sequentialNorms: [Double]
    /// The squared length of the whitened context, which 1/m makes the leverage: of the earlier steps, and of all tokens
    /// before; `images × n`.
    var parallelContext: [Double]
    var sequentialContext: [Double]
  }

  /// The residuals of a run of images.
  ///
  /// One triangular solve whitens all residuals of the order at once: z = L⁻¹(x − x̄). Token k's sequential residual L_kk·z_k
  /// has the scatter L_kk·L_kkᵀ, and its parallel residual L_g[k]·z_g the scatter L_g[k]·L_g[k]ᵀ.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·(n·d)²/2).
  func residuals(of images: Range<Int>, in features: some TokenFeatures) throws -> Residuals {
    let (n, width, d) = (order.grid.cellCount, coordinates, channels)
    let rows = try features.features(ofImages: images)
    var centred = Matrix(rows: images.count, columns: n * width)
    for (position, cell) in order.sequence.enumerated() {
      for c in 0..<width {
        let (from, to, mean) = (cell * width + c, position * width + c, mean[cell * width + c])
        for i in 0..<images.count {
          centred.elements[i * n * width + to] = Double(rows[i * n * width + from]) - mean
        }
      }
    }
    let whitened = factor.whiten(rows: centred)
    let zeros = [Double](repeating: 0, count: images.count * n)
    var result = Residuals(
      parallel: Matrix(rows: images.count, columns: n * d),
      sequential: Matrix(rows: images.count, columns: n * d), sequentialNorms: zeros,
      parallelContext: zeros, sequentialContext: zeros)
    for i in 0..<images.count {
      var context = 0.0
      var position = 0
      for step in order.steps {
        let past = context
        for _ in step {
          let place = i * n + position
          let first = place * width
          var squares = 0.0
          for c in 0..<d {
            let value = whitened.elements[first + c]
            squares += value * value
            result.parallel.elements[place * d + c] = value
            result.sequential.elements[place * d + c] = value
          }
          result.sequentialNorms[place] = squares
          result.sequentialContext[place] = context
          result.parallelContext[place] = past
          for c in first + d..<first + width {
            squares += whitened.elements[c] * whitened.elements[c]
          }
          context += squares
          position += 1
        }
      }
    }
    var position = 0
    for (cells, step) in zip(order.steps, steps) {
      defer { position += cells.count }
      guard cells.count > 1 else { continue }
      let parts = whitened.block(
        rows: 0..<images.count, columns: position * width..<(position + cells.count) * width)
      let parallel = parts.times(step.whitening, transposed: true)
      for index in 1..<cells.count {
        let own = step.whitening.block(
          rows: index * d..<(index + 1) * d, columns: index * width..<index * width + d)
        let sequential = parts.block(
          rows: 0..<images.count, columns: index * width..<index * width + d
        ).times(own, transposed: true)
        for i in 0..<images.count {
          let to = (i * n + position + index) * d
          for c in 0..<d {
            result.parallel.elements[to + c] = parallel[i, index * d + c]
            result.sequential.elements[to + c] = sequential[i, c]
          }
        }
      }
    }
    return result
  }

  /// Calls `body` with the residuals of a block of images at a time.
  ///
  /// - Throws: What reading the features or `body` throws.
  /// - Complexity: O(images·(n·d)²/2).
  func forEachBlock(
    of features: some TokenFeatures, _ body: (Int, Residuals) throws -> Void
  ) throws {
    for first in stride(from: 0, to: features.imageCount, by: Self.imagesPerBlock) {
      let images = first..<min(first + Self.imagesPerBlock, features.imageCount)
      try body(images.count, try residuals(of: images, in: features))
    }
  }

  /// C_k⁻¹, which whitens the parallel residuals of the token at a position by their scatter.
  func parallelWhitening(at position: Int) -> Matrix {
    let (d, width) = (channels, coordinates)
    var own = Matrix(rows: d, columns: d)
    for a in 0..<d {
      for b in 0...a { own[a, b] = factor.lower[position * width + a, position * width + b] }
    }
    // L_kk⁻¹.
    var inverse = Matrix.identity(d)
    for a in 0..<d {
      for b in 0...a {
        var value = a == b ? 1.0 : 0
        for c in b..<a { value -= own[a, c] * inverse[c, b] }
        inverse[a, b] = value / own[a, a]
      }
    }
    var first = 0
    for step in steps {
      let count = step.sequentialFits.count
      defer { first += count }
      guard position < first + count else { continue }
      let index = position - first
      guard index > 0 else { return inverse }
      return step.whitening.block(
        rows: index * d..<(index + 1) * d, columns: index * width..<index * width + d
      ).times(inverse)
    }
    return inverse
  }

  /// The share of an image's own weight that a fit leaves out, 1 − h, from the squared length of its whitened context;
  /// rounding must not bring it to zero.
  func rest(ofContext context: Double) -> Double {
    max(1 - 1 / Double(imageCount) - context, 1e-9)
  }

  /// The pass over the images fitted to that debiased entropies and errors from the images take.
  ///
  /// - Parameter isSingle: Whether images are whitened in single precision; by default where the scatter is of mixed precision.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·(n·d)²), on all cores.
  func pass(
    over features: some TokenFeatures, bound: EntropyBound, isSingle: Bool? = nil
  ) throws -> OrderPassResult {
    isSingle ?? isMixedPrecision
      ? try OrderPass<Float>(self, bound: bound, features: features).run(over: features)
      : try OrderPass<Double>(self, bound: bound, features: features).run(over: features)
  }
}
