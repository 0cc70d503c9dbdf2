import ArgumentParser
import EntropyEstimation
import Figures
import Files
import Foundation
import Reporting
import Statistics
import TokenData
import TokenGrids

/// `appendix-figures`: the figures of the paper's supplement D, and those that readers ask for next.
public struct AppendixFiguresCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "appendix-figures",
    abstract: "The figures of the paper's appendix on token dependencies, from any tokens.",
    discussion: """
      EXAMPLES
        appendix-figures
            All figures of the embedded photographs, into Plots.
        appendix-figures codes.h5 --output-dir figures --figure-format pdf
            Of your own tokens.

      The figures are
        conditional-entropy-maps      H(v_i | v_j) for four reference tokens
                                      (supplement figure 11)
        information-maps              I(v_i; v_j) for the same: what depends on
                                      the reference
        order-comparison              distant and raster, four tokens a step
                                      (supplement figure 12)
        entropy-against-distance      conditional entropy against distance
        information-against-distance  mutual information against distance
        increase-per-step             entropy increase of every step
        total-increase-against-steps  total increase for a range of tokens per
                                      step and orders

      \(exitStatusHelp)
      """,
    version: versionText)

  @OptionGroup(title: "Tokens") var source: DatasetArgumentOrOption<MeasuredTokens>
  @OptionGroup(title: "Tokens") var tokens: TokenOptions
  @OptionGroup(title: "Estimation") var bounds: BoundOptions<InSampleBound>
  // Read, so that they are refused in a sentence.
  @OptionGroup(visibility: .hidden) var regression: RegressionOptions
  @OptionGroup(visibility: .hidden) var context: ContextOptions
  @OptionGroup(title: "Results") var folder: FolderOption<PlotFolder>
  @OptionGroup(title: "Results") var format: FigureFormatOption<PlotFolder>

  private var outputDir: String { folder.path ?? PlotFolder.standard }

  /// Tokens per step of the two orders of the paper's comparison.
  private static let paperTokensPerStep = 4
  /// Tokens per step of the last figure; orders that a grid does not allow are left out.
  private static let tokensPerStep = [2, 4, 9, 16]
  private static let families = ["blocks", "raster", "halton", "distant"]

  /// Makes the command for the parser.
  public init() {}

  /// Refuses what the figures are not drawn with.
  public func validate() throws {
    let estimation = EstimationOptions(bounds, regression)
    try estimation.validate()
    guard estimation.bound != .heldOut, estimation.regressor == .linear,
      estimation.marginals == .data
    else {
      throw ValidationError(
        "appendix-figures draws in-sample bounds of the linear regressor; order-compare and entropy-map know the other bounds"
          + " and regressors")
    }
    try context.refuse(because: "the figures are of least squares on all earlier tokens")
  }

  /// Estimates everything and draws it.
  public func run() throws {
    let clock = Stopwatch()
    try OutputFolder.check(outputDir)
    let dataset = try tokens.load(source.dataset, takesMoments: false)
    var estimation = EstimationOptions(bounds, regression)
    estimation.clusterErrors(of: dataset)
    try AdvisedError.advising(["--feature-dimensions", "--jitter"]) {
      try OrderEstimator.requireImages(for: dataset)
    }
    let grid = dataset.grid
    let compared = try ["distant", "raster"].map {
      try OrderSpecification($0).order(on: grid, tokensPerStep: Self.paperTokensPerStep)
    }
    let curves = try Self.families.map { family in
      let specification = try OrderSpecification(family)
      return (
        specification.name,
        Self.tokensPerStep.compactMap { try? specification.order(on: grid, tokensPerStep: $0) }
      )
    }
    let settings = estimation.settings(tokens)
    let maps = try MapEstimator(settings).maps(references: Self.references(on: grid), in: dataset)
    let orders = compared + curves.flatMap(\.1)
    let progress = EstimationProgress(images: dataset.imageCount, orders: orders.count)
    let profiles = try OrderEstimator(settings).profiles(
      of: orders, in: dataset, progress: { progress.update($0) })
    progress.finish()
    let paper = Array(profiles.prefix(compared.count))
    var rest = profiles.dropFirst(compared.count)
    let totals = curves.map { name, orders in
      defer { rest = rest.dropFirst(orders.count) }
      return (name, Array(rest.prefix(orders.count)))
    }
    let provenance = try Provenance(of: dataset, seed: tokens.limit == nil ? nil : tokens.seed)
      .finished(after: clock)
    try printText(measurementLine(dataset, estimation, tokens))
    try printText(orderTable(paper.map(ComparedOrder.init), estimation).text)
    try writeFigures(
      figures(maps: maps, paper: paper, totals: totals, dataset: dataset, estimation),
      to: URL(fileURLWithPath: outputDir, isDirectory: true),
      formats: format.formats, provenance: provenance)
  }

  private func figures(
    maps: [ConditionalEntropyMap], paper: [OrderProfile], totals: [(String, [OrderProfile])],
    dataset: TokenDataset, _ estimation: EstimationOptions
  ) -> [any Figure] {
    let caption = MeasurementCaption(dataset, estimation)
    let unit = estimation.units.rawValue
    func mapFigure(_ name: String, _ quantity: MapQuantity) -> ConditionalEntropyFigure {
      ConditionalEntropyFigure(
        name: name, grid: dataset.grid,
        blocks: [
          ConditionalEntropyFigure.Block(
            quantity: quantity, maps: maps.map { panel($0, quantity, estimation) })
        ], unit: unit, caption: caption, panelsPerRow: 4)
    }
    func point(_ x: Int, _ estimate: Estimate) -> CurveFigure.Point {
      let estimate = estimation.estimate(estimate)
      return CurveFigure.Point(Double(x), estimate.value, error: estimate.standardError)
    }
    func distanceFigure(_ name: String, _ quantity: MapQuantity) -> CurveFigure {
      .againstDistance(
        name: name, quantity: quantity,
        curves: maps.map { map in
          CurveFigure.Curve(
            "reference \(map.reference)",
            map.byDistance.map {
              point($0.distance, quantity == .entropy ? $0.entropy : $0.information)
            })
        }, unit: unit, caption: caption)
    }
    return [
      mapFigure("conditional-entropy-maps", .entropy),
      mapFigure("information-maps", .information),
      orderFigure(
        paper.map(ComparedOrder.init), name: "order-comparison", dataset: dataset, estimation),
      distanceFigure("entropy-against-distance", .entropy),
      distanceFigure("information-against-distance", .information),
      CurveFigure.increasePerStep(
        name: "increase-per-step",
        curves: paper.map { profile in
          CurveFigure.Curve(
            profile.order.name,
            profile.totalCorrelation.enumerated().map { point($0 + 1, $1) })
        }, unit: unit, caption: caption),
      CurveFigure.totalIncrease(
        name: "total-increase-against-steps",
        curves: totals.filter { !$0.1.isEmpty }.map { name, profiles in
          CurveFigure.Curve(
            name, profiles.map { point($0.order.steps.count, $0.totalIncrease) })
        },
        orders: totals.flatMap(\.1).map {
          ($0.order.steps.count, tokensPerStep: $0.order.tokensPerStep)
        }, unit: unit, caption: caption),
    ]
  }

  /// The centre and three cells spread around it, as in the paper's figure; the first frame of a video.
  static func references(on grid: TokenGrid) -> [GridCell] {
    [(1, 2, 1, 2), (1, 6, 1, 4), (1, 3, 5, 6), (5, 6, 1, 3)].map {
      rowPart, rowWhole, columnPart, columnWhole in
      GridCell(
        row: grid.rows * rowPart / rowWhole, column: grid.columns * columnPart / columnWhole)
    }.removingRepeats
  }
}
