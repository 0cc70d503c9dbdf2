import Experiments
import Testing
import TokenGrids

@Test func experimentsExample() throws {
  // README.md:
  let grid = TokenGrid(rows: 12, columns: 12)
  let causal = try ComparisonConfiguration("distant:n=16+causal") {
    try OrderSpecification($0).order(on: grid)
  }
  // 16 singles, and then eight steps of 16 tokens at once.
  print(causal.name, causal.tokensPerStep, causal.order.steps.count, causal.attention)
  // What it says is so:
  #expect(
    causal.order.steps.map(\.count) == Array(repeating: 1, count: 16)
      + [Int](repeating: 16, count: 8))
  #expect(causal.tokensPerStep == 16 && causal.attention == .causal)
}
