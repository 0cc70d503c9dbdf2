import ArgumentParser
import Atlas
import EntropyEstimation
import Figures
import Files
import Foundation
import Reporting
import Statistics
import SystemResources
import TokenData
import TokenGrids

/// `order-compare [run] ORDER …`: estimates what orders cost on a set of tokens.
struct OrderCompareRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Compare orders of generation on a set of tokens. (default)",
    usage: "order-compare [run] [<orders> ...] [options]",
    discussion: """
      EXAMPLES
        order-compare raster distant
        order-compare distant:n=4 distant:n=16 distant:initial=0 halton diagonal
        order-compare raster my-order.txt --tokens codes.h5 --json
        order-compare --published --steps 24 --tokens learned
        order-compare distant halton:schedule=optimal,steps=24
        order-compare halton --step-maps steps.npy --tokens codes.h5
        order-compare raster distant halton --atlas atlas.html

      schedule=optimal has the group sizes that lose least, fitted to some of the
      images; all orders are then compared on the others.
      Of an order with seeds= the mean over the seeds is shown, and their spread.
      --published adds the orders that published models use, as far as they fit the
      grid, with --steps all in so many steps. --step-maps adds the fixed order that
      comes nearest to what an adaptive sampler did image by image, and says what
      each image's own steps lose.

      \(OrderFamily.help)
      """)

  @OptionGroup var selection: OrderSelection

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp(
      "Tokens generated together, unless an order says n= or has steps of its own. (default: 4)",
      valueName: "n"))
  var givenTokensPerStep: Int?

  /// n, with its default.
  private var tokensPerStep: Int { givenTokensPerStep ?? StepSchedule.defaultTokensPerStep }

  @Flag(
    help: ArgumentHelp(
      "In figures and previews leave out the increase of steps that are not distinguishable from zero"
        + " (false discovery rate 5%)."))
  var onlyDistinguishable = false

  @Option(
    help: ArgumentHelp(
      "An any-order model, or the folder of its run: add what drawing in parallel loses by its account, on images it has not"
        + " seen.", valueName: "model"))
  var likelihood: String?

  @Option(
    help: ArgumentHelp(
      "Sort the table by the total increase or by the number of steps. (default: as the orders are given)",
      valueName: "total|steps"))
  var sort: TableSorting?

  @OptionGroup(title: "Tokens") var source: DatasetOption<MeasuredTokens>
  @OptionGroup(title: "Tokens") var tokens: TokenOptions
  @OptionGroup(title: "Shards") var sums: SumsOptions
  @OptionGroup(title: "Estimation") var estimation: EstimationOptions
  @OptionGroup(title: "Optimal groups") var fit: FitOptions
  @OptionGroup(title: "Few images") var context: ContextOptions
  @OptionGroup(title: "Results") var output: OutputOptions

  /// Refuses options that exclude each other or are out of range.
  func validate() throws {
    if selection.isEmpty, sums.influences == nil {
      throw ValidationError("Missing expected argument '<orders> ...', --published or --step-maps")
    }
    guard tokensPerStep >= 1 else {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
    if onlyDistinguishable, selection.drawsTotals, !output.preview {
      throw ValidationError(
        "--only-distinguishable leaves steps out of maps, and --published without --steps draws totals"
      )
    }
    if sort != nil, output.json || output.csv {
      throw ValidationError(
        "--sort is for the table; --json and --csv have the orders as they are given")
    }
    try checkSums()
    try context.check(with: estimation)
    if likelihood != nil, output.csv {
      throw ValidationError("--likelihood adds to the table and to --json, and --csv has neither")
    }
    if onlyDistinguishable, !output.isDrawn {
      throw ValidationError(
        "--only-distinguishable is for figures and previews, and there is none: tables, --json and --csv have all steps"
      )
    }
  }

  /// Refuses to leave out steps by a test that there is not.
  ///
  /// The estimation must know by now where its errors come from.
  private func requireTests() throws {
    guard onlyDistinguishable, estimation.bound != .heldOut else { return }
    let obstacle: String? =
      if estimation.regressor == .mlp {
        "a trained network is tested on images it has not seen: use --bound held-out"
      } else if context.shrinkage != .none {
        "fits that are shrunk are tested on images they have not seen: use --bound held-out"
      } else if context.contextWindow != nil, estimation.errorKind == .gaussian {
        "steps within a window are tested by the images: use --errors robust or --bound debiased"
      } else {
        nil
      }
    if let obstacle { throw ValidationError("--only-distinguishable: \(obstacle)") }
  }

  private var shrinkage: Shrinkage { context.shrinkage }

  /// What the line above the table says of it.
  private func shrinkageNote(_ profiles: [OrderProfile]) -> String {
    guard shrinkage != .none else { return "" }
    let name = context.ledoitWolf ? "Ledoit–Wolf ridge" : "ridge"
    let value =
      (context.ridge ?? profiles.first?.ridge).map { " " + String(format: "%.3g", $0) } ?? ""
    return " · \(name)\(value)\(estimation.bound == .heldOut ? "" : ", biased")"
  }

  /// Advises to shrink only where that was tried and gives a result.
  private func advised(
    _ error: EstimationError, orders: [GenerationOrder], features: some TokenFeatures,
    settings: EstimationSettings
  ) -> any Error {
    guard settings.shrinkage == .none, settings.contextWindow == nil, let first = orders.first
    else { return error }
    var shrunken = settings
    shrunken.shrinkage = .ledoitWolf
    let advice: String
    switch error {
    case .tooFewImages:
      (shrunken.bound, shrunken.errors) = (.wishart, nil)
      advice = "a biased --ledoit-wolf --bound wishart"
    case .tooFewFittedImages where settings.regressor == .linear: advice = "--ledoit-wolf"
    default: return error
    }
    guard (try? OrderEstimator(shrunken).profiles(of: [first], in: features)) != nil
    else { return error }
    return AdvisedError(description: "\(AdvisedError(error)), or \(advice)")
  }

  /// Estimates the profiles and prints them.
  mutating func run() throws {
    let clock = Stopwatch()
    try output.checkFigures()
    if let moments = sums.moments { return try runFromSums(moments, clock: clock) }
    let specifications = try selection.specifications(givenTokensPerStep: givenTokensPerStep)
    let all = try tokens.load(source.dataset)
    let fitting = try fit.fitting(
      for: specifications, dataset: all, estimation, seed: tokens.seed)
    let dataset = fitting?.compared ?? all
    estimation.clusterErrors(of: dataset, canBeRobust: shrinkage == .none)
    try requireTests()
    let selected = try selection.orders(
      specifications, on: dataset.grid, tokensPerStep: tokensPerStep, fitting: fitting)
    let orders = selected.rows.flatMap(\.orders)
    // What cannot be measured is refused before anything is estimated.
    let lost = try likelihood.map {
      try ModelLosses(model: $0, selected: selected, whole: source.dataset.load())
    }
    let adaptive = try selection.stepMaps.compactMap {
      try AdaptiveSteps(
        file: $0, dataset: try estimation.features(of: all),
        isGivenClass: estimation.given != nil, seed: tokens.seed)
    }
    let features = try estimation.features(of: dataset)
    let progress = EstimationProgress(
      images: dataset.imageCount, orders: orders.count)
    let settings = estimation.settings(tokens, context)
    let profiles: [OrderProfile]
    do {
      profiles = try OrderEstimator(settings).profiles(
        of: orders, in: features, progress: { progress.update($0) })
    } catch let error as EstimationError {
      progress.finish()
      throw advised(error, orders: orders, features: features, settings: settings)
    }
    progress.finish()
    let rows = selected.grouping(profiles)
    let provenance = try Provenance(
      of: all,
      seed: tokens.limit == nil && !estimation.usesSeed && fitting == nil && adaptive.isEmpty
        ? nil : tokens.seed
    )
    .finished(after: clock)
    let facts = Facts(
      lost: lost, leftOut: selected.leftOut, fitImages: fitting?.fitImages, adaptive: adaptive)
    let finished = self
    try show(rows, of: dataset, facts, provenance: provenance) {
      try finished.atlas(rows, features: features, dataset: dataset, provenance: provenance)
    }
  }

  /// What is told of a comparison besides its rows.
  struct Facts {
    var lost: ModelLosses?
    var leftOut: [SelectedOrders.LeftOut] = []
    /// The images that group sizes were fitted to.
    var fitImages: Int?
    var adaptive: [AdaptiveSteps] = []
  }

  /// Prints, writes and draws a comparison.
  func show(
    _ rows: [ComparedOrder], of dataset: some MeasuredData, _ facts: Facts, provenance: Provenance,
    atlas: (() throws -> Atlas)? = nil
  ) throws {
    let profiles = rows.flatMap(\.profiles)
    let health = health(of: profiles, dataset)
    if output.json || output.output != nil {
      let result = OrderCompareResult(
        rows, lost: facts.lost, leftOut: facts.leftOut, health: health, dataset: dataset,
        fitImages: facts.fitImages, adaptive: facts.adaptive, options: self, provenance: provenance)
      try output.write(facts: result.withoutOrders) { result.add(to: &$0) }
      if output.json { try printJSON(result) }
    }
    if output.json {
      // Printed.
    } else if output.csv {
      try printText(orderCSV(rows, estimation))
      for order in facts.leftOut { report("left out: \(order.reason)") }
      for steps in facts.adaptive { report(steps.text(estimation)) }
    } else {
      let window = context.contextWindow.map { " · contexts within \($0) cells" } ?? ""
      let fitted =
        facts.fitImages.map { " · optimal groups fitted to \($0.grouped) other images" } ?? ""
      try printText(
        measurementLine(dataset, estimation, tokens) + window + shrinkageNote(profiles) + fitted)
      try printText(orderTable(rows, lost: facts.lost, sort: sort, estimation).text)
      for order in facts.leftOut { try printText("left out: \(order.reason)") }
      try printText(rows.jointEntropyLine(estimation))
      if let lost = facts.lost { try printText(lost.line) }
      for steps in facts.adaptive { try printText(steps.text(estimation)) }
      for note in health.notes(profiles) { try printText(note) }
      if output.report { try printText(health.lines.joined(separator: "\n")) }
    }
    if let atlas { try output.writeAtlas(atlas) }
    if output.preview { for row in rows { try preview(row) } }
    if let directory = output.figureDirectory {
      try output.figures.write(
        [
          selection.drawsTotals
            ? totalsFigure(rows, name: "published-orders", dataset: dataset, estimation)
            : orderFigure(
              rows, name: "order-compare", dataset: dataset, estimation,
              onlyDistinguishable: onlyDistinguishable)
        ],
        to: directory, provenance: provenance)
    }
  }

  /// The page of the orders, with the maps of the same images where they can be had.
  private func atlas(
    _ rows: [ComparedOrder], features: TokenDataset, dataset: TokenDataset, provenance: Provenance
  ) throws -> Atlas {
    var atlas = Atlas(
      grid: dataset.grid, unit: estimation.units.rawValue, data: dataset.name,
      facts: measurementLine(dataset, estimation, tokens), provenance: provenance.linesOfMachine,
      orders: rows.atlasOrders(estimation))
    // Without what the options make of the features, which is not what the decoder takes.
    atlas.pictures = try Atlas.Pictures(
      of: source.dataset.described(channels: tokens.channels))
    if estimation.regressor == .mlp {
      report("the page has no maps: a network for each pair of tokens would take too long")
      return atlas
    }
    do {
      try Atlas.Maps.requireMemory(on: dataset.grid)
      let maps = try estimation.maps(
        of: features, references: dataset.grid.rasterCells, tokens)
      atlas.maps = Atlas.Maps(maps, estimation)
    } catch let error as EstimationError {
      report("the page has no maps: \(error)")
    } catch let error as InsufficientMemory {
      report("the page has no maps: \(error)")
    }
    return atlas
  }

  /// The health report.
  private func health(of profiles: [OrderProfile], _ dataset: some MeasuredData) -> HealthFacts {
    HealthFacts(
      dataset: dataset, fit: profiles.first?.health, kurtosisRatio: profiles.first?.kurtosisRatio,
      resolution: context.contextWindow == nil && estimation.bound == .debiased
        ? ResolutionFacts(profiles, dataset: dataset) : nil)
  }

  private func preview(_ row: ComparedOrder) throws {
    try printPreview(
      TerminalPreview.render(
        values: row.shown.increases(estimation, onlyDistinguishable: onlyDistinguishable),
        grid: row.order.grid, title: "entropy increase, \(row.shownName.displayed)",
        unit: estimation.units.rawValue, darkEnd: .high))
  }
}
