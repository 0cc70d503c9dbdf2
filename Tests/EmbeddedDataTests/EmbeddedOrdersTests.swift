import Foundation
import Testing
import TokenGrids

/// The orders beside the data are partitions of the grid in as many steps as their names say.
@Test(arguments: [8, 12, 16, 24, 36, 51, 64, 100, 147]) func ordersAreOfTheirSteps(steps: Int)
  throws
{
  let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Notebooks-data/orders/learned-24x24-\(steps)-steps.json")
    .standardizedFileURL.path
  let order = try GenerationOrder(
    contentsOfFile: path, grid: TokenGrid(rows: 24, columns: 24))
  #expect(order.steps.count == steps && order.sequence.sorted() == Array(0..<576))
}
