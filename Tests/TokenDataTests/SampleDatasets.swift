import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// A dataset of random codes with labels, attributes and a decoder.
func randomDataset(
  images: Int = 7, grid: TokenGrid = TokenGrid(rows: 3, columns: 4), codes: Int = 20,
  dimensions: Int = 3, seed: UInt64 = 1
) throws -> TokenDataset {
  var rng = SeededGenerator(seed: seed)
  let codebook = FloatMatrix(
    rows: codes, columns: dimensions,
    elements: (0..<(codes * dimensions)).map { _ in Float.random(in: -1...1, using: &rng) })
  return try TokenDataset(
    name: "random", grid: grid,
    tokens: .codes(
      (0..<(images * grid.cellCount)).map { _ in UInt32.random(in: 0..<UInt32(codes), using: &rng)
      },
      codebook: codebook),
    labels: TokenLabels(
      values: (0..<images).map { UInt32($0 % 2) }, names: ["hier", "ailleurs, là-bas"]),
    attributes: TokenAttributes(
      tokenizer: "random", source: "a generator", license: "CC0-1.0", createdBy: "a test"),
    decoder: TokenDecoderParameters(
      kind: "test",
      arrays: [
        "basis": .init(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
        "mean": .init(shape: [1], values: [0.5]),
      ]))
}

/// A dataset of random continuous features.
func randomFeatures(
  images: Int = 5, grid: TokenGrid = TokenGrid(rows: 2, columns: 3), dimensions: Int = 4,
  seed: UInt64 = 1
) throws -> TokenDataset {
  var rng = SeededGenerator(seed: seed)
  let features = (0..<(images * grid.cellCount * dimensions)).map { _ in
    Float.random(in: -1...1, using: &rng)
  }
  return try TokenDataset(
    name: "features", grid: grid, tokens: .features(features, dimensions: dimensions))
}
