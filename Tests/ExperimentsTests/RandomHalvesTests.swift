import Experiments
import Testing
import TokenData
import TokenGrids

/// Crops of one photograph are on the same side, and every image is on one.
@Test func halvesKeepPhotographsTogether() throws {
  let photographs = (0..<40).map { UInt32($0 / 4) }
  let dataset = try TokenDataset(
    name: "crops", grid: TokenGrid(rows: 1, columns: 1),
    tokens: .features((0..<40).map(Float.init), dimensions: 1), imageIDs: photographs)
  let (first, second) = try randomHalves(of: dataset, seed: 3)
  #expect(first.imageCount + second.imageCount == 40)
  let (a, b) = (Set(first.imageIDs ?? []), Set(second.imageIDs ?? []))
  #expect(a.count == 5 && b.count == 5 && a.isDisjoint(with: b))
  #expect(try randomHalves(of: dataset, seed: 3).0.imageIDs == first.imageIDs)
}
