import LinearAlgebra
import TokenData

/// The pass over the images that a factored order's debiased entropies and its errors from the images take.
///
/// One triangular solve whitens all residuals of an image at once, z = L⁻¹(x − x̄): token k's sequential residual, whitened by
/// its own scatter, is z_k, its parallel one a product of its step's part of z, and the squared lengths of z so far
/// are the leverages. The solve takes m·(n·d)² multiplications and additions, as much as the scatter, and single precision is enough for it: z
/// enters through S alone, a small correction whose rounding is far below its error.
struct OrderPass<Scalar: WhiteningScalar>: Sendable {
  let factorization: OrderFactorization
  private let bound: EntropyBound
  /// Nil for a pass over no images, which only takes what follows from sums.
  private let factor: WhiteningFactor<Scalar>?
  /// By step, row-major; empty for single tokens.
  let stepWhitening: [[Scalar]]
  let chunks: ImageChunks

  /// Whitened images are kept from the sums to the influences if they take no more bytes than this; else each is whitened
  /// twice.
  static var storageLimit: Int { 512 << 20 }

  /// Prepares the pass over images that were fitted to.
  ///
  /// - Parameter baseLeverages: By image, the leverage of the means, where `features` are not all of the images; nil where they
  ///   are.
  init(
    _ factorization: OrderFactorization, bound: EntropyBound, features: some TokenFeatures,
    baseLeverages: [Double]? = nil
  ) {
    self.factorization = factorization
    self.bound = bound
    factor = features.imageCount > 0 ? WhiteningFactor(factorization.factor) : nil
    stepWhitening = factorization.steps.map { $0.whitening.elements.map { Scalar($0) } }
    let (n, d) = (factorization.order.grid.cellCount, factorization.channels)
    chunks = ImageChunks(
      of: features, bytesPerChunk: 4 * n * d * d * MemoryLayout<Double>.size,
      baseLeverages: baseLeverages)
  }

  /// Makes the pass.
  ///
  /// - Parameter storageLimit: In bytes; a test that wants images whitened twice sets 0.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·(n·d)²), twice that where whitened images do not fit the limit, on all cores.
  func run(
    over features: some TokenFeatures, storageLimit: Int = Self.storageLimit
  ) throws -> OrderPassResult {
    let bytes = features.imageCount * factorization.factor.order * MemoryLayout<Scalar>.size
    let stored = bytes <= storageLimit ? ChunkStore<[WhitenedRows<Scalar>]>() : nil
    return try BLAS.onCallingThread {
      guard bound == .debiased else {
        let fits = gaussianFits()
        return OrderPassResult(
          self, fits, try influences(of: fits, over: features, stored: stored))
      }
      let sums = try sums(over: features, stored: stored)
      try requireScatters(sums, source: features.name)
      var fits = weightedFits(sums)
      var influences = try influences(of: fits, over: features, stored: stored)
      // Only the influences tell how noisy a scatter is; where one is too noisy they are taken once more.
      let noisy = noisyTokens(fits, influences)
      if !noisy.isEmpty {
        fits = weightedFits(sums, fallbacks: noisy)
        influences = try self.influences(of: fits, over: features, stored: stored)
      }
      return OrderPassResult(self, fits, influences)
    }
  }

  /// The positions whose weighted scatters are too noisy, which want the weights 1/(1 − h).
  func noisyTokens(_ fits: [TokenFits], _ influences: OrderInfluences) -> Set<Int> {
    Set(
      fits.indices.filter { position in
        !fits[position].isFallback
          && noise(fits[position], influences, at: position).contains(where: \.isTooLarge)
      })
  }

  /// The noise of a token's sequential and parallel scatters.
  func noise(
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
  func scales(
    of fits: TokenFits
  ) -> (sequential: Double, parallel: Double, increase: Double) {
    let m = Double(factorization.imageCount)
    return (
      (m / fits.freedom.0).squareRoot(), (m / fits.freedom.1).squareRoot(),
      (m / (fits.freedom.0 * fits.freedom.1).squareRoot()).squareRoot()
    )
  }

  /// What comes to the closed form's sequential and parallel entropy of each token.
  func corrections(_ fits: [TokenFits], _ influences: OrderInfluences) -> [(Double, Double)] {
    fits.indices.map { position in
      let fit = fits[position]
      let noise =
        bound == .debiased
        ? noise(fit, influences, at: position).map(\.correction) : [0, 0]
      return (
        fit.sequential.correction + fit.adjustment.0 + noise[0],
        fit.parallel.correction + fit.adjustment.1 + noise[1]
      )
    }
  }

  // MARK: Blocks of whitened images

  private func whitened(
    _ images: Range<Int>, of features: some TokenFeatures, into rows: WhitenedRows<Scalar>
  ) throws {
    rows.set(
      try features.features(ofImages: images)[...], count: images.count,
      sequence: factorization.order.sequence, blockSize: factorization.coordinates,
      mean: factorization.mean)
    guard let factor else { preconditionFailure("there are images, so there is a factor") }
    rows.whiten(by: factor)
  }

  /// Calls `body` with each block of a chunk, whitened, from the store where it is there.
  func forEachBlock(
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
          capacity: stored == nil ? capacity : images.count, columns: factorization.factor.order)
      if stored == nil { shared = rows } else { kept.append(rows) }
      try whitened(images, of: features, into: rows)
      body(images, rows)
    }
    stored?.set(chunk, kept)
  }
}
