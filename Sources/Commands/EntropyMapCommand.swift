import ArgumentParser
import EntropyEstimation
import Figures
import Foundation
import TokenData
import TokenGrids

/// `entropy-map`: H(v_i | v_j) for one reference token or several.
public struct EntropyMapCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "entropy-map",
    abstract: "Conditional entropy of every token given a reference token, H(v_i | v_j).",
    discussion: """
      EXAMPLES
        entropy-map --ref 12,12
            The embedded photographs: a table by distance and entropy-map.png.
        entropy-map --ref 12,12 --ref 3,3 --output-dir figures --figure-format pdf
            Two panels with one colour scale.
        entropy-map --tokens codes.h5 --all --json > maps.json
            All references of your own tokens.

      Cells are row,column from 0, the upper left corner; frame,row,column for video.
      Lower entropy is stronger dependence. Features of a codebook are discrete, so the values are
      an index of dependence on the scale of a Gaussian with the same residuals, as in the paper.
      """,
    version: packageVersion)

  @Option(
    name: .customLong("ref"),
    help: ArgumentHelp("A reference token; may be repeated.", valueName: "row,column"))
  var references: [String] = []

  @Flag(help: "Every token is a reference in turn.")
  var all = false

  /// More panels than this are too small to read.
  private static let largestFigure = 36

  @OptionGroup var tokens: TokenOptions
  @OptionGroup var estimation: EstimationOptions
  @OptionGroup var output: OutputOptions

  /// Makes the command for the parser.
  public init() {}

  /// Refuses calls without a reference and references that are not coordinates.
  public func validate() throws {
    if references.isEmpty, !all {
      throw ValidationError("name a reference token with --ref row,column, or all with --all")
    }
    if !references.isEmpty, all { throw ValidationError("--ref and --all exclude each other") }
    for reference in references where GridCell(reference) == nil {
      throw ValidationError(
        "--ref \(reference): expected row,column as in 12,12, or frame,row,column for video")
    }
  }

  /// Estimates the maps and prints them.
  public mutating func run() throws {
    let clock = Stopwatch()
    let dataset = try tokens.load()
    estimation.clusterErrors(of: dataset)
    let cells =
      all ? dataset.grid.rasterCells : references.compactMap(GridCell.init).removingRepeats
    let maps = try maps(of: estimation.features(of: dataset), references: cells)
    let provenance = try Provenance(
      of: dataset, seed: tokens.limit == nil && !estimation.usesSeed ? nil : tokens.seed
    )
    .finished(after: clock)
    if output.json {
      try printJSON(
        EntropyMapResult(maps, dataset: dataset, options: self, provenance: provenance))
    } else if output.csv {
      printCSV(maps, grid: dataset.grid)
    } else {
      printTable(maps, dataset: dataset)
      if output.report { print(health(of: dataset, maps).lines.joined(separator: "\n")) }
    }
    if output.preview { for map in maps { preview(map) } }
    if let directory = output.figureDirectory {
      guard maps.count <= Self.largestFigure else {
        report(
          "no figure: \(maps.count) maps are more than the \(Self.largestFigure) panels that can be told apart; name a"
            + " few with --ref")
        return
      }
      try output.figures.write(
        [figure(maps, dataset: dataset)], to: directory, provenance: provenance)
    }
  }

  /// Few references need only the products with those; many are cheaper through the moments of everything.
  private func maps(
    of dataset: TokenDataset, references: [GridCell]
  ) throws -> [ConditionalEntropyMap] {
    if references.count <= 32 || estimation.bound == .heldOut || estimation.errors == .robust
      || estimation.regressor != .linear
    {
      let progress = EstimationProgress(
        images: dataset.imageCount, orders: references.count,
        epochs: references.count * estimation.network.epochs * (estimation.folds ?? 1))
      defer { progress.finish() }
      return try ConditionalEntropyMap.maps(
        references: references, of: dataset, settings: estimation.settings(tokens),
        progress: progress.update)
    }
    return try tokens.withMoments(of: dataset) {
      try ConditionalEntropyMap.maps(
        references: references, moments: $0, bound: estimation.bound)
    }
  }

  fileprivate func health(
    of dataset: TokenDataset, _ maps: [ConditionalEntropyMap]
  ) -> HealthFacts {
    let ratios = maps.compactMap(\.kurtosisRatio)
    let predictors =
      dataset.featureDimensions + (estimation.chosenRegressor.functionsPerToken ?? 0)
    let isLeastSquares = estimation.regressor != .mlp && estimation.bound != .heldOut
    return HealthFacts(
      dataset: dataset, fit: nil,
      kurtosisRatio: ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count),
      degreesOfFreedom: isLeastSquares ? dataset.imageCount - 1 - predictors : nil)
  }

  private func figure(_ maps: [ConditionalEntropyMap], dataset: TokenDataset) -> any Figure {
    ConditionalEntropyFigure(
      name: "entropy-map", grid: dataset.grid, maps: maps.map { panel($0, estimation) },
      unit: estimation.units.rawValue,
      caption: MeasurementCaption(dataset, bound: estimation.bound))
  }

  private func preview(_ map: ConditionalEntropyMap) {
    print(
      TerminalPreview.render(
        values: panel(map, estimation).values, grid: map.grid,
        title: "H(v_i | v_j), j = \(map.reference)", unit: estimation.units.rawValue, darkEnd: .low,
        reference: map.grid.index(of: map.reference)))
  }

  private func printTable(_ maps: [ConditionalEntropyMap], dataset: TokenDataset) {
    print(measurementLine(dataset, estimation, tokens))
    let distances = [1, 2, 4, 8, 16].filter { distance in
      maps.contains { map in map.byDistance.contains { $0.distance == distance } }
    }
    var table = TextTable("reference", "lowest at", "lowest")
    table.headings += distances.map { "distance \($0)" } + ["farthest"]
    for map in maps {
      let byDistance = map.byDistance
      let lowest = map.entropy.enumerated().compactMap { index, estimate in
        estimate.map { (cell: map.grid.cell(at: index), estimate: estimation.estimate($0)) }
      }.min { $0.estimate.value < $1.estimate.value }
      func mean(_ group: (distance: Int, entropy: Estimate, tokens: Int)?) -> String {
        group.map { estimation.value($0.entropy.value).fixed(3) } ?? "–"
      }
      var row = ["\(map.reference)"]
      row.append(lowest.map { "\($0.cell)" } ?? "–")
      row.append(lowest?.estimate.text() ?? "–")
      for distance in distances {
        row.append(mean(byDistance.first { $0.distance == distance }))
      }
      row.append(mean(byDistance.last))
      table.add(row)
    }
    print(table.text)
  }

  private func printCSV(_ maps: [ConditionalEntropyMap], grid: TokenGrid) {
    let headings = grid.csvHeadings
    let reference = headings.split(separator: ",").map { "reference_\($0)" }.joined(separator: ",")
    var lines = [
      "\(reference),\(headings),entropy_\(estimation.units),standard_error,confidence_low,"
        + "confidence_high"
    ]
    for map in maps {
      for (index, estimate) in map.entropy.enumerated() {
        let value = estimate.map(estimation.estimate)
        lines.append(
          [
            grid.csvCoordinates(of: map.reference), grid.csvCoordinates(of: grid.cell(at: index)),
            value?.value.csvField ?? "", value?.standardError.csvField ?? "",
            value?.confidenceInterval.lowerBound.csvField ?? "",
            value?.confidenceInterval.upperBound.csvField ?? "",
          ].joined(separator: ","))
      }
    }
    print(lines.joined(separator: "\n"))
  }
}

