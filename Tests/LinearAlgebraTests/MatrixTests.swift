import Testing

@testable import LinearAlgebra

@Test func elementsAreRowMajor() {
  let matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
  #expect(matrix[0, 2] == 3)
  #expect(matrix[1, 0] == 4)
}

@Test func blasNamesItsCore() {
  #expect(!BLAS.coreName.isEmpty)
  #expect(BLAS.threads >= 1)
}
