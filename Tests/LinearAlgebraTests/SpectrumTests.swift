import LinearAlgebra
import Statistics
import Testing
import TokenGrids

private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
  var generator = SeededGenerator(seed: seed)
  return Matrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { _ in generator.nextUniform() - 0.5 })
}

@Suite struct SpectrumTests {
  @Test(arguments: [1, 3, 30]) func eigenvaluesAreThoseWithVectors(n: Int) throws {
    var matrix = random(n, n, seed: 1)
    let eigen = try SymmetricEigen(matrix).values.reversed()
    // What is above the diagonal is not read.
    for i in 0..<n { for j in i + 1..<n { matrix[i, j] = 99 } }
    let values = try matrix.symmetricEigenvalues()
    #expect(values.count == n && eigen.count == n)
    for (a, b) in zip(values, eigen) { #expect(abs(a - b) < 1e-12) }
  }

  /// The squares of the singular values are the eigenvalues of XXᵀ.
  @Test(arguments: [(1, 4), (6, 3), (5, 5), (20, 31)])
  func singularValuesAreRootsOfEigenvalues(rows: Int, columns: Int) throws {
    let matrix = random(rows, columns, seed: 2)
    let values = try matrix.singularValues()
    #expect(values.count == min(rows, columns))
    let eigen = try SymmetricEigen(matrix.timesTranspose()).values
    #expect(eigen.count == rows)
    for (a, b) in zip(values, eigen) { #expect(abs(a * a - b) < 1e-12) }
    #expect(try Matrix(rows: 0, columns: 3).singularValues().isEmpty)
  }

  @Test(arguments: [1, 2, 17]) func theCongruenceIsTheProduct(n: Int) throws {
    let factor = try CholeskyFactor(ofLowerTriangle: random(n, n + 3, seed: 3).timesTranspose())
    var symmetric = random(n, n, seed: 4)
    for i in 0..<n { for j in i + 1..<n { symmetric[i, j] = symmetric[j, i] } }
    var lower = factor.lower
    for i in 0..<n { for j in i + 1..<n { lower[i, j] = 0 } }
    let expected = lower.transposed().times(symmetric).times(lower)
    let result = factor.congruence(symmetric)
    for i in 0..<n { for j in 0...i { #expect(abs(result[i, j] - expected[i, j]) < 1e-13) } }
  }

  @Test func numbersThatAreNotFiniteAreRefused() {
    let matrix = Matrix(rows: 1, columns: 1, elements: [.nan])
    #expect(throws: SymmetricEigenError.notFinite) { try matrix.symmetricEigenvalues() }
    #expect(throws: SymmetricEigenError.notFinite) { try matrix.singularValues() }
  }
}