/// The map as a figure's panel, in the unit asked for.
func panel(
  _ map: ConditionalEntropyMap, _ estimation: EstimationOptions
) -> ConditionalEntropyFigure.Map {
  ConditionalEntropyFigure.Map(
    reference: map.grid.index(of: map.reference),
    values: map.entropy.map { $0.map { estimation.value($0.value) } ?? .nan })
}

extension MeasurementCaption {
  init(_ dataset: TokenDataset, bound: EntropyBound) {
    self.init(
      data: dataset.name, images: dataset.imageCount, featureDimensions: dataset.featureDimensions,
      bound: bound.rawValue)
  }
}

/// The line above every table: what was measured and how.
func measurementLine(
  _ dataset: TokenDataset, _ estimation: EstimationOptions, _ tokens: TokenOptions
) -> String {
  var facts = [
    dataset.name, "\(dataset.imageCount.grouped) images", "\(dataset.grid) tokens",
    "d = \(dataset.featureDimensions)", estimation.regressorText,
    "\(estimation.bound.rawValue) bound", estimation.units.rawValue,
  ]
  let clusters = estimation.errorName == ErrorKind.robust.rawValue ? dataset.imageGroups : nil
  facts.append(
    "\(estimation.errorName) errors"
      + (clusters.map { " clustered by \(Set($0).count.grouped) photographs" } ?? ""))
  if let given = estimation.given { facts.append("given the \(given.rawValue)") }
  if estimation.marginals == .gaussian { facts.append("gaussian marginals") }
  if let heldOut = HeldOutFacts(estimation, tokens, of: dataset) {
    facts.append(heldOut.text)
  }
  if tokens.jitter > 0 { facts.append("jitter \(tokens.jitter)") }
  return facts.joined(separator: " · ")
}

