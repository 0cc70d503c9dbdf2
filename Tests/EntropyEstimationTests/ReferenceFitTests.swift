import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

/// Leave-one-out residuals are those of fits that the image was left out of, with the channels alone and with squares of
/// them, whose ridge is that of all images.
@Test func residualsAreThoseOfFitsWithoutTheImage() throws {
  let grid = TokenGrid(rows: 1, columns: 3)
  let samples = try GaussianField(grid: grid, channels: 2).samples(40, seed: 5)
  @Sendable func squares(_ row: [Double]) -> [Double] { row + row.map { $0 * $0 } }
  let fit = try ReferenceFit(reference: 1, fittedTo: samples, of: 40) { rows in
    FloatMatrix(
      rows: rows.rows, columns: 4,
      elements: (0..<rows.rows).flatMap { i in
        squares((0..<2).map { Double(rows[i, $0]) }).map { Float($0) }
      })
  }
  #expect(fit.cells == [0, 2] && fit.predictors == 4 && fit.channels == 2)
  func row(_ image: Int, _ token: Int) -> [Double] {
    (0..<2).map { Double(samples.values[(image * 3 + token) * 2 + $0]) }
  }
  /// Centred products of predictors and targets over some images.
  func products(_ images: [Int], _ p: Int) -> (x: [Double], y: [Double], xx: Matrix, xy: Matrix) {
    let xs = images.map { Array(squares(row($0, 1)).map { Double(Float($0)) }.prefix(p)) }
    let ys = images.map { row($0, 0) + row($0, 2) }
    func mean(_ rows: [[Double]]) -> [Double] {
      rows[0].indices.map { j in rows.reduce(0) { $0 + $1[j] } / Double(rows.count) }
    }
    let (x, y) = (mean(xs), mean(ys))
    var (xx, xy) = (Matrix(rows: p, columns: p), Matrix(rows: p, columns: 4))
    for (own, target) in zip(xs, ys) {
      for a in 0..<p {
        for b in 0..<p { xx[a, b] += (own[a] - x[a]) * (own[b] - x[b]) }
        for b in 0..<4 { xy[a, b] += (own[a] - x[a]) * (target[b] - y[b]) }
      }
    }
    return (x, y, xx, xy)
  }
  let all = products(Array(0..<40), 4)
  let ridge = randomFeatureRidge * (all.xx[2, 2] + all.xx[3, 3]) / 2
  try fit.forEachBlock(of: samples, leavingOut: true) { block in
    for image in [0, 17, 39] {
      for (p, found) in [(2, block.linear), (4, block.full)] {
        let (x, y, scatter, xy) = products((0..<40).filter { $0 != image }, p)
        var xx = scatter
        for a in 2..<p { xx[a, a] += ridge }
        let factor = try CholeskyFactor(ofLowerTriangle: xx)
        let slopes = factor.solveLowerTransposed(factor.solveLower(xy))
        let own = squares(row(image, 1)).map { Double(Float($0)) }
        let target = row(image, 0) + row(image, 2)
        for c in 0..<4 {
          var expected = target[c] - y[c]
          for a in 0..<p { expected -= (own[a] - x[a]) * slopes[a, c] }
          #expect(abs(found[image, c] - expected) < 1e-8)
        }
      }
    }
  }
}

