/// A seeded random generator whose numbers never change: xoshiro256** by Blackman and Vigna, its state filled by
/// SplitMix64.
///
/// Shuffles and bounded draws are defined here too, because those of the standard library may change between
/// releases; a seed in a published figure must keep its meaning. Period 2²⁵⁶ − 1. Not for cryptography.
/// (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.)
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Starts the sequence that belongs to `seed`.
  ///
  /// Different streams of one seed are independent sequences, for instance one for each image of a batch; stream 0
  /// is the sequence of the seed itself.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var mixer = SplitMix64(state: seed ^ SplitMix64.mix(stream))
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// Starts from a whole state, which must not be zero everywhere.
  init(state: (UInt64, UInt64, UInt64, UInt64)) { self.state = state }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = (state.1 &* 5).rotatedLeft(by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = state.3.rotatedLeft(by: 45)
    return result
  }

  /// A whole number from 0 to `bound` − 1, each equally likely.
  ///
  /// Lemire's method: the high half of a product, with the few draws rejected that would make some numbers likelier.
  /// - Precondition: `bound > 0`.
  public mutating func nextIndex(below bound: Int) -> Int {
    precondition(bound > 0, "there is no index below \(bound)")
    let width = UInt64(bound)
    var product = next().multipliedFullWidth(by: width)
    if product.low < width {
      let rejected = (0 &- width) % width
      while product.low < rejected { product = next().multipliedFullWidth(by: width) }
    }
    return Int(product.high)
  }

  /// A number in [0, 1), a multiple of 2⁻⁵³.
  public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Puts the elements in a random order, every order equally likely (Fisher and Yates, from the back).
  ///
  /// - Complexity: O(n).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in elements.indices.reversed().dropLast() {
      elements.swapAt(last, nextIndex(below: last + 1))
    }
  }
}

/// SplitMix64 by Steele, Lea and Flood: a counter and a mixing function; used only to spread seeds.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A bijection of 64 bits in which every input bit moves every output bit; 0 stays 0.
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension UInt64 {
  fileprivate func rotatedLeft(by bits: UInt64) -> UInt64 { self << bits | self >> (64 - bits) }
}
