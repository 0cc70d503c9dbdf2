import Foundation
import Testing

@testable import TokenGrids

/// What the published program made: several orders of one grid.
struct PublishedLocalityOrders: Decodable {
  let grid: Int
  let groupSizes: [Int]
  let repulsion: Int
  let proximity: Double
  let orders: [[Int]]

  static func load() throws -> Self {
    let url = try #require(
      Bundle.module.url(
        forResource: "lpd-orders-16x16-steps20", withExtension: "json", subdirectory: "Resources"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Self.self, from: Data(contentsOf: url))
  }
}

/// The first place of a step that the rule does not allow, or nil; said in the plainest way, without the selection that
/// makes the orders.
///
/// - Parameter steps: of one frame, as raster indices.
func breach(
  ofLocalityRuleIn steps: [[Int]], rows: Int, columns: Int, repulsion: Int, proximity: Double
) -> String? {
  func offset(_ a: Int, _ b: Int) -> (Int, Int) {
    (abs(a / columns - b / columns), abs(a % columns - b % columns))
  }
  func isApart(_ a: Int, _ b: Int) -> Bool { max(offset(a, b).0, offset(a, b).1) > repulsion }
  func distance(_ a: Int, _ b: Int) -> Double {
    (Double(offset(a, b).0 * offset(a, b).0 + offset(a, b).1 * offset(a, b).1)).squareRoot()
  }
  var generated: [Int] = []
  for (number, step) in steps.enumerated() {
    let left = (0..<rows * columns).filter { !generated.contains($0) }
    var near: [Int: Double] = [:]
    for cell in left {
      near[cell] =
        generated.lazy.map { distance(cell, $0) }.filter { $0 < 1.5 }
        .reduce(0) { $0 + 1 / $1 }
    }
    var (chosen, isNearPhase) = ([Int](), true)
    for (place, cell) in step.enumerated() {
      let candidates = left.filter { candidate in
        // Sums of the same distances in another order may differ in the last digits.
        near[candidate, default: 0] >= proximity - 1e-9 && !chosen.contains(candidate)
          && chosen.allSatisfy { isApart($0, candidate) }
      }
      isNearPhase = isNearPhase && !candidates.isEmpty
      let rest = left.filter { !chosen.contains($0) }
      let scores: [Int: Double]
      if isNearPhase {
        scores = Dictionary(uniqueKeysWithValues: candidates.map { ($0, near[$0, default: 0]) })
      } else if step.count == left.count {
        scores = Dictionary(uniqueKeysWithValues: rest.map { ($0, near[$0, default: 0]) })
      } else {
        scores = Dictionary(
          uniqueKeysWithValues: rest.map { cell in
            (cell, chosen.map { distance($0, cell) }.min() ?? .infinity)
          })
      }
      guard let score = scores[cell], score >= (scores.values.max() ?? 0) - 1e-9 else {
        return "step \(number + 1), place \(place + 1): cell \(cell)"
      }
      chosen.append(cell)
    }
    generated += step
  }
  return nil
}

@Suite struct LocalityOrderTests {
  /// Steps of a sequence, cut by sizes.
  private func cut(_ sequence: [Int], _ sizes: [Int]) -> [[Int]] {
    var rest = sequence[...]
    return sizes.map { size in
      defer { rest = rest.dropFirst(size) }
      return Array(rest.prefix(size))
    }
  }

