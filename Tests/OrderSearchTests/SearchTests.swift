import EntropyEstimation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import OrderSearch

/// With the true covariance the search finds the best order there is: of all sequences of steps of six tokens.
@Test func searchFindsTheExactOptimum() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let covariance = try GaussianField(grid: grid, channels: 1).covariance
  func loss(_ steps: [[Int]]) throws -> Double {
    try StepCosts(of: steps.flatMap(\.self), covariance: covariance).loss(
      ofGroupSizes: steps.map(\.count))
  }
  for count in [2, 3] {
    // Every assignment of tokens to steps.
    var best = Double.infinity
    for code in 0..<Int(pow(count, 6)) {
      var (rest, steps) = (code, [[Int]](repeating: [], count: count))
      for token in 0..<6 {
        steps[rest % count].append(token)
        rest /= count
      }
      if steps.allSatisfy({ !$0.isEmpty }) { best = min(best, try loss(steps)) }
    }
    let search = SequenceSearch(covariance: covariance, featureDimensions: 1)
    // From every token's greedy continuation: a local search wants several starts.
    var found = Double.infinity
    for seed in 0..<6 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var sequence = Array(0..<6)
      generator.shuffle(&sequence)
      let start = try #require(search.cut(sequence, steps: count))
      let better = search.improved(start)
      #expect(better.trainingLoss <= start.trainingLoss + 1e-12)
      #expect(abs(try loss(better.steps) - better.trainingLoss) < 1e-10)
      found = min(found, better.trainingLoss)
    }
    #expect(abs(found - best) < 1e-9)
  }
}

private func pow(_ base: Int, _ exponent: Int) -> Int {
  (0..<exponent).reduce(1) { product, _ in product * base }
}

/// The gain that an exchange promises is what two steps lose less, and no single exchange is left that would help.
@Test(arguments: [1, 2]) func exchangesGainWhatTheySay(channels: Int) throws {
  let grid = TokenGrid(rows: 3, columns: 4)
  let covariance = try GaussianField(grid: grid, channels: channels).covariance
  // Two tokens are known; the other ten are drawn in steps of four and six.
  let sequence = [5, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
  func loss(_ sequence: [Int]) throws -> Double {
    try StepCosts(of: sequence, covariance: covariance).loss(ofGroupSizes: [1, 1, 4, 6])
  }
  let factor = try CholeskyFactor(
    ofLowerTriangle: covariance.symmetricPermutation(ofBlocks: sequence, blockSize: channels))
  var rows = factor.lower.block(
    rows: 2 * channels..<12 * channels, columns: 2 * channels..<12 * channels)
  for i in 0..<rows.rows { for j in i + 1..<max(rows.rows, i + 1) { rows[i, j] = 0 } }
  let (first, gain) = StepExchange(factor: rows, featureDimensions: channels).improved(
    first: Array(0..<4))
  func whole(_ first: [Int]) -> [Int] {
    sequence.prefix(2) + first.map { sequence[2 + $0] }
      + (0..<10).filter { !first.contains($0) }.map { sequence[2 + $0] }
  }
  let (before, after) = (try loss(sequence), try loss(whole(first)))
  #expect(gain > 0.1 && abs(before - after - gain) < 1e-9)
  for place in first.indices {
    for other in 0..<10 where !first.contains(other) {
      var changed = first
      changed[place] = other
      #expect(try loss(whole(changed)) > after - 1e-8)
    }
  }
}

/// The greedy rule takes what an explicit elimination says.
@Test func greedySequenceIsThatOfExplicitElimination() throws {
  let grid = TokenGrid(rows: 3, columns: 3)
  let covariance = try GaussianField(grid: grid, channels: 2, range: 1.3).covariance
  let sequence = GreedySequence(saturation: 0.5).sequence(
    covariance: covariance, featureDimensions: 2)
  #expect(sequence.sorted() == Array(0..<9))
  var known = [Double](repeating: 0, count: 9)
  for (turn, chosen) in sequence.enumerated().dropLast() {
    let taken = Array(sequence.prefix(turn))
    let rest = (0..<9).filter { !taken.contains($0) }
    func information(_ i: Int, _ j: Int) throws -> Double {
      let tokens = taken + [i, j]
      let n = 2 * taken.count
      let factor = try CholeskyFactor(
        ofLowerTriangle: covariance.symmetricPermutation(ofTokens: tokens, size: 2))
      var rows = factor.lower.block(rows: n..<n + 4, columns: n..<n + 4)
      for a in 0..<4 { for b in a + 1..<max(4, a + 1) { rows[a, b] = 0 } }
      let joint = rows.timesTranspose()
      let root = try CholeskyFactor(
        ofLowerTriangle: joint.block(rows: 2..<4, columns: 2..<4))
      // L_i⁻¹·Q_ij·L_j⁻ᵀ: the rows of j in the columns of i, whitened on both sides.
      let cross = root.solveLower(rows.block(rows: 2..<4, columns: 0..<2))
      return 0.5 * cross.elements.reduce(0) { $0 + $1 * $1 }
    }
    func score(_ i: Int) throws -> Double {
      try rest.filter { $0 != i }.reduce(0) {
        $0 + (try information(i, $1)) * exponential(-0.5 * known[$1])
      }
    }
    let best = try rest.map(score).max() ?? 0
    // Ties of a symmetric grid are broken at random, and numbers are of single precision.
    #expect(try score(chosen) > best * (1 - 1e-4))
    for other in rest where other != chosen { known[other] += try information(chosen, other) }
  }
}

extension Matrix {
  /// The covariance of some tokens.
  fileprivate func symmetricPermutation(ofTokens tokens: [Int], size d: Int) -> Matrix {
    var result = Matrix(rows: tokens.count * d, columns: tokens.count * d)
    for (i, a) in tokens.enumerated() {
      for (j, b) in tokens.enumerated() {
        for r in 0..<d {
          for c in 0..<d { result[i * d + r, j * d + c] = self[a * d + r, b * d + c] }
        }
      }
    }
    return result
  }
}