/// A held-out loss is ½log|2πΣ| + ½eᵀΣ⁻¹e with e the residual of line and functions mixed by the share, Σ the scatter of
/// leave-one-out residuals, mixed the same way, over c. The slow way forms Σ⁻¹ and sums over elements.
@Test func functionMapsScoreMixedResiduals() throws {
  let samples = twoChannelToy(300, seed: 9)
  let (fitted, rest) = (samples.chosen(Array(0..<200)), samples.chosen(Array(200..<300)))
  let functions = try RandomFeatures(of: samples, count: 6, seed: 3)
  let fit = try ReferenceFit(
    reference: 0, fittedTo: fitted, of: 300, predict: { functions.appended(to: $0) })
  let map = try FunctionMap(fit, fittedTo: fitted)
  let share = map.shares[0]
  #expect(share > 0.5 && share <= 1)
  func mixed(_ samples: Samples, _ leavingOut: Bool) throws -> [[Double]] {
    var rows: [[Double]] = []
    try fit.forEachBlock(of: samples, leavingOut: leavingOut) { block in
      for i in 0..<block.images.count {
        rows.append(
          (0..<2).map { block.linear[i, $0] * (1 - share) + block.full[i, $0] * share })
      }
    }
    return rows
  }
  let c = ResidualFit(
    imageCount: 200, channels: 2, predictors: 8, effectivePredictors: 2 + 6 * share
  ).leaveOneOutDivisor
  let expected = meanLoss(
    of: try mixed(rest, false), covariance: scatter(try mixed(fitted, true)).map { $0 / c })
  let losses = try map.losses(of: rest)
  #expect(abs(Moments(losses[1]).mean - expected) < 1e-9 && losses[0].isEmpty)
}

/// Where there is nothing but a line to find, functions keep almost no share and cost almost nothing: tokens are a linear
/// function with noise whose size differs from image to image, 600 images and 64 functions, which by plain least squares cost
/// d·64/(2·480) = 0.13 nats.
@Test func functionsThatExplainNothingAreLeftOut() throws {
  var normal = NormalStream(seed: 12)
  let samples = Samples(
    grid: TokenGrid(rows: 1, columns: 2), featureDimensions: 2,
    values: (0..<600).flatMap { _ in
      let (a, b, size) = (normal.next(), normal.next(), exp(0.4 * normal.next()))
      return [a, b, a - b + size * normal.next(), b + size * normal.next()].map { Float($0) }
    })
  func entropy(_ regressor: Regressor) throws -> Double {
    try #require(
      MapEstimator(EstimationSettings(regressor: regressor, bound: .heldOut, folds: 5, seed: 2))
        .maps(references: [GridCell(row: 0, column: 0)], in: samples)[0]
        .entropy[1]
    ).value
  }
  let line = try entropy(.linear)
  for kind in RandomFeatureKind.allCases {
    #expect(abs(try entropy(.features(count: 64, kind: kind)) - line) < 0.02)
  }
}

/// Two tokens a, b of two channels: b = (a₁² − 1 + a₂/2, sin 2a₂ + a₁a₂) + 0.2·noise, a standard normal, or with `bent`
/// b = (|a₁| + 0.3a₂, a₁a₂) + 0.2·noise. H(b|a) is ``twoChannelToyEntropy``.
func twoChannelToy(_ count: Int, bent: Bool = false, seed: UInt64) -> Samples {
  var normal = NormalStream(seed: seed)
  return Samples(
    grid: TokenGrid(rows: 1, columns: 2), featureDimensions: 2,
    values: (0..<count).flatMap { _ in
      let (a1, a2) = (normal.next(), normal.next())
      let b =
        bent
        ? [abs(a1) + 0.3 * a2, a1 * a2] : [a1 * a1 - 1 + a2 / 2, sin(2 * a2) + a1 * a2]
      return [a1, a2, b[0] + 0.2 * normal.next(), b[1] + 0.2 * normal.next()].map { Float($0) }
    })
}

let twoChannelToyEntropy = log(2 * .pi * exp(1.0)) + 2 * log(0.2)

/// Σ e·eᵀ of two channels: (11, 12, 22).
func scatter(_ rows: [[Double]]) -> [Double] {
  [(0, 0), (0, 1), (1, 1)].map { a, b in rows.reduce(0.0) { $0 + $1[a] * $1[b] } }
}

/// The mean of ½log|2πΣ| + ½eᵀΣ⁻¹e for Σ = (11, 12, 22).
func meanLoss(of rows: [[Double]], covariance s: [Double]) -> Double {
  let determinant = s[0] * s[2] - s[1] * s[1]
  let norms = rows.map { e in
    (s[2] * e[0] * e[0] - 2 * s[1] * e[0] * e[1] + s[0] * e[1] * e[1]) / determinant
  }
  return 0.5 * log(4 * .pi * .pi * determinant) + 0.5 * norms.reduce(0, +) / Double(rows.count)
}
