import Foundation
import LinearAlgebra
import Testing
import TokenGrids

@testable import TokenData

private func writtenDataset() throws -> (path: String, dataset: TokenDataset) {
  let grid = TokenGrid(rows: 2, columns: 2)
  let codebook = FloatMatrix(rows: 40, columns: 1, elements: (0..<40).map(Float.init))
  // Image i has the code i at every cell and the label i mod 3.
  let dataset = try TokenDataset(
    name: "ordered", grid: grid,
    tokens: .codes((0..<160).map { UInt32($0 / 4) }, codebook: codebook),
    labels: TokenLabels(values: (0..<40).map { UInt32($0 % 3) }))
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("sampling-\(UUID().uuidString).h5").path
  try dataset.write(to: path)
  return (path, dataset)
}

@Test func samplesKeepImagesWholeAndLabelled() throws {
  let (path, _) = try writtenDataset()
  defer { try? FileManager.default.removeItem(atPath: path) }
  let sample = try TokenDataset(contentsOf: path, sampling: 12, seed: 5)
  #expect(sample.imageCount == 12)
  let codes = try #require(sample.codes)
  let images = stride(from: 0, to: 48, by: 4).map { codes[$0] }
  for (index, image) in images.enumerated() {
    #expect(codes[index * 4..<index * 4 + 4].allSatisfy { $0 == image })
    #expect(sample.labels?.values[index] == image % 3)
  }
  #expect(images == images.sorted() && Set(images).count == 12)
  // Not simply the first images.
  #expect(images != Array(0..<12))
}

@Test func seedsDecideTheSample() throws {
  let (path, whole) = try writtenDataset()
  defer { try? FileManager.default.removeItem(atPath: path) }
  let first = try TokenDataset(contentsOf: path, sampling: 10, seed: 1)
  #expect(try TokenDataset(contentsOf: path, sampling: 10, seed: 1).codes == first.codes)
  #expect(try TokenDataset(contentsOf: path, sampling: 10, seed: 2).codes != first.codes)
  #expect(try TokenDataset(contentsOf: path, sampling: 40, seed: 2).codes == whole.codes)
  #expect(try TokenDataset(contentsOf: path, sampling: 99, seed: 2).codes == whole.codes)
  #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path, sampling: 0, seed: 1) }
}
