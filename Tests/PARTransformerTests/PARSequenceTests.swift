import LinearAlgebra
import Testing
import TokenGrids

@testable import PARTransformer

private func sequence(
  _ order: String, _ grid: String, n: Int
) throws -> PARSequence {
  let grid = try #require(TokenGrid(grid))
  return try PARSequence(
    order: OrderSpecification(order).order(on: grid, tokensPerStep: n), tokensPerStep: n)
}

@Test(arguments: [
  ("24x24", 1, 576), ("24x24", 4, 147), ("24x24", 16, 51),
  ("5x16x16", 1, 1280), ("5x16x16", 4, 323), ("5x16x16", 16, 95),
])
func forwardPassesAreThoseOfThePaper(grid: String, n: Int, passes: Int) throws {
  #expect(try sequence("distant", grid, n: n).passes.count == passes)
}

@Test func theSequenceOfThePaper() throws {
  let sequence = try sequence("raster", "4x4", n: 4)
  let inputs = (0..<sequence.positionCount).map(sequence.input(at:))
  #expect(
    inputs == [
      .classLabel, .token(0), .token(1), .token(2), .token(3), .transition(1), .transition(2),
      .transition(3),
    ] + (4..<12).map { .token($0) })
  #expect(
    sequence.visiblePositions(.groupwise) == [
      1, 2, 3, 4, 8, 8, 8, 8, 12, 12, 12, 12, 16, 16, 16, 16,
    ])
  #expect(sequence.visiblePositions(.causal) == Array(1...16))
}

@Test func withoutInitialStepsTheClassStartsTheFirstGroup() throws {
  let sequence = try sequence("distant:initial=0", "24x24", n: 4)
  #expect(sequence.passes.count == 144)
  #expect(
    (0..<5).map(sequence.input(at:)) == [
      .classLabel, .transition(1), .transition(2), .transition(3), .token(0),
    ])
  #expect(sequence.visiblePositions(.groupwise).prefix(5) == [4, 4, 4, 4, 8])
}

@Test func aShorterLastStepStillReadsWholeGroups() throws {
  let sequence = try sequence("raster", "3x5", n: 4)
  #expect(sequence.passes.map(\.tokens.count) == [1, 1, 1, 1, 4, 4, 3])
  #expect(sequence.passes.last?.positions == 12..<16)
  #expect(sequence.input(at: 15) == .token(11))
}

/// Every token is predicted once, from inputs that are all known by then.
@Test(arguments: ["distant", "raster", "halton"], [1, 4, 16])
func everyTokenIsPredictedFromKnownOnes(order: String, n: Int) throws {
  let sequence = try sequence(order, "8x8", n: n)
  var known = 0
  for pass in sequence.passes {
    for position in pass.positions {
      if case .token(let token) = sequence.input(at: position) { #expect(token < known) }
    }
    #expect(pass.tokens.lowerBound == known)
    #expect(pass.positions.lowerBound == known)
    known = pass.tokens.upperBound
  }
  #expect(known == 64)
}

@Test func otherPartitionsAreRefused() throws {
  let grid = TokenGrid(rows: 4, columns: 4)
  let diagonal = try OrderSpecification("diagonal").order(on: grid)
  let error = #expect(throws: PARError.self) {
    try PARSequence(order: diagonal, tokensPerStep: 4)
  }
  #expect(
    error?.description
      == "diagonal: step 2 generates 2 tokens; a model with 4 tokens per step generates one token in"
      + " each of the first 4 steps")
  let raster = try OrderSpecification("raster").order(on: grid, tokensPerStep: 2)
  #expect(throws: PARError.self) { try PARSequence(order: raster, tokensPerStep: 4) }
}
