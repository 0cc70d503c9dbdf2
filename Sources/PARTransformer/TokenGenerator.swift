/// The random numbers of one image: SplitMix64, started from the run's seed and the image's number.
///
/// Tokens are drawn in the order of the sequence, one number each, so that an image depends on its own number and the
/// seed alone. (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.)
struct TokenGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64, image: Int) {
    // Two rounds of mixing keep images of neighbouring seeds and numbers apart.
    state = Self.mix(Self.mix(seed) ^ UInt64(truncatingIfNeeded: image) &* Self.step)
  }

  mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mix(state)
  }

  private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}

extension RandomNumberGenerator {
  /// Draws an index with the given probabilities.
  ///
  /// - Precondition: some probability is positive; they need not sum to 1 exactly.
  mutating func index(withProbabilities probabilities: [Float]) -> Int {
    let total = probabilities.reduce(0.0) { $0 + Double($1) }
    // 53 bits: a uniform number on [0, total).
    let target = Double(next() >> 11) * 0x1p-53 * total
    var cumulative = 0.0
    var last = 0
    for (index, probability) in probabilities.enumerated() where probability > 0 {
      cumulative += Double(probability)
      if target < cumulative { return index }
      last = index
    }
    return last
  }
}
