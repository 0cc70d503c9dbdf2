import EntropyEstimation

/// An error of the estimator with the advice that a command's own options allow.
struct AdvisedError: Error, CustomStringConvertible {
  let description: String

  /// Runs `body`; where an estimate is impossible, names only those remedies that are among `options`.
  ///
  /// - Parameter otherwise: what else to do, such as ", or leave out --order"; added to the sentence.
  static func advising<Result>(
    _ options: Set<String>, otherwise: String = "", _ body: () throws -> Result
  ) throws -> Result {
    do { return try body() } catch let error as EstimationError {
      throw AdvisedError(description: error.description(options: options) + otherwise)
    }
  }
}
