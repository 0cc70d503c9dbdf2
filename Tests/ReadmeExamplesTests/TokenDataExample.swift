import Foundation
import LinearAlgebra
import Testing
import TokenData
import TokenGrids

@Test func tokenDataExample() throws {
  // README.md:
  let codebook = FloatMatrix(rows: 2, columns: 3, elements: [0, 0, 0, 1, 2, 3])
  let dataset = try TokenDataset(
    name: "two images", grid: TokenGrid(rows: 1, columns: 2),
    tokens: .codes([0, 1, 1, 1], codebook: codebook))
  let path = NSTemporaryDirectory() + "two-images-\(UUID().uuidString).h5"
  try dataset.write(to: path)
  let read = try TokenDataset(contentsOf: path)
  let features = try read.features(ofImages: 0..<1)  // [0, 0, 0, 1, 2, 3]
  try FileManager.default.removeItem(atPath: path)
  // What it says is so:
  #expect(read.codes == dataset.codes && read.imageCount == 2)
  #expect(features == [0, 0, 0, 1, 2, 3])
}
