import EntropyEstimation
import Foundation
import GenerationMetrics

/// The proxies of one extractor, for tables and JSON.
struct ProxyReport: Encodable {
  struct Neighbors: Encodable {
    let k: Int
    let precision, recall, density, coverage: Double
  }

  let imagesReal, imagesGenerated, samplesReal, samplesGenerated: Int
  let frechetDistance: JSONNumber
  let meanTerm, covarianceTerm: JSONNumber
  let frechetDistanceCorrected: JSONNumber
  let frechetDistanceInfinity, frechetDistanceInfinityStandardError: JSONNumber
  let kernelDistance, kernelDistanceStandardError: JSONNumber
  let neighbors: [Neighbors]

  init(_ comparison: ProxyComparison) {
    imagesReal = comparison.real.images
    imagesGenerated = comparison.generated.images
    samplesReal = comparison.real.samples
    samplesGenerated = comparison.generated.samples
    frechetDistance = JSONNumber(comparison.frechet.value)
    meanTerm = JSONNumber(comparison.frechet.meanTerm)
    covarianceTerm = JSONNumber(comparison.frechet.covarianceTerm)
    frechetDistanceCorrected = JSONNumber(comparison.frechet.correctedValue)
    frechetDistanceInfinity = JSONNumber(comparison.extrapolated?.estimate.value)
    frechetDistanceInfinityStandardError = JSONNumber(
      comparison.extrapolated?.estimate.standardError)
    kernelDistance = JSONNumber(comparison.kernel.estimate.value)
    kernelDistanceStandardError = JSONNumber(comparison.kernel.estimate.standardError)
    neighbors = comparison.neighbors.map {
      Neighbors(
        k: $0.neighbors, precision: $0.precision, recall: $0.recall, density: $0.density,
        coverage: $0.coverage)
    }
  }

  /// The first columns of a table: numbers of images and samples, and the distances.
  var distanceCells: [String] {
    let counts = [
      "\(imagesReal.grouped), \(imagesGenerated.grouped)",
      "\(samplesReal.grouped), \(samplesGenerated.grouped)",
    ]
    return counts + [
      frechetDistance.text, frechetDistanceCorrected.text,
      Self.text(frechetDistanceInfinity, frechetDistanceInfinityStandardError),
      Self.text(kernelDistance, kernelDistanceStandardError),
    ]
  }

  static let distanceHeadings = ["images", "samples", "FD", "FD corrected", "FD∞", "KID"]

  private static func text(_ value: JSONNumber, _ error: JSONNumber) -> String {
    guard let value = value.value, let error = error.value else { return "too few images" }
    return "\(value.significant(4)) ± \(error.significant(2))"
  }

  enum CodingKeys: String, CodingKey {
    case neighbors
    case imagesReal = "images_real"
    case imagesGenerated = "images_generated"
    case samplesReal = "samples_real"
    case samplesGenerated = "samples_generated"
    case frechetDistance = "frechet_distance"
    case meanTerm = "mean_term"
    case covarianceTerm = "covariance_term"
    case frechetDistanceCorrected = "frechet_distance_corrected"
    case frechetDistanceInfinity = "frechet_distance_infinity"
    case frechetDistanceInfinityStandardError = "frechet_distance_infinity_standard_error"
    case kernelDistance = "kernel_distance"
    case kernelDistanceStandardError = "kernel_distance_standard_error"
  }
}

/// Distances between dependencies, for JSON.
struct DependencyReport: Encodable {
  struct Profile: Encodable {
    let order: String
    let sequential, parallel, increase: JSONNumber
    let realTotalIncrease, generatedTotalIncrease: JSONNumber

    enum CodingKeys: String, CodingKey {
      case order, sequential, parallel, increase
      case realTotalIncrease = "real_total_increase"
      case generatedTotalIncrease = "generated_total_increase"
    }
  }

  let conditionalEntropyMaps, informationMaps: JSONNumber
  let references: Int
  let profiles: [Profile]

  init(_ distance: DependencyDistance) {
    conditionalEntropyMaps = JSONNumber(distance.maps)
    informationMaps = JSONNumber(distance.information)
    references = distance.references
    profiles = distance.profiles.map {
      Profile(
        order: $0.order, sequential: JSONNumber($0.sequential), parallel: JSONNumber($0.parallel),
        increase: JSONNumber($0.increase), realTotalIncrease: JSONNumber($0.realTotalIncrease),
        generatedTotalIncrease: JSONNumber($0.generatedTotalIncrease))
    }
  }

  enum CodingKeys: String, CodingKey {
    case references, profiles
    case conditionalEntropyMaps = "conditional_entropy_maps"
    case informationMaps = "information_maps"
  }
}

extension JSONNumber {
  /// Four significant digits, or a dash.
  var text: String { value.map { $0.significant(4) } ?? "-" }
}

extension Double {
  /// The number with so many significant digits.
  func significant(_ digits: Int) -> String {
    guard isFinite, self != 0 else { return isFinite ? "0" : "-" }
    let magnitude = Int(log10(abs(self)).rounded(.down))
    return magnitude < -4
      ? String(format: "%.\(digits - 1)e", self) : fixed(Swift.max(0, digits - 1 - magnitude))
  }
}
