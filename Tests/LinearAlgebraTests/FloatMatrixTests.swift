import LinearAlgebra
import Testing

@Suite struct FloatMatrixTests {
  func random(_ rows: Int, _ columns: Int, seed: UInt64) -> FloatMatrix {
    var state = seed
    return FloatMatrix(
      rows: rows, columns: columns,
      elements: (0..<(rows * columns)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 23) - 1
      })
  }

  func transposed(_ a: FloatMatrix) -> FloatMatrix {
    var result = FloatMatrix(rows: a.columns, columns: a.rows)
    for i in 0..<a.rows {
      for j in 0..<a.columns { result[j, i] = a[i, j] }
    }
    return result
  }

  @Test(arguments: [false, true], [false, true])
  func productsAgreeWithTheDefinition(transposingFirst: Bool, transposingSecond: Bool) {
    let (m, n, k) = (5, 7, 11)
    let a = random(m, k, seed: 1)
    let b = random(k, n, seed: 2)
    let c = FloatMatrix.product(
      transposingFirst ? transposed(a) : a, transposingSecond ? transposed(b) : b,
      transposingFirst: transposingFirst, transposingSecond: transposingSecond)
    #expect(c.rows == m && c.columns == n)
    for i in 0..<m {
      for j in 0..<n {
        let expected = (0..<k).reduce(0.0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) }
        // Eleven products of numbers below 1, each rounded to 24 bits.
        #expect(abs(Double(c[i, j]) - expected) < 1e-5)
      }
    }
  }

  @Test func scaledProductInPlace() {
    let a = random(3, 4, seed: 3)
    let b = random(4, 2, seed: 4)
    var c = random(3, 2, seed: 5)
    c.setProduct(scale: -2, a, b)
    let expected = FloatMatrix.product(a, b).elements.map { -2 * $0 }
    #expect(zip(c.elements, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func anEmptyInnerExtentGivesZeros() {
    let c = FloatMatrix.product(
      FloatMatrix(rows: 2, columns: 0), FloatMatrix(rows: 0, columns: 3))
    #expect(c == FloatMatrix(rows: 2, columns: 3))
  }

  @Test(arguments: [1, 3, 8, 16])
  func gatheredRows(columns: Int) {
    let matrix = random(9, columns, seed: 6)
    let indices: [UInt32] = [8, 0, 3, 3, 7]
    let gathered = matrix.gatherRows(indices[1..<4])
    #expect(
      gathered
        == [0, 3, 3].flatMap { row in (0..<columns).map { matrix[row, $0] } })
    #expect(matrix.gatherRows(indices[2..<2]).isEmpty)
  }
}
