import ArgumentParser
import EntropyEstimation
import Foundation
import GenerationMetrics
import Statistics
import TokenData
import TokenGrids

/// `fid-compare proxies REAL GENERATED`: distances between two sets of images.
struct FidCompareProxies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxies",
    abstract:
      "Distances between real and generated tokens, beside a noise floor of equally many real ones.",
    discussion: """
      FD∞ is the Fréchet distance of the extractor's features for infinitely many images, KID the kernel distance: neither
      depends on how many images there are, so that a perfect generator scores 0 within the standard error.

      All other numbers do. For them one half of the real images is compared with as many generated ones, and with its other
      half: that is the noise floor, what a perfect generator would score. --splits says how often the images are divided
      anew; each time takes half as long as the comparison of all images, features and dependencies not counted.

      A statistics file (.npz with mu and sigma) may stand for either set; the Fréchet distance is then all there is.
      """)

  @Argument(
    help: "Real images, or their statistics (.npz). \(DatasetArgument.help)")
  var real: String

  @Argument(help: "Generated images of the same grid and codebook, or statistics (.npz).")
  var generated: String

  @OptionGroup var proxies: ProxyOptions

  @Option(help: DatasetArgument.channelsHelp)
  var channels: ChannelPlacement?

  @Option(
    help: ArgumentHelp("Use only this many images of each, drawn at random.", valueName: "images"))
  var limit: Int?

  @Option(
    help: ArgumentHelp("The seed of everything that is drawn at random.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "How often images are divided for the comparison at equal size; 2 at most for dependencies.",
      valueName: "count"))
  var splits = 4

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
    guard (2...EqualSizes.mostSplits).contains(splits) else {
      throw ValidationError("--splits \(splits): expected 2 to \(EqualSizes.mostSplits)")
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
        real: real, generated: generated, extractors: proxies.extractors, limit: limit, seed: seed,
        channels: channels
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
    let neighbors = proxies.neighbors.values
    let sizes = try equalSizes(a, b, extractors)
    var results: [FidCompareProxiesResult.Extractor] = []
    for extractor in extractors {
      let progress = Progress(
        "\(extractor.name) features", total: a.imageCount + b.imageCount, unit: "images")
      let x = try FeatureSet(of: a, by: extractor, seed: seed, dealing: sizes.real) {
        progress.update($0)
      }
      let y = try FeatureSet(
        of: b, by: extractor, seed: seed, shift: x.shift, dealing: sizes.generated
      ) {
        progress.update(a.imageCount + $0)
      }
      progress.finish()
      let equal = try sizes.plan.map {
        try EqualSizeComparison(real: x, generated: y, sizes: $0, neighbors: neighbors)
      }
      results.append(
        FidCompareProxiesResult.Extractor(
          name: extractor.name, definition: extractor.definition,
          definitionHash: extractor.definitionHash.description, dimensions: extractor.dimensions,
          proxies: ProxyReport(try ProxyComparison(real: x, generated: y, neighbors: neighbors)),
          equalSize: equal.map { ProxyReport(splits: $0.generated) },
          noiseFloor: equal.map { ProxyReport(splits: $0.noiseFloor) }))
    }
    let dependencies =
      noDependencies ? nil : try compareDependencies(a, b, specifications, sizes.plan)
    let result = FidCompareProxiesResult(
      real: a.name, realHash: try a.contentHash()?.description, generated: b.name,
      generatedHash: try b.contentHash()?.description, grid: a.grid.jsonExtents,
      extractors: results, noiseFloorMissing: sizes.obstacle?.description,
      dependencies: dependencies?.distance, dependenciesEqualSize: dependencies?.equal,
      dependenciesNoiseFloor: dependencies?.floor,
      dependenciesNoiseFloorMissing: dependencies?.missing,
      provenance: try Provenance(of: a, seed: seed).finished(after: clock))
    if json { try printJSON(result) } else { try printText(result.text(grid: a.grid)) }
  }

  private func load(_ path: String) throws -> TokenDataset {
    try DatasetArgument(argument: path).load(
      sampling: limit, seed: seed, channels: channels)
  }

  /// How images are dealt, and divided into sets of equal size where that can be.
  private struct Sizes {
    let plan: EqualSizes?
    let obstacle: EqualSizes.Obstacle?
    let real, generated: ImageDealing
  }

  private func equalSizes(
    _ a: TokenDataset, _ b: TokenDataset, _ extractors: [any FeatureExtractor]
  ) throws -> Sizes {
    let purpose = extractors.first?.name ?? ""
    let real = try ImageDealing(of: a, purpose: purpose, seed: seed)
    let generated = try ImageDealing(of: b, purpose: purpose, seed: seed)
    do throws(EqualSizes.Obstacle) {
      let plan = try EqualSizes(
        real: real, generated: generated,
        needed: max(FeatureSet.groupCount, (proxies.neighbors.values.max() ?? 0) + 1),
        splits: splits, seed: seed)
      return Sizes(plan: plan, obstacle: nil, real: plan.real, generated: plan.generated)
    } catch {
      return Sizes(plan: nil, obstacle: error, real: real, generated: generated)
    }
  }

  private typealias Dependencies = (
    distance: DependencyReport, equal: DependencyReport?, floor: DependencyReport?,
    missing: String?
  )

  private func compareDependencies(
    _ a: TokenDataset, _ b: TokenDataset, _ orders: [GenerationOrder], _ sizes: EqualSizes?
  ) throws -> Dependencies {
    // Differences are means over all pairs of tokens, which two splits tell well enough.
    let count = min(sizes?.splitCount ?? 0, 2)
    let progress = Progress("dependencies", total: 2 + 3 * count, unit: "sets")
    defer { progress.finish() }
    var done = 0
    func estimates(_ dataset: TokenDataset, _ orders: [GenerationOrder]) throws
      -> DependencyEstimates
    {
      defer {
        done += 1
        progress.update(done)
      }
      return try AdvisedError.advising(
        ["--jitter"], otherwise: ", compare more images, or leave this out with --no-dependencies"
      ) { try DependencyDistance.estimates(of: dataset, orders: orders, jitter: jitter) }
    }
    let whole = DependencyReport(
      [DependencyDistance(try estimates(a, orders), try estimates(b, orders))],
      images: (a.imageCount, b.imageCount))
    guard let sizes else { return (whole, nil, nil, nil) }
    let half = sizes.images
    let needed = 2 * a.featureDimensions + 1
    guard half >= needed else {
      return (
        whole, nil, nil,
        "no noise floor of dependencies: it would be of \(half.grouped) images, and \(needed.grouped) are needed"
      )
    }
    // A regression needs more images than numbers: halves may be too few for profiles.
    let numbers = a.grid.cellCount * a.featureDimensions
    let ordersOfHalves = half > numbers ? orders : []
    var (values, floors): ([DependencyDistance], [DependencyDistance]) = ([], [])
    do {
      for split in 0..<count {
        let images = sizes.images(ofSplit: split)
        let first = try estimates(a.selecting(images: images.real), ordersOfHalves)
        let other = try estimates(a.selecting(images: images.otherReal), ordersOfHalves)
        let generated = try estimates(b.selecting(images: images.generated), ordersOfHalves)
        values.append(DependencyDistance(first, generated))
        floors.append(DependencyDistance(first, other))
      }
    } catch let error as AdvisedError {
      // A token may vary in all images and not in half of them.
      return (
        whole, nil, nil,
        "no noise floor of dependencies, which would be of \(half.grouped) images: \(error)"
      )
    }
    return (
      whole, DependencyReport(values, images: (half, half), splits: count),
      DependencyReport(floors, images: (half, half), splits: count),
      ordersOfHalves.count < orders.count
        ? "no noise floor of orders: it would be of \(half.grouped) images, and \((numbers + 1).grouped) are needed"
        : nil
    )
  }
}

