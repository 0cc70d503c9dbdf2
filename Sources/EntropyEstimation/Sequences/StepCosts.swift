import LinearAlgebra
import TokenGrids

/// What every step loses that a sequence of tokens can be cut into: cost(a, b) is the total correlation of the tokens at the
/// places a ..< b given all tokens before them, Σ_{k=a}^{b−1} [H(k | before a) − H(k | before k)].
///
/// Costs of steps that follow each other add up to what an order loses, so that the best sizes of steps for any number of
/// them follow from this table alone.
public struct StepCosts: Sendable {
  /// Raster indices, every cell of the grid once.
  public let sequence: [Int]
  /// N, the places.
  public var count: Int { sequence.count }
  /// How the entropies were estimated; nil where the covariance is known.
  public let bound: EntropyBound?
  /// By a, the costs of (a, a + 1), …, (a, N), in nats.
  private let table: [Double]
  /// How many pairs of a token and a context had weights that left no scatter to be trusted, and took simpler ones; see
  /// ``OrderProfile/fallbackCount``.
  public let fallbackCount: Int

  /// Sums up increases.
  ///
  /// - Parameter increases: H(k | before a) − H(k | before k) in nats, of pairs a ≤ k.
  init(
    sequence: [Int], bound: EntropyBound?, increases: PairTable, fallbackCount: Int = 0
  ) {
    self.sequence = sequence
    self.bound = bound
    self.fallbackCount = fallbackCount
    let n = sequence.count
    var table: [Double] = []
    table.reserveCapacity(n * (n + 1) / 2)
    for a in 0..<n {
      var sum = 0.0
      for k in a..<n {
        if k > a { sum += increases[a, k] }
        table.append(sum)
      }
    }
    self.table = table
  }

  /// The cost of one step with the places `start` ..< `end`, in nats.
  ///
  /// - Precondition: 0 ≤ start < end ≤ N.
  public subscript(start: Int, end: Int) -> Double {
    precondition(0 <= start && start < end && end <= count, "a step has places of the sequence")
    return table[start * count - start * (start - 1) / 2 + end - start - 1]
  }

  /// What steps of some sizes lose together, in nats.
  ///
  /// - Precondition: the sizes are positive and add up to N.
  public func loss(ofGroupSizes sizes: [Int]) -> Double {
    precondition(sizes.reduce(0, +) == count, "the steps hold every token")
    var (start, sum) = (0, 0.0)
    for size in sizes {
      sum += self[start, start + size]
      start += size
    }
    return sum
  }
}

/// A number for each pair of a place k and the places a ≤ k.
struct PairTable: Sendable {
  private(set) var numbers: [Double]

  init(places: Int) { numbers = Array(repeating: 0, count: places * (places + 1) / 2) }

  /// Where the numbers of k begin: those of a = 0 … k follow each other.
  static func start(of k: Int) -> Int { k * (k + 1) / 2 }

  subscript(a: Int, k: Int) -> Double {
    get { numbers[Self.start(of: k) + a] }
    set { numbers[Self.start(of: k) + a] = newValue }
  }

  /// Computes the numbers of every k on all cores.
  init(places: Int, _ body: @Sendable (_ k: Int, UnsafeMutablePointer<Double>) -> Void) {
    self.init(places: places)
    numbers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let shared = SharedPointer(base)
      parallelFor(places) { index in
        // Long rows first.
        let k = places - 1 - index
        body(k, shared.base + Self.start(of: k))
      }
    }
  }
}
