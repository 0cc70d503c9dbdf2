import EmbeddedData
import EntropyEstimation
import Testing
import TokenData
import TokenGrids

@Test func entropyEstimationExample() throws {
  // README.md:
  let dataset = try TokenDataset(contentsOf: EmbeddedData.scenes12x12.path, limit: 2000)
  let orders = try ["raster", "distant"].map {
    try OrderSpecification($0).order(on: dataset.grid, tokensPerStep: 4)
  }
  let estimator = OrderEstimator(EstimationSettings(bound: .wishart))
  let profiles = try estimator.profiles(of: orders, in: dataset)
  // In nats: much in raster order, little in distant.
  let lost = profiles.map { $0.totalIncrease.value }
  // What it says is so:
  #expect(lost.count == 2 && lost[0] > 10 * lost[1])
}
