import Testing

@testable import LinearAlgebra

@Test func productsAgreeWithTripleLoops() {
  let a = Matrix(rows: 4, columns: 7, elements: testRows(4, columns: 7).map(Double.init))
  let b = Matrix(rows: 7, columns: 3, elements: testRows(7, columns: 3, seed: 5).map(Double.init))
  var expected = Matrix(rows: 4, columns: 3)
  for i in 0..<4 {
    for j in 0..<3 {
      for k in 0..<7 { expected[i, j] += a[i, k] * b[k, j] }
    }
  }
  for (product) in [a.times(b), a.times(b.transposed(), transposed: true)] {
    #expect(product.rows == 4 && product.columns == 3)
    for (x, y) in zip(product.elements, expected.elements) { #expect(abs(x - y) < 1e-12) }
  }
  expectEqual(a.timesTranspose(), a.times(a, transposed: true), tolerance: 1e-12)
  var scatter = Matrix(rows: 7, columns: 7)
  scatter.addScatter(ofRows: a)
  expectEqual(scatter, a.transposed().times(a), tolerance: 1e-12)
}

@Test func blocksAreCutOut() {
  let matrix = Matrix(rows: 3, columns: 4, elements: (0..<12).map(Double.init))
  #expect(matrix.block(rows: 1..<3, columns: 2..<4).elements == [6, 7, 10, 11])
}

@Test(arguments: [[0, 1, 2, 3], [3, 1, 0, 2], [2, 0], []])
func permutationMovesBlocksOfTheLowerTriangle(order: [Int]) {
  let full = definiteMatrix(12)
  var lower = full
  for i in 0..<12 {
    for j in (i + 1)..<12 { lower[i, j] = .nan }
  }
  let result = lower.symmetricPermutation(ofBlocks: order, blockSize: 3)
  #expect(result.rows == order.count * 3)
  for i in 0..<result.rows {
    for j in 0...i {
      #expect(result[i, j] == full[order[i / 3] * 3 + i % 3, order[j / 3] * 3 + j % 3])
    }
  }
}
