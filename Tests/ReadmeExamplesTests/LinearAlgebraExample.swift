import LinearAlgebra
import Testing

@Test func linearAlgebraExample() throws {
  // README.md:
  let covariance = Matrix(rows: 2, columns: 2, elements: [1, 0.5, 0.5, 1])
  let factor = try CholeskyFactor(ofLowerTriangle: covariance)
  let determinant = factor.logDeterminant  // log 3/4
  let first = factor.logDeterminant(ofLeading: 1)  // 0
  let solved = factor.solveLower(Matrix(rows: 2, columns: 1, elements: [2, 1]))  // (2, 0)
  // What it says is so:
  #expect(abs(determinant + 0.28768207245178) < 1e-12 && first == 0)
  #expect(abs(solved[0, 0] - 2) < 1e-12 && abs(solved[1, 0]) < 1e-12)
}
