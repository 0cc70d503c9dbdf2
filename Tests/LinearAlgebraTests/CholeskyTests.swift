import Testing

@testable import LinearAlgebra

/// A positive definite matrix: rows times their transpose, plus the identity.
func definiteMatrix(_ n: Int, seed: UInt64 = 3) -> Matrix {
  let rows = Matrix(
    rows: n, columns: n, elements: testRows(n, columns: n, seed: seed).map(Double.init))
  var result = rows.timesTranspose()
  for i in 0..<n {
    result[i, i] += 1
    for j in 0..<i { result[j, i] = result[i, j] }
  }
  return result
}

@Test(arguments: [1, 2, 5, 40])
func factorTimesItsTransposeIsTheMatrix(n: Int) throws {
  let matrix = definiteMatrix(n)
  let factor = try CholeskyFactor(ofLowerTriangle: matrix)
  var product = Matrix(rows: n, columns: n)
  for i in 0..<n {
    for j in 0...i {
      for k in 0...j { product[i, j] += factor.lower[i, k] * factor.lower[j, k] }
    }
  }
  expectEqual(product, matrix, tolerance: 1e-12 * Double(n) * matrix.elements.reduce(0, max))
}

@Test func onlyTheLowerTriangleIsRead() throws {
  let matrix = definiteMatrix(6)
  var spoilt = matrix
  for i in 0..<6 {
    for j in (i + 1)..<6 { spoilt[i, j] = .nan }
  }
  let (a, b) = (
    try CholeskyFactor(ofLowerTriangle: matrix), try CholeskyFactor(ofLowerTriangle: spoilt)
  )
  #expect(a.logDeterminant == b.logDeterminant)
}

@Test func determinantOfAKnownMatrix() throws {
  let matrix = Matrix(rows: 2, columns: 2, elements: [4, 2, 2, 3])
  let factor = try CholeskyFactor(ofLowerTriangle: matrix)
  #expect(abs(factor.logDeterminant - Double.log(8)) < 1e-15 * 10)
  let solved = factor.solveLower(Matrix(rows: 2, columns: 1, elements: [2, 3]))
  #expect(abs(solved[0, 0] - 1) < 1e-15)
  #expect(abs(solved[1, 0] - 2 / 2.0.squareRoot()) < 1e-15)
}

@Test func singularMatricesNameTheirRow() {
  let negative = Matrix(rows: 3, columns: 3, elements: [1, 0, 0, 0, -1, 0, 0, 0, 1])
  #expect(throws: NotPositiveDefinite(index: 1)) { try CholeskyFactor(ofLowerTriangle: negative) }
  // The third row is the sum of the first two; rounding may leave a tiny positive pivot.
  let dependent = Matrix(rows: 3, columns: 3, elements: [2, 0, 0, 0.1, 3, 0, 2.1, 3.1, 5.2])
  #expect(throws: NotPositiveDefinite(index: 2)) { try CholeskyFactor(ofLowerTriangle: dependent) }
  // Rounding leaves the second row a tiny positive pivot; only the third makes the factorisation itself fail.
  let early = Matrix(
    rows: 3, columns: 3, elements: [1, 0, 0, 1, 1 + 1e-14, 0, 1, 1 - 1e-7, 1])
  #expect(throws: NotPositiveDefinite(index: 1)) { try CholeskyFactor(ofLowerTriangle: early) }
  // Numbers that are none are no covariance either.
  let none = Matrix(rows: 3, columns: 3, elements: [1, 0, 0, 0, 1, 0, 0, .nan, 1])
  #expect(throws: NotPositiveDefinite(index: 2)) { try CholeskyFactor(ofLowerTriangle: none) }
}
