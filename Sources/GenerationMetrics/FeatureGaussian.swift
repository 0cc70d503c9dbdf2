import FileFormats
import LinearAlgebra
import TokenData

/// The mean and the covariance of some features: what a Fréchet distance compares.
public struct FeatureGaussian: Sendable {
  /// How the covariance is kept.
  enum Spread: Sendable {
    /// Σ, d × d.
    case covariance(Matrix)
    /// R, N × d, with Σ = RᵀR: centred samples over √(N − 1), for N ≤ d.
    case rows(Matrix)
  }

  /// μ, d numbers.
  public let mean: [Double]
  /// tr Σ.
  public let trace: Double
  /// N, the number of samples; nil where only the statistics are known.
  public let sampleCount: Int?
  /// tr Cov(μ̂), how far the mean is off: tr Σ/N for independent samples; nil where N is not known.
  public let meanVariance: Double?
  let spread: Spread

  /// d.
  public var dimensions: Int { mean.count }

  init(
    mean: [Double], spread: Spread, trace: Double, sampleCount: Int?, meanVariance: Double?
  ) {
    self.mean = mean
    self.spread = spread
    self.trace = trace
    self.sampleCount = sampleCount
    self.meanVariance = meanVariance
  }

  /// Takes statistics that were computed elsewhere.
  ///
  /// - Parameter sampleCount: N, where it is known; samples then count as independent.
  public init(_ statistics: FeatureStatistics, sampleCount: Int? = nil) {
    let sigma = statistics.covariance
    let trace = (0..<sigma.rows).reduce(0.0) { $0 + sigma[$1, $1] }
    self.init(
      mean: statistics.mean, spread: .covariance(sigma), trace: trace, sampleCount: sampleCount,
      meanVariance: sampleCount.map { trace / Double($0) })
  }

  /// Fits independent samples, with the unbiased covariance (N − 1).
  ///
  /// - Parameter samples: N × d, finite.
  /// - Precondition: N ≥ 2.
  /// - Complexity: O(N·d²) for N > d; O(N·d) otherwise, when the centred samples themselves stand for Σ.
  public init(samples: Matrix) {
    let (count, d) = (samples.rows, samples.columns)
    precondition(count >= 2, "a covariance needs two samples")
    var mean = [Double](repeating: 0, count: d)
    for i in 0..<count {
      for j in 0..<d { mean[j] += samples[i, j] }
    }
    for j in 0..<d { mean[j] /= Double(count) }
    let scale = 1 / Double(count - 1).squareRoot()
    var centred = samples
    var trace = 0.0
    for i in 0..<count {
      for j in 0..<d {
        let value = (samples[i, j] - mean[j]) * scale
        centred[i, j] = value
        trace += value * value
      }
    }
    let spread: Spread
    if count > d {
      var covariance = Matrix(rows: d, columns: d)
      covariance.addScatter(ofRows: centred)
      spread = .covariance(covariance.symmetrized())
    } else {
      spread = .rows(centred)
    }
    self.init(
      mean: mean, spread: spread, trace: trace, sampleCount: count,
      meanVariance: trace / Double(count))
  }

  /// The rank of Σ: how many of its eigenvalues are above rounding.
  ///
  /// - Throws: ``MetricError/notCovariance(eigenvalue:)``, or what LAPACK does.
  /// - Complexity: O(d³), or O(d·N²) for N ≤ d.
  public func rank() throws -> Int {
    guard case .rows(let rows) = spread else { return try spread.rootRows().rows }
    let values = try rows.singularValues()
    let rounding = Double(max(rows.rows, rows.columns)) * Double.ulpOfOne * (values.max() ?? 0)
    return values.count { $0 > rounding }
  }

  /// The mean and the whole covariance, for a file.
  public var statistics: FeatureStatistics {
    switch spread {
    case .covariance(let covariance):
      return FeatureStatistics(mean: mean, covariance: covariance)
    case .rows(let rows):
      var covariance = Matrix(rows: dimensions, columns: dimensions)
      covariance.addScatter(ofRows: rows)
      return FeatureStatistics(mean: mean, covariance: covariance.symmetrized())
    }
  }
}

extension Matrix {
  /// The symmetric matrix whose lower triangle this is.
  func symmetrized() -> Matrix {
    var result = self
    for i in 0..<rows {
      for j in 0..<i { result[j, i] = self[i, j] }
    }
    return result
  }
}
