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
    abstract: "Distances between features that a network of yours has made, or between images.",
    usage: "fid-compare frechet <real> <generated> [options]",
    discussion: """
      EXAMPLES
        fid-compare frechet real.npy generated.npy
        fid-compare frechet VIRTUAL_imagenet256_labeled.npz generated.npy
        fid-compare frechet real.npz generated.npz --spatial --json
        fid-compare frechet VIRTUAL_imagenet256_labeled.npz samples.npz \\
          --extractor pixels
            The images in arr_0 of both, by features that nobody trained.

      A file is an array (images, features), .npy or in an .npz archive, or the
      archive of mu and sigma that pytorch-fid and ADM's evaluator write. Images
      are bytes (images, rows, columns, 3) in an array or as arr_0 of an archive,
      or a folder of PNG or JPEG files: they need --extractor pixels. With the
      pooled features of Inception-v3 the Fréchet distance is the FID, with those of
      another network what its name is. Of two arrays there are also FD∞, the kernel
      distance, precision, recall, density and coverage, with their errors.

      Covariances are divided by N - 1, as by numpy.cov. Where there are no more
      images than features the covariance has not its full rank; nothing is added
      to it, and the distance says little: read FD∞ or KID.
      """)

  @Argument(help: "Features of real images: .npy, or .npz; or the images, or a folder of them.")
  var real: String

  @Argument(help: "The same of generated images, by the same network.")
  var generated: String

  @Flag(help: "Of an archive by ADM's evaluator take mu_s and sigma_s, those of sFID.")
  var spatial = false

  @Option(
    help: ArgumentHelp(
      "What makes features of images: pixels, a network without training; a proxy, not the FID.",
      valueName: "name"))
  var extractor: ExtractorName?

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
    let seed = seedOption.value
    let pair = try FeaturePair(
      real: real, generated: generated, statistics: kind, extractor: extractor, seed: seed)
    var result: FrechetResult
    switch (pair.real, pair.generated) {
    case (.samples(let x), .samples(let y)):
      if spatial {
        throw ValidationError("--spatial chooses statistics, and there are features of both sets")
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
        ("--seed", seedOption.given != nil && pair.network == nil),
      ] where isGiven {
        throw ValidationError("\(name) needs the features of both sets, not statistics")
      }
      func gaussian(_ input: FeatureInput, _ path: String) throws -> FeatureGaussian {
        switch input {
        case .statistics(let statistics): FeatureGaussian(statistics)
        case .samples(let samples):
          try FeatureSet(samples: samples, source: path, seed: seed).gaussian
        case .images: preconditionFailure("images have become features")
        }
      }
      let (p, q) = (try gaussian(pair.real, real), try gaussian(pair.generated, generated))
      result = try FrechetResult(
        real: real, generated: generated, FrechetDistance(p, q), (p, q))
    }
    if let network = pair.network { result.add(network) }
    result.provenance = Provenance(input: real, inputHash: result.realHash, seed: seed)
      .finished(after: clock)
    switch (format.json, format.csv) {
    case (true, _): try printJSON(result)
    case (_, true): try printText(result.csv)
    default: try printText(result.text)
    }
  }
}
