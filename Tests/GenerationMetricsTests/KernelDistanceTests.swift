import LinearAlgebra
import Testing

@testable import GenerationMetrics

/// The definition, in double precision.
private func unbiasedDiscrepancy(_ x: Matrix, _ y: Matrix) -> Double {
  func kernel(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
    let dot = (0..<a.columns).reduce(0.0) { $0 + a[i, $1] * b[j, $1] }
    let base = dot / Double(a.columns) + 1
    return base * base * base
  }
  func mean(_ a: Matrix) -> Double {
    var sum = 0.0
    for i in 0..<a.rows {
      for j in 0..<a.rows where j != i { sum += kernel(a, i, a, j) }
    }
    return sum / Double(a.rows * (a.rows - 1))
  }
  var cross = 0.0
  for i in 0..<x.rows {
    for j in 0..<y.rows { cross += kernel(x, i, y, j) }
  }
  return mean(x) + mean(y) - 2 * cross / Double(x.rows * y.rows)
}

@Suite struct KernelDistanceTests {
  @Test(arguments: [1, 4, 512]) func tilesAgreeWithTheDefinition(tile: Int) {
    let distance = KernelDistance(
      set(waves(25, 6, 1).single), set(waves(31, 6, 2).single), tile: tile)
    // numpy's value; features are rounded to single precision, 6·10⁻⁸ of terms of about 1.
    #expect(abs(distance.estimate.value + 0.15713693372888082) < 1e-6)
    #expect(
      abs(distance.estimate.value - unbiasedDiscrepancy(waves(25, 6, 1), waves(31, 6, 2))) < 1e-6)
  }

  /// Equal contents are still two samples: the value does not depend on their order.
  @Test func aSetAgainstItselfIsLikeASetAgainstItsPermutation() {
    let x = waves(30, 5, 1)
    var permuted = x
    for i in 0..<x.rows {
      for j in 0..<x.columns { permuted[i, j] = x[(7 * i + 3) % x.rows, j] }
    }
    let itself = KernelDistance(set(x.single), set(x.single)).estimate.value
    let other = KernelDistance(set(x.single), set(permuted.single)).estimate.value
    // Rounding of the features' products, 6·10⁻⁸ of terms of about 1.
    #expect(abs(itself - other) < 1e-6)
    #expect(abs(itself - unbiasedDiscrepancy(x, x)) < 1e-6)
    #expect(itself < -1e-3)
  }

  @Test func theErrorIsTheJackknifeOfWholeGroups() {
    let (x, y) = (waves(30, 4, 1), waves(40, 4, 3))
    func without(_ matrix: Matrix, _ group: Int, of count: Int) -> Matrix {
      let size = matrix.rows / count
      let rows = (0..<matrix.rows).filter { $0 / size != group }
      return Matrix(
        rows: rows.count, columns: matrix.columns,
        elements: rows.flatMap { i in (0..<matrix.columns).map { matrix[i, $0] } })
    }
    let values = (0..<10).map {
      unbiasedDiscrepancy(without(x, $0, of: 10), without(y, $0, of: 10))
    }
    let mean = values.reduce(0, +) / 10
    let expected =
      (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * 9 / 10).squareRoot()
    let error = KernelDistance(set(x.single), set(y.single)).estimate.standardError
    #expect(abs(error - expected) < 1e-5 * max(expected, 1))
  }

  @Test func equalDistributionsAreWithinTheError() {
    // Jackknife errors of ten groups have nine degrees of freedom: beyond eight of them once in 50,000 runs.
    let near = KernelDistance(
      set(normals(200, 5, seed: 1).single), set(normals(200, 5, seed: 2).single))
    #expect(abs(near.estimate.value) < 8 * near.estimate.standardError)
    var moved = normals(200, 5, seed: 2)
    for i in moved.elements.indices { moved.elements[i] += 1 }
    let far = KernelDistance(set(normals(200, 5, seed: 1).single), set(moved.single))
    #expect(far.estimate.value > 8 * far.estimate.standardError)
  }
}
