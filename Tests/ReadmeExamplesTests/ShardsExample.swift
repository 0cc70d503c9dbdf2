import Shards
import Statistics
import Testing
import TokenData
import TokenGrids

@Test func shardsExample() throws {
  // README.md:
  let grid = TokenGrid(rows: 2, columns: 2)
  let numbers = (0..<400).map { Float(($0 * $0 * 7919) % 97) / 97 }
  let tokens = try TokenDataset(
    name: "my tokens", grid: grid, tokens: .features(numbers, dimensions: 1))
  let halves = try [1, 2].map {
    try StoredMoments(of: ShardImages(of: tokens, share: NumberedPart($0, of: 2)))
  }
  var moments = halves[0]
  try moments.merge(halves[1])
  let raster = try OrderSpecification("raster").order(on: grid, tokensPerStep: 2)
  let profiles = try ShardedEstimation(moments, hash: "").profiles(of: [raster], bound: .wishart)
  // What it says is so:
  #expect(moments.imageCount == 100 && profiles[0].imageCount == 100)
}
