import FileFormats
import Foundation
import LinearAlgebra
import Testing
import TokenData

@testable import GenerationMetrics

/// tr(Σ₁^½ Σ₂ Σ₁^½)^½ by Denman and Beavers' iteration for the square root of Σ₁Σ₂: slow and obvious.
private func traceOfRootByIteration(_ a: Matrix, _ b: Matrix) -> Double {
  var y = a.times(b)
  var z = Matrix.identity(y.rows)
  for _ in 0..<60 {
    let (inverseY, inverseZ) = (inverse(y), inverse(z))
    for i in y.elements.indices {
      let next = (y.elements[i] + inverseZ.elements[i]) / 2
      z.elements[i] = (z.elements[i] + inverseY.elements[i]) / 2
      y.elements[i] = next
    }
  }
  return (0..<y.rows).reduce(0) { $0 + y[$1, $1] }
}

/// Gauss and Jordan, with pivots.
private func inverse(_ matrix: Matrix) -> Matrix {
  let n = matrix.rows
  var (a, b) = (matrix, Matrix.identity(n))
  for column in 0..<n {
    let pivot = (column..<n).max { abs(a[$0, column]) < abs(a[$1, column]) } ?? column
    for j in 0..<n {
      (a[column, j], a[pivot, j]) = (a[pivot, j], a[column, j])
      (b[column, j], b[pivot, j]) = (b[pivot, j], b[column, j])
    }
    let scale = 1 / a[column, column]
    for j in 0..<n {
      a[column, j] *= scale
      b[column, j] *= scale
    }
    for i in 0..<n where i != column {
      let factor = a[i, column]
      for j in 0..<n {
        a[i, j] -= factor * a[column, j]
        b[i, j] -= factor * b[column, j]
      }
    }
  }
  return b
}

private func diagonal(_ values: [Double]) -> FeatureGaussian {
  var matrix = Matrix(rows: values.count, columns: values.count)
  for (i, value) in values.enumerated() { matrix[i, i] = value }
  return FeatureGaussian(
    FeatureStatistics(mean: values.map { _ in 0 }, covariance: matrix))
}

@Suite struct FrechetDistanceTests {
  /// A matrix with the eigenvalues 3, 1 and −2, on either side of a proper covariance.
  @Test func anIndefiniteMatrixIsRefusedOnEitherSide() throws {
    let indefinite = FeatureGaussian(
      FeatureStatistics(
        mean: [0, 0, 0],
        covariance: Matrix(
          rows: 3, columns: 3, elements: [0.5, 2.5, 0, 2.5, 0.5, 0, 0, 0, 1])))
    let proper = diagonal([1, 2, 3])
    for (first, second) in [(proper, indefinite), (indefinite, proper)] {
      let error = #expect(throws: MetricError.self) { try FrechetDistance(first, second) }
      guard case .notCovariance(let eigenvalue) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      // LAPACK's eigenvalues of so small a matrix are good to a few units in the last place.
      #expect(abs(eigenvalue + 2) < 1e-12)
    }
  }

  @Test func scipyAgrees() throws {
    let distance = try FrechetDistance(
      FeatureGaussian(samples: waves(25, 6, 1)), FeatureGaussian(samples: waves(31, 6, 2)))
    // numpy.cov and scipy.linalg.sqrtm of the same numbers; ten digits are rounding's own.
    #expect(abs(distance.meanTerm - 0.0253059940231959) < 1e-12)
    #expect(abs(distance.covarianceTerm - 0.041816759465053366) < 1e-10)
  }

  @Test(arguments: [1, 2, 5, 20]) func theIterationAgrees(d: Int) throws {
    let a = FeatureGaussian(samples: normals(3 * d + 2, d, seed: 1))
    let b = FeatureGaussian(samples: normals(2 * d + 9, d, seed: 2, scale: 1.7))
    let distance = try FrechetDistance(a, b)
    let root = traceOfRootByIteration(a.statistics.covariance, b.statistics.covariance)
    let expected = a.trace + b.trace - 2 * root
    #expect(abs(distance.covarianceTerm - expected) < 1e-9 * (a.trace + b.trace))
    #expect(abs(try FrechetDistance(b, a).value - distance.value) < 1e-9 * (a.trace + b.trace))
  }

  @Test func itselfIsAtDistanceZero() throws {
    for samples in [normals(50, 8, seed: 3), normals(6, 8, seed: 3)] {
      let gaussian = FeatureGaussian(samples: samples)
      let distance = try FrechetDistance(gaussian, gaussian)
      #expect(abs(distance.value) < 1e-12 * gaussian.trace)
      #expect(distance.correctedValue == distance.value - 2 * (gaussian.meanVariance ?? .nan))
    }
  }

