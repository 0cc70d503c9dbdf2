import Foundation
import LinearAlgebra
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import GenerationMetrics

/// Samples that a line of numpy makes too: sin(1.3·i·(j + 1) + 0.7·s) + 0.1·s·cos(0.9·j + 0.37·i·j).
func waves(_ count: Int, _ dimensions: Int, _ s: Double) -> Matrix {
  var result = Matrix(rows: count, columns: dimensions)
  for i in 0..<count {
    for j in 0..<dimensions {
      let (a, b) = (Double(i), Double(j))
      result[i, j] = sin(1.3 * a * (b + 1) + 0.7 * s) + 0.1 * s * cos(0.9 * b + a * b * 0.37)
    }
  }
  return result
}

extension Matrix {
  var single: FloatMatrix {
    FloatMatrix(rows: rows, columns: columns, elements: elements.map { Float($0) })
  }
}

/// Independent standard normal numbers times `scale`.
func normals(_ rows: Int, _ columns: Int, seed: UInt64, scale: Double = 1) -> Matrix {
  var generator = SeededGenerator(seed: seed)
  return Matrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { _ in scale * generator.nextNormal() })
}

/// Tokens that lean on their left and upper neighbours, so that corruption changes both what they are and how they depend.
func dependentTokens(
  images: Int, side: Int = 8, seed: UInt64 = 1, imageIDs: [UInt32]? = nil,
  decoder: TokenDecoderParameters? = nil
) throws -> TokenDataset {
  let grid = TokenGrid(rows: side, columns: side)
  var generator = SeededGenerator(seed: 77)
  let size = 32
  let codebook = FloatMatrix(
    rows: size, columns: 2,
    elements: (0..<size * 2).map { _ in Float(generator.nextUniform() * 2 - 1) })
  generator = SeededGenerator(seed: seed)
  var codes: [UInt32] = []
  for _ in 0..<images {
    let first = codes.count
    // Codes of an image come from one half of the codebook, so images differ as wholes, too.
    let half = generator.nextIndex(below: 2) * size / 2
    for cell in 0..<grid.cellCount {
      let place = grid.cell(at: cell)
      let fresh = UInt32(half + generator.nextIndex(below: size / 2))
      let choice = generator.nextUniform()
      if choice < 0.4, place.column > 0 {
        codes.append(codes[first + cell - 1])
      } else if choice < 0.8, place.row > 0 {
        codes.append(codes[first + cell - grid.columns])
      } else {
        codes.append(fresh)
      }
    }
  }
  return try TokenDataset(
    name: "tokens", grid: grid, tokens: .codes(codes, codebook: codebook), imageIDs: imageIDs,
    decoder: decoder)
}

extension TokenDataset {
  /// The same images with a share of their codes drawn anew.
  func corrupted(share: Double, seed: UInt64 = 5) throws -> TokenDataset {
    guard let codebook, let codes else { return self }
    var generator = SeededGenerator(seed: seed)
    let changed = codes.map { code in
      let (choice, other) = (generator.nextUniform(), generator.nextIndex(below: codebook.rows))
      return choice < share ? UInt32(other) : code
    }
    return try TokenDataset(
      name: "corrupted", grid: grid, tokens: .codes(changed, codebook: codebook),
      decoder: decoder)
  }
}

extension TokenDataset {
  /// The same images with all features times 2ⁿ.
  func scaled(byPowerOfTwo exponent: Int) throws -> TokenDataset {
    guard let codebook, let codes else { return self }
    let factor = Float(sign: .plus, exponent: exponent, significand: 1)
    return try TokenDataset(
      name: "scaled", grid: grid,
      tokens: .codes(
        codes,
        codebook: FloatMatrix(
          rows: codebook.rows, columns: codebook.columns,
          elements: codebook.elements.map { $0 * factor })))
  }
}

/// A decoder for two channels: patches of 4 × 4 pixels.
func patchDecoder() -> TokenDecoderParameters {
  let pixels = 4 * 4 * 3
  return TokenDecoderParameters(
    kind: "patch-pca",
    arrays: [
      "mean": .init(shape: [4, 4, 3], values: Array(repeating: 128, count: pixels)),
      "basis": .init(
        shape: [2, 4, 4, 3],
        values: (0..<2 * pixels).map { $0 < pixels ? 60 : Float($0 % 7) * 12 - 36 }),
    ])
}

/// A set that is made of given samples.
func set(_ rows: FloatMatrix, groups: Int = FeatureSet.groupCount) -> FeatureSet {
  FeatureSet(rows: rows, groups: groups)
}
