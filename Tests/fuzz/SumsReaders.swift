import EntropyEstimation
import LinearAlgebra
import Shards
import Statistics
import TokenData
import TokenGrids

/// Files of sums over shards, and what is estimated from them.
extension FuzzedReader {
  private static let grid = TokenGrid(rows: 2, columns: 2)

  private static func tokens(_ seed: UInt64, photographs: Int) throws -> TokenDataset {
    var rng = SeededGenerator(seed: seed)
    let codebook = FloatMatrix(
      rows: 20, columns: 2, elements: (0..<40).map { Float(($0 * 13) % 37) })
    return try TokenDataset(
      name: "f\(seed)", grid: grid,
      tokens: .codes(
        (0..<40 * grid.cellCount).map { _ in UInt32(rng.nextIndex(below: 20)) }, codebook: codebook),
      labels: TokenLabels(values: (0..<40).map { UInt32($0 % 2) }, names: ["a", "another"]),
      imageIDs: (0..<40).map { UInt32($0 / photographs) })
  }

  private static func orders() throws -> [GenerationOrder] {
    try ["raster", "halton"].map {
      try OrderSpecification($0).order(on: grid, tokensPerStep: 2)
    }
  }

  static func moments(_ name: String, _ folder: String) throws -> FuzzedReader {
    let first = try StoredMoments(of: ShardImages(of: tokens(1, photographs: 1)))
    var both = try StoredMoments(
      of: ShardImages(of: tokens(1, photographs: 2)), precision: .mixed)
    try both.merge(
      StoredMoments(of: ShardImages(of: tokens(2, photographs: 1)), precision: .mixed))
    let others = try [TokenMoments.Precision.double, .mixed].map {
      try StoredMoments(of: ShardImages(of: tokens(3, photographs: 1)), precision: $0)
    }
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: [
        try bytes(folder) { try first.write(to: $0, createdBy: "c") },
        try bytes(folder) { try both.write(to: $0, createdBy: "c") },
      ]
    ) { path in
      let read = try StoredMoments(contentsOf: path)
      for isGivenClass in [false, true] {
        _ = try ShardedEstimation(read, hash: "", givenClass: isGivenClass)
          .profiles(of: orders(), bound: .wishart)
      }
      var sum = read.precision == .double ? others[0] : others[1]
      try sum.merge(read)
    }
  }

  static func residuals(_ name: String, _ folder: String) throws -> FuzzedReader {
    let images = try ShardImages(of: tokens(1, photographs: 2))
    let estimation = try ShardedEstimation(StoredMoments(of: images), hash: "m")
    let sums = try estimation.residuals(of: orders(), in: images)
    let influences = try estimation.influences(of: sums, in: images)
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: [
        try bytes(folder) { try sums.write(to: $0, createdBy: "c") },
        try bytes(folder) { try influences.write(to: $0, createdBy: "c") },
      ]
    ) { path in
      let read = try StoredResiduals(contentsOf: path)
      if read.hasInfluences {
        _ = try estimation.profiles(read)
      } else {
        _ = try estimation.influences(of: read, in: images)
      }
    }
  }
}
