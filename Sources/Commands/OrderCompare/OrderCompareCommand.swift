import ArgumentParser
import EntropyEstimation
import Figures
import Files
import Foundation
import Reporting
import Statistics
import TokenData
import TokenGrids

/// `order-compare`: what parallel generation costs under several orders.
public struct OrderCompareCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "order-compare",
    abstract: "Entropy increase from sequential to parallel generation, for any orders.",
    discussion: """
      EXAMPLES
        order-compare raster distant
            The paper's comparison on the embedded photographs: a table and
            order-compare.png.
        order-compare distant:n=4 distant:n=16 distant:initial=0 halton diagonal
            Any number of orders, each with its own options.
        order-compare raster my-order.txt --tokens codes.h5 --json
            Your order, as a table of step numbers, on your tokens.

      The increase of a token is its conditional entropy given the earlier steps
      only, minus that given every token before it. The sum over a step is its
      conditional total correlation: what is lost when its tokens are drawn
      independently.

      \(OrderFamily.help)

      \(exitStatusHelp)
      """,
    version: packageVersion)

  @Argument(help: "Orders of generation: name[:key=value,…] or the path of an order file.")
  var orders: [String]

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

  @OptionGroup(title: "Tokens") var source: DatasetOption<MeasuredTokens>
  @OptionGroup(title: "Tokens") var tokens: TokenOptions
  @OptionGroup(title: "Estimation") var estimation: EstimationOptions
  @OptionGroup(title: "Few images") var context: ContextOptions
  @OptionGroup(title: "Results") var output: OutputOptions

  /// Makes the command for the parser.
  public init() {}

  /// Refuses options that exclude each other or are out of range.
  public func validate() throws {
    guard tokensPerStep >= 1 else {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
    try context.check(with: estimation)
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

  /// Refuses a number of tokens per step that no order heeds.
  private func requireUse(ofTokensPerStepBy specifications: [OrderSpecification]) throws {
    guard let givenTokensPerStep, !specifications.contains(where: \.takesTokensPerStep) else {
      return
    }
    throw ValidationError(
      "--tokens-per-step \(givenTokensPerStep): there is no use for it, because every order has steps of its own"
    )
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
  public mutating func run() throws {
    let clock = Stopwatch()
    try output.checkFigures()
    let specifications = try orders.map { try OrderSpecification(argument: $0) }
    try requireUse(ofTokensPerStepBy: specifications)
    let dataset = try tokens.load(source.dataset)
    estimation.clusterErrors(of: dataset, canBeRobust: shrinkage == .none)
    try requireTests()
    let orders = try specifications.map {
      try $0.order(on: dataset.grid, tokensPerStep: tokensPerStep)
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
    let health = health(of: profiles, dataset)
    let provenance = try Provenance(
      of: dataset,
      seed: tokens.limit == nil && !estimation.usesSeed ? nil : tokens.seed
    )
    .finished(after: clock)
    if output.json {
      try printJSON(
        OrderCompareResult(
          profiles, health: health, dataset: dataset, options: self, provenance: provenance))
    } else if output.csv {
      try printCSV(profiles)
    } else {
      let window = context.contextWindow.map { " · contexts within \($0) cells" } ?? ""
      try printText(measurementLine(dataset, estimation, tokens) + window + shrinkageNote(profiles))
      try printText(orderTable(profiles, estimation).text)
      try printText(profiles.jointEntropyLine(estimation))
      for note in health.notes(profiles) { try printText(note) }
      if output.report { try printText(health.lines.joined(separator: "\n")) }
    }
    if output.preview { for profile in profiles { try preview(profile) } }
    if let directory = output.figureDirectory {
      try output.figures.write(
        [
          orderFigure(
            profiles, name: "order-compare", dataset: dataset, estimation,
            onlyDistinguishable: onlyDistinguishable)
        ],
        to: directory, provenance: provenance)
    }
  }

  /// The health report.
  private func health(of profiles: [OrderProfile], _ dataset: TokenDataset) -> HealthFacts {
    HealthFacts(
      dataset: dataset, fit: profiles.first?.health, kurtosisRatio: profiles.first?.kurtosisRatio,
      resolution: context.contextWindow == nil && estimation.bound == .debiased
        ? ResolutionFacts(profiles, dataset: dataset) : nil)
  }

  private func preview(_ profile: OrderProfile) throws {
    try printPreview(
      TerminalPreview.render(
        values: profile.increases(estimation, onlyDistinguishable: onlyDistinguishable),
        grid: profile.order.grid,
        title: "entropy increase, \(profile.order.name.displayed)", unit: estimation.units.rawValue,
        darkEnd: .high))
  }

  private func printCSV(_ profiles: [OrderProfile]) throws {
    let grid = profiles[0].order.grid
    let unit = estimation.units.rawValue
    var lines = [
      "order,\(grid.csvHeadings),step,sequential_\(unit),sequential_standard_error,"
        + "parallel_\(unit),parallel_standard_error,increase_\(unit),increase_standard_error,"
        + "increase_confidence_low,increase_confidence_high,step_adjusted_p_value"
    ]
    for profile in profiles {
      let steps = profile.order.stepNumbers
      for index in 0..<grid.cellCount {
        let values = [profile.sequential, profile.parallel, profile.increase].flatMap {
          let estimate = estimation.estimate($0[index])
          return [estimate.value.csvField, estimate.standardError.csvField]
        }
        let interval = estimation.estimate(profile.increase[index]).confidenceInterval
        let test = profile.stepTests[steps[index] - 1]
        lines.append(
          ([
            profile.order.name.csvField, grid.csvCoordinates(of: grid.cell(at: index)),
            "\(steps[index])",
          ] + values + [
            interval.lowerBound.csvField, interval.upperBound.csvField,
            test?.adjustedPValue.csvField ?? "",
          ]).joined(separator: ","))
      }
    }
    try printText(lines.joined(separator: "\n"))
  }
}

/// The table that compares orders.
func orderTable(
  _ profiles: [OrderProfile], _ estimation: EstimationOptions
) -> TextTable {
  var table = TextTable("order", "steps", "n", "total increase", "mean", "largest", "largest at")
  table.headings.append("steps > 0")
  let isPaired = profiles.count > 1 && profiles[0].errors == .robust
  if isPaired { table.headings.append("minus \(profiles[0].order.name)") }
  for profile in profiles {
    let cells = Double(profile.order.grid.cellCount)
    let total = estimation.estimate(profile.totalIncrease)
    let mean = Estimate(value: total.value / cells, standardError: total.standardError / cells)
    let largest = profile.largestIncrease
    var row = [
      profile.order.name, "\(profile.order.steps.count)", "\(profile.order.tokensPerStep)",
    ]
    row +=
      profile.isUndecided
      ? ["–", "–", "–", "–", "–"]
      : [
        total.text(), mean.text(digits: 4), estimation.estimate(largest.increase).text(digits: 3),
        largest.cell.description(on: profile.order.grid), profile.distinguishableSteps,
      ]
    if isPaired, profile.isUndecided || profiles[0].isUndecided {
      row.append("–")
    } else if isPaired {
      let difference = profile.difference(from: profiles[0])
      row.append(
        estimation.estimate(
          Estimate(value: difference.value, standardError: difference.standardError ?? .nan)
        ).text())
    }
    table.add(row)
  }
  return table
}

/// The figure that compares orders, in the unit asked for.
func orderFigure(
  _ profiles: [OrderProfile], name: String, dataset: TokenDataset, _ estimation: EstimationOptions,
  onlyDistinguishable: Bool = false
) -> any Figure {
  OrderComparisonFigure(
    name: name,
    rows: profiles.map { profile in
      let total = estimation.estimate(profile.totalIncrease)
      return OrderComparisonFigure.Row(
        order: profile.order,
        increases: profile.increases(estimation, onlyDistinguishable: onlyDistinguishable),
        total: total.value, totalError: total.standardError)
    },
    unit: estimation.units.rawValue, caption: MeasurementCaption(dataset, estimation))
}

extension OrderProfile {
  /// The increases in the unit asked for, by raster index; NaN, on request, where the step's total correlation is not
  /// distinguishable from zero.
  func increases(_ estimation: EstimationOptions, onlyDistinguishable: Bool) -> [Double] {
    let steps = order.stepNumbers
    return increase.indices.map { cell in
      if onlyDistinguishable, let test = stepTests[steps[cell] - 1], !test.isDistinguishable {
        return .nan
      }
      return estimation.value(increase[cell].value)
    }
  }

  /// Whether the context window holds apart all tokens that are drawn together, so that nothing is known of the increase.
  var isUndecided: Bool {
    pairsBeyondWindow.map { $0.all > 0 && $0.beyond == $0.all } ?? false
  }

  /// How many of the tested steps are distinguishable from zero.
  fileprivate var distinguishableSteps: String {
    let tests = stepTests.compactMap(\.self)
    return tests.isEmpty ? "–" : "\(tests.count(where: \.isDistinguishable)) of \(tests.count)"
  }
}

extension [OrderProfile] {
  /// The profile whose joint entropy is reported: that of raster, which is near every user's own, or else of the first order.
  var jointEntropyProfile: OrderProfile? { first { $0.order.name == "raster" } ?? first }

  /// The joint entropy with its error, and the order along which it was summed where that makes a difference.
  fileprivate func jointEntropyLine(_ estimation: EstimationOptions) -> String {
    guard let profile = jointEntropyProfile else { return "" }
    let joint = estimation.estimate(profile.jointEntropy)
    let isShared =
      EntropyBound.closedForm.contains(profile.bound) && profile.pairsBeyondWindow == nil
    return
      "joint entropy of all tokens\(isShared ? "" : ", along \(profile.order.name)"): \(joint.text()) "
      + estimation.units.rawValue
  }
}

/// The result of `order-compare --json`.
private struct OrderCompareResult: Encodable {
  struct Order: Encodable {
    let name: String
    let steps: Int
    let tokensPerStep: Int
    let totalIncrease: JSONNumber
    let totalIncreaseStandardError: JSONNumber
    let meanIncrease: JSONNumber
    let maxIncrease: JSONNumber
    let sequential, parallel, increase: JSONGrid<JSONNumber>
    let sequentialStandardError, parallelStandardError, increaseStandardError: JSONGrid<JSONNumber>
    let step: JSONGrid<Int>
    let stepTotalCorrelation, stepTotalCorrelationStandardError: [JSONNumber]
    let stepPValue, stepAdjustedPValue: [JSONNumber]
    let totalIncreaseConfidenceInterval: [JSONNumber]
    /// Tokens whose scatters were not positive definite with the weights of the debiased bound; nil for other bounds.
    let fallbackTokens: Int?
    /// Pairs of tokens that are drawn together, and those of them that the context window holds apart; nil without one.
    let stepPairs, stepPairsBeyondWindow: Int?
    let jointEntropy, jointEntropyStandardError: JSONNumber
    /// This order's total increase minus the first order's.
    let differenceFromFirst, differenceFromFirstStandardError: JSONNumber
    /// The one-sided 95% limits, where the bound is held-out.
    let sequentialUpperLimit, parallelUpperLimit: JSONGrid<JSONNumber>?

    init(
      _ profile: OrderProfile, first: OrderProfile, _ estimation: EstimationOptions
    ) {
      let (order, grid) = (profile.order, profile.order.grid)
      let total = estimation.estimate(profile.totalIncrease)
      func values(_ estimates: [Estimate]) -> JSONGrid<JSONNumber> {
        JSONGrid(grid, estimates.map { estimation.value($0.value) })
      }
      func errors(_ estimates: [Estimate]) -> JSONGrid<JSONNumber> {
        JSONGrid(grid, estimates.map { estimation.value($0.standardError) })
      }
      func limits(_ estimates: [Estimate]) -> JSONGrid<JSONNumber>? {
        profile.bound == .heldOut
          ? JSONGrid(grid, estimates.map { estimation.value($0.upperLimit) }) : nil
      }
      name = order.name
      steps = order.steps.count
      tokensPerStep = order.tokensPerStep
      // A total of which the window leaves nothing is not zero but unknown.
      let known = profile.isUndecided ? Double.nan : 1
      totalIncrease = JSONNumber(known * total.value)
      totalIncreaseStandardError = JSONNumber(known * total.standardError)
      meanIncrease = JSONNumber(known * total.value / Double(grid.cellCount))
      fallbackTokens = profile.bound == .debiased ? profile.fallbackCount : nil
      stepPairs = profile.pairsBeyondWindow?.all
      stepPairsBeyondWindow = profile.pairsBeyondWindow?.beyond
      let joint = estimation.estimate(profile.jointEntropy)
      jointEntropy = JSONNumber(joint.value)
      jointEntropyStandardError = JSONNumber(joint.standardError)
      maxIncrease = JSONNumber(estimation.value(profile.largestIncrease.increase.value))
      sequential = values(profile.sequential)
      parallel = values(profile.parallel)
      increase = values(profile.increase)
      sequentialStandardError = errors(profile.sequential)
      parallelStandardError = errors(profile.parallel)
      increaseStandardError = errors(profile.increase)
      step = JSONGrid(grid: grid, values: order.stepNumbers)
      let correlations = profile.totalCorrelation.map(estimation.estimate)
      stepTotalCorrelation = correlations.map { JSONNumber($0.value) }
      stepTotalCorrelationStandardError = correlations.map { JSONNumber($0.standardError) }
      stepPValue = profile.stepTests.map { JSONNumber($0?.pValue) }
      stepAdjustedPValue = profile.stepTests.map { JSONNumber($0?.adjustedPValue) }
      let interval = total.confidenceInterval
      totalIncreaseConfidenceInterval = [interval.lowerBound, interval.upperBound].map {
        JSONNumber(known * $0)
      }
      let difference = profile.difference(from: first)
      differenceFromFirst = JSONNumber(estimation.value(difference.value))
      differenceFromFirstStandardError = JSONNumber(
        difference.standardError.map(estimation.value))
      sequentialUpperLimit = limits(profile.sequential)
      parallelUpperLimit = limits(profile.parallel)
    }
  }

  let command = "order-compare"
  let grid: [Int]
  let units: String
  let bound: String
  let errors: String
  let heldOut: HeldOutFacts?
  let regressor: String
  let featuresPerToken: Int?
  let images: Int
  let featureDimensions: Int
  let jitter: Double
  let marginals: String
  let contextWindow: Int?
  /// λ of the ridge; where it is chosen on every fold apart, nil.
  let ridge: Double?
  let ledoitWolf: Bool
  /// λ of the ridge that always stands on random functions; nil without them.
  let featuresRidge: Double?
  let given: String?
  let health: HealthFacts
  /// Along raster where it is among the orders, else along the first.
  let jointEntropy, jointEntropyStandardError: JSONNumber
  let jointEntropyOrder: String?
  let orders: [Order]
  let provenance: Provenance

  init(
    _ profiles: [OrderProfile], health: HealthFacts, dataset: TokenDataset,
    options: OrderCompareCommand, provenance: Provenance
  ) {
    let estimation = options.estimation
    grid = dataset.grid.jsonExtents
    units = estimation.units.rawValue
    bound = estimation.bound.rawValue
    regressor = estimation.regressor.rawValue
    featuresPerToken = estimation.chosenRegressor.functionsPerToken
    errors = estimation.errorName
    heldOut = HeldOutFacts(estimation, options.tokens, of: dataset)
    images = dataset.imageCount
    featureDimensions = dataset.featureDimensions
    jitter = estimation.jitter
    marginals = estimation.marginals.rawValue
    contextWindow = options.context.contextWindow
    ridge = options.context.ridge ?? profiles.first?.ridge
    ledoitWolf = options.context.ledoitWolf
    featuresRidge = featuresPerToken == nil ? nil : randomFeatureRidge
    self.health = health
    given = estimation.given?.rawValue
    let joint = profiles.jointEntropyProfile
    jointEntropy = JSONNumber(joint.map { estimation.value($0.jointEntropy.value) })
    jointEntropyStandardError = JSONNumber(
      joint.map { estimation.value($0.jointEntropy.standardError) })
    jointEntropyOrder = joint?.order.name
    orders = profiles.map { Order($0, first: profiles[0], estimation) }
    self.provenance = provenance
  }
}
