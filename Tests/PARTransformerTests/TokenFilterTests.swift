import PARTransformer
import Testing

@Test(
  arguments: GoldenSet.tokensPerStep,
  [
    ("filter.T0.7.k5.p1.0.probs", TokenFilter(temperature: 0.7, topK: 5, topP: 1)),
    ("filter.T1.0.k0.p0.8.probs", TokenFilter(temperature: 1, topK: 0, topP: 0.8)),
    ("filter.T1.3.k20.p0.9.probs", TokenFilter(temperature: 1.3, topK: 20, topP: 0.9)),
  ])
func filteredProbabilitiesAreThePublishedOnes(
  tokensPerStep: Int, filter: (name: String, options: TokenFilter)
) throws {
  let golden = try GoldenSet(tokensPerStep: tokensPerStep)
  let logits = chunks(try golden.expected.floats("filter.logits"), of: 64)
  let expected = try golden.expected.floats(filter.name)
  let found = logits.flatMap { filter.options.probabilities($0) }
  #expect(largestDifference(found, expected) <= 1e-6)
}
