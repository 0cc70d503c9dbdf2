import Foundation
import Testing

@testable import TokenGrids

/// Orders of published programs: sizes by their formulas, and families that are cases of others.
@Suite struct PublishedFamilyTests {
  private let latent = TokenGrid(rows: 16, columns: 16)

  private func sizes(_ text: String, on grid: TokenGrid) throws -> [Int] {
    try OrderSpecification(text).order(on: grid).stepSizes
  }

  /// The sizes that follow from how many of N tokens are generated after each step.
  private func differences(_ cumulative: [Int]) -> [Int] {
    zip(cumulative, [0] + cumulative).map { $0 - $1 }
  }

  @Test func randARIn88Steps() throws {
    var cumulative: [Int] = []
    for k in 1...88 {
      let curve = min(Int((1 - cos(Double.pi * Double(k) / 176)) * 256 + 1), 256)
      cumulative.append(max(curve, (cumulative.last ?? 0) + 1))
    }
    #expect(try sizes("random:steps=88", on: latent) == differences(cumulative))
  }

  /// MAR and ARPG count what is masked: ⌊N·f(k/S)⌋ after step k, at least one fewer each, the last takes the rest.
  private func masked(_ cells: Int, _ steps: Int, _ curve: (Double) -> Double) -> [Int] {
    var (left, sizes) = (cells, [Int]())
    for k in 1...steps {
      let exact = Double(cells) * curve(Double(k) / Double(steps))
      // Values that are whole numbers in exact arithmetic count as such.
      let whole = abs(exact - exact.rounded()) < 1e-7 ? Int(exact.rounded()) : Int(exact)
      let next = k == steps ? 0 : max(1, min(left - 1, whole))
      sizes.append(left - next)
      left = next
    }
    return sizes
  }

