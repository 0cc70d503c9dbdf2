import LinearAlgebra
import Testing

@Suite struct SymmetricEigenTests {
  /// A symmetric matrix without structure, elements in −1 … 1.
  func symmetric(_ n: Int) -> Matrix {
    var state: UInt64 = 9
    var matrix = Matrix(rows: n, columns: n)
    for i in 0..<n {
      for j in i..<n {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let value = Double(state >> 11) / Double(1 << 52) - 1
        matrix[i, j] = value
        matrix[j, i] = value
      }
    }
    return matrix
  }

  @Test(arguments: [1, 2, 5, 40])
  func vectorsAreOrthonormalAndRebuildTheMatrix(n: Int) throws {
    let a = symmetric(n)
    let eigen = try SymmetricEigen(a)
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
    for i in 0..<n {
      for j in 0..<n {
        let dot = (0..<n).reduce(0.0) { $0 + eigen.vectors[i, $1] * eigen.vectors[j, $1] }
        #expect(abs(dot - (i == j ? 1 : 0)) < 1e-12)
        let rebuilt = (0..<n).reduce(0.0) {
          $0 + eigen.values[$1] * eigen.vectors[$1, i] * eigen.vectors[$1, j]
        }
        #expect(abs(rebuilt - a[i, j]) < 1e-12 * Double(n))
      }
    }
  }

  @Test func aKnownMatrix() throws {
    let eigen = try SymmetricEigen(Matrix(rows: 2, columns: 2, elements: [2, -1, -1, 2]))
    #expect(abs(eigen.values[0] - 3) < 1e-14 && abs(eigen.values[1] - 1) < 1e-14)
    #expect(abs(eigen.vectors[1, 0] - 0.5.squareRoot()) < 1e-14)
    #expect(abs(eigen.vectors[1, 1] - 0.5.squareRoot()) < 1e-14)
  }

  @Test func onlyTheLowerTriangleIsRead() throws {
    var a = symmetric(6)
    let whole = try SymmetricEigen(a)
    for i in 0..<6 {
      for j in 0..<i { a[j, i] = 99 }
    }
    #expect(try SymmetricEigen(a).values == whole.values)
  }

  @Test func theSignIsFixed() throws {
    let eigen = try SymmetricEigen(symmetric(12))
    for row in 0..<12 {
      let vector = (0..<12).map { eigen.vectors[row, $0] }
      #expect(vector.max { abs($0) < abs($1) }.map { $0 > 0 } == true)
    }
  }

  @Test(arguments: [Double.nan, .infinity])
  func refusesWhatIsNotFinite(value: Double) {
    var a = symmetric(3)
    a[2, 0] = value
    #expect(throws: SymmetricEigenError.notFinite) { try SymmetricEigen(a) }
  }
}
