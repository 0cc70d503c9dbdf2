import Atlas
import Statistics
import Testing
import TokenGrids

@Test func atlasExample() throws {
  // README.md:
  let grid = TokenGrid(rows: 2, columns: 2)
  let order = try OrderSpecification("raster").order(on: grid, tokensPerStep: 2)
  let losses = order.steps.map { Estimate(value: 0.1 * Double($0.count - 1), standardError: 0.01) }
  let atlas = Atlas(
    grid: grid, unit: "nats", data: "my tokens", facts: "made up", provenance: [],
    orders: [
      Atlas.Order(
        name: order.name, order: order,
        increase: [Estimate](repeating: Estimate(value: 0.05, standardError: 0.01), count: 4),
        stepLosses: losses, total: Estimate(value: 0.1, standardError: 0.01))
    ])
  let page = try atlas.page()  // write(to: "atlas.html") makes it a file
  // What it says is so:
  #expect(page.contains("my tokens") && page.hasPrefix("<!doctype html>"))
}
