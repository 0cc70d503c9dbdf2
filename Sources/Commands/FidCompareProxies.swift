import ArgumentParser
import EntropyEstimation
import Foundation
import GenerationMetrics
import TokenData
import TokenGrids

/// `fid-compare proxies REAL GENERATED`: distances between two sets of images.
struct FidCompareProxies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxies",
    abstract:
      "Distances between real and generated tokens, beside those between two halves of the real ones.",
    discussion: """
      FD is the Fréchet distance of the extractor's features, FD corrected the same without what chance adds to the distance
      of the means, FD∞ its extrapolation to infinitely many images; KID the kernel distance. "real, halves" is the noise
      floor: what a perfect generator would score with half as many images.

      A statistics file (.npz with mu and sigma) may stand for either set; the Fréchet distance is then all there is.
      """)

  @Argument(
    help: "Real images, or their statistics (.npz). \(DatasetArgument.help)")
  var real: String

  @Argument(help: "Generated images of the same grid and codebook, or statistics (.npz).")
  var generated: String

  @OptionGroup var proxies: ProxyOptions

  @Option(
    help: ArgumentHelp("Use only this many images of each, drawn at random.", valueName: "images"))
  var limit: Int?

  @Option(
    help: ArgumentHelp("The seed of everything that is drawn at random.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(
    name: .customLong("order"),
    help: ArgumentHelp(
      "Also compare the entropies of this order of generation: name[:key=value,…]; may be repeated.",
      valueName: "order"))
  var orders: [String] = []

  @Flag(help: "Leave out the distances between dependencies of tokens.")
  var noDependencies = false

  @Option(
    help: ArgumentHelp(
      "Add this share of the mean variance to every variance, for tokens that never vary.",
      valueName: "share"))
  var jitter: Double = 0

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    if let limit, limit < 2 {
      throw ValidationError("--limit \(limit): at least 2 images are needed")
    }
    guard jitter >= 0, jitter.isFinite else {
      throw ValidationError("--jitter \(jitter): expected a number that is not negative")
    }
    if noDependencies, jitter != 0 {
      throw ValidationError("--no-dependencies leaves nothing for --jitter")
    }
    if noDependencies, !orders.isEmpty {
      throw ValidationError("--no-dependencies leaves nothing for --order")
    }
  }

  func run() throws {
    let clock = Stopwatch()
    if [real, generated].contains(where: StatisticsComparison.isStatistics) {
      guard jitter == 0 else {
        throw ValidationError("--jitter needs the tokens of both sets, not statistics")
      }
      guard orders.isEmpty else {
        throw ValidationError("--order needs the tokens of both sets, not statistics")
      }
      try StatisticsComparison(
        real: real, generated: generated, extractors: proxies.extractors, limit: limit, seed: seed
      ).print(asJSON: json, clock: clock)
      return
    }
    let (a, b) = (try load(real), try load(generated))
    try requireComparable(a, b)
    let specifications = try orders.map { try OrderSpecification(argument: $0).order(on: a.grid) }
    if !specifications.isEmpty {
      try AdvisedError.advising([], otherwise: ", or leave out --order") {
        try OrderProfile.requireImages(for: a)
        try OrderProfile.requireImages(for: b)
      }
    }
    let extractors = try proxies.extractors(for: a, seed: seed)
    var results: [FidCompareProxiesResult.Extractor] = []
    for extractor in extractors {
      let progress = Progress(
        "\(extractor.name) features", total: a.imageCount + b.imageCount, unit: "images")
      let x = try FeatureSet(of: a, by: extractor, seed: seed) { progress.update($0) }
      let y = try FeatureSet(of: b, by: extractor, seed: seed, shift: x.shift) {
        progress.update(a.imageCount + $0)
      }
      progress.finish()
      let neighbors = proxies.neighbors.values
      let halves = x.halves
      results.append(
        FidCompareProxiesResult.Extractor(
          name: extractor.name, definition: extractor.definition,
          definitionHash: extractor.definitionHash.description, dimensions: extractor.dimensions,
          proxies: ProxyReport(
            try ProxyComparison(real: x, generated: y, neighbors: neighbors, seed: seed)),
          // Halves may be too few where the whole suffices.
          noiseFloor: try min(halves.0.imageCount, halves.1.imageCount) > neighbors.max() ?? 0
            ? ProxyReport(
              ProxyComparison(
                real: halves.0, generated: halves.1, neighbors: neighbors, seed: seed)) : nil))
    }
    let dependencies = noDependencies ? nil : try compareDependencies(a, b, specifications)
    let result = FidCompareProxiesResult(
      real: a.name, realHash: try a.contentHash()?.description, generated: b.name,
      generatedHash: try b.contentHash()?.description, grid: a.grid.jsonExtents,
      extractors: results, dependencies: dependencies?.distance,
      dependenciesNoiseFloor: dependencies?.floor,
      provenance: try Provenance(of: a, seed: seed).finished(after: clock))
    if json { try printJSON(result) } else { try printText(result.text(grid: a.grid)) }
  }

  private func load(_ path: String) throws -> TokenDataset {
    try DatasetArgument(argument: path).load(sampling: limit, seed: seed)
  }

  private func compareDependencies(
    _ a: TokenDataset, _ b: TokenDataset, _ orders: [GenerationOrder]
  ) throws -> (distance: DependencyReport, floor: DependencyReport?) {
    let progress = Progress("dependencies", total: 4, unit: "sets")
    defer { progress.finish() }
    func estimates(_ dataset: TokenDataset, _ orders: [GenerationOrder]) throws
      -> DependencyEstimates
    {
      try AdvisedError.advising(
        ["--jitter"], otherwise: ", compare more images, or leave this out with --no-dependencies"
      ) { try DependencyDistance.estimates(of: dataset, orders: orders, jitter: jitter) }
    }
    let whole = (try estimates(a, orders), try estimates(b, orders))
    progress.update(2)
    let halves = try randomHalves(of: a, seed: seed)
    let half = min(halves.0.imageCount, halves.1.imageCount)
    // A regression needs more images than numbers: halves may be too few for profiles, or even for maps.
    let ordersOfHalves = half > a.grid.cellCount * a.featureDimensions ? orders : []
    var floor: DependencyReport?
    if half > 2 * a.featureDimensions {
      floor = DependencyReport(
        DependencyDistance(
          try estimates(halves.0, ordersOfHalves), try estimates(halves.1, ordersOfHalves)))
    }
    return (DependencyReport(DependencyDistance(whole.0, whole.1)), floor)
  }
}