  /// Covariances that commute: Σ (√aᵢ − √bᵢ)², whatever the rank and however small some variances are.
  @Test(arguments: [
    ([4.0, 1, 9], [9.0, 4, 1]), ([4, 0, 0], [9, 0, 0]), ([4, 0, 0], [0, 9, 0]),
    ([0, 0, 0], [1, 2, 3]), ([4, 1, 0], [9, 4, 1]), ([1, 1e-9, 1e-14], [2, 3e-9, 1e-12]),
    ([1, 1e-18, 0], [1, 1e-18, 1e-18]),
  ])
  func diagonalCovariancesAreExact(a: [Double], b: [Double]) throws {
    let distance = try FrechetDistance(diagonal(a), diagonal(b))
    let expected = zip(a, b).reduce(0.0) {
      $0 + ($1.0.squareRoot() - $1.1.squareRoot()) * ($1.0.squareRoot() - $1.1.squareRoot())
    }
    // Roots of eigenvalues are trusted to 10⁻⁸ of their sum, singular values beyond.
    #expect(abs(distance.value - expected) < 1e-8 * (a + b).reduce(0, +))
  }

  /// Fewer samples than dimensions: centred samples, an eigendecomposition of the covariance, and the same samples in a
  /// space of just enough dimensions agree.
  @Test func rankDeficientCovariancesAgree() throws {
    let few = normals(5, 4, seed: 4)
    let many = normals(40, 4, seed: 5)
    func padded(_ matrix: Matrix) -> Matrix {
      var result = Matrix(rows: matrix.rows, columns: 9)
      for i in 0..<matrix.rows {
        for j in 0..<4 { result[i, 2 * j] = matrix[i, j] }
      }
      return result
    }
    let exact = try FrechetDistance(
      FeatureGaussian(samples: few), FeatureGaussian(samples: many)
    ).value
    let a = FeatureGaussian(samples: padded(few))
    let b = FeatureGaussian(samples: padded(many))
    // Three pairs: rows and covariance, covariances only, covariance and rows.
    let statistics = FeatureGaussian(a.statistics)
    for distance in [
      try FrechetDistance(a, b), try FrechetDistance(statistics, b), try FrechetDistance(b, a),
      try FrechetDistance(b, statistics),
    ] {
      #expect(abs(distance.value - exact) < 1e-12)
    }
    let other = FeatureGaussian(samples: padded(normals(3, 4, seed: 6)))
    let both = try FrechetDistance(a, other).value
    #expect(abs(both - (try FrechetDistance(statistics, other)).value) < 1e-12)
    #expect(
      abs(both - (try FrechetDistance(statistics, FeatureGaussian(other.statistics))).value)
        < 1e-12)
  }

  /// The mean over repetitions of equal distributions: the first term is all bias, and the correction takes it away.
  @Test func theCorrectionRemovesTheBiasOfTheMeans() throws {
    var corrected: [Double] = []
    var plain: [Double] = []
    for seed in 0..<200 as Range<UInt64> {
      let distance = try FrechetDistance(
        FeatureGaussian(samples: normals(20, 3, seed: 2 * seed + 10)),
        FeatureGaussian(samples: normals(30, 3, seed: 2 * seed + 11)))
      plain.append(distance.meanTerm)
      corrected.append(distance.meanTerm - (distance.meanBias ?? .nan))
    }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    // E‖x̄ − ȳ‖² = 3/20 + 3/30 = 0.25; its deviation is 0.2, of 200 repetitions 0.0144: five of those are one in 10⁶.
    #expect(abs(mean(plain) - 0.25) < 0.072)
    #expect(abs(mean(corrected)) < 0.072)
  }

  @Test func badInputIsRefused() throws {
    #expect(throws: MetricError.differentDimensions(first: 2, second: 3)) {
      try FrechetDistance(diagonal([1, 1]), diagonal([1, 1, 1]))
    }
    #expect(throws: MetricError.self) { try FrechetDistance(diagonal([1, -1]), diagonal([1, 1])) }
  }

  @Test func statisticsSurviveAFile() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("metrics-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("statistics.npz").path
    let a = FeatureGaussian(samples: normals(30, 5, seed: 8))
    let b = FeatureGaussian(samples: normals(30, 5, seed: 9))
    try a.statistics.write(npz: path)
    let read = FeatureGaussian(try FeatureStatistics(npz: path))
    // The same numbers; BLAS rounds by where in memory they are.
    #expect(abs(try FrechetDistance(read, b).value - FrechetDistance(a, b).value) < 1e-12)
    #expect(try FrechetDistance(read, b).correctedValue == nil)
  }
}