/// Two random halves of a dataset's images; those of one photograph stay together.
func randomHalves(of dataset: TokenDataset, seed: UInt64) throws -> (TokenDataset, TokenDataset) {
  var generator = SeededGenerator(seed: seed, stream: 4)
  let (first, second) = Photographs(dataset.imageIDs, imageCount: dataset.imageCount)
    .halves(&generator)
  return (try dataset.selecting(images: first), try dataset.selecting(images: second))
}

/// The result of `fid-compare proxies`.
private struct FidCompareProxiesResult: Encodable {
  struct Extractor: Encodable {
    let name, definition, definitionHash: String
    let dimensions: Int
    let proxies: ProxyReport
    let equalSize, noiseFloor: ProxyReport?

    enum CodingKeys: String, CodingKey {
      case name, definition, dimensions, proxies
      case definitionHash = "definition_hash"
      case equalSize = "equal_size"
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
  let noiseFloorMissing: String?
  let dependencies, dependenciesEqualSize, dependenciesNoiseFloor: DependencyReport?
  let dependenciesNoiseFloorMissing: String?
  let provenance: Provenance

  enum CodingKeys: String, CodingKey {
    case command, real, generated, grid, extractors, provenance
    case realHash = "real_hash"
    case generatedHash = "generated_hash"
    case noiseFloorMissing = "noise_floor_missing"
    case dependencies = "dependency_distance"
    case dependenciesEqualSize = "dependency_distance_equal_size"
    case dependenciesNoiseFloor = "dependency_distance_noise_floor"
    case dependenciesNoiseFloorMissing = "dependency_distance_noise_floor_missing"
  }

