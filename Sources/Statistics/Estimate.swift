/// A number and its standard error, in nats unless said otherwise.
public struct Estimate: Hashable, Sendable {
  /// The estimate.
  public var value: Double
  /// Its standard error.
  public var standardError: Double

  /// Makes an estimate.
  public init(value: Double, standardError: Double) {
    self.value = value
    self.standardError = standardError
  }

  /// The one-sided 95% limit: the truth lies above it in one of twenty repetitions.
  public var upperLimit: Double { value + 1.645 * standardError }

  /// The two-sided 95% confidence interval.
  public var confidenceInterval: ClosedRange<Double> {
    value.isFinite && standardError.isFinite
      ? value - 1.96 * standardError...value + 1.96 * standardError
      : -.infinity ... .infinity
  }
}
