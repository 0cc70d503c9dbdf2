/// The means that have been taken off images before a regression is fitted, which weigh on its leverages and degrees of
/// freedom.
struct FittedMeans: Sendable {
  /// C: 1, or one for each group.
  let count: Int
  /// By image: the images of its group.
  private let sizes: [Int]

  /// - Parameter groups: For each image the group, 0..<C, whose mean is taken off it; nil for one mean of all images.
  init(imageCount: Int, centredBy groups: [Int]? = nil) {
    guard let groups else {
      count = 1
      sizes = Array(repeating: imageCount, count: imageCount)
      return
    }
    precondition(groups.count == imageCount, "every image has a group")
    var members: [Int: Int] = [:]
    for group in groups { members[group, default: 0] += 1 }
    count = members.count
    sizes = groups.map { members[$0, default: 1] }
  }

  /// Those of moments, which know their number alone.
  init(of moments: TokenMoments) {
    count = moments.meanCount
    sizes = Array(
      repeating: moments.imageCount / max(moments.meanCount, 1), count: moments.imageCount)
  }

  /// The weight of an image in the mean that is taken off it: its leverage without any predictor.
  func baseLeverage(_ image: Int) -> Double { 1 / Double(sizes[image]) }

  /// The sizes of a fit on p numbers: ν = m − C − p.
  func fit(channels: Int, predictors: Int) -> ResidualFit {
    ResidualFit(
      imageCount: sizes.count, channels: channels, predictors: predictors, means: count)
  }
}

/// How residuals of images are weighted so that the sum of their products estimates the scatter they would have without the
/// fit; see ``EntropyBound/debiased``.
struct MapWeights {
  /// w = 1/(1 − h)² − κ·h/(1 − h).
  let minque: [Double]
  /// 1/(1 − h), which is always positive.
  let simple: [Double]

  /// - Parameters:
  ///   - squaredNorms: The squared length of each image's whitened predictors; nil without predictors.
  ///   - predictors: p.
  init(_ means: FittedMeans, squaredNorms: [Double]?, imageCount: Int, predictors: Int) {
    var odds = [Double](repeating: 0, count: imageCount)
    var simple = odds
    var sum = 0.0
    for i in 0..<imageCount {
      let leverage = means.baseLeverage(i) + (squaredNorms?[i] ?? 0)
      // An image that is fitted exactly has no residual that a weight could restore.
      let rest = max(1 - leverage, 1e-9)
      simple[i] = 1 / rest
      odds[i] = leverage / rest
      sum += odds[i]
    }
    let kappa = sum / Double(predictors + means.count)
    self.simple = simple
    minque = zip(simple, odds).map { $0 * $0 - kappa * $1 }
  }
}
