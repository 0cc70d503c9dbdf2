import LinearAlgebra
import Statistics
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

@testable import GenerationMetrics

@Suite struct ExtractorTests {
  /// The area of a token in a cell, counted in pieces of 1/4 × 1/4 of a cell's share of rows and columns.
  @Test(arguments: [(4, 4), (8, 12), (6, 5), (7, 10)])
  func structureIsTheMeanByArea(rows: Int, columns: Int) throws {
    let grid = TokenGrid(rows: rows, columns: columns)
    var generator = SeededGenerator(seed: 2)
    let features = (0..<2 * grid.cellCount * 3).map { _ in Float(generator.nextUniform()) }
    let dataset = try TokenDataset(
      name: "t", grid: grid, tokens: .features(features, dimensions: 3))
    let extractor = try StructureExtractor(for: dataset)
    #expect(extractor.dimensions == 48 && extractor.samplesPerImage == 1)
    let result = try extractor.features(of: dataset, images: 1..<2)
    for cell in 0..<16 {
      for c in 0..<3 {
        var sum = 0.0
        // The cell in rows × columns equal pieces, each of which lies in one token.
        for i in 0..<rows {
          for j in 0..<columns {
            let token =
              (cell / 4 * rows + i) / 4 * columns + (cell % 4 * columns + j) / 4
            sum += Double(features[(grid.cellCount + token) * 3 + c])
          }
        }
        let expected = sum / Double(rows * columns)
        #expect(abs(Double(result[0, cell * 3 + c]) - expected) < 1e-6)
      }
    }
  }

  @Test func textureIsEveryWindow() throws {
    let grid = TokenGrid(rows: 3, columns: 4)
    let features = (0..<2 * 12).map { Float($0) }
    let dataset = try TokenDataset(
      name: "t", grid: grid, tokens: .features(features, dimensions: 1))
    let extractor = try TextureExtractor(for: dataset)
    #expect(extractor.samplesPerImage == 2 && extractor.dimensions == 9)
    let result = try extractor.features(of: dataset, images: 0..<2)
    #expect(result.rows == 4)
    #expect(result.slice(1..<2).elements == [1, 2, 3, 5, 6, 7, 9, 10, 11])
    #expect(result.slice(2..<3).elements == [12, 13, 14, 16, 17, 18, 20, 21, 22])
  }

  @Test func pixelsDependOnTheSeedAndTheImage() throws {
    let dataset = try dependentTokens(images: 5, decoder: patchDecoder())
    let extractors = try [1, 1, 2].map { try PixelExtractor(for: dataset, seed: $0) }
    let results = try extractors.map { try $0.features(of: dataset, images: 0..<5) }
    #expect(results[0] == results[1] && results[0] != results[2])
    #expect(results[0].columns == 224 && results[0].elements.allSatisfy(\.isFinite))
    #expect(extractors[0].definitionHash == extractors[1].definitionHash)
    #expect(extractors[0].definitionHash != extractors[2].definitionHash)
    // A run of images has the features of its images.
    #expect(
      try extractors[0].features(of: dataset, images: 2..<4).elements
        == results[0].slice(2..<4).elements)
  }

  /// The first layer by the definition of a convolution of stride 2, zeros to the right and below.
  @Test func theFirstLayerIsAConvolution() throws {
    let dataset = try dependentTokens(images: 1, side: 4, decoder: patchDecoder())
    let result = try PixelExtractor(for: dataset, seed: 9).features(of: dataset, images: 0..<1)
    var generator = SeededGenerator(seed: 9, stream: 1)
    let weights = (0..<16 * 27).map { _ in (2.0 / 27).squareRoot() * generator.nextNormal() }
    let image = try TokenImages(of: dataset).image(0)
    var sums = [Double](repeating: 0, count: 16)
    for y in 0..<8 {
      for x in 0..<8 {
        for o in 0..<16 {
          var value = 0.0
          for c in 0..<3 {
            for i in 0..<3 {
              for j in 0..<3 where 2 * y + i < 16 && 2 * x + j < 16 {
                let pixel = Double(image.pixels[((2 * y + i) * 16 + 2 * x + j) * 3 + c])
                value += weights[((o * 3 + c) * 3 + i) * 3 + j] * (pixel / 127.5 - 1)
              }
            }
          }
          sums[o] += max(value, 0) / 64
        }
      }
    }
    for o in 0..<16 { #expect(abs(Double(result[0, o]) - sums[o]) < 1e-5) }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let narrow = try TokenDataset(
      name: "n.h5", grid: TokenGrid(rows: 2, columns: 9),
      tokens: .features(Array(repeating: 0, count: 18), dimensions: 1))
    #expect(throws: MetricError.self) { try StructureExtractor(for: narrow) }
    #expect(throws: MetricError.self) { try TextureExtractor(for: narrow) }
    // No decoder.
    #expect(throws: (any Error).self) { try PixelExtractor(for: narrow, seed: 0) }
    let (a, b) = (try dependentTokens(images: 2), try dependentTokens(images: 2, side: 4))
    #expect(throws: MetricError.self) { try requireComparable(a, b) }
    let codebook = FloatMatrix(rows: 1, columns: 2)
    let other = try TokenDataset(
      name: "o", grid: a.grid,
      tokens: .codes(Array(repeating: 0, count: 64), codebook: codebook))
    #expect(throws: MetricError.self) { try requireComparable(a, other) }
    #expect(throws: Never.self) { try requireComparable(a, a.corrupted(share: 1)) }
  }
}
