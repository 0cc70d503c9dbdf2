import EntropyEstimation
import Figures
import Reporting
import TokenData

extension MeasurementCaption {
  init(_ dataset: some MeasuredData, _ estimation: EstimationOptions) {
    let given = estimation.given.map { ", given the \($0.rawValue)" } ?? ""
    self.init(
      data: dataset.name, images: dataset.imageCount, featureDimensions: dataset.featureDimensions,
      bound: estimation.bound.rawValue + given)
  }
}

/// The line above every table: what was measured and how.
func measurementLine(
  _ dataset: some MeasuredData, _ estimation: EstimationOptions, _ tokens: TokenOptions
) -> String {
  var facts = [
    dataset.name, "\(dataset.imageCount.grouped) images", "\(dataset.grid) tokens",
    "d = \(dataset.featureDimensions)", estimation.regressorText,
    "\(estimation.bound.rawValue) bound", estimation.units.rawValue,
  ]
  let clusters = estimation.errorName == ErrorKind.robust.rawValue ? dataset.clusterCount : nil
  facts.append(
    "\(estimation.errorName) errors"
      + (clusters.map { " clustered by \($0.grouped) photographs" } ?? ""))
  if let given = estimation.given {
    let alone = dataset.classMembership?.alone ?? 0
    facts.append(
      "given the \(given.rawValue)"
        + (alone > 0
          ? ", \(alone.grouped) image\(alone > 1 ? "s" : "") alone in \(alone > 1 ? "theirs" : "its own") left out"
          : "")
    )
  }
  if estimation.marginals == .gaussian { facts.append("gaussian marginals") }
  if let heldOut = HeldOutFacts(estimation, tokens, of: dataset) {
    facts.append(heldOut.text)
  }
  if estimation.jitter > 0 { facts.append("jitter \(estimation.jitter)") }
  return facts.joined(separator: " · ")
}
