import EntropyEstimation
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

  /// - Parameter degreesOfFreedom: ν where there is no more to say about the fit.
  init(
    dataset: TokenDataset, fit: FitHealth?, kurtosisRatio: Double?, degreesOfFreedom: Int? = nil
  ) {
    self.degreesOfFreedom = fit?.degreesOfFreedom ?? degreesOfFreedom
    degreesOfFreedomPerChannel = JSONNumber(
      fit?.degreesOfFreedomPerChannel
        ?? degreesOfFreedom.map { Double($0) / Double(dataset.featureDimensions) })
    conditionNumber = JSONNumber(fit?.conditionNumber)
    effectiveRank = JSONNumber(fit?.effectiveRank)
    self.kurtosisRatio = JSONNumber(kurtosisRatio)
    if let codebook = dataset.codebook, let codes = dataset.codes {
      var counts = [Int](repeating: 0, count: codebook.rows)
      for code in codes { counts[Int(code)] += 1 }
      let use = CodeUse(counts: counts)
      codebookSize = codebook.rows
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
    if let conditionNumber = conditionNumber.value, let effectiveRank = effectiveRank.value {
      lines.append(
        "covariance of all tokens: condition number \(conditionNumber.powerOfTen), effective rank "
          + effectiveRank.fixed(1))
    }
    if let ratio = kurtosisRatio.value {
      lines.append(
        "kurtosis of residuals: \(ratio.fixed(2)) times that of Gaussian ones"
          + (ratio > 1.1 ? " (Gaussian errors would be too small)" : ""))
    } else {
      lines.append(
        "kurtosis of residuals: known with --errors robust or --bound held-out")
    }
    if let codebookSize, let codebookUsed, let perplexity = codebookPerplexity.value {
      lines.append(
        "codebook: \(codebookUsed.grouped) of \(codebookSize.grouped) entries used, perplexity "
          + perplexity.fixed(0))
    }
    return lines
  }

  enum CodingKeys: String, CodingKey {
    case degreesOfFreedom = "degrees_of_freedom"
    case degreesOfFreedomPerChannel = "degrees_of_freedom_per_channel"
    case conditionNumber = "condition_number"
    case effectiveRank = "effective_rank"
    case kurtosisRatio = "kurtosis_ratio"
    case codebookSize = "codebook_size"
    case codebookUsed = "codebook_used"
    case codebookPerplexity = "codebook_perplexity"
  }
}
