import EntropyEstimation
import Reporting
import TokenData

/// How far a measurement can be trusted: the health report.
struct HealthFacts: Encodable {
  /// ν of the fit with the largest context, and ν/d.
  let degreesOfFreedom: Int?
  let degreesOfFreedomPerChannel: JSONNumber
  /// Of the covariance of all tokens.
  let conditionNumber, effectiveRank: JSONNumber
  /// Mardia's kurtosis of residuals over that of Gaussian ones.
  let kurtosisRatio: JSONNumber
  /// The entries of the codebook, those used, and the equally used entries that would have the same entropy.
  let codebookSize, codebookUsed: Int?
  let codebookPerplexity: JSONNumber
  /// What totals the images resolve; nil but for the debiased bound of orders.
  let resolution: ResolutionFacts?

  /// - Parameter degreesOfFreedom: ν where there is no more to say about the fit.
  init(
    dataset: some MeasuredData, fit: FitHealth?, kurtosisRatio: Double?,
    degreesOfFreedom: Int? = nil,
    resolution: ResolutionFacts? = nil
  ) {
    self.resolution = resolution
    self.degreesOfFreedom = fit?.degreesOfFreedom ?? degreesOfFreedom
    degreesOfFreedomPerChannel = JSONNumber(
      fit?.degreesOfFreedomPerChannel
        ?? degreesOfFreedom.map { Double($0) / Double(dataset.featureDimensions) })
    conditionNumber = JSONNumber(fit?.conditionNumber)
    effectiveRank = JSONNumber(fit?.effectiveRank)
    self.kurtosisRatio = JSONNumber(kurtosisRatio)
    if let use = dataset.codeUse {
      codebookSize = use.counts.count
      codebookUsed = use.usedCount
      codebookPerplexity = JSONNumber(use.perplexity)
    } else {
      codebookSize = nil
      codebookUsed = nil
      codebookPerplexity = JSONNumber(nil)
    }
  }

  /// One fact a line.
  var lines: [String] {
    var lines: [String] = []
    if let degreesOfFreedom, let share = degreesOfFreedomPerChannel.value {
      lines.append(
        "degrees of freedom of the largest fit: \(degreesOfFreedom.grouped), \(share.fixed(1)) a channel"
          + (share < 10 ? " (few: prefer --feature-dimensions or --bound held-out)" : ""))
    }
    if let resolution {
      lines.append(
        "images for each number of an image: \(resolution.imagesPerNumber.fixed(2)); tokens with fallback weights:"
          + " \((100 * resolution.fallbackShare).fixed(1)) %")
    }
    if let conditionNumber = conditionNumber.value, let effectiveRank = effectiveRank.value {
      lines.append(
        "covariance of all tokens: condition number \(conditionNumber.powerOfTen), effective rank "
          + effectiveRank.fixed(1))
    }
    if let ratio = kurtosisRatio.value {
      lines.append(
        "kurtosis of residuals: \(ratio.fixed(2)) times that of Gaussian ones"
          + (ratio > 1.1 ? " (wishart and gaussian errors are not for such data)" : ""))
    } else {
      lines.append(
        "kurtosis of residuals: known with --bound debiased or held-out, or --errors robust")
    }
    if let codebookSize, let codebookUsed, let perplexity = codebookPerplexity.value {
      lines.append(
        "codebook: \(codebookUsed.grouped) of \(codebookSize.grouped) entries used, perplexity "
          + perplexity.fixed(0))
    }
    return lines
  }
}

/// Whether there are enough images for small totals of the debiased bound.
struct ResolutionFacts: Encodable {
  /// m/D, D the numbers of an image.
  let imagesPerNumber: Double
  /// The share of the tokens, over all orders, whose weighted scatters were not positive definite.
  let fallbackShare: Double
  /// Whether totals below ``leastTotal`` are resolved.
  let isResolved: Bool

  /// m/D from which on small totals hold still when images are left out (measured on photographs and on learned tokens).
  static let leastImagesPerNumber = 1.7
  /// Below this many nats a total is not resolved with fewer images.
  static let leastTotal = 0.3

  init(_ profiles: [OrderProfile], dataset: some MeasuredData) {
    let numbers = dataset.grid.cellCount * dataset.featureDimensions
    imagesPerNumber = Double(profiles.first?.imageCount ?? dataset.imageCount) / Double(numbers)
    fallbackShare =
      Double(profiles.reduce(0) { $0 + $1.fallbackCount })
      / Double(max(profiles.count * dataset.grid.cellCount, 1))
    isResolved = imagesPerNumber >= Self.leastImagesPerNumber && fallbackShare == 0
  }
}

extension HealthFacts {
  /// What must be known with a table of orders, a line each.
  func notes(_ profiles: [OrderProfile]) -> [String] {
    var notes: [String] = []
    if let resolution, !resolution.isResolved,
      resolution.imagesPerNumber < ResolutionFacts.leastImagesPerNumber
    {
      notes.append(
        "note: \(resolution.imagesPerNumber.fixed(2)) images for each of an image's numbers; totals below about"
          + " \(ResolutionFacts.leastTotal) nats are resolved from \(ResolutionFacts.leastImagesPerNumber) on"
      )
    }
    for profile in profiles where profile.fallbackCount > 0 {
      notes.append(
        "note: \(profile.order.name): \(profile.fallbackCount) of \(profile.order.grid.cellCount) tokens have the weights"
          + " 1/(1 − h), because images are too few for those of the debiased bound")
    }
    for profile in profiles {
      guard let (beyond, all) = profile.pairsBeyondWindow, beyond > 0 else { continue }
      notes.append(
        "note: \(profile.order.name): \(beyond.grouped) of \(all.grouped) pairs of tokens drawn together are farther apart"
          + " than the window and count as independent")
    }
    return notes
  }
}
