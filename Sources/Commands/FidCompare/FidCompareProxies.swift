import ArgumentParser
import EntropyEstimation
import Foundation
import GenerationMetrics
import Reporting
import TokenData
import TokenGrids

/// `fid-compare proxies REAL GENERATED`: distances between two sets of images.
struct FidCompareProxies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxies",
    abstract:
      "Distances between real and generated tokens, beside a noise floor of equally many real ones.",
    usage: "fid-compare proxies <real> <generated> [options]",
    discussion: """
      EXAMPLES
        fid-compare proxies real.h5 generated.h5
        fid-compare proxies real.h5 generated.h5 --extractor texture --order distant
        fid-compare proxies real.npz generated.h5 --extractor structure

      FD∞ is the Fréchet distance of the extractor's features for infinitely many
      images, KID the kernel distance: neither depends on how many images there
      are, so that a perfect generator scores 0 within the standard error.

      All other numbers do. For them one half of the real images is compared with
      as many generated ones, and with its other half: that is the noise floor,
      what a perfect generator would score. --splits says how often the images are
      divided anew; each time takes half as long as the comparison of all images,
      features and dependencies not counted.

      A statistics file (.npz with mu and sigma) may stand for either set; the
      Fréchet distance is then all there is.
      """)

  @Argument(
    help: "Real images, or their statistics (.npz). \(DatasetArgument.help)")
  var real: String

  @Argument(help: "Generated images of the same grid and codebook, or statistics (.npz).")
  var generated: String

  @OptionGroup(title: "Tokens") var arrays: ArrayTokenOptions
  @OptionGroup(title: "Tokens") var channelsOption: ChannelsOption
  @OptionGroup(title: "Tokens") var limitOption: LimitOption
  @OptionGroup(title: "Tokens") var seedOption: SeedOption

  @OptionGroup(title: "Proxies") var proxies: ProxyOptions
  @OptionGroup(title: "Proxies") var comparison: ProxyComparisonOptions

  @OptionGroup(title: "Results") var format: TextFormatOptions

  private var limit: Int? { limitOption.limit }
  private var seed: UInt64 { seedOption.value }
  private var channels: ChannelPlacement? { channelsOption.channels }
  private var orders: [String] { comparison.orders }
  private var splits: Int { comparison.splits ?? 4 }
  private var jitter: Double { comparison.jitterOption.value }
  private var noDependencies: Bool { comparison.noDependencies }

  func run() throws {
    let clock = Stopwatch()
    if [real, generated].contains(where: StatisticsComparison.isStatistics) {
      try comparison.refuseBesideStatistics()
      if proxies.givenNeighbors != nil {
        throw ValidationError("--neighbors needs the tokens of both sets, not statistics")
      }
      try StatisticsComparison(
        real: real, generated: generated, extractors: proxies.extractors, limit: limit,
        givenSeed: seedOption.given, channels: channels
      ).print(format, clock: clock)
      return
    }
    if ![real, generated].contains(where: ArrayTokens.areAt) {
      try arrays.values.refuse(beside: real)
    }
    let (a, b) = (try load(real), try load(generated))
    try requireComparable(a, b)
    let named = try orders.map { try OrderSpecification(argument: $0) }
    let specifications = try zip(named, OrderSpecification.names(of: named)).map {
      try $0.order(on: a.grid, named: $1)
    }
    if !specifications.isEmpty {
      try AdvisedError.advising([], otherwise: ", or leave out --order") {
        try OrderEstimator.requireImages(for: a)
        try OrderEstimator.requireImages(for: b)
      }
    }
    let extractors = try proxies.extractors(for: a, seed: seed)
    let neighbors = proxies.neighbors.values
    let sizes = try equalSizes(a, b, extractors)
    var results: [FidCompareProxiesResult.Extractor] = []
    for extractor in extractors {
      let progress = ProgressLine(
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
      dependencyDistance: dependencies?.distance, dependencyDistanceEqualSize: dependencies?.equal,
      dependencyDistanceNoiseFloor: dependencies?.floor,
      dependencyDistanceNoiseFloorMissing: dependencies?.missing,
      provenance: try Provenance(of: a, seed: seed).finished(after: clock))
    switch (format.json, format.csv) {
    case (true, _): try printJSON(result)
    case (_, true): try printText(result.csv)
    default: try printText(result.text(grid: a.grid))
    }
  }

  private func load(_ path: String) throws -> TokenDataset {
    var argument = DatasetArgument(argument: path)
    // Codes may be of an array on one side and of a file, which has a codebook, on the other.
    if ArrayTokens.areAt(path) { argument.arrays = arrays.values }
    return try AdvisedError.advisingFewerImages {
      try argument.load(sampling: limit, seed: seed, channels: channels)
    }
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
    let progress = ProgressLine("dependencies", total: 2 + 3 * count, unit: "sets")
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

/// What of two sets of tokens is compared besides the features of their images.
struct ProxyComparisonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How often images are divided for the comparison at equal size; 2 at most for dependencies. (default: 4)",
      valueName: "count"))
  var splits: Int?

  @Option(
    name: .customLong("order"),
    help: ArgumentHelp(
      "Also compare the entropies of this order of generation: name[:key=value,…]; may be repeated.",
      valueName: "order"))
  var orders: [String] = []

  @Flag(help: "Leave out the distances between dependencies of tokens.")
  var noDependencies = false

  @OptionGroup var jitterOption: JitterOption

  func validate() throws {
    if let splits, !(2...EqualSizes.mostSplits).contains(splits) {
      throw ValidationError("--splits \(splits): expected 2 to \(EqualSizes.mostSplits)")
    }
    if noDependencies, jitterOption.given != nil {
      throw ValidationError("--no-dependencies leaves nothing for --jitter")
    }
    if noDependencies, !orders.isEmpty {
      throw ValidationError("--no-dependencies leaves nothing for --order")
    }
  }

  /// Refuses everything that has no meaning where only mean and covariance of a set's features are known.
  func refuseBesideStatistics() throws {
    for (name, isGiven) in [
      ("--jitter", jitterOption.given != nil), ("--order", !orders.isEmpty),
      ("--splits", splits != nil), ("--no-dependencies", noDependencies),
    ] where isGiven {
      throw ValidationError("\(name) needs the tokens of both sets, not statistics")
    }
  }
}

