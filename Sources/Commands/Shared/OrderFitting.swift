import ArgumentParser
import EntropyEstimation
import OrderSearch
import Statistics
import TokenData
import TokenGrids

/// `--fit-fraction`, for orders whose group sizes are fitted to images.
struct FitOptions: ParsableArguments {
  @Option(
    name: .customLong("fit-fraction"),
    help: ArgumentHelp(
      "The share of the images that group sizes of schedule=optimal are fitted to; orders are compared on the others."
        + " (default: what leaves 1.75 images for each number of an image, a fifth to two thirds)",
      valueName: "share"))
  var fraction: Double?

  func validate() throws {
    if let fraction, !(fraction > 0 && fraction < 1) {
      throw ValidationError("--fit-fraction \(fraction): expected a share between 0 and 1")
    }
  }

  /// Divides the images where an order wants its group sizes fitted; nil where none does.
  ///
  /// - Throws: `ValidationError` for a share that nothing is fitted to.
  func fitting(
    for specifications: [OrderSpecification], dataset: TokenDataset,
    _ estimation: EstimationOptions,
    seed: UInt64
  ) throws -> OrderFitting? {
    guard specifications.contains(where: { $0.optimalSteps != nil }) else {
      if let fraction {
        throw ValidationError(
          "--fit-fraction \(fraction): no order has schedule=optimal, so nothing is fitted")
      }
      return nil
    }
    return try OrderFitting(
      dataset, fraction: fraction, isGivenClass: estimation.given != nil, seed: seed,
      features: estimation.features)
  }
}

/// Group sizes that lose least on some of the images, for a comparison on the others.
struct OrderFitting {
  /// The images that sizes are not fitted to; nil where they are fitted to all.
  let compared: TokenDataset?
  /// How many images sizes are fitted to.
  let fitImages: Int
  /// With the covariance that sizes are fitted to.
  let search: SequenceSearch

  /// Divides images and estimates the covariance of those that are fitted to; those of one photograph stay together.
  ///
  /// - Parameter features: What is measured of a dataset.
  /// - Throws: A sentence about too few images; what reading throws.
  init(
    _ dataset: TokenDataset, fraction: Double?, isGivenClass: Bool, seed: UInt64,
    features: (TokenDataset) throws -> TokenDataset
  ) throws {
    let numbers = dataset.grid.cellCount * dataset.featureDimensions
    let suited = SearchParts.Shares(imageCount: dataset.imageCount, numbers: numbers)
    let share = fraction ?? suited.fit + suited.selection
    var generator = SeededGenerator(seed: seed, stream: 12)
    let photographs = Photographs(dataset.imageGroups, imageCount: dataset.imageCount)
    let (fit, others) = photographs.split(
      drawing: Int((share * Double(dataset.imageCount)).rounded()), &generator)
    guard fit.count >= 16, others.count >= 2 else {
      throw OrderSearchError.tooFewImages(
        source: dataset.name, images: dataset.imageCount,
        part: fit.count < 16 ? .fit : .report, found: min(fit.count, others.count),
        needed: fit.count < 16 ? 16 : 2)
    }
    let part = try features(dataset.selecting(images: fit))
    let covariance =
      isGivenClass
      ? try StructuredCovariance(of: ClassCentred(part), seed: seed)
      : try StructuredCovariance(of: part, seed: seed)
    search = SequenceSearch(
      covariance: covariance.covariance, featureDimensions: part.featureDimensions)
    fitImages = fit.count
    compared = try dataset.selecting(images: others)
  }

  /// Fits to all images, for orders that are used and not measured.
  ///
  /// - Throws: A sentence about too few images; what reading throws.
  init(toAll dataset: TokenDataset, isGivenClass: Bool = false, seed: UInt64) throws {
    guard dataset.imageCount >= 16 else {
      throw OrderSearchError.tooFewImages(
        source: dataset.name, images: dataset.imageCount, part: .fit, found: dataset.imageCount,
        needed: 16)
    }
    let covariance =
      isGivenClass
      ? try StructuredCovariance(of: ClassCentred(dataset), seed: seed)
      : try StructuredCovariance(of: dataset, seed: seed)
    search = SequenceSearch(
      covariance: covariance.covariance, featureDimensions: dataset.featureDimensions)
    fitImages = dataset.imageCount
    compared = nil
  }

  /// The order with its group sizes fitted.
  ///
  /// - Throws: `GenerationOrderError` when the sequence does not fit the grid or has fewer tokens than steps.
  func order(
    of specification: OrderSpecification, steps: Int, on grid: TokenGrid, tokensPerStep: Int,
    named name: String
  ) throws -> GenerationOrder {
    let sequence = try specification.sequence(on: grid, tokensPerStep: tokensPerStep)
    guard let found = search.cut(sequence, steps: steps) else {
      preconditionFailure("a sequence has steps of any number up to its tokens")
    }
    return try found.order(named: name, on: grid)
  }
}

extension OrderFitting {
  /// An order that is used and not measured: with `schedule=optimal` its group sizes are fitted to all of some tokens.
  ///
  /// - Throws: A sentence about tokens that are missing, of another grid or of no use; what making the order throws.
  static func order(
    of specification: OrderSpecification, on grid: TokenGrid, tokensPerStep: Int?,
    tokens: DatasetArgument?, seed: UInt64 = 0
  ) throws -> GenerationOrder {
    let tokensPerStep = tokensPerStep ?? StepSchedule.defaultTokensPerStep
    try requireUse(of: tokens, by: specification)
    guard let steps = specification.optimalSteps else {
      return try specification.order(on: grid, tokensPerStep: tokensPerStep)
    }
    guard let tokens else {
      throw ValidationError(
        "\(specification.name): the group sizes of schedule=optimal are fitted to tokens: name some with --tokens"
      )
    }
    let dataset = try tokens.load(centred: true)
    guard dataset.grid == grid else {
      throw ValidationError(
        "--tokens \(tokens.text): its grid is \(dataset.grid), and an order of \(grid) tokens was asked for"
      )
    }
    return try OrderFitting(toAll: dataset, seed: seed).order(
      of: specification, steps: steps, on: grid, tokensPerStep: tokensPerStep,
      named: specification.name)
  }

  /// Refuses tokens that nothing is fitted to.
  static func requireUse(
    of tokens: DatasetArgument?, by specification: OrderSpecification?
  ) throws {
    guard let tokens, specification?.optimalSteps == nil else { return }
    throw ValidationError(
      "--tokens \(tokens.text): no order has schedule=optimal, so nothing is fitted to them")
  }
}
