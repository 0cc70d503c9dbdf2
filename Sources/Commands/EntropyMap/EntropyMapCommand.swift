import ArgumentParser
import Atlas
import EntropyEstimation
import Figures
import Files
import Foundation
import Reporting
import Shards
import Statistics
import TokenData
import TokenGrids

/// `entropy-map`: H(v_i | v_j) for one reference token or several.
public struct EntropyMapCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "entropy-map",
    abstract:
      "What every token still holds given a reference token, H(v_i | v_j), and what the two share, I(v_i; v_j).",
    discussion: """
      EXAMPLES
        entropy-map --ref 12,12
            The embedded photographs: tables by distance and entropy-map.png.
        entropy-map --ref 12,12 --ref 3,3 --output-dir figures --figure-format pdf
            Two references, whose panels share a colour scale.
        entropy-map --ref 12,12 --quantity information --preview
            Only how much each token depends on the reference, in the terminal.
        entropy-map codes.h5 --all --json > maps.json
            All references of your own tokens.
        entropy-map --atlas atlas.html
            A page with the maps of every reference under the pointer.

      Cells are row,column from 0, the upper left corner; frame,row,column for
      video.
      The paper draws the conditional entropy H(v_i | v_j). A low one is no sign
      of dependence: it is low mostly where the token's own entropy H(v_i) is
      low. What the reference tells of a token is the mutual information
      I(v_i; v_j) = H(v_i) - H(v_i | v_j): the more, the stronger the dependence.
      Features of a codebook are discrete, so the values are indices on the
      scale of a Gaussian with the same residuals, as in the paper.

      \(exitStatusHelp)
      """,
    version: versionText)

  @Option(
    name: .customLong("ref"),
    help: ArgumentHelp("A reference token; may be repeated.", valueName: "row,column"))
  var references: [String] = []

  @Flag(help: "Every token is a reference in turn.")
  var all = false

  @Option(
    name: .customLong("quantity"),
    help: ArgumentHelp(
      "What the table, the figure and the preview show: entropy, H(v_i | v_j) as the paper draws it; information,"
        + " I(v_i; v_j); or both. --json and --csv have all. (default: both)",
      valueName: "quantity"))
  var givenQuantity: ShownQuantity?

  /// The quantity, with its default.
  private var quantity: ShownQuantity { givenQuantity ?? .both }

  /// More panels than this are too small to read.
  private static let largestFigure = 36

  @OptionGroup(title: "Tokens") var source: DatasetArgumentOrOption<MeasuredTokens>
  @OptionGroup(title: "Tokens") var tokens: TokenOptions

  @Option(
    help: ArgumentHelp(
      "Estimate from merged moments of shards in place of tokens, by a closed form: --bound wishart or algorithm-1. See moments --help.",
      valueName: "file.h5"))
  var moments: String?

  @OptionGroup(title: "Estimation") var estimation: EstimationOptions
  @OptionGroup(visibility: .hidden) var context: ContextOptions
  @OptionGroup(title: "Results") var output: OutputOptions

  /// Makes the command for the parser.
  public init() {}

  /// Refuses calls without a reference and references that are not coordinates.
  public func validate() throws {
    if references.isEmpty, !all {
      guard output.atlas != nil else {
        throw ValidationError("name a reference token with --ref row,column, or all with --all")
      }
      if output.preview || givenQuantity != nil {
        throw ValidationError(
          "--atlas shows every reference: \(output.preview ? "--preview" : "--quantity") needs --ref or --all besides"
        )
      }
    }
    if !references.isEmpty, all { throw ValidationError("--ref and --all exclude each other") }
    for reference in references where GridCell(reference) == nil {
      throw ValidationError(
        "--ref \(reference): expected row,column as in 12,12, or frame,row,column for video")
    }
    try context.refuse(because: "the context of a map is its reference token")
    if moments != nil {
      try ImageDemands(
        source.given, tokens, estimation, others: [("--atlas", output.atlas != nil)]
      ).refuse()
      guard EntropyBound.closedForm.contains(estimation.bound) else {
        throw ValidationError(
          "--bound \(estimation.bound.rawValue): maps of --moments have closed forms only, wishart and algorithm-1"
        )
      }
      if estimation.errors == .robust {
        throw ValidationError("--errors robust need images, and --moments are sums over them")
      }
    }
    if givenQuantity != nil, output.json || output.csv, !output.isDrawn {
      throw ValidationError(
        "--quantity is for tables, figures and previews: --json and --csv always have all quantities"
      )
    }
  }

  /// Estimates the maps and prints them.
  public mutating func run() throws {
    let clock = Stopwatch()
    try output.checkFigures()
    if let moments { return try runFromSums(moments, clock: clock) }
    let dataset = try tokens.load(source.dataset)
    estimation.clusterErrors(of: dataset)
    let named = try namedReferences(on: dataset.grid, name: dataset.name)
    // A page has every reference, and what is printed those that are named.
    if output.atlas != nil { try Atlas.Maps.requireMemory(on: dataset.grid) }
    let everyMap = all || output.atlas != nil
    let estimated = try estimation.maps(
      of: estimation.features(of: dataset),
      references: everyMap ? dataset.grid.rasterCells : named, tokens)
    let maps =
      everyMap && !named.isEmpty
      ? named.map { estimated[dataset.grid.index(of: $0)] } : estimated
    let provenance = try Provenance(
      of: dataset, seed: tokens.limit == nil && !estimation.usesSeed ? nil : tokens.seed
    )
    .finished(after: clock)
    try output.writeAtlas {
      Atlas(
        grid: dataset.grid, unit: estimation.units.rawValue, data: dataset.name,
        facts: measurementLine(dataset, estimation, tokens), provenance: provenance.linesOfMachine,
        reference: named.first, maps: Atlas.Maps(estimated, estimation))
    }
    try show(maps, of: dataset, isTable: all || !named.isEmpty, provenance: provenance)
    reportFallbacks(estimated)
  }

  /// Estimates the maps from sums over shards, and prints them.
  private mutating func runFromSums(_ path: String, clock: Stopwatch) throws {
    InputFiles.shared.insert(path)
    let stored = try StoredMoments(contentsOf: path)
    let hash = try ContentHash(ofFileAt: path).description
    estimation.clusterErrors(of: stored, canBeRobust: false)
    let named = try namedReferences(on: stored.grid, name: stored.name)
    let maps = try advisingPrecision {
      try ShardedEstimation(
        stored, hash: hash, givenClass: estimation.given != nil, jitter: estimation.jitter
      ).maps(references: all ? stored.grid.rasterCells : named, bound: estimation.bound)
    }
    try show(
      maps, of: stored, isTable: true,
      provenance: Provenance(ofMoments: path, hash: hash).finished(after: clock))
  }

  /// The references that were named.
  private func namedReferences(on grid: TokenGrid, name: String) throws -> [GridCell] {
    if grid.isVideo,
      let short = references.first(where: { $0.split(separator: ",").count == 2 })
    {
      throw ValidationError(
        "--ref \(short): \(name) is video, \(grid); name the frame too, as in --ref 0,\(short)"
      )
    }
    let named = references.compactMap(GridCell.init).removingRepeats
    for cell in named where !grid.contains(cell) {
      throw EstimationError.referenceOutsideGrid(source: name, cell: cell, grid: grid)
    }
    return named
  }

  /// Prints, writes and draws maps.
  private func show(
    _ maps: [ConditionalEntropyMap], of dataset: some MeasuredData, isTable: Bool,
    provenance: Provenance
  ) throws {
    if output.json || output.output != nil {
      let result = EntropyMapResult(
        maps, dataset: dataset, options: self, provenance: provenance)
      try output.write(facts: result.withoutMaps) { result.add(to: &$0) }
      if output.json { try printJSON(result) }
    }
    if output.json {
      // Printed.
    } else if output.csv {
      try printCSV(maps, grid: dataset.grid)
    } else {
      try printText(measurementLine(dataset, estimation, tokens))
      if isTable { try printTables(maps) }
      if output.report { try printText(health(of: dataset, maps).lines.joined(separator: "\n")) }
    }
    if output.preview { for map in maps { try preview(map) } }
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

  /// Says where the weights of the debiased bound did not do.
  private func reportFallbacks(_ maps: [ConditionalEntropyMap]) {
    let count = maps.reduce(0) { $0 + $1.fallbackCount }
    guard count > 0 else { return }
    report(
      "warning: the images are few: \(count.grouped) entropies are weighted by 1/(1 - h), h the leverage, because the"
        + " debiased bound's own weights gave no covariance")
  }

  func health(
    of dataset: some MeasuredData, _ maps: [ConditionalEntropyMap]
  ) -> HealthFacts {
    let ratios = maps.compactMap(\.kurtosisRatio)
    let predictors =
      dataset.featureDimensions + (estimation.chosenRegressor.functionsPerToken ?? 0)
    // Given the class, every class has a mean, and images alone in theirs are left out.
    let membership = estimation.given == nil ? nil : dataset.classMembership
    let (images, means) = (dataset.imageCount - (membership?.alone ?? 0), membership?.classes ?? 1)
    let isLeastSquares = estimation.regressor != .mlp && estimation.bound != .heldOut
    return HealthFacts(
      dataset: dataset, fit: nil,
      kurtosisRatio: ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count),
      degreesOfFreedom: isLeastSquares ? images - means - predictors : nil)
  }

  private func figure(_ maps: [ConditionalEntropyMap], dataset: some MeasuredData) -> any Figure {
    ConditionalEntropyFigure(
      name: "entropy-map", grid: dataset.grid,
      blocks: quantity.mapQuantities.map { quantity in
        ConditionalEntropyFigure.Block(
          quantity: quantity, maps: maps.map { panel($0, quantity, estimation) })
      },
      unit: estimation.units.rawValue,
      caption: MeasurementCaption(dataset, estimation))
  }

  private func preview(_ map: ConditionalEntropyMap) throws {
    for quantity in quantity.mapQuantities {
      let values = panel(map, quantity, estimation).values
      let title =
        switch quantity {
        case .entropy: "H(v_i | v_j), j = \(map.reference.description(on: map.grid))"
        case .information:
          "I(v_i; v_j), j = \(map.reference.description(on: map.grid)): darker is stronger dependence"
        }
      try printPreview(
        TerminalPreview.render(
          values: values, grid: map.grid, title: title, unit: estimation.units.rawValue,
          darkEnd: quantity.darkEnd, reference: map.grid.index(of: map.reference)))
    }
  }

  private func printTables(_ maps: [ConditionalEntropyMap]) throws {
    let profiles = maps.map(\.byDistance)
    let distances = [1, 2, 4, 8, 16].filter { distance in
      profiles.contains { profile in profile.contains { $0.distance == distance } }
    }
    for quantity in quantity.mapQuantities {
      let isEntropy = quantity == .entropy
      var table = TextTable(
        isEntropy ? "H(v_i | v_j), j" : "I(v_i; v_j), j", isEntropy ? "lowest at" : "largest at",
        isEntropy ? "lowest" : "largest")
      table.headings += distances.map { "distance \($0)" } + ["farthest"]
      for (map, profile) in zip(maps, profiles) {
        let values = isEntropy ? map.entropy : map.information
        let cells = values.indices.compactMap { index in
          values[index].map { (cell: map.grid.cell(at: index), estimate: estimation.estimate($0)) }
        }
        let extreme =
          isEntropy
          ? cells.min { $0.estimate.value < $1.estimate.value }
          : cells.max { $0.estimate.value < $1.estimate.value }
        func mean(_ group: ConditionalEntropyMap.AtDistance?) -> String {
          group.map {
            estimation.value((isEntropy ? $0.entropy : $0.information).value).fixed(3)
          } ?? "–"
        }
        var row = [map.reference.description(on: map.grid)]
        row.append(extreme.map { $0.cell.description(on: map.grid) } ?? "–")
        row.append(extreme?.estimate.text(digits: 3) ?? "–")
        for distance in distances {
          row.append(mean(profile.first { $0.distance == distance }))
        }
        row.append(mean(profile.last))
        table.add(row)
      }
      try printText(table.text)
    }
  }

  private func printCSV(_ maps: [ConditionalEntropyMap], grid: TokenGrid) throws {
    let unit = estimation.units.rawValue
    var table = CSVTable<MapLine>()
    table.add(cellOn: grid, prefix: "reference_") { $0.reference }
    table.add(cellOn: grid) { $0.cell }
    table.add("entropy_\(unit)") { $0.values.entropy?.value }
    table.add("standard_error") { $0.values.entropy?.standardError }
    table.add("confidence_low") { $0.values.entropy?.confidenceInterval.lowerBound }
    table.add("confidence_high") { $0.values.entropy?.confidenceInterval.upperBound }
    table.add("information_\(unit)") { $0.values.information?.value }
    table.add("information_standard_error") { $0.values.information?.standardError }
    table.add("marginal_\(unit)") { $0.values.marginal.value }
    table.add("marginal_standard_error") { $0.values.marginal.standardError }
    try printText(
      table.text(
        maps.lazy.flatMap { map in
          map.entropy.indices.map { index in
            MapLine(
              reference: map.reference, cell: grid.cell(at: index),
              values: estimation.values(of: map, at: index))
          }
        }))
  }
}

