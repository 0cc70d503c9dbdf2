import LinearAlgebra
import NeuralKernels

/// From logits to the probabilities that a token is drawn with: temperature, then top-k, then top-p.
public struct TokenFilter: Hashable, Sendable {
  /// Logits are divided by this; values below 10⁻⁵ count as 10⁻⁵.
  public var temperature: Float
  /// Keep the k largest logits and whatever ties with the k-th; 0 keeps all.
  public var topK: Int
  /// Keep the smallest set of the most probable codes whose probabilities sum to more than p; 1 keeps all.
  public var topP: Float

  /// Makes a filter; without arguments one that changes nothing.
  public init(temperature: Float = 1, topK: Int = 0, topP: Float = 1) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }

  /// Makes sure that the options are in range.
  ///
  /// - Throws: ``PARError/badOption(name:value:expected:)`` for the first that is not.
  public func validate() throws(PARError) {
    guard temperature.isFinite, temperature >= 0 else {
      throw .badOption(
        name: "temperature", value: "\(temperature)", expected: "a number of at least 0")
    }
    guard topK >= 0 else {
      throw .badOption(name: "top-k", value: "\(topK)", expected: "0 for all codes, or more")
    }
    guard topP > 0, topP <= 1 else {
      throw .badOption(name: "top-p", value: "\(topP)", expected: "a number above 0, at most 1")
    }
  }

  /// The probabilities of all codes; 0 for those filtered out.
  ///
  /// - Complexity: O(K), and O(K log K) with top-p.
  public func probabilities(_ logits: [Float]) -> [Float] {
    var values = logits
    let divisor = max(temperature, 1e-5)
    if divisor != 1 { for i in values.indices { values[i] /= divisor } }
    if topK > 0, topK < values.count {
      let threshold = Self.largest(topK, of: values)
      for i in values.indices where values[i] < threshold { values[i] = -.infinity }
    }
    TransformerKernels.softmax(&values)
    guard topP < 1 else { return values }
    // Codes of equal probability are taken in order of their number.
    let ranking = values.indices.filter { values[$0] > 0 }
      .sorted { (values[$0], $1) > (values[$1], $0) }
    var cumulative: Float = 0
    var kept = 0
    while kept < ranking.count, cumulative <= topP {
      cumulative += values[ranking[kept]]
      kept += 1
    }
    for i in ranking[kept...] { values[i] = 0 }
    for i in ranking[..<kept] { values[i] /= cumulative }
    return values
  }

  /// The k-th largest of `values`, by repeated partition.
  ///
  /// - Complexity: O(count) on average.
  static func largest(_ k: Int, of values: [Float]) -> Float {
    var candidates = values
    var rank = k
    while true {
      let pivot = candidates[candidates.count / 2]
      let above = candidates.filter { $0 > pivot }
      if rank <= above.count {
        candidates = above
        continue
      }
      let equal = candidates.reduce(0) { $0 + ($1 == pivot ? 1 : 0) }
      if rank <= above.count + equal { return pivot }
      rank -= above.count + equal
      candidates = candidates.filter { $0 < pivot }
    }
  }
}
