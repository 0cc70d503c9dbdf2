import Testing

@testable import TokenGrids

/// Schedules for every family that is a sequence of cells.
@Suite struct ScheduleSpecificationTests {
  static let sequences = [
    "raster", "distant", "blocks", "random:seed=5", "halton", "spiral", "spiral:direction=out",
    "hilbert", "zcurve", "subsample", "distant:n=16", "blocks:n=9",
  ]

  private func adding(_ settings: String, to text: String) -> String {
    text + (text.contains(":") ? "," : ":") + settings
  }

  /// A schedule cuts the family's own sequence, and its sizes are those of the schedule alone.
  @Test(arguments: sequences) func everySequenceTakesEverySchedule(text: String) throws {
    let own = try OrderSpecification(text).order(on: paperGrid)
    for (name, schedule) in [
      ("constant", StepSchedule.equal(steps: 24)), ("cosine", .cosine(steps: 24)),
      ("arccos", .arccos(steps: 24)),
    ] {
      let order = try OrderSpecification(adding("schedule=\(name),steps=24", to: text))
        .order(on: paperGrid)
      #expect(order.sequence == own.sequence)
      let expected = try schedule.cut([Array(0..<576)], order: "", grid: paperGrid)
      #expect(order.stepSizes == expected.map(\.count))
      #expect(isPartition(order))
    }
  }

  @Test func stepsAloneCutAsPublishedOrIntoEqualGroups() throws {
    func sizes(_ text: String) throws -> [Int] {
      try OrderSpecification(text).order(on: paperGrid).stepSizes
    }
    #expect(try sizes("random:steps=20") == sizes("raster:schedule=cosine,steps=20"))
    #expect(try sizes("halton:steps=20") == sizes("raster:schedule=arccos,steps=20"))
    #expect(try sizes("spiral:steps=20") == sizes("raster:schedule=constant,steps=20"))
    #expect(try sizes("raster:steps=144") == Array(repeating: 4, count: 144))
  }

  @Test func schedulesCutVideoFrameByFrame() throws {
    for name in ["raster:steps=5", "distant:schedule=cosine,steps=5", "zcurve:steps=5"] {
      let order = try OrderSpecification(name).order(on: videoGrid)
      #expect(order.steps.count == 25)
      #expect(isPartition(order))
      for (step, cells) in order.steps.enumerated() {
        #expect(cells.allSatisfy { $0 / 256 == step / 5 })
      }
    }
  }

  /// Sequences whose rule needs no n stand on grids of fewer cells than the default n.
  @Test func smallGridsAreCutToo() throws {
    let order = try OrderSpecification("raster:steps=2").order(on: TokenGrid(rows: 1, columns: 3))
    #expect(order.steps == [[0], [1, 2]])
  }

  @Test(arguments: sequences) func optimalStepsAreLeftToTheTokens(text: String) throws {
    let optimal = try OrderSpecification(adding("schedule=optimal,steps=24", to: text))
    let own = try OrderSpecification(text)
    #expect(optimal.optimalSteps == 24)
    #expect(own.optimalSteps == nil)
    for grid in [paperGrid, TokenGrid(frames: 2, rows: 24, columns: 24)] {
      #expect(try optimal.sequence(on: grid) == own.order(on: grid).sequence)
      #expect(try own.sequence(on: grid) == own.order(on: grid).sequence)
      let error = #expect(throws: GenerationOrderError.self) { try optimal.order(on: grid) }
      #expect(
        error?.description
          == "\(optimal.text): the group sizes of schedule=optimal must be fitted to tokens first; "
          + "constant, cosine and arccos need none")
    }
  }

  @Test func optimalStepsMayComeFromTheCommand() throws {
    #expect(try OrderSpecification("halton:schedule=optimal", optimalSteps: 12).optimalSteps == 12)
    #expect(
      try OrderSpecification("halton:schedule=optimal,steps=9", optimalSteps: 12).optimalSteps == 9)
    #expect(try OrderSpecification("halton:n=4", optimalSteps: 12).optimalSteps == nil)
    #expect(try OrderSpecification("halton:steps=24").optimalSteps == nil)
  }

  @Test func moreOptimalStepsThanCellsAreRefused() throws {
    let grid = TokenGrid(frames: 2, rows: 2, columns: 2)
    #expect(
      try OrderSpecification("raster:schedule=optimal,steps=8").sequence(on: grid)
        == Array(0..<8))
    let specification = try OrderSpecification("raster:schedule=optimal,steps=9")
    let error = #expect(throws: GenerationOrderError.self) {
      try specification.sequence(on: grid)
    }
    #expect(
      error?.description
        == "raster:schedule=optimal,steps=9: 8 cells do not fill 9 steps; on the 2x2x2 grid "
        + "optimal steps are from 1 to 8")
  }

  @Test func theCommandsNMattersWhereTheSequenceDependsOnIt() throws {
    let regions = try OrderSpecification("distant:steps=24")
    #expect(regions.takesTokensPerStep)
    #expect(
      try regions.sequence(on: paperGrid, tokensPerStep: 16)
        == GenerationOrder.distant(on: paperGrid, tokensPerStep: 16).sequence)
    #expect(try regions.order(on: paperGrid, tokensPerStep: 16).steps.count == 24)
    for text in ["distant:n=4,steps=24", "halton:steps=24", "raster:schedule=optimal,steps=2"] {
      #expect(try !OrderSpecification(text).takesTokensPerStep)
    }
  }

  @Test func groupSizesCutASequence() throws {
    let grid = TokenGrid(rows: 2, columns: 3)
    let sequence = [5, 0, 3, 1, 4, 2]
    let order = try GenerationOrder(
      name: "mine", grid: grid, sequence: sequence, groupSizes: [1, 3, 2])
    #expect(order.steps == [[5], [0, 3, 1], [4, 2]])
    #expect(order.name == "mine")
  }

  @Test(arguments: [
    ([0, 1, 2, 3], [1, 0, 3], "mine: group 2 has size 0; every group size is at least 1"),
    ([0, 1, 2, 3], [-1, 5], "mine: group 1 has size -1; every group size is at least 1"),
    ([0, 1, 2, 3], [1, 2], "mine: 2 group sizes add up to 3, but the 2x2 grid has 4 cells"),
    ([0, 1, 2, 3], [], "mine: 0 group sizes add up to 0, but the 2x2 grid has 4 cells"),
    (
      [0, 1, 2, 3], [Int.max, Int.max],
      "mine: 2 group sizes add up to \(Int.max), but the 2x2 grid has 4 cells"
    ),
    ([0, 1, 2], [4], "mine: cell (1, 1) is never generated (1 of 4 cells are missing)"),
    ([0, 1, 2, 2], [4], "mine: cell (1, 0) is generated twice, in step 3 and in step 4"),
    ([0, 1, 2, 4], [4], "mine: cell 4 is outside the 2x2 grid, whose cells are 0 to 3"),
  ])
  func groupSizesThatDoNotFitAreNamed(sequence: [Int], sizes: [Int], message: String) {
    let error = #expect(throws: GenerationOrderError.self) {
      try GenerationOrder(
        name: "mine", grid: TokenGrid(rows: 2, columns: 2), sequence: sequence, groupSizes: sizes)
    }
    #expect(error?.description == message)
  }
}
