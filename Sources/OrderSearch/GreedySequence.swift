import Foundation
import LinearAlgebra
import Statistics

/// Sequences that take, token by token, the one that tells most about all that are left.
///
/// A token that tells much about many others shares little with those taken before, since what these have told is gone from what
/// is left: early tokens lie apart, and each step of the sequence loses little however it is cut.
public struct GreedySequence: Sendable {
  /// How fast it stops counting what is told about tokens that much is known of: information about token j counts e^(−s·t) times
  /// if t nats have been told about it. 0 counts all alike.
  public var saturation: Double
  /// Decides between tokens that tell the same to a share of 10⁻⁶.
  public var seed: UInt64

  /// Makes a rule.
  public init(saturation: Double = 1, seed: UInt64 = 0) {
    self.saturation = saturation
    self.seed = seed
  }

  /// The sequence for tokens with a covariance, raster indices.
  ///
  /// I(i; j | taken) is taken to be ½‖C‖², C the correlation of the whitened tokens.
  ///
  /// - Parameters:
  ///   - covariance: Of whole tokens of `featureDimensions` numbers, lower triangle.
  ///   - shouldStop: Asked after each token; the rest then follows in raster order.
  /// - Complexity: O((n·d)³/3) in single precision, and O(n²·d³) times the tokens looked at in each turn, some ten.
  public func sequence(
    covariance: Matrix, featureDimensions d: Int, shouldStop: () -> Bool = { false }
  ) -> [Int] {
    let elimination = BlockElimination(covariance, blockSize: d)
    let n = elimination.remaining.count
    var generator = SeededGenerator(seed: seed, stream: 7)
    // By token: what it told when last looked at, what has been told about it, and how to break ties.
    var score = [Double](repeating: .infinity, count: n)
    var known = [Double](repeating: 0, count: n)
    let tie = (0..<n).map { _ in 1 + 1e-6 * Double.random(in: 0..<1, using: &generator) }
    var sequence: [Int] = []
    var whitening = Whitening(count: n, d: d)
    while !elimination.remaining.isEmpty {
      if shouldStop() {
        sequence += elimination.remaining.sorted()
        break
      }
      whitening.update(elimination)
      var isFresh = [Bool](repeating: false, count: n)
      // What a token tells falls as others are taken, so old numbers are bounds as a rule, and few have to be renewed.
      while true {
        let place = elimination.remaining.indices.max {
          score[elimination.remaining[$0]] < score[elimination.remaining[$1]]
        }
        guard let place else { break }
        let token = elimination.remaining[place]
        if isFresh[token] {
          let told = whitening.information(of: place, in: elimination)
          for (other, value) in told.enumerated() where other != place {
            known[elimination.remaining[other]] += value
          }
          sequence.append(token)
          elimination.take(at: place)
          break
        }
        let told = whitening.information(of: place, in: elimination)
        var sum = 0.0
        for (other, value) in told.enumerated() where other != place {
          sum += value * exp(-saturation * known[elimination.remaining[other]])
        }
        score[token] = sum * tie[token]
        isFresh[token] = true
      }
    }
    return sequence
  }
}

/// The inverse factors of the remaining tokens' own blocks.
private struct Whitening {
  let d: Int
  /// By place, L⁻¹ of d × d; zero where a block is not positive definite.
  private var inverses: [Float]

  init(count: Int, d: Int) {
    self.d = d
    inverses = Array(repeating: 0, count: count * d * d)
  }

  mutating func update(_ elimination: BlockElimination) {
    let d = d
    withUnsafeTemporaryAllocation(of: Float.self, capacity: d * d) { block in
      guard let base = block.baseAddress else { return }
      for place in elimination.remaining.indices {
        elimination.block(place, place, into: base)
        inverses.withUnsafeMutableBufferPointer {
          if let to = $0.baseAddress { Self.invertFactor(base, d, into: to + place * d * d) }
        }
      }
    }
  }

  /// L⁻¹ of the block L·Lᵀ, or zero.
  private static func invertFactor(
    _ a: UnsafeMutablePointer<Float>, _ d: Int, into inverse: UnsafeMutablePointer<Float>
  ) {
    inverse.update(repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0...i {
        var value = a[i * d + j]
        for c in 0..<j { value -= a[i * d + c] * a[j * d + c] }
        if i == j {
          guard value > 1e-6 * a[i * d + i], value > 0 else { return }
          a[i * d + i] = value.squareRoot()
        } else {
          a[i * d + j] = value / a[j * d + j]
        }
      }
    }
    for j in 0..<d {
      inverse[j * d + j] = 1 / a[j * d + j]
      for i in j + 1..<max(d, j + 1) {
        var value: Float = 0
        for c in j..<i { value -= a[i * d + c] * inverse[c * d + j] }
        inverse[i * d + j] = value / a[i * d + i]
      }
    }
  }

  /// ½‖L_i⁻¹·Q_ij·L_j⁻ᵀ‖² for every remaining token j.
  func information(of place: Int, in elimination: BlockElimination) -> [Double] {
    let (d, count) = (d, elimination.remaining.count)
    return inverses.withUnsafeBufferPointer { inverses in
      guard let base = inverses.baseAddress else { return [] }
      let own = base + place * d * d
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * d * d) { buffer in
        guard let block = buffer.baseAddress else { return [] }
        let half = block + d * d
        return (0..<count).map { other in
          guard other != place else { return 0 }
          elimination.block(place, other, into: block)
          for r in 0..<d {
            for c in 0..<d { half[r * d + c] = 0 }
            for x in 0...r {
              let factor = own[r * d + x]
              for c in 0..<d { half[r * d + c] += factor * block[x * d + c] }
            }
          }
          let inverse = base + other * d * d
          var sum: Float = 0
          for r in 0..<d {
            for c in 0..<d {
              var value: Float = 0
              for x in 0...c { value += half[r * d + x] * inverse[c * d + x] }
              sum += value * value
            }
          }
          return 0.5 * Double(sum)
        }
      }
    }
  }
}
