import Testing

/// Mean and spread of repeated estimates.
struct Moments {
  let mean: Double
  let standardDeviation: Double
  let count: Int

  init(_ values: [Double]) {
    count = values.count
    let mean = values.reduce(0, +) / Double(count)
    self.mean = mean
    standardDeviation =
      (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)).squareRoot()
  }

  var standardErrorOfMean: Double { standardDeviation / Double(count).squareRoot() }
}

/// Expects the mean of repeated estimates to be within six of its standard errors of the truth.
func expectMean(
  of values: [Double], isNear truth: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  let moments = Moments(values)
  #expect(
    abs(moments.mean - truth) < 6 * moments.standardErrorOfMean,
    "mean \(moments.mean) ± \(moments.standardErrorOfMean), truth \(truth)",
    sourceLocation: sourceLocation)
}
