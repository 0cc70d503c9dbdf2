import EmbeddedData
import Foundation
import Testing
import TokenData
import TokenGrids

@Suite struct EmbeddedDataTests {
  @Test func theLargeSetHasTheSizeOfThePaper() throws {
    let file = try TokenDatasetFile(path: EmbeddedData.scenes24x24.path)
    #expect(file.grid == TokenGrid(rows: 24, columns: 24))
    #expect(file.imageCount == 10_000)
    #expect(file.codebook?.rows == 16_384 && file.featureDimensions == 8)
    #expect(file.labels?.classCount == 6)
    #expect(file.attributes.license == "CC0-1.0" && !file.attributes.createdBy.isEmpty)
    #expect(file.decoder?.kind == "patch-pca")
  }

  @Test func theSmallSet() throws {
    let file = try TokenDatasetFile(path: EmbeddedData.scenes12x12.path)
    #expect(file.grid == TokenGrid(rows: 12, columns: 12))
    #expect(file.imageCount == 10_000)
    #expect(file.codebook?.rows == 1024 && file.featureDimensions == 8)
    #expect(try CodeUse(of: file).usedCount == 1024)
  }

  /// The first images of the list hold every class in proportion, and every channel varies at
  /// every position.
  @Test func everyPrefixIsARepresentativeSample() throws {
    let dataset = try TokenDataset(contentsOf: EmbeddedData.scenes12x12.path, limit: 300)
    let labels = try #require(dataset.labels)
    var counts = [Int](repeating: 0, count: 6)
    for label in labels.values { counts[Int(label)] += 1 }
    #expect(counts.allSatisfy { (44...53).contains($0) })
    let features = try dataset.features(ofImages: 0..<300)
    let numbers = 144 * 8
    for i in 0..<numbers {
      let values = stride(from: i, to: features.count, by: numbers).map { features[$0] }
      #expect((values.max() ?? 0) - (values.min() ?? 0) > 0.05)
    }
  }

  /// The data is found whatever the working directory is: the paths are absolute.
  @Test func pathsAreAbsolute() {
    #expect(EmbeddedData.scenes24x24.path.hasPrefix("/"))
    #expect(EmbeddedData.scenes12x12.path.hasPrefix("/"))
  }
}
