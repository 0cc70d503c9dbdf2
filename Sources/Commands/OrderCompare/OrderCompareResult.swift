import EntropyEstimation
import Reporting
import Statistics
import TokenData
import TokenGrids

/// The result of `order-compare --json`.
struct OrderCompareResult: Encodable {
  struct Order: Encodable {
    let name: String
    let steps: Int
    let tokensPerStep: Int
    let groupSizes: [Int]
    let totalIncrease: JSONNumber
    let totalIncreaseStandardError: JSONNumber
    let meanIncrease: JSONNumber
    let maxIncrease: JSONNumber
    let sequential, parallel, increase: JSONGrid<JSONNumber>
    let sequentialStandardError, parallelStandardError, increaseStandardError: JSONGrid<JSONNumber>
    /// Nil where there are several seeds, each with steps of its own.
    let step: JSONGrid<Int>?
    let stepTotalCorrelation, stepTotalCorrelationStandardError: [JSONNumber]
    let stepPValue, stepAdjustedPValue: [JSONNumber]?
    let totalIncreaseConfidenceInterval: [JSONNumber]
    /// Tokens whose scatters were not positive definite with the weights of the debiased bound; nil for other bounds.
    let fallbackTokens: Int?
    /// Pairs of tokens that are drawn together, and those of them that the context window holds apart; nil without one.
    let stepPairs, stepPairsBeyondWindow: Int?
    let jointEntropy, jointEntropyStandardError: JSONNumber
    /// This order's total increase minus the first order's.
    let differenceFromFirst, differenceFromFirstStandardError: JSONNumber
    /// The errors of this order's total minus that of each order of the result, in their order.
    let differenceStandardErrors: [JSONNumber]
    /// The one-sided 95% limits, where the bound is held-out.
    let sequentialUpperLimit, parallelUpperLimit: JSONGrid<JSONNumber>?
    /// The orders whose mean this is, and the standard deviation of their totals; nil for a single one.
    let seeds: [Seed]?
    let seedsStandardDeviation: JSONNumber?
    /// What a model says that the order loses; nil without one.
    let modelLoss, modelLossStandardError: JSONNumber?

    struct Seed: Encodable {
      let name: String
      let totalIncrease, totalIncreaseStandardError: JSONNumber
    }

    init(
      _ row: ComparedOrder, among rows: [ComparedOrder], lost: Estimate?,
      _ estimation: EstimationOptions
    ) {
      let (profile, order, grid) = (row.shown, row.order, row.order.grid)
      let total = estimation.estimate(row.totalIncrease)
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
      name = row.name
      steps = order.steps.count
      tokensPerStep = order.tokensPerStep
      groupSizes = order.steps.map(\.count)
      // A total of which the window leaves nothing is not zero but unknown.
      let known = row.isUndecided ? Double.nan : 1
      totalIncrease = JSONNumber(known * total.value)
      totalIncreaseStandardError = JSONNumber(known * total.standardError)
      meanIncrease = JSONNumber(known * total.value / Double(grid.cellCount))
      fallbackTokens =
        profile.bound == .debiased ? row.profiles.reduce(0) { $0 + $1.fallbackCount } : nil
      stepPairs = profile.pairsBeyondWindow?.all
      stepPairsBeyondWindow = profile.pairsBeyondWindow?.beyond
      let joint = estimation.estimate(row.mean(\.jointEntropy))
      jointEntropy = JSONNumber(joint.value)
      jointEntropyStandardError = JSONNumber(joint.standardError)
      maxIncrease = JSONNumber(estimation.value(row.largestIncrease.increase.value))
      sequential = values(row.means(\.sequential))
      parallel = values(row.means(\.parallel))
      increase = values(row.means(\.increase))
      sequentialStandardError = errors(row.means(\.sequential))
      parallelStandardError = errors(row.means(\.parallel))
      increaseStandardError = errors(row.means(\.increase))
      let isSingle = row.profiles.count == 1
      step = isSingle ? JSONGrid(grid: grid, values: order.stepNumbers) : nil
      let correlations = row.means(\.totalCorrelation).map(estimation.estimate)
      stepTotalCorrelation = correlations.map { JSONNumber($0.value) }
      stepTotalCorrelationStandardError = correlations.map { JSONNumber($0.standardError) }
      stepPValue = isSingle ? profile.stepTests.map { JSONNumber($0?.pValue) } : nil
      stepAdjustedPValue =
        isSingle ? profile.stepTests.map { JSONNumber($0?.adjustedPValue) } : nil
      let interval = total.confidenceInterval
      totalIncreaseConfidenceInterval = [interval.lowerBound, interval.upperBound].map {
        JSONNumber(known * $0)
      }
      let differences = rows.map(row.difference)
      differenceFromFirst = JSONNumber(estimation.value(differences[0].value))
      differenceStandardErrors = differences.map {
        JSONNumber($0.standardError.map(estimation.value))
      }
      differenceFromFirstStandardError = differenceStandardErrors[0]
      sequentialUpperLimit = limits(row.means(\.sequential))
      parallelUpperLimit = limits(row.means(\.parallel))
      seeds =
        isSingle
        ? nil
        : row.profiles.map {
          let total = estimation.estimate($0.totalIncrease)
          return Seed(
            name: $0.order.name, totalIncrease: JSONNumber(total.value),
            totalIncreaseStandardError: JSONNumber(total.standardError))
        }
      seedsStandardDeviation = row.seedDeviation.map { JSONNumber(estimation.value($0)) }
      modelLoss = lost.map { JSONNumber(estimation.value($0.value)) }
      modelLossStandardError = lost.map { JSONNumber(estimation.value($0.standardError)) }
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
  /// The images that group sizes were fitted to, which are not among those; nil where none were.
  let fitImages: Int?
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
  var orders: [Order]
  /// The images on which a model's losses were measured; nil without one.
  let modelImages: Int?
  /// Published orders that do not fit; nil where none were asked for.
  let leftOut: [SelectedOrders.LeftOut]?
  /// What adaptive samplers' recorded steps lose; nil without any.
  let stepMaps: [AdaptiveSteps.Facts]?
  let provenance: Provenance

  init(
    _ rows: [ComparedOrder], lost: ModelLosses?, leftOut: [SelectedOrders.LeftOut],
    health: HealthFacts, dataset: some MeasuredData, fitImages: Int?, adaptive: [AdaptiveSteps],
    options: OrderCompareRun, provenance: Provenance
  ) {
    let estimation = options.estimation
    let profiles = rows.flatMap(\.profiles)
    grid = dataset.grid.jsonExtents
    units = estimation.units.rawValue
    bound = estimation.bound.rawValue
    regressor = estimation.regressor.rawValue
    featuresPerToken = estimation.chosenRegressor.functionsPerToken
    errors = estimation.errorName
    heldOut = HeldOutFacts(estimation, options.tokens, of: dataset)
    images = dataset.imageCount
    self.fitImages = fitImages
    stepMaps = adaptive.isEmpty ? nil : adaptive.map { AdaptiveSteps.Facts($0, estimation) }
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
    self.leftOut = options.selection.published ? leftOut : nil
    jointEntropy = JSONNumber(joint.map { estimation.value($0.jointEntropy.value) })
    jointEntropyStandardError = JSONNumber(
      joint.map { estimation.value($0.jointEntropy.standardError) })
    jointEntropyOrder = joint?.order.name
    orders = rows.enumerated().map {
      Order($1, among: rows, lost: lost?.rows[$0], estimation)
    }
    modelImages = lost?.likelihood.imageCount
    self.provenance = provenance
  }
}
