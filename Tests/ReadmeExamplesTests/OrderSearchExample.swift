import LinearAlgebra
import OrderSearch
import Testing
import TokenGrids

@Test func orderSearchExample() throws {
  // README.md:
  let grid = TokenGrid(rows: 4, columns: 4)
  var covariance = Matrix(rows: 16, columns: 16)
  for i in 0..<16 {
    for j in 0..<16 {
      let (a, b) = (grid.cell(at: i), grid.cell(at: j))
      let (rows, columns) = (Double(a.row - b.row), Double(a.column - b.column))
      covariance[i, j] = 1 / (1 + rows * rows + columns * columns) + (i == j ? 0.1 : 0)
    }
  }
  let search = SequenceSearch(covariance: covariance, featureDimensions: 1)
  let curve = try GenerationOrder.zCurve(on: grid).sequence
  let steps = search.cut(curve, steps: 4)  // the best sizes that four steps of the curve can have
  let better = steps.map { search.improved($0) }  // loses less still
  // What it says is so:
  let (cut, found) = (try #require(steps), try #require(better))
  #expect(cut.groupSizes.count == 4 && found.groupSizes.count == 4)
  #expect(cut.trainingLoss > found.trainingLoss + 0.1)
}