  @Test func thePublishedOrdersFollowTheRule() throws {
    let published = try PublishedLocalityOrders.load()
    #expect(published.orders.count == 4)
    #expect(
      GenerationOrder.localitySizes(cells: 256, steps: published.groupSizes.count)
        == published.groupSizes)
    for sequence in published.orders {
      #expect(
        breach(
          ofLocalityRuleIn: cut(sequence, published.groupSizes), rows: 16, columns: 16,
          repulsion: published.repulsion, proximity: published.proximity) == nil)
    }
  }

  /// The check can tell: exchanged cells are noticed, and so are other settings and other orders.
  @Test func theCheckNoticesOtherOrders() throws {
    let published = try PublishedLocalityOrders.load()
    for (first, second) in [(5, 100), (40, 60), (200, 250), (3, 12)] {
      var sequence = published.orders[0]
      sequence.swapAt(first, second)
      #expect(
        breach(
          ofLocalityRuleIn: cut(sequence, published.groupSizes), rows: 16, columns: 16,
          repulsion: 2, proximity: 1) != nil)
    }
    for (repulsion, proximity) in [(1, 1.0), (3, 1), (2, 2)] {
      #expect(
        breach(
          ofLocalityRuleIn: cut(published.orders[1], published.groupSizes), rows: 16, columns: 16,
          repulsion: repulsion, proximity: proximity) != nil)
    }
    #expect(
      try breach(
        ofLocalityRuleIn: GenerationOrder.halton(on: TokenGrid(rows: 16, columns: 16)).steps,
        rows: 16, columns: 16, repulsion: 2, proximity: 1) != nil)
  }

  @Test(arguments: [
    (16, 16, 20, 2, 1.0), (16, 16, 20, 0, 1), (16, 16, 12, 4, 2), (24, 24, 30, 2, 1),
    (7, 11, 9, 1, 1.7), (5, 5, 25, 2, 1), (6, 6, 1, 2, 1), (9, 1, 4, 1, 9), (8, 8, 6, 3, 0),
  ])
  func ourOrdersFollowTheRule(
    rows: Int, columns: Int, steps: Int, repulsion: Int, proximity: Double
  ) throws {
    let grid = TokenGrid(rows: rows, columns: columns)
    for seed in UInt64(0)..<3 {
      let order = try GenerationOrder.lpd(
        on: grid, steps: steps, repulsion: repulsion, proximity: proximity, seed: seed)
      #expect(isPartition(order))
      #expect(
        order.stepSizes == GenerationOrder.localitySizes(cells: rows * columns, steps: steps))
      #expect(
        breach(
          ofLocalityRuleIn: order.steps, rows: rows, columns: columns, repulsion: repulsion,
          proximity: proximity) == nil)
    }
  }

  @Test func sizesAreOnesAtLeastAndAddUp() {
    for cells in 1...40 {
      for steps in 1...cells {
        let sizes = GenerationOrder.localitySizes(cells: cells, steps: steps)
        #expect(sizes.count == steps)
        #expect(sizes.allSatisfy { $0 >= 1 })
        #expect(sizes.reduce(0, +) == cells)
      }
    }
  }

  @Test func seedsRepeatAndDifferAndFramesAreTheirOwn() throws {
    let grid = TokenGrid(rows: 16, columns: 16)
    let orders = try (UInt64(0)..<5).map { try GenerationOrder.lpd(on: grid, seed: $0) }
    #expect(Set(orders).count == 5)
    #expect(try OrderSpecification("lpd:seed=3").order(on: grid).steps == orders[3].steps)
    let video = try GenerationOrder.lpd(on: videoGrid)
    #expect(video.steps.count == 100)
    #expect(isPartition(video))
    for frame in 0..<5 {
      let steps = video.steps[frame * 20..<(frame + 1) * 20].map { $0.map { $0 - frame * 256 } }
      #expect(
        breach(
          ofLocalityRuleIn: steps, rows: 16, columns: 16, repulsion: 2, proximity: 1) == nil)
    }
    #expect(video.steps[0][0] != video.steps[20][0] - 256)
  }

  @Test func tooManyStepsAreRefused() throws {
    let error = #expect(throws: GenerationOrderError.self) {
      try OrderSpecification("lpd").order(on: TokenGrid(rows: 4, columns: 4))
    }
    #expect(
      error?.description
        == "lpd: 16 cells do not fill 20 steps; on the 4x4 grid steps is from 1 to 16")
  }
}
