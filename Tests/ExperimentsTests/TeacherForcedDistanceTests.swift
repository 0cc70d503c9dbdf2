import LinearAlgebra
import PARTransformer
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import Experiments

@Suite struct TeacherForcedDistanceTests {
  private let grid = TokenGrid(rows: 4, columns: 4)

  /// Images whose cells 0 and 1, and 2 and 3, have equal codes of two.
  private func dataset(images: Int) throws -> TokenDataset {
    var generator = SeededGenerator(seed: 8)
    var codes: [UInt32] = []
    for _ in 0..<images {
      var own = (0..<16).map { _ in UInt32(generator.nextIndex(below: 4)) }
      own[1] = own[0]
      own[3] = own[2]
      codes += own
    }
    return try TokenDataset(
      name: "pairs", grid: grid,
      tokens: .codes(codes, codebook: FloatMatrix(rows: 4, columns: 1, elements: [-2, -1, 1, 2])))
  }

  /// A step of four cells of which two and two are equal: drawn in parallel by a perfect model they are independent, one by one
  /// they are as those of other images.
  @Test func whatParallelDrawingLosesIsSeen() throws {
    let images = 600
    let real = try dataset(images: images)
    let order = try GenerationOrder(
      name: "pairs", grid: grid, steps: [Array(4..<16), [0, 1, 2, 3]])
    let codes = try #require(real.codes)
    var generator = SeededGenerator(seed: 9)
    func shuffled() -> [Int] {
      var all = Array(0..<images)
      generator.shuffle(&all)
      return all
    }
    let whole = shuffled()
    let apart = (0..<4).map { _ in shuffled() }
    let step = TeacherForcedSampler.Step(
      step: 1,
      parallel: (0..<images).map { image in
        (0..<4).map { Int(codes[apart[$0][image] * 16 + $0]) }
      },
      oneByOne: (0..<images).map { image in (0..<4).map { Int(codes[whole[image] * 16 + $0]) } })
    let found = try TeacherForcedDistance(order: order, real: real, seed: 0)
      .measure([step], weight: 1)
    for name in ["texture", "structure"] {
      let (one, parallel) = (
        try #require(found.values["forced_one_\(name)"]),
        try #require(found.values["forced_parallel_\(name)"])
      )
      let error = try #require(found.errors["forced_excess_\(name)"])
      #expect(abs(one) < 5 * error)
      #expect(parallel > 5 * error, "\(name): \(parallel) and \(one) ± \(error)")
      #expect(found.values["forced_excess_\(name)"] == parallel - one)
    }
    #expect(found.notes.isEmpty)
    // A step stands for others where not all are drawn.
    let twice = try TeacherForcedDistance(order: order, real: real, seed: 0)
      .measure([step], weight: 2)
    let (a, b) = (
      found.values["forced_parallel_texture"] ?? 0, twice.values["forced_parallel_texture"] ?? 0
    )
    #expect(abs(b - 2 * a) < 1e-9 * abs(a))
  }

  @Test func textureSeesOnlyWindowsWithTwoTokensOfTheStep() {
    // Of the 16 windows of 6 × 6 tokens those with both of two neighbours in a corner: one; of cells far apart none.
    let six = TokenGrid(rows: 6, columns: 6)
    let near = StepWindows(cells: [0, 1], grid: six, channels: 2)
    #expect(near.all == 16 && near.windows.count == 1 && near.dimensions == 18)
    #expect(StepWindows(cells: [0, 5, 30, 35], grid: six, channels: 2).windows.isEmpty)
  }

  @Test func stepsAreChosenEvenly() throws {
    let grid = TokenGrid(rows: 12, columns: 12)
    let halton = try OrderSpecification("halton").order(on: grid)
    let several = halton.steps.indices.filter { halton.steps[$0].count > 1 }
    #expect(several.count == 35)
    let some = TeacherForcedDistance.Choice(of: halton, most: 7)
    #expect(some.steps == stride(from: 6, to: 39, by: 5).map(\.self) && some.weight == 5)
    let all = TeacherForcedDistance.Choice(of: halton, most: 35)
    #expect(all.steps == several && all.weight == 1)
    #expect(TeacherForcedDistance.Choice(of: halton.sequentialized(), most: 7).steps.isEmpty)
  }
}
