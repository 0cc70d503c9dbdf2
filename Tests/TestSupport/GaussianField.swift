import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// A repeatable stream of standard normal numbers (SplitMix64 and the polar method).
package struct NormalStream {
  private var state: UInt64
  private var spare: Double?

  package init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

  package mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

  package mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    while true {
      let (u, v) = (2 * uniform() - 1, 2 * uniform() - 1)
      let s = u * u + v * v
      guard s > 0, s < 1 else { continue }
      let factor = (-2 * log(s) / s).squareRoot()
      spare = v * factor
      return u * factor
    }
  }
}

/// Features held in memory.
package struct Samples: TokenFeatures {
  package var name: String
  package var grid: TokenGrid
  package var featureDimensions: Int
  /// Row-major images × n × d.
  package var values: [Float]
  /// Photographs, where several images share one.
  package var imageGroups: [UInt32]?
  /// Classes, where they are known.
  package var imageClasses: [UInt32]?

  package init(
    name: String = "samples", grid: TokenGrid, featureDimensions: Int, values: [Float],
    imageGroups: [UInt32]? = nil, imageClasses: [UInt32]? = nil
  ) {
    (self.name, self.grid, self.featureDimensions) = (name, grid, featureDimensions)
    (self.values, self.imageGroups, self.imageClasses) = (values, imageGroups, imageClasses)
  }

  package var imageCount: Int { values.count / (grid.cellCount * featureDimensions) }

  package func features(ofImages images: Range<Int>) -> [Float] {
    let columns = grid.cellCount * featureDimensions
    return Array(values[images.lowerBound * columns..<images.upperBound * columns])
  }
}

/// A Gaussian field on a grid with a known covariance that decays with distance: the exact answers are computable.
package struct GaussianField {
  package let grid: TokenGrid
  package let channels: Int
  /// (n·d) × (n·d).
  package let covariance: Matrix
  private let lower: Matrix

  package init(grid: TokenGrid, channels: Int, range: Double = 2) throws {
    self.grid = grid
    self.channels = channels
    let size = grid.cellCount * channels
    var covariance = Matrix(rows: size, columns: size)
    for i in 0..<size {
      for j in 0..<size {
        let (a, b) = (grid.cell(at: i / channels), grid.cell(at: j / channels))
        let rows = Double(a.row - b.row)
        let columns = Double(a.column - b.column)
        let frames = Double(a.frame - b.frame)
        let distance = (rows * rows + columns * columns + frames * frames).squareRoot()
        let (c, e) = (i % channels, j % channels)
        // Channels are correlated and of different scales; the separable product is positive definite.
        let mix = (c == e ? 1.0 : 0.3) * Double(c + 1) * Double(e + 1)
        covariance[i, j] = mix * exp(-distance / range) + (i == j ? 0.05 : 0)
      }
    }
    self.covariance = covariance
    lower = try CholeskyFactor(ofLowerTriangle: covariance).lower
  }

  /// A field with any covariance, (n·d) × (n·d).
  package init(grid: TokenGrid, channels: Int, covariance: Matrix) throws {
    self.grid = grid
    self.channels = channels
    self.covariance = covariance
    lower = try CholeskyFactor(ofLowerTriangle: covariance).lower
  }

  /// Draws images of mean zero, a row each.
  package func draws(_ count: Int, from normal: inout NormalStream) -> Matrix {
    let size = covariance.rows
    var factor = lower
    for i in 0..<size { for j in (i + 1)..<max(size, i + 1) { factor[i, j] = 0 } }
    var noise = Matrix(rows: count, columns: size)
    for index in noise.elements.indices { noise.elements[index] = normal.next() }
    return noise.times(factor, transposed: true)
  }

  /// Draws images whose coordinates have unequal means.
  package func samples(_ count: Int, seed: UInt64) -> Samples {
    var normal = NormalStream(seed: seed)
    let size = covariance.rows
    var values: [Float] = []
    values.reserveCapacity(count * size)
    for _ in 0..<count {
      let noise = (0..<size).map { _ in normal.next() }
      for i in 0..<size {
        var sum = Double(i % 5)
        for j in 0...i { sum += lower[i, j] * noise[j] }
        values.append(Float(sum))
      }
    }
    return Samples(grid: grid, featureDimensions: channels, values: values)
  }

  /// The exact H(target | context) in nats, by eliminating the context from the joint covariance.
  package func entropy(of target: Int, given context: [Int]) throws -> Double {
    let coordinates = (context + [target]).flatMap { token in
      (0..<channels).map { token * channels + $0 }
    }
    var joint = Matrix(rows: coordinates.count, columns: coordinates.count)
    for (a, i) in coordinates.enumerated() {
      for (b, j) in coordinates.enumerated() { joint[a, b] = covariance[i, j] }
    }
    let factor = try CholeskyFactor(ofLowerTriangle: joint).lower
    let first = context.count * channels
    var sum = 0.5 * Double(channels) * log(2 * Double.pi * exp(1))
    for c in 0..<channels { sum += log(factor[first + c, first + c]) }
    return sum
  }
}