  @Test(arguments: [(16, 64), (16, 32), (24, 64), (24, 48), (32, 64)])
  func marAndARPGCountWhatIsMasked(side: Int, steps: Int) throws {
    let grid = TokenGrid(rows: side, columns: side)
    #expect(
      try sizes("random:schedule=masked-cosine,steps=\(steps)", on: grid)
        == masked(side * side, steps) { cos(Double.pi / 2 * $0) })
    #expect(
      try sizes("random:schedule=masked-arccos,steps=\(steps)", on: grid)
        == masked(side * side, steps) { acos($0) / (Double.pi / 2) })
  }

  /// RandAR's and MAR's formulas differ only where N·cos is whole: after two thirds of the steps it is N/2.
  @Test func cosinesDifferWhereTheyAreWhole() throws {
    #expect(
      try sizes("random:steps=64", on: latent)
        == sizes("random:schedule=masked-cosine,steps=64", on: latent))
    let (randAR, mar) = (
      try sizes("random:steps=48", on: latent),
      try sizes("random:schedule=masked-cosine,steps=48", on: latent)
    )
    #expect(randAR.prefix(32).reduce(0, +) == 129)
    #expect(mar.prefix(32).reduce(0, +) == 128)
  }

  @Test func haltonMaskGITIn32Steps() throws {
    var cumulative: [Int] = []
    for k in 0..<32 {
      let curve = Int(576 * (1 - acos(Double(k + 1) / 32) / (Double.pi / 2)) + 1e-9)
      cumulative.append(k == 31 ? 576 : max(k + 1, curve))
    }
    #expect(try sizes("halton:steps=32", on: paperGrid) == differences(cumulative))
  }

  @Test(arguments: [
    (16, 16, [1, 3, 12, 48, 192]), (24, 24, [1, 3, 5, 27, 108, 432]), (1, 5, [1, 1, 1, 2]),
    (3, 2, [1, 1, 4]), (1, 1, [1]),
  ])
  func levelsHalveTheSpacing(rows: Int, columns: Int, expected: [Int]) throws {
    let grid = TokenGrid(rows: rows, columns: columns)
    let order = try OrderSpecification("subsample:schedule=levels").order(on: grid)
    #expect(order.stepSizes == expected)
    #expect(try order.sequence == GenerationOrder.subsample(on: grid, tokensPerStep: 1).sequence)
    // After each step the cells that are there are a lattice.
    var spacing = 1 << (expected.count - 1)
    for count in expected.indices {
      let there = order.steps.prefix(count + 1).flatMap(\.self).sorted()
      #expect(
        there
          == (0..<rows * columns).filter {
            ($0 / columns).isMultiple(of: spacing) && ($0 % columns).isMultiple(of: spacing)
          })
      spacing /= 2
    }
  }

  @Test(arguments: testGrids) func diagonalsAreAWavefront(grid: TokenGrid) throws {
    #expect(
      try OrderSpecification("wavefront").order(on: grid).steps
        == GenerationOrder.diagonal(on: grid).steps)
    // Raster one by one, and columns at once.
    let cells = grid.rows * grid.columns
    let raster = try OrderSpecification("wavefront:a=\(cells),b=\(grid.columns),c=1").order(
      on: grid)
    #expect(raster.steps == (0..<grid.cellCount).map { [$0] })
    #expect(try OrderSpecification("wavefront:a=0,b=0,c=0").order(on: grid).steps.count == 1)
  }

  /// ZipAR's window starts its second row when the first is complete; from there on it is a wavefront.
  @Test(arguments: [(24, 24, 8), (24, 24, 16), (5, 7, 3), (6, 4, 4), (3, 9, 1)])
  func windowsAreAWavefrontBelowTheFirstRow(rows: Int, columns: Int, width: Int) throws {
    let grid = TokenGrid(rows: rows, columns: columns)
    let window = try GenerationOrder.window(on: grid, width: width).stepNumbers
    let front = try OrderSpecification("wavefront:b=\(width),c=1").order(on: grid).stepNumbers
    for cell in 0..<columns { #expect(window[cell] == front[cell]) }
    for cell in columns..<grid.cellCount {
      #expect(window[cell] == front[cell] + columns - width)
    }
  }

  /// DiagD's diagonals of video: the frames one after another, or each a step behind the one before.
  @Test func diagonalsOfVideo() throws {
    let (frames, side) = (5, 16)
    let parallel = try OrderSpecification("wavefront:a=1").order(on: videoGrid)
    #expect(parallel.steps.count == frames + side + side - 2)
    let inTurn = try OrderSpecification("wavefront:a=31").order(on: videoGrid)
    #expect(inTurn.steps.count == frames * (side + side - 1))
    let frame = GenerationOrder.diagonal(on: TokenGrid(rows: side, columns: side)).steps
    #expect(
      inTurn.steps == (0..<frames).flatMap { number in frame.map { $0.map { $0 + number * 256 } } })
  }

  @Test func checkerboardsLeaveTheOtherColourToTheEnd() throws {
    for (steps, sizes) in [(2, [288, 288]), (5, [72, 72, 72, 72, 288]), (4, [96, 96, 96, 288])] {
      let order = try OrderSpecification("checkerboard:steps=\(steps)").order(on: paperGrid)
      #expect(order.stepSizes == sizes)
      #expect(isPartition(order))
      #expect(order.steps.last!.allSatisfy { ($0 / 24 + $0 % 24) % 2 == 1 })
    }
    let orders = try Set(
      (0..<4).map {
        try OrderSpecification("checkerboard:steps=9,seed=\($0)").order(on: latent).steps
      })
    #expect(orders.count == 4)
    let video = try OrderSpecification("checkerboard").order(on: videoGrid)
    #expect(video.steps.count == 10)
    #expect(isPartition(video))
  }

  @Test func checkerboardsThatAreNoneAreNamed() throws {
    for (text, grid, message) in [
      (
        "checkerboard:steps=1", TokenGrid(rows: 2, columns: 2),
        "steps=1 is no checkerboard; on the 2x2 grid steps is from 2 to 3"
      ),
      (
        "checkerboard:steps=4", TokenGrid(rows: 2, columns: 2),
        "steps=4 is no checkerboard; on the 2x2 grid steps is from 2 to 3"
      ),
      (
        "checkerboard", TokenGrid(rows: 1, columns: 1),
        "a frame of the 1x1 grid is a single cell and no checkerboard"
      ),
    ] {
      let error = #expect(throws: GenerationOrderError.self) {
        try OrderSpecification(text).order(on: grid)
      }
      #expect(error?.description == "\(text): \(message)")
    }
  }

  @Test func severalSeedsAreSeveralOrders() throws {
    let specification = try OrderSpecification("random:n=16,seed=5,seeds=3")
    #expect(
      specification.bySeed.map(\.text)
        == ["random:n=16,seed=5", "random:n=16,seed=6", "random:n=16,seed=7"])
    for (number, one) in specification.bySeed.enumerated() {
      #expect(
        try one.order(on: paperGrid)
          == OrderSpecification("random:n=16,seed=\(5 + number)").order(on: paperGrid))
      #expect(one.bySeed == [one])
    }
    #expect(
      try OrderSpecification("lpd: seeds = 2 , steps = 9").bySeed.map(\.text)
        == ["lpd:steps=9,seed=0", "lpd:steps=9,seed=1"])
    for make in [
      { _ = try specification.order(on: paperGrid) },
      { _ = try specification.sequence(on: paperGrid) },
    ] {
      let error = #expect(throws: GenerationOrderError.self) { try make() }
      #expect(
        error?.description
          == "random:n=16,seed=5,seeds=3: these are 3 orders, and one is needed, as in random:n=16,seed=5"
      )
    }
  }
}
