import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// Gaussian tokens on a grid with a covariance that decays with distance, alike everywhere.
struct Field {
  let grid: TokenGrid
  let channels: Int
  let covariance: Matrix

  init(grid: TokenGrid, channels: Int, range: Double = 2, noise: Double = 0.05) {
    self.grid = grid
    self.channels = channels
    let size = grid.cellCount * channels
    var covariance = Matrix(rows: size, columns: size)
    for i in 0..<size {
      for j in 0..<size {
        let (a, b) = (grid.cell(at: i / channels), grid.cell(at: j / channels))
        let (rows, columns) = (Double(a.row - b.row), Double(a.column - b.column))
        let frames = Double(a.frame - b.frame)
        let distance = (rows * rows + columns * columns + frames * frames).squareRoot()
        let (c, e) = (i % channels, j % channels)
        covariance[i, j] =
          (c == e ? 1.0 : 0.3) * exp(-distance / range) * Double((c + 1) * (e + 1))
          + (i == j ? noise : 0)
      }
    }
    self.covariance = covariance
  }

  /// Draws images with means that are not zero.
  func samples(_ count: Int, seed: UInt64) throws -> Tokens {
    let factor = try CholeskyFactor(ofLowerTriangle: covariance)
    var generator = SeededGenerator(seed: seed)
    let size = covariance.rows
    var values: [Float] = []
    values.reserveCapacity(count * size)
    for _ in 0..<count {
      let noise = (0..<size).map { _ in generator.nextNormal() }
      for i in 0..<size {
        var sum = Double(i % 3)
        for j in 0...i { sum += factor.lower[i, j] * noise[j] }
        values.append(Float(sum))
      }
    }
    return Tokens(grid: grid, featureDimensions: channels, values: values)
  }
}

/// Features held in memory.
struct Tokens: TokenFeatures {
  var name = "tokens"
  var grid: TokenGrid
  var featureDimensions: Int
  var values: [Float]
  var imageGroups: [UInt32]?
  var imageClasses: [UInt32]?
  var imageCount: Int { values.count / (grid.cellCount * featureDimensions) }

  func features(ofImages images: Range<Int>) -> [Float] {
    let columns = grid.cellCount * featureDimensions
    return Array(values[images.lowerBound * columns..<images.upperBound * columns])
  }
}
