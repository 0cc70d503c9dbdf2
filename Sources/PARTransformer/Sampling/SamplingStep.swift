/// The tokens of one step, each of which can be drawn by itself.
struct SamplingStep: Sendable {
  let logits: PassLogits
  let images: Int
  /// Positions of each sequence in the pass, and how many of them predict a token.
  let positions: Int
  let drawn: Int
  /// The scale of guidance of each token; nil where the step has none.
  let guidance: [Float]?
  /// nil takes the most probable code.
  let filter: TokenFilter?
  /// For each image and token a uniform number in [0, 1).
  let draws: [[Double]]

  /// The code of one token, image by image; nil where the logits are not finite.
  func code(_ index: Int) -> Int? {
    let (image, place) = (index / drawn, index % drawn)
    var logits = logits[image * positions + place]
    if let guidance = guidance?[place] {
      let unconditional = self.logits[(images + image) * positions + place]
      for i in logits.indices {
        logits[i] = unconditional[i] + guidance * (logits[i] - unconditional[i])
      }
    }
    // Their sum is finite only if all are: logits are far from overflowing it.
    guard logits.reduce(0, { $0 + Double($1) }).isFinite else { return nil }
    guard let filter else { return Self.indexOfLargest(logits) }
    return Self.index(at: draws[image][place], of: filter.probabilities(logits))
  }

  /// The first of the largest.
  static func indexOfLargest(_ values: [Float]) -> Int {
    var best = 0
    for i in values.indices where values[i] > values[best] { best = i }
    return best
  }

  /// The index into whose share of the probabilities, laid end to end, the uniform number `draw` falls.
  static func index(at draw: Double, of probabilities: [Float]) -> Int {
    let total = probabilities.reduce(0.0) { $0 + Double($1) }
    let target = draw * total
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
