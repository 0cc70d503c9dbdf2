import LinearAlgebra
import Testing
import TokenGrids

@testable import TokenData

@Test func aSelectionKeepsWhatBelongsToItsImages() throws {
  let codebook = FloatMatrix(rows: 9, columns: 1, elements: (0..<9).map(Float.init))
  let grid = TokenGrid(rows: 1, columns: 2)
  let dataset = try TokenDataset(
    name: "d.h5", grid: grid, tokens: .codes([0, 1, 2, 3, 4, 5], codebook: codebook),
    labels: TokenLabels(values: [0, 1, 2], names: ["a", "b", "c"]), imageIDs: [7, 7, 8],
    attributes: TokenAttributes(tokenizer: "t"))
  let chosen = try dataset.selecting(images: [2, 0, 2])
  #expect(chosen.codes == [4, 5, 0, 1, 4, 5] && chosen.imageCount == 3)
  #expect(chosen.labels == TokenLabels(values: [2, 0, 2], names: ["a", "b", "c"]))
  #expect(chosen.imageIDs == [8, 7, 8] && chosen.attributes.tokenizer == "t")
  #expect(chosen.path == nil && chosen.name == "d.h5")
  #expect(throws: TokenDataError.noImages("d.h5")) { try dataset.selecting(images: []) }
  let continuous = try TokenDataset(
    name: "f", grid: grid, tokens: .features([0, 1, 2, 3, 4, 5, 6, 7], dimensions: 2))
  #expect(try continuous.selecting(images: [1]).tokens == .features([4, 5, 6, 7], dimensions: 2))
  #expect(continuous.codebookHash == nil)
}

@Test func theHashOfACodebookIsThatOfItsNumbers() throws {
  func dataset(_ shape: (Int, Int), _ values: [Float]) throws -> TokenDataset {
    try TokenDataset(
      name: "d", grid: TokenGrid(rows: 1, columns: 1),
      tokens: .codes([0], codebook: FloatMatrix(rows: shape.0, columns: shape.1, elements: values))
    )
  }
  let hash = try dataset((2, 2), [1, 2, 3, 4]).codebookHash
  #expect(try hash == dataset((2, 2), [1, 2, 3, 4]).codebookHash)
  #expect(try hash != dataset((2, 2), [1, 2, 3, 5]).codebookHash)
  #expect(try hash != dataset((4, 1), [1, 2, 3, 4]).codebookHash)
}