/// A line of the comma-separated values.
private struct MapLine {
  let reference: GridCell
  let cell: GridCell
  let values: (entropy: Estimate?, information: Estimate?, marginal: Estimate)
}

/// What `entropy-map` shows.
enum ShownQuantity: String, CaseIterable, ExpressibleByArgument {
  /// H(v_i | v_j).
  case entropy
  /// I(v_i; v_j).
  case information
  /// Both, side by side.
  case both

  var mapQuantities: [MapQuantity] {
    switch self {
    case .entropy: [.entropy]
    case .information: [.information]
    case .both: [.entropy, .information]
    }
  }
}

extension EstimationOptions {
  /// What a map has of a cell, in the unit asked for; the entropy is exactly the difference of the others in that unit too.
  func values(
    of map: ConditionalEntropyMap, at index: Int
  ) -> (entropy: Estimate?, information: Estimate?, marginal: Estimate) {
    let marginal = estimate(map.marginal[index])
    guard case (let entropy?, let information?) = (map.entropy[index], map.information[index])
    else { return (nil, nil, marginal) }
    let shared = estimate(information)
    return (
      Estimate(
        value: marginal.value - shared.value, standardError: value(entropy.standardError)),
      shared, marginal
    )
  }
}

/// The map as a figure's panel, in the unit asked for.
func panel(
  _ map: ConditionalEntropyMap, _ quantity: MapQuantity, _ estimation: EstimationOptions
) -> ConditionalEntropyFigure.Map {
  ConditionalEntropyFigure.Map(
    reference: map.grid.index(of: map.reference),
    values: (quantity == .entropy ? map.entropy : map.information).map {
      $0.map { estimation.value($0.value) } ?? .nan
    })
}