/// The result of `entropy-map --json`.
private struct EntropyMapResult: Encodable {
  struct Map: Encodable {
    let reference: [Int]
    let entropy: JSONGrid<JSONNumber>
    let standardError: JSONGrid<JSONNumber>
    /// The one-sided 95% limit, where the bound is held-out.
    let upperLimit: JSONGrid<JSONNumber>?

    enum CodingKeys: String, CodingKey {
      case reference, entropy
      case standardError = "standard_error"
      case upperLimit = "upper_limit"
    }
  }

  let command = "entropy-map"
  let grid: [Int]
  let units: String
  let bound: String
  let errors: String
  let heldOut: HeldOutFacts?
  let regressor: String
  let featuresPerToken: Int?
  /// λ of the ridge that always stands on random functions; nil without them.
  let featuresRidge: Double?
  let images: Int
  let featureDimensions: Int
  let jitter: Double
  let marginals: String
  let health: HealthFacts
  let maps: [Map]
  let provenance: Provenance

  init(
    _ maps: [ConditionalEntropyMap], dataset: TokenDataset, options: EntropyMapCommand,
    provenance: Provenance
  ) {
    let (grid, estimation) = (dataset.grid, options.estimation)
    self.grid = grid.jsonExtents
    units = estimation.units.rawValue
    bound = estimation.bound.rawValue
    regressor = estimation.regressor.rawValue
    featuresPerToken = estimation.chosenRegressor.functionsPerToken
    featuresRidge = featuresPerToken == nil ? nil : randomFeatureRidge
    errors = estimation.errorName
    heldOut = HeldOutFacts(estimation, options.tokens, of: dataset)
    images = dataset.imageCount
    featureDimensions = dataset.featureDimensions
    jitter = options.tokens.jitter
    marginals = estimation.marginals.rawValue
    health = options.health(of: dataset, maps)
    self.maps = maps.map { map in
      let values = map.entropy.map { $0.map(estimation.estimate) }
      return Map(
        reference: grid.jsonCoordinates(of: map.reference),
        entropy: JSONGrid(grid, values.map { $0?.value }),
        standardError: JSONGrid(grid, values.map { $0?.standardError }),
        upperLimit: map.bound == .heldOut ? JSONGrid(grid, values.map { $0?.upperLimit }) : nil)
    }
    self.provenance = provenance
  }

  enum CodingKeys: String, CodingKey {
    case command, grid, units, bound, errors, regressor, images, jitter, marginals, health, maps,
      provenance
    case heldOut = "held_out"
    case featuresPerToken = "features_per_token"
    case featuresRidge = "features_ridge"
    case featureDimensions = "feature_dimensions"
  }
}
