import Experiments
import PARTransformer
import Testing
import TokenGrids

@Test func configurationsAreRead() throws {
  let grid = TokenGrid(rows: 12, columns: 12)
  func read(_ text: String) throws -> ComparisonConfiguration {
    try ComparisonConfiguration(text) { try OrderSpecification($0).order(on: grid) }
  }
  let expected: [(String, Int, Int, AttentionPattern)] = [
    ("raster+one", 1, 144, .groupwise), ("distant+one", 1, 144, .groupwise),
    ("raster", 4, 39, .groupwise), ("distant", 4, 39, .groupwise),
    ("distant:initial=0", 4, 36, .groupwise), ("distant:n=16", 16, 24, .groupwise),
    ("distant+causal", 4, 39, .causal),
  ]
  #expect(ComparisonConfiguration.standard == expected.map(\.0))
  for (name, tokens, steps, attention) in expected {
    let one = try read(name)
    #expect(one.tokensPerStep == tokens && one.order.steps.count == steps)
    #expect(one.attention == attention && one.paper != nil)
  }
  let both = try read("raster+causal+one")
  #expect(both.tokensPerStep == 1 && both.attention == .causal && both.paper == nil)
  #expect(throws: (any Error).self) { try read("distant+two") }
  // No model of a fixed number of transition tokens can take these steps.
  #expect(throws: PARError.self) { try read("diagonal") }
}
