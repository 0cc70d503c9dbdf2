import LinearAlgebra

/// The Fréchet distance between two Gaussians, ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2·tr(Σ₁^½ Σ₂ Σ₁^½)^½.
///
/// With any factors Σᵢ = FᵢFᵢᵀ the last trace is the nuclear norm of F₁ᵀF₂, so no square root of a matrix is needed and
/// nothing is added to a singular covariance. (Dowson and Landau, 1982; Heusel et al., 2017.)
public struct FrechetDistance: Hashable, Sendable {
  /// ‖μ₁ − μ₂‖².
  public let meanTerm: Double
  /// tr Σ₁ + tr Σ₂ − 2·tr(Σ₁^½ Σ₂ Σ₁^½)^½.
  public let covarianceTerm: Double
  /// By how much chance alone enlarges the first term: tr Cov(μ̂₁) + tr Cov(μ̂₂), which is tr Σ₁/N₁ + tr Σ₂/N₂ for
  /// independent samples; nil where the means come without their number of samples.
  public let meanBias: Double?

  /// The distance.
  public var value: Double { meanTerm + covarianceTerm }

  /// The distance without the bias of its first term; may be negative, as an unbiased estimate of 0 must.
  public var correctedValue: Double? { meanBias.map { value - $0 } }

  /// Measures the distance between two Gaussians.
  ///
  /// - Throws: ``MetricError/differentDimensions(first:second:)``, ``MetricError/notCovariance(eigenvalue:)``, or
  ///   what LAPACK does.
  /// - Complexity: O(d³); about 8n³/3 multiplications and additions for covariances of full rank. O(d·N²) for centred
  ///   samples of N ≤ d.
  public init(_ first: FeatureGaussian, _ second: FeatureGaussian) throws {
    guard first.dimensions == second.dimensions else {
      throw MetricError.differentDimensions(first: first.dimensions, second: second.dimensions)
    }
    meanTerm = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    covarianceTerm =
      try first.trace + second.trace - 2 * Self.traceOfRoot(first.spread, second.spread)
    if let a = first.meanVariance, let b = second.meanVariance {
      meanBias = a + b
    } else {
      meanBias = nil
    }
  }

  /// tr(Σ₁^½ Σ₂ Σ₁^½)^½.
  private static func traceOfRoot(
    _ first: FeatureGaussian.Spread, _ second: FeatureGaussian.Spread
  ) throws -> Double {
    if case .covariance(let a) = first, case .covariance(let b) = second,
      let factor = try? CholeskyFactor(ofLowerTriangle: a)
    {
      // The eigenvalues of LᵀΣ₂L are those of Σ₁^½ Σ₂ Σ₁^½.
      let values = try factor.congruence(b).symmetricEigenvalues()
      // By Sylvester's law of inertia negative ones are Σ₂'s own, of rounding or of what is no covariance.
      if (values.min() ?? 0) < 0 { _ = try second.rootRows() }
      if rootsAreAccurate(values) { return values.reduce(0) { $0 + max($1, 0).squareRoot() } }
    }
    // Rank-deficient, or so nearly that roots of rounding errors would count: singular values of the factors' product
    // have the accuracy that the roots lack.
    let (a, b) = (try first.rootRows(), try second.rootRows())
    return try a.times(b, transposed: true).singularValues().reduce(0, +)
  }

  /// Whether what rounding does to eigenvalues, a few ε·λmax, moves the sum of their roots by less than 10⁻⁸ of it.
  private static func rootsAreAccurate(_ values: [Double]) -> Bool {
    let rounding = 4 * Double.ulpOfOne * (values.max() ?? 0)
    var (sum, uncertainty) = (0.0, 0.0)
    for value in values {
      let root = max(value, 0).squareRoot()
      sum += root
      uncertainty += min(rounding.squareRoot(), rounding / max(2 * root, .leastNormalMagnitude))
    }
    return uncertainty <= 1e-8 * sum
  }
}

extension FeatureGaussian.Spread {
  /// R with Σ = RᵀR: as many rows as the rank.
  func rootRows() throws -> Matrix {
    switch self {
    case .rows(let rows): return rows
    case .covariance(let covariance):
      if let factor = try? CholeskyFactor(ofLowerTriangle: covariance) {
        return factor.lower.transposedLowerTriangle()
      }
      let eigen = try SymmetricEigen(covariance)
      let largest = eigen.values.first ?? 0
      let smallest = eigen.values.last ?? 0
      guard smallest >= -1e-6 * max(largest, 0) else {
        throw MetricError.notCovariance(eigenvalue: smallest)
      }
      let rounding = Double(covariance.rows) * Double.ulpOfOne * largest
      let rank = eigen.values.prefix { $0 > rounding }.count
      var root = eigen.vectors.block(rows: 0..<rank, columns: 0..<covariance.columns)
      for i in 0..<rank {
        let scale = eigen.values[i].squareRoot()
        for j in 0..<root.columns { root[i, j] *= scale }
      }
      return root
    }
  }
}

extension Matrix {
  /// The transpose of the lower triangle, zero below the diagonal.
  fileprivate func transposedLowerTriangle() -> Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for i in 0..<rows {
      for j in 0...i { result[j, i] = self[i, j] }
    }
    return result
  }
}
