import Foundation
import LinearAlgebra

/// Sums over images from which the ``EntropyBound/debiased`` entropy of one fit follows. Sums over disjoint sets of images,
/// whitened by the same factor, add up.
struct LeverageSums<Scalar: WhiteningScalar>: Sendable {
  /// d.
  let channels: Int
  /// Σ u·uᵀ/(1 − h)², row-major; of the squares only the lower triangles count.
  private var squaredInverse: [Double]
  /// Σ u·uᵀ·h/(1 − h).
  private var excess: [Double]
  /// Σ u·uᵀ, which is 1 unless W holds more than the images: a jitter; nil where it does not.
  private var plain: [Double]?
  /// Σ h/(1 − h).
  private var totalExcess = 0.0
  /// Σ h: the means and the predictors that the fit uses up.
  private(set) var totalLeverage = 0.0

  /// - Parameter hasJitter: Whether something was added to the variances, as if independent noise were on the channels.
  init(channels d: Int, hasJitter: Bool) {
    channels = d
    plain = hasJitter ? Array(repeating: 0, count: d * d) : nil
    squaredInverse = Array(repeating: 0, count: d * d)
    excess = squaredInverse
  }

  /// Adds some images.
  ///
  /// - Parameters:
  ///   - rows: What holds their whitened residuals in the `channels` columns from `first`.
  ///   - weights: Of the leverages of the fit, whose Σ h/(1 − h) and Σ h are the other two.
  mutating func add(
    _ rows: WhitenedRows<Scalar>, from first: Int, weights: LeverageWeights<Scalar>,
    totalExcess: Double, totalLeverage: Double
  ) {
    rows.addProducts(
      from: first, channels: channels, weights: weights, to: &squaredInverse, and: &excess, at: 0)
    if var sums = plain {
      var others = sums
      rows.addProducts(
        from: first, channels: channels, weights: .ones(count: rows.count), to: &sums, and: &others,
        at: 0)
      plain = sums
    }
    self.totalExcess += totalExcess
    self.totalLeverage += totalLeverage
  }

  /// Adds the sums over other images.
  mutating func add(_ other: LeverageSums) {
    for i in squaredInverse.indices {
      squaredInverse[i] += other.squaredInverse[i]
      excess[i] += other.excess[i]
      if let more = other.plain { plain?[i] += more[i] }
    }
    totalExcess += other.totalExcess
    totalLeverage += other.totalLeverage
  }

  /// S of the weights w = 1/(1 − h)² − κ·h/(1 − h), and what follows from it; nil where S is not positive definite.
  func weighted(_ fit: ResidualFit) -> WeightedScatter<Scalar>? {
    let ratio = totalExcess / totalLeverage
    var scatter = zip(squaredInverse, excess).map { $0 - ratio * $1 }
    addJitter(to: &scatter, fit)
    return WeightedScatter(scatter, fit: fit, excessRatio: ratio)
  }

  /// S of the weights w = 1/(1 − h), which always is positive definite: since Σ u·uᵀ = 1, it is 1 + Σ u·uᵀ·h/(1 − h).
  func fallback(_ fit: ResidualFit) -> WeightedScatter<Scalar> {
    guard let result = simplyWeighted(fit) else {
      preconditionFailure("the identity and a sum of squares is positive definite")
    }
    return result
  }

  /// Whether S has a factor with the weights 1/(1 − h): without one, rounding has left nothing of 1 − h in some image.
  func hasScatter(_ fit: ResidualFit) -> Bool { simplyWeighted(fit) != nil }

  /// Whether these can be sums over images: read from a file they may be anything.
  func isSound(_ fit: ResidualFit) -> Bool {
    totalLeverage > 0 && totalExcess > 0 && hasScatter(fit)
  }

  private func simplyWeighted(_ fit: ResidualFit) -> WeightedScatter<Scalar>? {
    var scatter = excess
    if let plain {
      for i in scatter.indices { scatter[i] += plain[i] }
    } else {
      for c in 0..<channels { scatter[c * channels + c] += 1 }
    }
    addJitter(to: &scatter, fit)
    return WeightedScatter<Scalar>(scatter, fit: fit, excessRatio: nil)
  }
}

extension LeverageSums {
  /// How many ``numbers`` there are.
  static func numberCount(channels d: Int, hasJitter: Bool) -> Int {
    (hasJitter ? 3 : 2) * d * d + 2
  }

  /// All sums one after the other, as files hold them; those of disjoint sets of images add up number by number.
  var numbers: [Double] {
    squaredInverse + excess + (plain ?? []) + [totalExcess, totalLeverage]
  }

  /// The sums whose ``numbers`` these are.
  init(channels d: Int, hasJitter: Bool, numbers: ArraySlice<Double>) {
    precondition(
      numbers.count == Self.numberCount(channels: d, hasJitter: hasJitter), "all of the sums")
    let (first, square) = (numbers.startIndex, d * d)
    channels = d
    squaredInverse = Array(numbers[first..<first + square])
    excess = Array(numbers[first + square..<first + 2 * square])
    plain = hasJitter ? Array(numbers[first + 2 * square..<first + 3 * square]) : nil
    totalExcess = numbers[numbers.endIndex - 2]
    totalLeverage = numbers[numbers.endIndex - 1]
  }

