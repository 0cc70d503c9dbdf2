extension AnyOrderTraining {
  /// The mean loss of the tokens that are predicted when a certain number is known.
  public struct KnownTokensLoss: Sendable {
    /// The fewest tokens known.
    public let fewest: Int
    /// The most tokens known.
    public let most: Int
    /// The tokens of held-out images that were predicted so.
    public let tokens: Int
    /// The mean of −log q, in nats.
    public let loss: Double
    /// Its standard error over images, whose tokens are not taken for independent; NaN for a single one.
    public let standardError: Double

    /// Makes the mean of images' sums over some of their tokens.
    init(fewest: Int, most: Int, sums: [(sum: Double, tokens: Int)]) {
      (self.fewest, self.most) = (fewest, most)
      let tokens = sums.reduce(0) { $0 + $1.tokens }
      let loss = sums.reduce(0) { $0 + $1.sum } / Double(tokens)
      let squares = sums.reduce(0) {
        let rest = $1.sum - loss * Double($1.tokens)
        return $0 + rest * rest
      }
      let count = Double(sums.count)
      (self.tokens, self.loss) = (tokens, loss)
      standardError =
        count > 1 ? (squares * count / (count - 1)).squareRoot() / Double(tokens) : .nan
    }
  }
}

extension TrainingLoop where Plan == AnyOrderPlan {
  /// The loss of held-out images in sixteen classes of how many tokens are known, or fewer on a small grid.
  func lossByKnownTokens() -> [AnyOrderTraining.KnownTokensLoss] {
    guard !validation.isEmpty else { return [] }
    let losses = trainer.losses(validation)
    let count = validation[0].cells.count
    let classes = min(16, count)
    // Of every class the sums and numbers of tokens of each image that has some.
    var sums = [[(sum: Double, tokens: Int)]](repeating: [], count: classes)
    for (index, image) in validation.enumerated() {
      var own = [(sum: Double, tokens: Int)](repeating: (0, 0), count: classes)
      var first = 0
      for size in image.groupSizes {
        let place = first * classes / count
        for k in first..<first + size { own[place].sum += Double(losses[index * count + k]) }
        own[place].tokens += size
        first += size
      }
      for (place, part) in own.enumerated() where part.tokens > 0 { sums[place].append(part) }
    }
    // The numbers k with ⌊k·classes/N⌋ = place begin here.
    func least(_ place: Int) -> Int { (place * count + classes - 1) / classes }
    return sums.enumerated().compactMap { place, sums in
      sums.isEmpty
        ? nil
        : AnyOrderTraining.KnownTokensLoss(
          fewest: least(place), most: least(place + 1) - 1, sums: sums)
    }
  }
}
