import EntropyEstimation
import Reporting
import TokenData

/// How images were divided for the held-out bound.
struct HeldOutFacts: Encodable {
  /// The images that were held out at one time or another.
  let images: Int
  /// The parts; 1 without cross-fitting.
  let folds: Int
  let seed: UInt64

  /// Nil for other bounds.
  init?(_ estimation: EstimationOptions, _ tokens: TokenOptions, of data: some MeasuredData) {
    // An estimate with as many parts has been made by now.
    guard estimation.bound == .heldOut, let dataset = data as? TokenDataset,
      let split = try? estimation.settings(tokens).split(of: dataset)
    else { return nil }
    self.images = split.parts.reduce(0) { $0 + $1.count }
    folds = split.parts.count
    seed = tokens.seed
  }

  /// For the line above a table.
  var text: String {
    folds == 1 ? "\(images.grouped) images held out" : "\(folds) folds held out in turn"
  }
}

extension EstimationOptions {
  /// Where standard errors come from, by name.
  var errorName: String {
    (bound == .heldOut || regressor == .mlp ? .robust : errorKind).rawValue
  }

  /// The regressor for the line above a table.
  var regressorText: String {
    "\(regressor.rawValue) regressor"
      + (chosenRegressor.functionsPerToken.map { ", \($0) functions a token" } ?? "")
  }
}
