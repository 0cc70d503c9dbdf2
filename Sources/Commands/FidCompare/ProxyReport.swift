import EntropyEstimation
import Foundation
import GenerationMetrics
import Reporting

/// The proxies of one extractor, for tables and JSON: of one comparison, or means over several splits of the images.
struct ProxyReport: Encodable {
  struct Neighbors: Encodable {
    let k: Int
    let precision, recall, density, coverage: Double
  }

  /// Standard deviations over the splits.
  struct Deviations: Encodable {
    let frechetDistance, frechetDistanceCorrected, frechetDistanceInfinity: JSONNumber
    let kernelDistance: JSONNumber
    let neighbors: [Neighbors]
  }

  let imagesReal, imagesGenerated, samplesReal, samplesGenerated: Int
  let frechetDistance: JSONNumber
  let meanTerm, covarianceTerm: JSONNumber
  let frechetDistanceCorrected, frechetDistanceCorrectedStandardError: JSONNumber
  let frechetDistanceInfinity, frechetDistanceInfinityStandardError: JSONNumber
  let kernelDistance, kernelDistanceStandardError: JSONNumber
  let neighbors: [Neighbors]
  /// How many splits these are the means of, and their deviations; nil for one comparison.
  let splits: Int?
  let standardDeviations: Deviations?

  init(_ comparison: ProxyComparison) { self.init([comparison], splits: nil) }

  /// Means over splits; standard errors are root mean squares.
  ///
  /// - Precondition: there is a comparison.
  init(splits comparisons: [ProxyComparison]) {
    self.init(comparisons, splits: comparisons.count)
  }

  private init(_ comparisons: [ProxyComparison], splits: Int?) {
    let first = comparisons[0]
    imagesReal = first.real.images
    imagesGenerated = first.generated.images
    samplesReal = first.real.samples
    samplesGenerated = first.generated.samples
    func mean(_ value: (ProxyComparison) -> Double?) -> JSONNumber {
      JSONNumber(comparisons.compactMapOrNil(value)?.mean)
    }
    func error(_ value: (ProxyComparison) -> Double?) -> JSONNumber {
      JSONNumber(comparisons.compactMapOrNil(value)?.map { $0 * $0 }.mean.squareRoot())
    }
    func deviation(_ value: (ProxyComparison) -> Double?) -> JSONNumber {
      JSONNumber(comparisons.compactMapOrNil(value)?.standardDeviation)
    }
    func neighbors(_ statistic: ([Double]) -> Double) -> [Neighbors] {
      first.neighbors.indices.map { index in
        func of(_ value: (NeighborMetrics) -> Double) -> Double {
          statistic(comparisons.map { value($0.neighbors[index]) })
        }
        return Neighbors(
          k: first.neighbors[index].neighbors, precision: of(\.precision), recall: of(\.recall),
          density: of(\.density), coverage: of(\.coverage))
      }
    }
    frechetDistance = mean { $0.frechet.value }
    meanTerm = mean { $0.frechet.meanTerm }
    covarianceTerm = mean { $0.frechet.covarianceTerm }
    frechetDistanceCorrected = mean { $0.frechet.correctedValue }
    frechetDistanceCorrectedStandardError = error { $0.correctedError }
    frechetDistanceInfinity = mean { $0.extrapolated?.estimate.value }
    frechetDistanceInfinityStandardError = error { $0.extrapolated?.estimate.standardError }
    kernelDistance = mean { $0.kernel.estimate.value }
    kernelDistanceStandardError = error { $0.kernel.estimate.standardError }
    self.neighbors = neighbors(\.mean)
    self.splits = splits
    standardDeviations =
      comparisons.count > 1
      ? Deviations(
        frechetDistance: deviation { $0.frechet.value },
        frechetDistanceCorrected: deviation { $0.frechet.correctedValue },
        frechetDistanceInfinity: deviation { $0.extrapolated?.estimate.value },
        kernelDistance: deviation { $0.kernel.estimate.value },
        neighbors: neighbors(\.standardDeviation)) : nil
  }

  /// Columns of a table: FD∞, KID, the corrected and the plain distance, with standard errors, or with deviations over splits.
  var distanceCells: [String] {
    if let deviations = standardDeviations {
      return [
        frechetDistanceInfinity.value == nil
          ? "too few images" : frechetDistanceInfinity.text(deviations.frechetDistanceInfinity),
        kernelDistance.text(deviations.kernelDistance),
        frechetDistanceCorrected.text(deviations.frechetDistanceCorrected),
        frechetDistance.text(deviations.frechetDistance),
      ]
    }
    let isMean = splits != nil
    func text(_ value: JSONNumber, _ error: JSONNumber) -> String {
      isMean ? value.text : value.text(error)
    }
    return [
      frechetDistanceInfinity.value == nil
        ? "too few images" : text(frechetDistanceInfinity, frechetDistanceInfinityStandardError),
      text(kernelDistance, kernelDistanceStandardError),
      text(frechetDistanceCorrected, frechetDistanceCorrectedStandardError),
      frechetDistance.text,
    ]
  }

