import Files
import LinearAlgebra
import TestSupport
import Testing
import TokenData
import TokenGrids

@Suite struct TokenDatasetTests {
  @Test(arguments: [1, 3, 8])
  func featuresAreCodebookRows(dimensions: Int) throws {
    let dataset = try randomDataset(dimensions: dimensions)
    let codes = try #require(dataset.codes)
    let codebook = try #require(dataset.codebook)
    let n = dataset.grid.cellCount
    #expect(dataset.featureDimensions == dimensions)
    let features = try dataset.features(ofImages: 2..<6)
    #expect(features.count == 4 * n * dimensions)
    for i in features.indices {
      let code = Int(codes[2 * n + i / dimensions])
      #expect(features[i] == codebook[code, i % dimensions])
    }
    #expect(try dataset.features(ofImages: 3..<3).isEmpty)
  }

  @Test func codesOfImages() throws {
    let dataset = try randomDataset()
    let codes = try #require(dataset.codes)
    #expect(dataset.codes(ofImages: 1..<3) == codes[12..<36])
    #expect(try randomFeatures().codes(ofImages: 0..<1) == nil)
  }

  let grid = TokenGrid(rows: 1, columns: 2)
  let codebook = FloatMatrix(rows: 2, columns: 1)

  @Test func refusesWhatIsNoWholeNumberOfImages() {
    #expect(throws: TokenDataError.noImages("memory")) {
      try TokenDataset(name: "memory", grid: grid, tokens: .codes([], codebook: codebook))
    }
    let error = #expect(throws: TokenDataError.self) {
      try TokenDataset(name: "memory", grid: grid, tokens: .codes([0, 1, 0], codebook: codebook))
    }
    #expect(error?.description.contains("multiple of 2") == true)
  }

  @Test func refusesBadTokens() {
    #expect(
      throws: TokenDataError.codeOutsideCodebook(
        "memory", image: 1, cell: GridCell(row: 0, column: 0), code: 2, codebookSize: 2)
    ) {
      try TokenDataset(
        name: "memory", grid: grid, tokens: .codes([0, 1, 2, 0], codebook: codebook))
    }
    #expect(throws: TokenDataError.self) {
      try TokenDataset(name: "memory", grid: grid, tokens: .features([0, .nan], dimensions: 1))
    }
    #expect(throws: TokenDataError.self) {
      try TokenDataset(name: "memory", grid: grid, tokens: .features([], dimensions: 0))
    }
  }

  @Test func refusesLabelsThatDoNotFit() {
    for labels in [
      TokenLabels(values: [0, 1]), TokenLabels(values: [2], names: ["a", "b"]),
    ] {
      #expect(throws: TokenDataError.self) {
        try TokenDataset(
          name: "memory", grid: grid, tokens: .codes([0, 1], codebook: codebook), labels: labels)
      }
    }
  }

  @Test func datasetsInMemoryHaveNoHash() throws {
    #expect(try randomDataset().contentHash() == nil)
  }

  @Test func filesHaveAHash() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("codes.h5")
    try randomDataset().write(to: path)
    let hash = try #require(try TokenDataset(contentsOf: path).contentHash())
    #expect(hash == (try ContentHash(ofFileAt: path)))
  }
}
