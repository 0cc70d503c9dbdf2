import Foundation

/// How evenly the entries of a codebook are used.
package struct CodeUse: Hashable, Sendable {
  /// How many tokens have each code.
  package let counts: [Int]

  /// Takes counts that were made elsewhere, one for each entry of the codebook.
  package init(counts: [Int]) {
    self.counts = counts
  }

  /// Counts the codes of all images, block by block.
  ///
  /// - Throws: ``TokenDataError`` when a code is outside the codebook or the file is damaged.
  /// - Precondition: the tokens have a codebook.
  /// - Complexity: O(m·n + K).
  package init(of tokens: some DescribedTokens) throws {
    var counts = [Int](repeating: 0, count: tokens.codebook?.rows ?? 0)
    for block in tokens.blocks {
      for code in try tokens.checkedCodes(ofImages: block) { counts[Int(code)] += 1 }
    }
    self.counts = counts
  }

  /// How many entries at least one token has.
  package var usedCount: Int { counts.count { $0 > 0 } }

  /// The entropy of the code of a random token, −Σ p·log p, in nats.
  package var entropy: Double {
    let total = Double(counts.reduce(0, +))
    return counts.reduce(0.0) { sum, count in
      let p = Double(count) / total
      return count > 0 ? sum - p * log(p) : sum
    }
  }

  /// The number of equally used entries that would have the same entropy: its exponential.
  package var perplexity: Double { exp(entropy) }
}
