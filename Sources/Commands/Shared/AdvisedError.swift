import EntropyEstimation
import TokenData

/// An error of the estimator with the advice that a command's own options allow.
struct AdvisedError: Error, CustomStringConvertible {
  let description: String

  init(description: String) { self.description = description }

  /// - Parameter options: The options whose remedies are named, such as `--jitter`; nil for all.
  init(_ error: EstimationError, options: Set<String>? = nil) {
    description = error.sentence { remedy in
      let (option, text) = remedy.advice
      return option.map { options?.contains($0) ?? true } ?? true ? text : nil
    }
  }

  /// Runs `body`; where an estimate is impossible, names only those remedies that are among `options`.
  ///
  /// - Parameter otherwise: what else to do, such as ", or leave out --order"; added to the sentence.
  static func advising<Result>(
    _ options: Set<String>, otherwise: String = "", _ body: () throws -> Result
  ) throws -> Result {
    do { return try body() } catch let error as EstimationError {
      throw AdvisedError(
        description: AdvisedError(error, options: options).description + otherwise)
    }
  }

  /// Runs `body`; where images do not fit into memory, says which `--limit` would.
  ///
  /// - Parameter otherwise: what else to do, such as ", or …"; added to the sentence.
  static func advisingFewerImages<Result>(
    otherwise: String = "", _ body: () throws -> Result
  ) throws -> Result {
    do { return try body() } catch TokenDataError.tooLittleMemory(let source, let lack, let fitting)
    {
      guard fitting > 0 else { throw AdvisedError(description: "\(source): \(lack)") }
      throw AdvisedError(
        description: "\(source): \(lack); --limit \(fitting) or less fits" + otherwise)
    }
  }
}

extension EstimationRemedy {
  /// The remedy in the words of a command line, and the option that not every command has; nil for those that a command whose
  /// options led to the error has.
  fileprivate var advice: (option: String?, text: String) {
    func orFewer(_ count: Int) -> String {
      "--feature-dimensions \(count)\(count > 1 ? " or fewer" : "")"
    }
    return switch self {
    case .featureDimensions(let most): ("--feature-dimensions", orFewer(most))
    case .fittingFeatureDimensions(let most):
      ("--feature-dimensions", orFewer(most) + (most > 1 ? " fit" : " fits"))
    case .removingChannel: ("--feature-dimensions", "remove it with --feature-dimensions")
    case .fewerFeatureDimensions: ("--feature-dimensions", "reduce --feature-dimensions")
    case .jitter: ("--jitter", "add --jitter")
    case .contextWindow(let most):
      ("--context-window", "--context-window \(most)\(most > 1 ? " or less" : "")")
    case .folds(let least): ("--folds", "--folds \(least) or more")
    case .fewReferences: ("--ref", "name a few references with --ref")
    case .largerRidge: (nil, "use a larger --ridge")
    case .functions(let most):
      (nil, "--features-per-token \(most)\(most > 1 ? " or fewer" : "") would do")
    case .linearRegressorOrFewerDimensions:
      (nil, "use --regressor linear or fewer --feature-dimensions")
    case .smallerLearningRate: (nil, "lower --learning-rate")
    case .inSampleLeastSquares:
      (nil, "use --bound debiased, wishart or algorithm-1 and --regressor linear or features")
    case .errorsOfImages: (nil, "leave --errors gaussian out")
    case .bound(let bound): (nil, "use --bound \(bound.rawValue)")
    case .biasedWishart: (nil, "--bound wishart, which is biased for shrunken fits")
    case .boundOfNetworks: (nil, "use --bound held-out or algorithm-1 with --regressor mlp")
    }
  }
}
