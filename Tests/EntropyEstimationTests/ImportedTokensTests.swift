import FileFormats
import Foundation
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

/// Tokens of other programs go through the whole estimation.
struct ImportedTokensTests {
  /// Codes that copy their neighbours more often than not, `images × cells`.
  private func codes(images: Int, crops: Int = 1, grid: TokenGrid) -> [Int64] {
    var normal = NormalStream(seed: 4)
    return (0..<images * crops).flatMap { _ in
      var previous: Int64 = 0
      return (0..<grid.cellCount).map { _ in
        if normal.uniform() < 0.4 { previous = Int64(normal.uniform() * 32) }
        return previous
      }
    }
  }

  private func imported(
    _ codes: [Int64], shape: [Int], folder: URL, _ change: (inout TokenImport.Options) -> Void
  ) throws -> TokenDataset {
    var normal = NormalStream(seed: 9)
    let codebook = folder.appendingPathComponent("codebook.npy").path
    try NpyWriter.write(
      (0..<64).map { _ in Float(normal.uniform()) }, shape: [32, 2], to: codebook)
    let array = folder.appendingPathComponent("codes.npy").path
    try NpyWriter.write(codes, shape: shape, to: array)
    var options = TokenImport.Options()
    change(&options)
    let output = folder.appendingPathComponent("out.h5").path
    _ = try TokenImport(
      path: array, labels: nil, codebook: CodebookFile.read(codebook), options: options
    ).run(writingTo: output)
    return try TokenDataset(contentsOf: output)
  }

  @Test(arguments: [4, 16])
  func videoGoesThroughMapsAndOrders(tokensPerStep: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "imported-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let grid = TokenGrid(frames: 3, rows: 4, columns: 4)
    let dataset = try imported(
      codes(images: 400, grid: grid), shape: [400, 3, 4, 4], folder: folder, { _ in })
    #expect(dataset.grid == grid)
    let moments = try TokenMoments(of: dataset)
    let reference = GridCell(frame: 1, row: 2, column: 1)
    let map = try #require(
      try MapEstimator.maps(references: [reference], moments: moments).first)
    // The neighbours of the reference along the copying are the most certain, but for the first
    // frame, whose tokens still tend to the code that each image starts with.
    let entropies = map.entropy.map { $0?.value ?? .infinity }
    let least = try #require(entropies[16...].min())
    let place = grid.index(of: reference)
    #expect(entropies[place] == .infinity)
    #expect([place - 1, place + 1].contains { entropies[$0] == least })

    let n = tokensPerStep
    let raster = Array(0..<grid.cellCount)
    let distant = (0..<grid.cellCount / n).map { step in
      (0..<n).map { $0 * (grid.cellCount / n) + step }
    }
    let blocks = stride(from: 0, to: grid.cellCount, by: n).map { Array(raster[$0..<$0 + n]) }
    let far = try OrderProfile(
      of: GenerationOrder(name: "far", grid: grid, steps: distant), moments: moments)
    let near = try OrderProfile(
      of: GenerationOrder(name: "near", grid: grid, steps: blocks), moments: moments)
    let (a, b) = (far.jointEntropy.value, near.jointEntropy.value)
    #expect(abs(a - b) < 1e-8 * abs(b))
    #expect(far.totalIncrease.value < near.totalIncrease.value)
  }
}
