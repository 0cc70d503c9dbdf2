import Foundation
import Statistics
import TestSupport
import Testing

@testable import TokenGrids

@Suite struct StepMapsTests {
  private let grid = TokenGrid(rows: 2, columns: 3)

  private func npy(_ shape: String, _ numbers: [Int]) -> Data {
    let header = "{'descr': '<i2', 'fortran_order': False, 'shape': \(shape), }\n"
    let bytes =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
    return Data(
      bytes
        + numbers.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
  }

  @Test func everyImageHasItsOrder() throws {
    let maps = try StepMaps(numbers: [0, 1, 1, 2, 2, 2, 9, 9, 4, 4, 4, 30], grid: grid)
    #expect(maps.imageCount == 2)
    #expect(maps.order(ofImage: 0).steps == [[0], [1, 2], [3, 4, 5]])
    #expect(maps.order(ofImage: 1).steps == [[2, 3, 4], [0, 1], [5]])
    #expect(maps.order(ofImage: 1).name == "image 1")
    #expect(maps.meanStepCount == 3)
  }

  @Test func imagesThatAgreeHaveTheirOwnOrder() throws {
    let order = try GenerationOrder.random(on: grid, seed: 3, schedule: .runs(of: 2))
    let maps = try StepMaps(
      numbers: Array(repeating: order.stepNumbers, count: 5).flatMap(\.self), grid: grid)
    #expect(maps.meanOrder.steps == order.steps.map { $0.sorted() })
    #expect(maps.meanOrder.name == "mean of 5 step maps")
  }

  /// Two images of three steps, 1, 2, 3 and 2, 1, 3 cells: after 1.5, 3 and 6 of them on average, rounded, a step ends.
  @Test func theMeanOrderFollowsMeanSteps() throws {
    let maps = try StepMaps(numbers: [3, 3, 2, 1, 3, 2, 3, 1, 2, 1, 3, 3], grid: grid)
    let order = maps.meanOrder
    #expect(order.sequence == [3, 1, 2, 5, 0, 4])
    #expect(order.stepSizes == [2, 1, 3])
  }

  /// Whatever the images, the mean order is a partition with as many steps as they have on average.
  @Test func anyMapsHaveAMeanOrder() throws {
    var generator = SeededGenerator(seed: 8)
    for grid in [grid, TokenGrid(rows: 1, columns: 1), TokenGrid(frames: 2, rows: 3, columns: 3)] {
      for largest in [1, 2, 5, 40] {
        let numbers = (0..<7 * grid.cellCount).map { _ in generator.nextIndex(below: largest) }
        let maps = try StepMaps(numbers: numbers, grid: grid)
        let order = maps.meanOrder
        #expect(isPartition(order))
        #expect(order.steps.count == Int(maps.meanStepCount.rounded()))
        for image in 0..<7 { #expect(isPartition(maps.order(ofImage: image))) }
      }
    }
  }

  @Test func filesAreRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/maps.npy"
      func write(_ data: Data) throws { try data.write(to: URL(fileURLWithPath: path)) }
      func message(on grid: TokenGrid) -> String? {
        do {
          _ = try StepMaps(contentsOfFile: path, grid: grid)
          return nil
        } catch { return "\(error)" }
      }
      try write(npy("(2, 2, 3)", [0, 1, 1, 2, 2, 2, 9, 9, 4, 4, 4, 300]))
      let maps = try StepMaps(contentsOfFile: path, grid: grid)
      #expect(maps.order(ofImage: 1).steps == [[2, 3, 4], [0, 1], [5]])
      #expect(
        message(on: TokenGrid(rows: 3, columns: 2))
          == "\(path): the shape of its step maps is [2, 2, 3], and the grid here is 3x2: [m, 3, 2] is expected"
      )
      #expect(
        try StepMaps(contentsOfFile: path, grid: grid).imageCount == 2 && message(on: grid) == nil)
      // As an order it is several.
      let error = #expect(throws: OrderFileError.self) {
        try GenerationOrder(contentsOfFile: path, grid: grid)
      }
      #expect(
        error?.description.hasSuffix("the step maps of several images are no single order") == true)
      try write(npy("(1, 2, 3)", [0, 1, -1, 2, 2, 2]))
      #expect(
        message(on: grid) == "\(path): image 0 has step -1 at cell (0, 2), but a step is from 0")
      try write(npy("(0, 2, 3)", []))
      #expect(message(on: grid) == "\(path): there is no step map")
      try write(Data("1 2 3".utf8))
      #expect(message(on: grid) == "\(path): step maps are a .npy array, and this file is none")
      try write(npy("(1, 2, 2, 3)", [0, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8]))
      #expect(message(on: TokenGrid(frames: 2, rows: 2, columns: 3)) == nil)
    }
  }
}
