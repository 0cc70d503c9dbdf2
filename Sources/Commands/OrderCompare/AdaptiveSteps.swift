import EntropyEstimation
import OrderSearch
import Reporting
import Statistics
import TokenData
import TokenGrids

/// What an adaptive sampler's recorded steps lose: every image under its own partition, and all of them under the fixed order that comes
/// nearest, to a Gaussian model of other images.
///
/// An estimate of entropies would take many images with the same partition; a model takes one.
struct AdaptiveSteps {
  /// The file of the step maps.
  let file: String
  /// The images that were measured, and those that the model was fitted to.
  let images, fitImages: Int
  /// The mean number of steps of an image.
  let meanSteps: Double
  /// The fixed order's steps.
  let fixedSteps: Int
  /// Means over the images, in nats.
  let own, fixed, difference: Estimate

  /// A model is factored once an image; so many multiplications are spent.
  private static let budget = 3e11

  /// Measures the maps of a file on some images of one half, with a model of the other; nil, and a warning, for maps of other images,
  /// of which only the mean order can be compared.
  ///
  /// - Throws: A sentence for another grid; what reading throws.
  init?(file: String, dataset: TokenDataset, isGivenClass: Bool, seed: UInt64) throws {
    let maps = try StepMaps(contentsOfFile: file, grid: dataset.grid)
    // An image that is alone in its class has no mean to be taken off.
    let alone = isGivenClass ? dataset.classMembership?.alone ?? 0 : 0
    guard maps.imageCount == dataset.imageCount, alone == 0 else {
      report(
        alone > 0
          ? "warning: \(file): \(alone) images are alone in their classes, so only the mean order of the step maps is compared"
          : "warning: \(file): \(maps.imageCount.grouped) step maps for \(dataset.imageCount.grouped) images, so only their mean order is compared"
      )
      return nil
    }
    var generator = SeededGenerator(seed: seed, stream: 13)
    let halves = Photographs(dataset.imageGroups, imageCount: dataset.imageCount).halves(
      &generator)
    let numbers = Double(dataset.grid.cellCount * dataset.featureDimensions)
    let most = max(20, Int(Self.budget / (numbers * numbers * numbers / 3)))
    var measured = halves.1
    generator.shuffle(&measured)
    measured = measured.prefix(most).sorted()
    let (fit, part) = (
      ImageSubset(of: dataset, images: halves.0), ImageSubset(of: dataset, images: measured)
    )
    let orders = measured.map(maps.order(ofImage:))
    let progress = ProgressLine("measuring own steps", total: measured.count, unit: "images")
    defer { progress.finish() }
    func losses(
      _ model: StructuredCovariance, _ features: some TokenFeatures
    ) throws -> (own: [Double], fixed: [Double]) {
      let measure = ModelLoss(model)
      return (
        try measure.losses(ofOwn: orders, in: features, progress: { progress.update($0) }),
        try measure.losses(of: maps.meanOrder, in: features)
      )
    }
    let found: (own: [Double], fixed: [Double])
    if isGivenClass {
      // The means of classes are those of all images: the few that are measured have none of their own.
      let centred = try ClassCentred(dataset)
      found = try losses(
        StructuredCovariance(of: ImageSubset(of: centred, images: halves.0), seed: seed),
        ImageSubset(of: centred, images: measured))
    } else {
      found = try losses(StructuredCovariance(of: fit, seed: seed), part)
    }
    self.file = file
    images = measured.count
    fitImages = halves.0.count
    meanSteps = maps.meanStepCount
    fixedSteps = maps.meanOrder.steps.count
    own = ModelLoss.mean(found.own, in: part)
    fixed = ModelLoss.mean(found.fixed, in: part)
    difference = ModelLoss.mean(zip(found.own, found.fixed).map { $0 - $1 }, in: part)
  }

  /// One line.
  func text(_ estimation: EstimationOptions) -> String {
    let unit = estimation.units.rawValue
    return """
      \(file): to a Gaussian model of \(fitImages.grouped) images, \(images.grouped) others lose \
      \(estimation.estimate(own).text()) \(unit) in their own \(meanSteps.fixed(1)) steps and \
      \(estimation.estimate(fixed).text()) in the mean order's \(fixedSteps): a difference of \
      \(estimation.estimate(difference).text())
      """
  }
}

extension AdaptiveSteps {
  /// As the result has it.
  struct Facts: Encodable {
    let file: String
    let images, fitImages, fixedSteps: Int
    let meanSteps: JSONNumber
    let ownLoss, ownLossStandardError, fixedLoss, fixedLossStandardError: JSONNumber
    let difference, differenceStandardError: JSONNumber

    init(_ steps: AdaptiveSteps, _ estimation: EstimationOptions) {
      file = steps.file
      images = steps.images
      fitImages = steps.fitImages
      fixedSteps = steps.fixedSteps
      meanSteps = JSONNumber(steps.meanSteps)
      let (own, fixed, difference) = (
        estimation.estimate(steps.own), estimation.estimate(steps.fixed),
        estimation.estimate(steps.difference)
      )
      ownLoss = JSONNumber(own.value)
      ownLossStandardError = JSONNumber(own.standardError)
      fixedLoss = JSONNumber(fixed.value)
      fixedLossStandardError = JSONNumber(fixed.standardError)
      self.difference = JSONNumber(difference.value)
      differenceStandardError = JSONNumber(difference.standardError)
    }
  }
}
