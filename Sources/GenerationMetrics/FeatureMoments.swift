import FileFormats
import LinearAlgebra

/// Sums over the samples of some images, from which their mean and covariance follow; sums of disjoint images add.
///
/// Samples of one image, or of one photograph that several images were cut from, are not independent: the variance of the
/// mean is taken from the sums of whole units.
struct FeatureMoments: Sendable {
  /// What is subtracted from every sample first, near the mean.
  let shift: [Double]
  /// The number of samples.
  private(set) var sampleCount = 0
  /// The number of independent units: photographs, or images where those are not known.
  private(set) var unitCount = 0
  private var sums: [Double]
  /// Lower triangle.
  private var products: Matrix
  /// Over units with nᵤ samples of sum sᵤ: Σ‖sᵤ‖², Σ nᵤ·sᵤ and Σ nᵤ².
  private var unitSquares = 0.0
  private var weightedUnitSums: [Double]
  private var unitWeights = 0.0

  /// Sums of nothing.
  init(shift: [Double]) {
    self.shift = shift
    sums = Array(repeating: 0, count: shift.count)
    weightedUnitSums = sums
    products = Matrix(rows: shift.count, columns: shift.count)
  }

  /// Adds the samples of one unit, or of several of `samplesPerUnit` each.
  ///
  /// - Complexity: O(samples · d²/2) (`dsyrk`).
  mutating func add(_ samples: FloatMatrix, samplesPerUnit: Int) {
    let d = shift.count
    precondition(samples.columns == d && samples.rows.isMultiple(of: samplesPerUnit), "whole units")
    var centred = Matrix(rows: samples.rows, columns: d)
    for unit in 0..<samples.rows / samplesPerUnit {
      var unitSum = [Double](repeating: 0, count: d)
      for i in unit * samplesPerUnit..<(unit + 1) * samplesPerUnit {
        for j in 0..<d {
          let value = Double(samples.elements[i * d + j]) - shift[j]
          centred.elements[i * d + j] = value
          unitSum[j] += value
        }
      }
      for j in 0..<d {
        sums[j] += unitSum[j]
        unitSquares += unitSum[j] * unitSum[j]
        weightedUnitSums[j] += Double(samplesPerUnit) * unitSum[j]
      }
      unitWeights += Double(samplesPerUnit * samplesPerUnit)
      unitCount += 1
    }
    products.addScatter(ofRows: centred)
    sampleCount += samples.rows
  }

  /// Adds the sums of other images.
  ///
  /// - Precondition: both have the same shift.
  mutating func merge(_ other: FeatureMoments) {
    precondition(shift == other.shift, "sums about one point add")
    sampleCount += other.sampleCount
    unitCount += other.unitCount
    unitSquares += other.unitSquares
    unitWeights += other.unitWeights
    for j in shift.indices {
      sums[j] += other.sums[j]
      weightedUnitSums[j] += other.weightedUnitSums[j]
    }
    for i in products.elements.indices { products.elements[i] += other.products.elements[i] }
  }

  /// The mean and the unbiased covariance, of one sample zeros.
  ///
  /// - Precondition: there is a sample.
  var statistics: FeatureStatistics {
    precondition(sampleCount >= 1, "a mean needs a sample")
    let (d, n) = (shift.count, Double(sampleCount))
    var covariance = Matrix(rows: d, columns: d)
    if sampleCount > 1 {
      for i in 0..<d {
        for j in 0...i {
          let value = (products[i, j] - sums[i] * sums[j] / n) / (n - 1)
          covariance[i, j] = value
          covariance[j, i] = value
        }
      }
    }
    return FeatureStatistics(
      mean: zip(shift, sums).map { $0 + $1 / n }, covariance: covariance)
  }

  /// The mean and the unbiased covariance.
  ///
  /// - Precondition: there are at least two samples and two units.
  var gaussian: FeatureGaussian {
    precondition(sampleCount >= 2 && unitCount >= 2, "a covariance needs two units")
    let (d, n, units) = (shift.count, Double(sampleCount), Double(unitCount))
    let statistics = statistics
    let (mean, covariance) = (statistics.mean, statistics.covariance)
    let trace = (0..<d).reduce(0.0) { $0 + covariance[$1, $1] }
    // Σ‖sᵤ − nᵤ·δ‖²/n² with δ = sums/n, times units/(units − 1).
    var spread = unitSquares
    for j in 0..<d {
      let delta = sums[j] / n
      spread += unitWeights * delta * delta - 2 * weightedUnitSums[j] * delta
    }
    return FeatureGaussian(
      mean: mean, spread: .covariance(covariance), trace: trace,
      sampleCount: sampleCount, meanVariance: max(spread, 0) / (n * n) * units / (units - 1))
  }
}
