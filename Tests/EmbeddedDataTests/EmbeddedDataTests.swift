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

  /// The learned tokens have the grids and codebooks of the patches, every code is used, and the file says whose
  /// encoder it was; nothing turns them back into images.
  @Test(arguments: [
    (EmbeddedData.learned24x24, EmbeddedData.scenes24x24, 24, 16_384),
    (EmbeddedData.learned12x12, EmbeddedData.scenes12x12, 12, 1024),
  ])
  func learnedTokens(of learned: URL, beside patches: URL, side: Int, codes: Int) throws {
    let file = try TokenDatasetFile(path: learned.path)
    #expect(file.grid == TokenGrid(rows: side, columns: side))
    #expect(file.imageCount == 10_000)
    #expect(file.codebook?.rows == codes && file.featureDimensions == 8)
    #expect(try CodeUse(of: file).usedCount == codes)
    #expect(try file.labels == TokenDatasetFile(path: patches.path).labels)
    #expect(file.decoder == nil)
    #expect(file.attributes.license == "CC0-1.0")
    #expect(file.attributes.source.contains("MIT License, Copyright (c) 2023 Ollin Boer Bohan"))
    #expect(file.attributes.createdBy.contains("k-means with \(codes) codes"))
    #expect(file.attributes.tokenizer == "taef2-encoder-pca-kmeans")
  }

  /// Image i is the same photograph in all sets: the brightness of its patches, the first component of all, goes with
  /// the learned features.
  ///
  /// The squared multiple correlation is above 0.9 in these files. Of 500 images paired at random, or one place off, it
  /// is 8/499 = 0.016 on average, and above 0.8 less than once in 10⁶ times.
  @Test(arguments: [
    (EmbeddedData.scenes24x24, EmbeddedData.learned24x24),
    (EmbeddedData.scenes12x12, EmbeddedData.learned12x12),
    (EmbeddedData.scenes24x24, EmbeddedData.scenes12x12),
  ])
  func imagesStandInTheSameOrder(first: URL, second: URL) throws {
    let (a, b) = (try means(of: first), try means(of: second))
    let count = a.count
    // Gram–Schmidt: what remains of the brightness is what the other set's means do not tell.
    var columns = (0..<8).map { channel in centred(b.map { $0[channel] }) }
    var rest = centred(a.map { $0[0] })
    let total = product(rest, rest)
    for i in columns.indices {
      for j in 0..<i {
        subtract(
          product(columns[i], columns[j]) / product(columns[j], columns[j]), columns[j],
          from: &columns[i])
      }
      subtract(product(rest, columns[i]) / product(columns[i], columns[i]), columns[i], from: &rest)
    }
    #expect(count == 500 && product(rest, rest) < 0.2 * total)
  }

  /// The mean feature of each of the first 500 images.
  private func means(of url: URL) throws -> [[Double]] {
    let file = try TokenDatasetFile(path: url.path, limit: 500)
    let features = try file.features(ofImages: 0..<500)
    let cells = file.grid.cellCount
    return (0..<500).map { image in
      (0..<8).map { channel in
        var sum = 0.0
        for cell in 0..<cells { sum += Double(features[(image * cells + cell) * 8 + channel]) }
        return sum / Double(cells)
      }
    }
  }

  private func centred(_ values: [Double]) -> [Double] {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { $0 - mean }
  }

  private func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map(*).reduce(0, +) }

  private func subtract(_ factor: Double, _ a: [Double], from b: inout [Double]) {
    for i in b.indices { b[i] -= factor * a[i] }
  }

  /// Every name leads to its file, and a name without a grid to that of 24 × 24 tokens.
  @Test func namesLeadToTheirFiles() {
    #expect(EmbeddedData.names.allSatisfy { EmbeddedData.dataset(named: $0) != nil })
    for (name, url) in [
      ("scenes", EmbeddedData.scenes24x24), ("scenes-24x24", EmbeddedData.scenes24x24),
      ("learned", EmbeddedData.learned24x24), ("learned-24x24", EmbeddedData.learned24x24),
      ("scenes-12x12", EmbeddedData.scenes12x12), ("learned-12x12", EmbeddedData.learned12x12),
    ] {
      #expect(EmbeddedData.dataset(named: name) == url)
    }
    for other in ["", "Scenes", "scenes.h5", "./scenes", "scenes-6x6"] {
      #expect(EmbeddedData.dataset(named: other) == nil)
    }
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
    #expect(EmbeddedData.learned24x24.path.hasPrefix("/"))
    #expect(EmbeddedData.learned12x12.path.hasPrefix("/"))
  }
}