  /// Lines of comma-separated values: the metric, its value, its standard error and its deviation over splits.
  var csvRows: [String] {
    let deviations = standardDeviations
    var rows: [(String, JSONNumber, JSONNumber?, JSONNumber?)] = [
      ("frechet_distance", frechetDistance, nil, deviations?.frechetDistance),
      (
        "frechet_distance_corrected", frechetDistanceCorrected,
        frechetDistanceCorrectedStandardError, deviations?.frechetDistanceCorrected
      ),
      (
        "frechet_distance_infinity", frechetDistanceInfinity, frechetDistanceInfinityStandardError,
        deviations?.frechetDistanceInfinity
      ),
      (
        "kernel_distance", kernelDistance, kernelDistanceStandardError, deviations?.kernelDistance
      ),
    ]
    for (index, one) in neighbors.enumerated() {
      let deviation = deviations?.neighbors[index]
      for (name, value) in [
        ("precision", \Neighbors.precision), ("recall", \.recall), ("density", \.density),
        ("coverage", \.coverage),
      ] {
        rows.append(
          (
            "\(name)_\(one.k)", JSONNumber(one[keyPath: value]), nil,
            deviation.map { JSONNumber($0[keyPath: value]) }
          ))
      }
    }
    return rows.map { name, value, error, deviation in
      ([name] + [value, error, deviation].map { $0?.value?.csvField ?? "" }).joined(separator: ",")
    }
  }

  static let distanceHeadings = ["FD∞", "KID", "FD corrected", "FD"]

  /// For each k: k, precision, recall, density and coverage, with deviations over splits where there are some.
  var neighborRows: [[String]] {
    neighbors.indices.map { index in
      func text(_ value: (Neighbors) -> Double) -> String {
        let mean = value(neighbors[index]).fixed(3)
        guard let deviations = standardDeviations else { return mean }
        return "\(mean) ± \(value(deviations.neighbors[index]).fixed(3))"
      }
      return ["\(neighbors[index].k)"]
        + [text(\.precision), text(\.recall), text(\.density), text(\.coverage)]
    }
  }
}

/// Distances between dependencies, for JSON: one, or means over several splits of the images.
struct DependencyReport: Encodable {
  struct Profile: Encodable {
    let order: String
    let sequential, parallel, increase: JSONNumber
    let realTotalIncrease, generatedTotalIncrease: JSONNumber
  }

  let imagesReal, imagesGenerated: Int
  let conditionalEntropyMaps, informationMaps: JSONNumber
  let references: Int
  let profiles: [Profile]
  let splits: Int?
  /// Of the maps, over the splits; nil for one comparison.
  let conditionalEntropyMapsStandardDeviation, informationMapsStandardDeviation: JSONNumber?

  /// - Parameters:
  ///   - distances: One, or one for each split.
  ///   - images: How many images of each kind were compared.
  init(_ distances: [DependencyDistance], images: (real: Int, generated: Int), splits: Int? = nil) {
    let first = distances[0]
    func mean(_ value: (DependencyDistance) -> Double) -> JSONNumber {
      JSONNumber(distances.map(value).mean)
    }
    (imagesReal, imagesGenerated) = images
    conditionalEntropyMaps = mean(\.maps)
    informationMaps = mean(\.information)
    references = first.references
    profiles = first.profiles.indices.map { index in
      Profile(
        order: first.profiles[index].order, sequential: mean { $0.profiles[index].sequential },
        parallel: mean { $0.profiles[index].parallel },
        increase: mean { $0.profiles[index].increase },
        realTotalIncrease: mean { $0.profiles[index].realTotalIncrease },
        generatedTotalIncrease: mean { $0.profiles[index].generatedTotalIncrease })
    }
    self.splits = splits
    func deviation(_ value: (DependencyDistance) -> Double) -> JSONNumber? {
      distances.count > 1 ? JSONNumber(distances.map(value).standardDeviation) : nil
    }
    conditionalEntropyMapsStandardDeviation = deviation(\.maps)
    informationMapsStandardDeviation = deviation(\.information)
  }
}

extension [Double] {
  /// Of at least one number.
  var mean: Double { reduce(0, +) / Double(count) }

  /// Of at least two numbers.
  var standardDeviation: Double {
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)).squareRoot()
  }
}

extension Array {
  /// The values of all elements; nil where one has none.
  fileprivate func compactMapOrNil(_ value: (Element) -> Double?) -> [Double]? {
    let values = compactMap(value)
    return values.count == count ? values : nil
  }
}
