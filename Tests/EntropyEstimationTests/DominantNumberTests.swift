import Statistics
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

@Suite struct DominantNumberTests {
  let grid = TokenGrid(rows: 2, columns: 2)

  private func dataset(_ values: [Float]) throws -> TokenDataset {
    try TokenDataset(name: "field", grid: grid, tokens: .features(values, dimensions: 2))
  }

  private func gaussian(images: Int) -> [Float] {
    var rng = SeededGenerator(seed: 5)
    return (0..<images * 8).map { _ in Float(rng.nextNormal()) }
  }

  @Test func gaussianNumbersAreAllAlike() throws {
    for images in [100, 1000] {
      #expect(try dataset(gaussian(images: images)).dominantNumbers().isEmpty)
    }
  }

  /// Wherever they are, whatever their sign, and the first image too, by which others are not to be measured.
  @Test(arguments: [1e3, -1e6, 1e30, -3e37] as [Float]) func largeOnesAreFound(value: Float) throws
  {
    var values = gaussian(images: 500)
    values[5] = value
    values[333 * 8 + 2] = 2 * value
    values[499 * 8] = -value
    // Of 500 numbers with this one the others have still half.
    values[77 * 8 + 7] = 15
    let found = try dataset(values).dominantNumbers()
    #expect(found.map(\.image).sorted() == [0, 333, 499])
    let places = Dictionary(uniqueKeysWithValues: found.map { ($0.image, $0) })
    #expect(places[0]?.cell == GridCell(row: 1, column: 0) && places[0]?.channel == 1)
    #expect(places[333]?.cell == GridCell(row: 0, column: 1) && places[333]?.channel == 0)
    #expect(places[499]?.cell == GridCell(row: 0, column: 0) && places[499]?.channel == 0)
    // z²/(z² + Σ others), by a loop.
    for number in found {
      let token = grid.index(of: number.cell)
      let channel = (0..<500).map { Double(values[$0 * 8 + token * 2 + number.channel]) }
      let mean = channel.reduce(0, +) / 500
      let scatter = channel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let distance = channel[number.image] - mean
      #expect(abs(number.share - distance * distance / scatter) < 1e-9)
    }
  }

  @Test func fewImagesSayNothing() throws {
    var values = gaussian(images: 99)
    values[0] = 1e9
    #expect(try dataset(values).dominantNumbers().isEmpty)
  }

  /// What is the same in all images has no variance to have a share of.
  @Test func constantChannelsAreNotDominated() throws {
    #expect(try dataset(Array(repeating: 0.1, count: 800)).dominantNumbers().isEmpty)
  }
}