/// Two random halves of a dataset's images; those of one photograph stay together.
func randomHalves(of dataset: TokenDataset, seed: UInt64) throws -> (TokenDataset, TokenDataset) {
  let ids = dataset.imageIDs ?? (0..<dataset.imageCount).map { UInt32($0) }
  var units = ids.removingRepeats
  var generator = SeededGenerator(seed: seed, stream: 4)
  generator.shuffle(&units)
  let first = Set(units[..<(units.count / 2)])
  let isFirst = ids.map(first.contains)
  return (
    try dataset.selecting(images: isFirst.indices.filter { isFirst[$0] }),
    try dataset.selecting(images: isFirst.indices.filter { !isFirst[$0] })
  )
}

/// The result of `fid-compare proxies`.
private struct FidCompareProxiesResult: Encodable {
  struct Extractor: Encodable {
    let name, definition, definitionHash: String
    let dimensions: Int
    let proxies: ProxyReport
    let noiseFloor: ProxyReport?

    enum CodingKeys: String, CodingKey {
      case name, definition, dimensions, proxies
      case definitionHash = "definition_hash"
      case noiseFloor = "noise_floor"
    }
  }

  let command = "fid-compare proxies"
  let real: String
  let realHash: String?
  let generated: String
  let generatedHash: String?
  let grid: [Int]
  let extractors: [Extractor]
  let dependencies, dependenciesNoiseFloor: DependencyReport?
  let provenance: Provenance

  enum CodingKeys: String, CodingKey {
    case command, real, generated, grid, extractors, provenance
    case realHash = "real_hash"
    case generatedHash = "generated_hash"
    case dependencies = "dependency_distance"
    case dependenciesNoiseFloor = "dependency_distance_noise_floor"
  }

  func text(grid: TokenGrid) -> String {
    var lines = ["\(real) against \(generated) · \(grid) tokens · proxies, not FID"]
    var distances = TextTable("extractor")
    distances.headings += ["d"] + ProxyReport.distanceHeadings
    var neighbors = TextTable("extractor", "k", "precision", "recall", "density", "coverage")
    for extractor in extractors {
      for (name, report) in [
        (extractor.name, extractor.proxies as ProxyReport?),
        ("  real, halves", extractor.noiseFloor),
      ] {
        guard let report else { continue }
        distances.add([name, "\(extractor.dimensions)"] + report.distanceCells)
        for one in report.neighbors {
          neighbors.add(
            [name, "\(one.k)"]
              + [one.precision, one.recall, one.density, one.coverage].map { $0.fixed(3) })
        }
      }
    }
    lines += [distances.text, "", neighbors.text]
    if let dependencies {
      var table = TextTable(
        "mean absolute difference, nats", "real against generated", "real, halves")
      table.add([
        "H(v_i | v_j), \(dependencies.references) references",
        dependencies.conditionalEntropyMaps.text,
        dependenciesNoiseFloor?.conditionalEntropyMaps.text ?? "too few images",
      ])
      table.add([
        "I(v_i; v_j), \(dependencies.references) references", dependencies.informationMaps.text,
        dependenciesNoiseFloor?.informationMaps.text ?? "too few images",
      ])
      for profile in dependencies.profiles {
        let floor = dependenciesNoiseFloor?.profiles.first { $0.order == profile.order }
        for (what, value, noise) in [
          ("sequential", profile.sequential, floor?.sequential),
          ("parallel", profile.parallel, floor?.parallel),
          ("increase", profile.increase, floor?.increase),
        ] {
          table.add(["\(profile.order), \(what)", value.text, noise?.text ?? "too few images"])
        }
      }
      lines += ["", table.text]
      for profile in dependencies.profiles {
        lines.append(
          "\(profile.order): total increase \(profile.realTotalIncrease.text) nats in real images, "
            + "\(profile.generatedTotalIncrease.text) in generated ones")
      }
    }
    return (lines + [""] + extractors.map { "\($0.name): \($0.definitionHash)" })
      .joined(separator: "\n")
  }
}
