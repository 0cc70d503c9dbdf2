import LinearAlgebra

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
  /// Those of single images are there where all images were in one process.
  let influences: OrderInfluences
  /// Sums of the images' influences on the sum of all increases, and on that of all sequential entropies.
  let total: RunSums
  let joint: RunSums
  /// As ``ImageChunks/starts``.
  let starts: [UInt8]

  /// What a pass over all images has found.
  init<Scalar>(
    _ pass: OrderPass<Scalar>, _ fits: [OrderPass<Scalar>.TokenFits], _ influences: OrderInfluences
  ) {
    self.init(
      pass, fits, influences, total: RunSums(influences.totals, starts: pass.chunks.starts),
      joint: RunSums(influences.joint, starts: pass.chunks.starts))
  }

  /// What passes over parts of the images have found, added up.
  init<Scalar>(
    _ pass: OrderPass<Scalar>, _ fits: [OrderPass<Scalar>.TokenFits], _ influences: OrderInfluences,
    total: RunSums, joint: RunSums
  ) {
    let corrections = pass.corrections(fits, influences)
    let d = pass.factorization.channels
    sequential = corrections.map(\.0)
    parallel = corrections.map(\.1)
    degenerateVariances = fits.map {
      Double(d * $0.added) / (2 * $0.freedom.0 * $0.freedom.1)
    }
    fallbacks = fits.count(where: \.isFallback)
    self.influences = influences
    (self.total, self.joint) = (total, joint)
    starts = pass.chunks.starts
  }
}
