import Foundation
import LinearAlgebra
import SystemResources
import TestSupport
import Testing
import TokenGrids

@testable import TokenData

@Suite("Memory of tokens")
struct TokenMemoryTests {
  private let free = AvailableMemory(bytes: 1e9, limit: .machine)

  @Test("Codes take four bytes, features four a channel, and the images that a refusal names fit")
  func sizes() throws {
    let folder = try TemporaryFolder()
    let grid = TokenGrid(rows: 4, columns: 4)
    let codes = try TokenDataset(
      name: "codes", grid: grid,
      tokens: .codes(
        Array(repeating: 1, count: 32),
        codebook: FloatMatrix(rows: 2, columns: 8, elements: Array(repeating: 1, count: 16))))
    let features = try TokenDataset(
      name: "features", grid: grid,
      tokens: .features(Array(repeating: 1, count: 32 * 8), dimensions: 8))
    // Four fifths of what there is, to two digits.
    for (dataset, bytes, expected) in [(codes, 64.0, 12_000_000), (features, 512.0, 1_500_000)] {
      let path = folder.file(dataset.name + ".h5")
      try dataset.write(to: path)
      let file = try TokenDatasetFile(path: path)
      let most = Int(1e9 / bytes)
      try file.requireMemory(images: most, available: free)
      let error = #expect(throws: TokenDataError.self) {
        try file.requireMemory(images: most + 1, available: free)
      }
      guard case .tooLittleMemory(path, let lack, let fitting) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(lack.needed == Double(most + 1) * bytes)
      #expect(fitting == expected)
      try file.requireMemory(images: fitting, available: free)
      #expect(error?.description.contains("of \(most + 1) images take 1.00 GB of memory") == true)
      #expect(error?.description.hasSuffix("at most \(fitting) images fit") == true)
    }
  }

  @Test("Where not even one image fits no number is named")
  func none() {
    let error = #expect(throws: TokenDataError.self) {
      try TokenMemory.require(
        images: 3, bytesPerImage: 2e9, for: "codes", source: "a.h5", available: free)
    }
    #expect(
      error?.description
        == "a.h5: codes of 3 images take 6.00 GB of memory, and 1.00 GB are free")
  }
}
