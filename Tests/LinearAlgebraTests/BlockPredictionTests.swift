import Testing

@testable import LinearAlgebra

/// Rows in which each number leans on the one before it, so that there is something to predict.
private func chainedRows(_ count: Int, columns: Int) -> [Float] {
  var rows = testRows(count, columns: columns, seed: 77)
  for i in 0..<count {
    for j in 1..<columns { rows[i * columns + j] += 0.9 * rows[i * columns + j - 1] }
  }
  return rows
}

private let parents: [[Int]] = [[], [0], [1, 0], [2], [], [3, 4, 0]]

@Test(arguments: [1, 3, 8])
func scatterOfResidualsLeadsBackToThatOfTheRows(blockSize: Int) throws {
  let columns = parents.count * blockSize
  let rows = chainedRows(400, columns: columns)
  let shift = (0..<columns).map { j in
    0.1 + (0..<400).reduce(0.0) { $0 + Double(rows[$1 * columns + j]) } / 400
  }
  let prediction = BlockPrediction(
    fittedTo: Array(rows.prefix(200 * columns)), shift: shift, parents: parents,
    blockSize: blockSize)
  let residuals = prediction.residuals(ofRows: rows)

  var ofResiduals = DoubleScatterSum(shift: Array(repeating: 0, count: columns))
  try ofResiduals.add(
    count: 400, rows: { Array(residuals[$0.lowerBound * columns..<$0.upperBound * columns]) })
  var ofRows = DoubleScatterSum(shift: shift)
  try ofRows.add(
    count: 400, rows: { Array(rows[$0.lowerBound * columns..<$0.upperBound * columns]) })

  let undone = prediction.undone(mean: ofResiduals.mean)
  #expect(undone.count == columns && ofRows.mean.count == columns)
  for (a, b) in zip(undone, ofRows.mean) {
    #expect(abs(a - b) < 1e-6)
  }
  // Residuals are rounded to Float: 6e-8 of numbers of order 1, in 400 products that average it out.
  let (scatter, expected) = (ofResiduals.aboutMean(), ofRows.aboutMean())
  expectEqual(prediction.undone(scatter: scatter), expected, tolerance: 2e-4)
  for i in 0..<columns {
    for j in (i + 1)..<max(columns, i + 1) {
      #expect(prediction.undone(scatter: scatter)[i, j] == 0)
    }
  }
  // It does predict: what is left of the second block varies less than the block itself.
  #expect(scatter[blockSize, blockSize] < 0.9 * expected[blockSize, blockSize])
}

@Test func constantParentsPredictNothing() {
  let rows: [Float] = (0..<50).flatMap { [2, Float($0 % 7)] }
  let prediction = BlockPrediction(
    fittedTo: rows, shift: [2, 0], parents: [[], [0]], blockSize: 1)
  #expect(
    prediction.residuals(ofRows: rows)
      == rows.enumerated().map { $0.offset % 2 == 0 ? 0 : $0.element })
}