  func text(grid: TokenGrid) -> String {
    var lines = ["\(real) against \(generated) · \(grid) tokens · proxies, not FID", ""]
    var whole = TextTable("all images", "d", "images", "samples")
    whole.headings += ProxyReport.distanceHeadings
    for one in extractors {
      let report = one.proxies
      whole.add(
        [
          one.name, "\(one.dimensions)",
          "\(report.imagesReal.grouped), \(report.imagesGenerated.grouped)",
          "\(report.samplesReal.grouped), \(report.samplesGenerated.grouped)",
        ] + report.distanceCells)
    }
    lines += [whole.text, "±: standard error. FD∞ and KID do not depend on the number of images: "]
    lines[lines.count - 1] +=
      "a perfect generator scores 0 within the error. FD does, and is too large."
    for one in extractors where one.proxies.frechetDistanceInfinity.value == nil {
      lines.append(
        "\(one.name): FD∞ of \(one.dimensions) dimensions needs "
          + "\(FrechetExtrapolation.imagesNeeded(dimensions: one.dimensions).grouped) images of each; "
          + "in its place read FD corrected at equal size, beside its floor")
    }
    lines += [""] + equalSizeLines
    if let dependencies { lines += [""] + dependencyLines(dependencies) }
    return (lines + [""] + extractors.map { "\($0.name): \($0.definitionHash)" })
      .joined(separator: "\n")
  }

  /// Generated images and the floor, line by line.
  private var equalSizeLines: [String] {
    if let noiseFloorMissing {
      var neighbors = TextTable("all images", "k", "precision", "recall", "density", "coverage")
      for one in extractors {
        for row in one.proxies.neighborRows { neighbors.add([one.name] + row) }
      }
      return [neighbors.text, noiseFloorMissing]
    }
    var distances = TextTable("equal size")
    distances.headings += ProxyReport.distanceHeadings
    var neighbors = TextTable("equal size", "k", "precision", "recall", "density", "coverage")
    for one in extractors {
      for (name, report) in [
        ("\(one.name), generated", one.equalSize), ("\(one.name), noise floor", one.noiseFloor),
      ] {
        guard let report else { continue }
        distances.add([name] + report.distanceCells)
      }
      guard let value = one.equalSize, let floor = one.noiseFloor else { continue }
      for (a, b) in zip(value.neighborRows, floor.neighborRows) {
        neighbors.add(["\(one.name), generated"] + a)
        neighbors.add(["\(one.name), noise floor"] + b)
      }
    }
    guard let first = extractors.first?.noiseFloor, let splits = first.splits else { return [] }
    let n = first.imagesReal.grouped
    return [
      distances.text, "", neighbors.text,
      "generated: \(n) real images against \(n) generated ones; noise floor: the same against \(n) other real ones; "
        + "means ± standard deviations over \(splits) splits",
    ]
  }

  private func dependencyLines(_ whole: DependencyReport) -> [String] {
    let (equal, floor) = (dependenciesEqualSize, dependenciesNoiseFloor)
    var table = TextTable(
      "mean absolute difference, nats", "all images", "equal size, generated", "noise floor")
    func add(
      _ name: String, _ value: (DependencyReport) -> JSONNumber?,
      _ deviation: (DependencyReport) -> JSONNumber? = { _ in nil }
    ) {
      let cells = [whole, equal, floor].map { report -> String in
        guard let report, let number = value(report) else { return "too few images" }
        return deviation(report).map { number.text($0) } ?? number.text
      }
      table.add([name] + cells)
    }
    add(
      "H(v_i | v_j), \(whole.references) references", \.conditionalEntropyMaps,
      \.conditionalEntropyMapsDeviation)
    add(
      "I(v_i; v_j), \(whole.references) references", \.informationMaps,
      \.informationMapsDeviation)
    for profile in whole.profiles {
      func of(_ value: @escaping (DependencyReport.Profile) -> JSONNumber)
        -> (DependencyReport) -> JSONNumber?
      { { $0.profiles.first { $0.order == profile.order }.map(value) } }
      add("\(profile.order), sequential", of(\.sequential))
      add("\(profile.order), parallel", of(\.parallel))
      add("\(profile.order), increase", of(\.increase))
    }
    var lines = [table.text]
    if let floor, let splits = floor.splits {
      lines.append(
        "noise floor: of as many images as at equal size, \(floor.imagesReal.grouped) of each; means over \(splits) splits"
      )
    }
    if let dependenciesNoiseFloorMissing { lines.append(dependenciesNoiseFloorMissing) }
    for profile in whole.profiles {
      lines.append(
        "\(profile.order): total increase \(profile.realTotalIncrease.text) nats in real images, "
          + "\(profile.generatedTotalIncrease.text) in generated ones")
    }
    return lines
  }
}