/// The result of `fid-compare proxies`.
private struct FidCompareProxiesResult: Encodable {
  struct Extractor: Encodable {
    let name, definition, definitionHash: String
    let dimensions: Int
    let proxies: ProxyReport
    let equalSize, noiseFloor: ProxyReport?
  }

  let command = "fid-compare proxies"
  let real: String
  let realHash: String?
  let generated: String
  let generatedHash: String?
  let grid: [Int]
  let extractors: [Extractor]
  let noiseFloorMissing: String?
  let dependencyDistance, dependencyDistanceEqualSize: DependencyReport?
  let dependencyDistanceNoiseFloor: DependencyReport?
  let dependencyDistanceNoiseFloorMissing: String?
  let provenance: Provenance

  /// A line for each number of each extractor; dependencies are left to JSON.
  var csv: String {
    var lines = ["extractor,set,metric,value,standard_error,standard_deviation"]
    for one in extractors {
      for (set, report) in [
        ("all", one.proxies), ("equal_size", one.equalSize), ("noise_floor", one.noiseFloor),
      ] {
        for row in report?.csvRows ?? [] { lines.append("\(one.name),\(set),\(row)") }
      }
    }
    return lines.joined(separator: "\n")
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
    if let dependencyDistance { lines += [""] + dependencyLines(dependencyDistance) }
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
    let (equal, floor) = (dependencyDistanceEqualSize, dependencyDistanceNoiseFloor)
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
      \.conditionalEntropyMapsStandardDeviation)
    add(
      "I(v_i; v_j), \(whole.references) references", \.informationMaps,
      \.informationMapsStandardDeviation)
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
    if let dependencyDistanceNoiseFloorMissing { lines.append(dependencyDistanceNoiseFloorMissing) }
    for profile in whole.profiles {
      lines.append(
        "\(profile.order): total increase \(profile.realTotalIncrease.text) nats in real images, "
          + "\(profile.generatedTotalIncrease.text) in generated ones")
    }
    return lines
  }
}
