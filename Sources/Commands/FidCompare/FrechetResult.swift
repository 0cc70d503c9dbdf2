import Files
import Foundation
import GenerationMetrics
import Reporting

/// The result of `fid-compare frechet`.
struct FrechetResult: Encodable {
  struct Neighbors: Encodable {
    let k: Int
    let precision, recall, density, coverage: Double
    let precisionStandardError, recallStandardError: JSONNumber
    let densityStandardError, coverageStandardError: JSONNumber
  }

  let command = "fid-compare frechet"
  let real, generated: String
  /// Nil for a folder of images.
  let realHash, generatedHash: String?
  /// Of images: what made features of them.
  private(set) var extractor, definition, definitionHash: String?
  let dimensions: Int
  /// Nil where only the statistics are known.
  let imagesReal, imagesGenerated: Int?
  let rankReal, rankGenerated: Int
  let frechetDistance, meanTerm, covarianceTerm: JSONNumber
  var frechetDistanceCorrected, frechetDistanceCorrectedStandardError: JSONNumber
  var frechetDistanceInfinity = JSONNumber(nil)
  var frechetDistanceInfinityStandardError = JSONNumber(nil)
  var kernelDistance = JSONNumber(nil)
  var kernelDistanceStandardError = JSONNumber(nil)
  var neighbors: [Neighbors] = []
  var provenance: Provenance?

  init(
    real: String, generated: String, _ distance: FrechetDistance,
    _ gaussians: (FeatureGaussian, FeatureGaussian)
  ) throws {
    self.real = real
    self.generated = generated
    func hash(_ path: String) throws -> String? {
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      return isDirectory.boolValue ? nil : try ContentHash(ofFileAt: path).description
    }
    realHash = try hash(real)
    generatedHash = try hash(generated)
    dimensions = gaussians.0.dimensions
    (imagesReal, imagesGenerated) = (gaussians.0.sampleCount, gaussians.1.sampleCount)
    (rankReal, rankGenerated) = (try gaussians.0.rank(), try gaussians.1.rank())
    frechetDistance = JSONNumber(distance.value)
    meanTerm = JSONNumber(distance.meanTerm)
    covarianceTerm = JSONNumber(distance.covarianceTerm)
    frechetDistanceCorrected = JSONNumber(distance.correctedValue)
    frechetDistanceCorrectedStandardError = JSONNumber(nil)
  }

  /// Adds what made features of images.
  mutating func add(_ network: PixelNetwork) {
    extractor = ExtractorName.pixels.rawValue
    definition = network.definition
    definitionHash = ContentHash(of: Data(network.definition.utf8)).description
  }

  /// Adds what only the features themselves can say.
  mutating func add(_ comparison: ProxyComparison, _ errors: [NeighborErrors]?) {
    frechetDistanceCorrectedStandardError = JSONNumber(comparison.correctedError)
    let infinity = comparison.extrapolated?.estimate
    frechetDistanceInfinity = JSONNumber(infinity?.value)
    frechetDistanceInfinityStandardError = JSONNumber(infinity?.standardError)
    kernelDistance = JSONNumber(comparison.kernel.estimate.value)
    kernelDistanceStandardError = JSONNumber(comparison.kernel.estimate.standardError)
    neighbors = comparison.neighbors.enumerated().map { index, value in
      let error = errors?[index]
      return Neighbors(
        k: value.neighbors, precision: value.precision, recall: value.recall,
        density: value.density, coverage: value.coverage,
        precisionStandardError: JSONNumber(error?.precision),
        recallStandardError: JSONNumber(error?.recall),
        densityStandardError: JSONNumber(error?.density),
        coverageStandardError: JSONNumber(error?.coverage))
    }
  }

  /// Names, numbers and errors, one below the other.
  private var rows: [(name: String, value: JSONNumber, error: JSONNumber)] {
    let none = JSONNumber(nil)
    return [
      ("frechet_distance", frechetDistance, none), ("mean_term", meanTerm, none),
      ("covariance_term", covarianceTerm, none),
      (
        "frechet_distance_corrected", frechetDistanceCorrected,
        frechetDistanceCorrectedStandardError
      ),
      (
        "frechet_distance_infinity", frechetDistanceInfinity, frechetDistanceInfinityStandardError
      ),
      ("kernel_distance", kernelDistance, kernelDistanceStandardError),
    ]
      + neighbors.flatMap { one in
        [
          ("precision_\(one.k)", JSONNumber(one.precision), one.precisionStandardError),
          ("recall_\(one.k)", JSONNumber(one.recall), one.recallStandardError),
          ("density_\(one.k)", JSONNumber(one.density), one.densityStandardError),
          ("coverage_\(one.k)", JSONNumber(one.coverage), one.coverageStandardError),
        ]
      }
  }

  var csv: String {
    (["metric,value,standard_error"]
      + rows.map { name, value, error in
        "\(name),\(value.value?.csvField ?? ""),\(error.value?.csvField ?? "")"
      }).joined(separator: "\n")
  }

  var text: String {
    func images(_ count: Int?) -> String { count?.grouped ?? "–" }
    var table = TextTable("set", "images", "d", "rank")
    table.add([real, images(imagesReal), "\(dimensions)", "\(rankReal)"])
    table.add([generated, images(imagesGenerated), "\(dimensions)", "\(rankGenerated)"])
    var distances = TextTable("FD", "FD corrected", "FD∞", "KID")
    distances.add([
      frechetDistance.value?.significant(8) ?? "–",
      frechetDistanceCorrected.text(frechetDistanceCorrectedStandardError),
      frechetDistanceInfinity.text(frechetDistanceInfinityStandardError),
      kernelDistance.text(kernelDistanceStandardError),
    ])
    var lines = [table.text, "", distances.text]
    if let definition { lines.append("proxies, not FID: \(definition)") }
    if !neighbors.isEmpty {
      var near = TextTable("k", "precision", "recall", "density", "coverage")
      for one in neighbors {
        near.add(
          ["\(one.k)"]
            + [
              (one.precision, one.precisionStandardError), (one.recall, one.recallStandardError),
              (one.density, one.densityStandardError), (one.coverage, one.coverageStandardError),
            ].map { value, error in
              value.fixed(3) + (error.value.map { " ± \($0.fixed(3))" } ?? "")
            })
      }
      lines += ["", near.text, "±: standard error, a jackknife over tenths of either set."]
    } else {
      lines.append("Without the features of both sets there are neither errors nor FD∞.")
    }
    if min(rankReal, rankGenerated) < dimensions {
      lines.append(
        "A covariance has not its full rank, \(dimensions): FD depends on the number of images more than on the images."
      )
    }
    if !neighbors.isEmpty, frechetDistanceInfinity.value == nil {
      lines.append(
        "FD∞ of \(dimensions) dimensions needs "
          + "\(FrechetExtrapolation.imagesNeeded(dimensions: dimensions).grouped) images of each.")
    }
    return lines.joined(separator: "\n")
  }
}
