import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

@Test(arguments: [(1, 0.2, 20), (1, 0.001, 1), (4, 0.2, 100), (7, 0.2, 100)])
func partsAreDisjointAndLeaveTheRest(folds: Int, fraction: Double, heldOut: Int) {
  let split = ImageSplit(imageCount: 100, folds: folds, fraction: fraction, seed: 3)
  #expect(split.parts.count == folds)
  let all = split.parts.flatMap(\.self)
  #expect(all.count == heldOut && Set(all).count == heldOut)
  for (index, part) in split.parts.enumerated() {
    #expect(part == part.sorted())
    #expect((part + split.fitted(besides: index)).sorted() == Array(0..<100))
  }
  #expect(split == ImageSplit(imageCount: 100, folds: folds, fraction: fraction, seed: 3))
  #expect(split != ImageSplit(imageCount: 100, folds: folds, fraction: fraction, seed: 4))
}

@Test func subsetsReadTheImagesTheyName() throws {
  let grid = TokenGrid(rows: 1, columns: 2)
  let samples = Samples(grid: grid, featureDimensions: 1, values: (0..<20).map { Float($0) })
  let subset = ImageSubset(of: samples, images: [7, 8, 9, 2, 2, 3])
  #expect(subset.imageCount == 6 && subset.name == "samples")
  #expect(try subset.features(ofImages: 1..<5) == [16, 17, 18, 19, 4, 5, 4, 5])
  #expect(try subset.features(ofImages: 0..<0) == [])
}
