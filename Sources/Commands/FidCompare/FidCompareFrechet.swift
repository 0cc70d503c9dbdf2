import ArgumentParser
import FileFormats
import Files
import Foundation
import GenerationMetrics
import LinearAlgebra
import Reporting

/// `fid-compare frechet REAL GENERATED`: distances between features that any network has made.
struct FidCompareFrechet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frechet",
    abstract: "Distances between two sets of features that a network of yours has made.",
    usage: "fid-compare frechet <real> <generated> [options]",
    discussion: """
      EXAMPLES
        fid-compare frechet real.npy generated.npy
        fid-compare frechet VIRTUAL_imagenet256_labeled.npz generated.npy
        fid-compare frechet real.npz generated.npz --spatial --json

      A file is an array (images, features), .npy or in an .npz archive, or the
      archive of mu and sigma that pytorch-fid and ADM's evaluator write. With the
      pooled features of Inception-v3 the Fréchet distance is the FID, with those of
      another network what its name is. Of two arrays there are also FD∞, the kernel
      distance, precision, recall, density and coverage, with their errors.

      Covariances are divided by N - 1, as by numpy.cov. Where there are no more
      images than features the covariance has not its full rank; nothing is added
      to it, and the distance says little: read FD∞ or KID.
      """)

  @Argument(help: "Features of real images: .npy, or .npz.")
  var real: String

  @Argument(help: "Features of generated images by the same network: .npy, or .npz.")
  var generated: String

  @Flag(help: "Of an archive by ADM's evaluator take mu_s and sigma_s, those of sFID.")
  var spatial = false

  @Option(
    name: .customLong("neighbors"),
    help: ArgumentHelp(
      "The numbers of nearest neighbours for precision, recall, density and coverage. (default: 3,5)",
      valueName: "k,…"))
  var givenNeighbors: NeighborCounts?

  @Flag(help: "Leave out the errors of what neighbours say, which take 18 times as long as it.")
  var noNeighborErrors = false

  @OptionGroup var seedOption: SeedOption
  @OptionGroup(title: "Results") var format: TextFormatOptions

  func run() throws {
    let clock = Stopwatch()
    let kind: FeatureStatistics.Features = spatial ? .spatial : .pooled
    let (a, b) = (
      try FeatureInput(real, statistics: kind), try FeatureInput(generated, statistics: kind)
    )
    let seed = seedOption.value
    var result: FrechetResult
    switch (a, b) {
    case (.samples(let x), .samples(let y)):
      if spatial {
        throw ValidationError("--spatial chooses statistics, and both files hold features")
      }
      guard x.columns == y.columns else {
        throw MetricError.differentDimensions(first: x.columns, second: y.columns)
      }
      let p = try FeatureSet(samples: x, source: real, seed: seed)
      let q = try FeatureSet(samples: y, source: generated, seed: seed &+ 1)
      let neighbors = (givenNeighbors ?? NeighborCounts(values: [3, 5])).values
      let comparison = try ProxyComparison(real: p, generated: q, neighbors: neighbors)
      result = try FrechetResult(
        real: real, generated: generated, comparison.frechet, (p.gaussian, q.gaussian))
      result.add(
        comparison,
        noNeighborErrors
          ? nil : NeighborErrors.errors(real: p, generated: q, neighbors: neighbors))
    default:
      for (name, isGiven) in [
        ("--neighbors", givenNeighbors != nil), ("--no-neighbor-errors", noNeighborErrors),
        ("--seed", seedOption.given != nil),
      ] where isGiven {
        throw ValidationError("\(name) needs the features of both sets, not statistics")
      }
      func gaussian(_ input: FeatureInput, _ path: String) throws -> FeatureGaussian {
        switch input {
        case .statistics(let statistics): FeatureGaussian(statistics)
        case .samples(let samples):
          try FeatureSet(samples: samples, source: path, seed: seed).gaussian
        }
      }
      let (p, q) = (try gaussian(a, real), try gaussian(b, generated))
      result = try FrechetResult(
        real: real, generated: generated, FrechetDistance(p, q), (p, q))
    }
    result.provenance = Provenance(
      input: real, inputHash: try ContentHash(ofFileAt: real).description, seed: seed
    ).finished(after: clock)
    switch (format.json, format.csv) {
    case (true, _): try printJSON(result)
    case (_, true): try printText(result.csv)
    default: try printText(result.text)
    }
  }
}

/// Whether a result is printed for another program.
struct TextFormatOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(help: "Print the result as comma-separated values.")
  var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other") }
  }
}

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
  let realHash, generatedHash: String
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
    realHash = try ContentHash(ofFileAt: real).description
    generatedHash = try ContentHash(ofFileAt: generated).description
    dimensions = gaussians.0.dimensions
    (imagesReal, imagesGenerated) = (gaussians.0.sampleCount, gaussians.1.sampleCount)
    (rankReal, rankGenerated) = (try gaussians.0.rank(), try gaussians.1.rank())
    frechetDistance = JSONNumber(distance.value)
    meanTerm = JSONNumber(distance.meanTerm)
    covarianceTerm = JSONNumber(distance.covarianceTerm)
    frechetDistanceCorrected = JSONNumber(distance.correctedValue)
    frechetDistanceCorrectedStandardError = JSONNumber(nil)
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