  /// Adds what jitter has of W, 1 − Σ u·uᵀ, as noise of one size in all images has it on average: times m/ν.
  private func addJitter(to scatter: inout [Double], _ fit: ResidualFit) {
    guard let plain else { return }
    let share = Double(fit.imageCount) / fit.degreesOfFreedom
    for i in scatter.indices { scatter[i] -= share * plain[i] }
    for c in 0..<channels { scatter[c * channels + c] += share }
  }
}

/// The weighted scatter S of the residuals of one fit.
struct WeightedScatter<Scalar: WhiteningScalar>: Sendable {
  /// ½·log|S·ν/m|: what the debiased entropy is above that of Gaussian data.
  let correction: Double
  /// T with |T·u|² = uᵀS⁻¹u, row-major, zero above the diagonal.
  let transform: [Scalar]
  /// κ of the weights w = 1/(1 − h)² − κ·h/(1 − h); nil for w = 1/(1 − h).
  let excessRatio: Double?

  fileprivate init?(_ scatter: [Double], fit: ResidualFit, excessRatio: Double?) {
    let d = fit.channels
    guard
      let factor = try? CholeskyFactor(
        ofLowerTriangle: Matrix(rows: d, columns: d, elements: scatter))
    else { return nil }
    let share = fit.degreesOfFreedom / Double(fit.imageCount)
    correction = 0.5 * (factor.logDeterminant + Double(d) * log(share))
    transform = factor.solveLower(.identity(d)).elements.map { Scalar($0) }
    self.excessRatio = excessRatio
  }

  /// The scatter that residuals of Gaussian data have on average, m/ν, with the weights 1/(1 − h): for the errors of the
  /// closed forms.
  init(gaussian fit: ResidualFit) {
    let d = fit.channels
    var transform = [Scalar](repeating: 0, count: d * d)
    let scale = (fit.degreesOfFreedom / Double(fit.imageCount)).squareRoot()
    for c in 0..<d { transform[c * d + c] = Scalar(scale) }
    self.transform = transform
    correction = 0
    excessRatio = nil
  }

  /// ½·m·w·uᵀS⁻¹u of each image, whose mean is ½·d and which moves with the image's influence on the entropy.
  ///
  /// - Parameters:
  ///   - norms: uᵀS⁻¹u.
  ///   - weights: Of the images' leverages.
  func influences(
    _ norms: [Scalar], count: Int, weights: LeverageWeights<Scalar>, imageCount: Int,
    into result: inout [Double]
  ) {
    weights.weighted(
      norms, count: count, ratio: excessRatio, scale: 0.5 * Double(imageCount), into: &result)
  }
}

/// The noise of a weighted scatter S.
///
/// E log|S| is below the logarithm of the expected S, to second order by ½·t with t = tr E(S⁻¹ΔS)² = (E M² − d)/ν, M =
/// m·w·uᵀS⁻¹u. Gaussian residuals of one size have E M² = d(d + 2), and c(ν, d) takes their (d + 1)·d/ν off; residuals of
/// different size and weights of different size have several times that.
struct ScatterNoise {
  private let channels: Double
  private let freedom: Double
  /// t/d.
  private let share: Double

  /// Above this share a scatter says more about a few images than about the fit. In simulations of log-normal image scales ¾ leaves
  /// less mean error with fewer than 1.6 images a number, ¼ less spread; from 1.7 on both are the same.
  static let largestShare = 0.5

  /// - Parameter influences: Of the images, ½·M times `scale`. Where images of one photograph move together, the noise grows as
  ///   the variance of these does.
  init(_ influences: RunSums, scale: Double, fit: (channels: Int, freedom: Double)) {
    self.init(
      meanSquare: influences.meanSquare / (scale * scale), runFactor: influences.runFactor, fit: fit
    )
  }

  /// - Parameters:
  ///   - meanSquare: That of ½·M.
  ///   - runFactor: What the variance of its mean is over that of independent images.
  init(meanSquare: Double, runFactor: Double, fit: (channels: Int, freedom: Double)) {
    channels = Double(fit.channels)
    freedom = fit.freedom
    share = runFactor * (4 * meanSquare - channels) / (freedom * channels)
  }

  /// Whether the fit wants the weights 1/(1 − h), whose scatter has less noise and more bias.
  var isTooLarge: Bool { !(share <= Self.largestShare) }

  /// What it leaves to be added to the entropy. The logarithms are t and (d + 1)/ν where these are small, and grow no faster
  /// than log|S| itself where they are not.
  var correction: Double {
    let excess = log1p(max(share, 0)) - log1p((channels + 1) / freedom)
    return 0.25 * channels * excess
  }
}
