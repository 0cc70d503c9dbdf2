import Foundation
import LinearAlgebra

/// Sums and products of the residuals of every row that an image makes.
struct ResidualSums {
  private(set) var count = 0
  let rows: Int
  let channels: Int
  fileprivate private(set) var sums: [Double]
  fileprivate private(set) var products: [Double]

  init(rows: Int, channels: Int) {
    self.rows = rows
    self.channels = channels
    sums = Array(repeating: 0, count: rows * channels)
    products = Array(repeating: 0, count: rows * channels * channels)
  }

  /// Adds images, `images · rows` × d.
  mutating func add(_ residuals: FloatMatrix) {
    let d = channels
    for place in 0..<residuals.rows {
      let row = place % rows
      for a in 0..<d {
        let value = Double(residuals.elements[place * d + a])
        sums[row * d + a] += value
        for b in 0...a {
          products[(row * d + a) * d + b] += value * Double(residuals.elements[place * d + b])
        }
      }
    }
    count += residuals.rows / rows
  }
}

/// The Gaussian law of a network's residuals, one for each row that an image makes.
struct ResidualLaw {
  /// As ``EntropyBound`` has it, in nats.
  private let entropy: [Double]
  /// Σ⁻¹ = c·W⁻¹.
  private let divisor: Double
  private let factors: [CholeskyFactor]
  private let means: [Double]
  private let channels: Int

  /// Takes means and covariances from sums over images.
  ///
  /// - Parameters:
  ///   - scales: What entropies in the tokens' own units have more, by row.
  ///   - singular: The error for residuals of a row without spread in a channel.
  init(
    _ sums: ResidualSums, bound: EntropyBound, scales: [Double],
    singular: (_ row: Int, _ channel: Int) -> EstimationError
  ) throws(EstimationError) {
    let (d, m) = (sums.channels, sums.count)
    let fit = ResidualFit(imageCount: m, channels: d, predictors: 0)
    var (entropy, factors) = ([Double](), [CholeskyFactor]())
    for row in 0..<sums.rows {
      var scatter = Matrix(rows: d, columns: d)
      for a in 0..<d {
        for b in 0...a {
          scatter[a, b] =
            sums.products[(row * d + a) * d + b]
            - sums.sums[row * d + a] * sums.sums[row * d + b] / Double(m)
        }
      }
      do throws(NotPositiveDefinite) {
        let factor = try CholeskyFactor(ofLowerTriangle: scatter)
        entropy.append(
          bound.entropy(logDeterminant: factor.logDeterminant, fit) + scales[row])
        factors.append(factor)
      } catch {
        throw singular(row, error.index)
      }
    }
    self.entropy = entropy
    self.factors = factors
    divisor = bound == .heldOut ? fit.predictiveDivisor : Double(m)
    means = sums.sums.map { $0 / Double(m) }
    channels = d
  }

  /// ½log|2πΣ| + ½eᵀΣ⁻¹e of every row, for images one after the other.
  func losses(of residuals: FloatMatrix) -> [Double] {
    let (d, rows) = (channels, factors.count)
    let count = residuals.rows / rows
    var result = [Double](repeating: 0, count: residuals.rows)
    for row in 0..<rows {
      var block = Matrix(rows: count, columns: d)
      for i in 0..<count {
        for c in 0..<d {
          block[i, c] = Double(residuals.elements[(i * rows + row) * d + c]) - means[row * d + c]
        }
      }
      for (i, norm) in factors[row].whiten(rows: block).squaredRowNorms.enumerated() {
        result[i * rows + row] = entropy[row] + 0.5 * (divisor * norm - Double(d))
      }
    }
    return result
  }
}
