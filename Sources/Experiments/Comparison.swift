import EntropyEstimation
import Figures
import Files
import Foundation
import GenerationMetrics
import PARTransformer
import Reporting
import Statistics
import TokenData
import TokenGrids
import VisualTokenizers

/// All runs of a comparison and what is made of them.
package struct Comparison {
  private let dataset: TokenDataset
  private let training: TokenDataset
  private let held: TokenDataset
  private let configurations: [ComparisonConfiguration]
  let settings: ComparisonSettings
  private let extractors: [any FeatureExtractor]
  let folder: String
  /// Held as long as this: of two programs each would make what the other makes, and remove its parts.
  private let lock: FolderLock
  private let stages: ComparisonStages
  private let shouldStop: () -> Bool
  private let runs: [[ComparisonRun]]
  let floorPath: String
  private let floorOrder: GenerationOrder
  private let seed: UInt64

  /// Plans the runs.
  ///
  /// - Parameters:
  ///   - seeds: Models of each configuration; nil for the defaults.
  ///   - sharesFolder: Whether other processes do tasks of the same comparison meanwhile.
  /// - Throws: What is wrong with the folder.
  package init(
    dataset: TokenDataset, training: TokenDataset, held: TokenDataset,
    configurations: [ComparisonConfiguration], settings: ComparisonSettings, seeds: Int?,
    firstSeed: UInt64, extractors: [any FeatureExtractor], folder: String,
    sharesFolder: Bool = false, stages: ComparisonStages, shouldStop: @escaping () -> Bool
  ) throws {
    self.dataset = dataset
    self.training = training
    self.held = held
    self.configurations = configurations
    self.settings = settings
    self.extractors = extractors
    self.folder = folder
    self.stages = stages
    self.shouldStop = shouldStop
    seed = firstSeed
    let cache = folder + "/runs"
    try OutputFolder.make(cache)
    guard
      let lock = try FolderLock(
        folder: folder, name: ".fid-compare.lock", isShared: sharesFolder)
    else {
      throw TrainingError.alreadyRunning(directory: folder)
    }
    self.lock = lock
    let hash = try dataset.contentHash()?.description ?? ""
    let definitions = extractors.map { $0.definitionHash.description }
    func keys(_ configuration: ComparisonConfiguration?, _ order: GenerationOrder, _ seed: UInt64)
      throws -> ComparisonKeys
    {
      try ComparisonKeys(
        dataset: hash, splitSeed: firstSeed, heldImages: held.imageCount,
        configuration: configuration, orders: [order],
        settings: settings, seed: seed, extractors: definitions)
    }
    runs = try configurations.map { configuration in
      return try (0..<configuration.models(seeds)).map { index in
        let seed = firstSeed + UInt64(index)
        return ComparisonRun(
          configuration: configuration, seed: seed, settings: settings,
          keys: try keys(configuration, configuration.order, seed), cache: cache)
      }
    }
    // The floor of profiles is that of the first order that draws tokens together.
    floorOrder = configurations.first { $0.tokensPerStep > 1 }?.order ?? configurations[0].order
    floorPath = cache + "/real-against-real-\(try keys(nil, floorOrder, firstSeed).metrics).json"
  }

  /// Does what is not done yet.
  ///
  /// - Throws: ``ComparisonStopped`` when the user asked to stop; what was begun is kept.
  package func run(provenance: Provenance, clock: Stopwatch) throws -> ComparisonReport {
    let reference = makeReference()
    let all = allRuns
    let progress = ComparisonProgress(total: all.reduce(0) { $0 + $1.remaining })
    let increases = totalIncreases()
    var floor = try noiseFloor(reference)
    var missing: String?
    if settings.samples > training.imageCount {
      // What depends on the number of images compares with nothing then.
      floor.values = floor.values.filter {
        $0.key.hasPrefix("fd_infinity_") || $0.key.hasPrefix("kid_")
      }
      missing =
        "no noise floor but of FD∞ and KID: models draw \(settings.samples.grouped) images, and there are \(training.imageCount.grouped) real ones that they are not compared with"
    }
    var number = 0
    var results: [ComparisonReport.Order] = []
    for (configuration, runs) in zip(configurations, runs) {
      var measured:
        [(
          run: ComparisonRun, trained: ComparisonStages.Trained, measurement: ComparisonMeasurement
        )] = []
      for run in runs {
        number += 1
        let (trained, measurement) = try carryOut(
          run, label: "\(number) of \(all.count), \(configuration.name), seed \(run.seed)",
          reference: reference, progress: progress)
        measured.append((run, trained, measurement))
      }
      results.append(
        Self.order(configuration, measured, increase: increases[configuration.order] ?? nil))
    }
    try writeContactSheets()
    return ComparisonReport(
      dataset: dataset.name, trainingImages: training.imageCount,
      referenceImages: held.imageCount, settings: settings,
      extractors: Dictionary(
        uniqueKeysWithValues: extractors.map { ($0.name, $0.definitionHash.description) }),
      orders: results, noiseFloor: jsonNumbers(floor.values), noiseFloorOrder: floorOrder.name,
      noiseFloorMissing: missing,
      rankCorrelation: ComparisonReport.correlation(results),
      provenance: provenance.finished(after: clock))
  }

  /// The runs of all configurations, one after the other.
  var allRuns: [ComparisonRun] { runs.flatMap(\.self) }

  /// The half that everything is measured against.
  func makeReference() -> ComparisonReference {
    ComparisonReference(
      dataset: held, extractors: extractors, neighbors: settings.neighbors, seed: seed)
  }

  func carryOut(
    _ run: ComparisonRun, label: String, reference: ComparisonReference,
    progress: ComparisonProgress
  ) throws -> (ComparisonStages.Trained, ComparisonMeasurement) {
    if let trained = run.trained, let measured = run.measured { return (trained, measured) }
    if shouldStop() { throw ComparisonStopped() }
    if run.trained == nil {
      progress.begin(
        "\(label): training", share: ComparisonProgress.training, count: settings.training.steps,
        unit: "steps")
    }
    let wasTrained = run.trained != nil
    defer { progress.finish() }
    let trained = try train(run, progress: progress)
    if !wasTrained { progress.finish() }
    progress.begin(
      "\(label): sampling", share: ComparisonProgress.sampling, count: settings.samples,
      unit: "images")
    let images = try run.sample(like: held, stages: stages, shouldStop: shouldStop) {
      progress.update($0)
    }
    progress.finish()
    if shouldStop() { throw ComparisonStopped() }
    var stage = 0
    progress.begin(
      "\(label): measuring", share: ComparisonProgress.measuring, count: extractors.count + 1,
      unit: "proxies")
    let measurement = try run.measure(images, reference: reference) {
      progress.update(stage, $0)
      stage += 1
    }
    return (trained, measurement)
  }

  func train(
    _ run: ComparisonRun, progress: ComparisonProgress
  ) throws -> ComparisonStages.Trained {
    try run.train(on: training, stages: stages, shouldStop: shouldStop) {
      progress.update($0.step, "loss \($0.loss.fixed(3))")
    }
  }

  /// The total entropy increase of every order, as `order-compare` computes it from all images; nil where they are too few.
  private func totalIncreases() -> [GenerationOrder: Estimate?] {
    let orders = configurations.map(\.order).removingRepeats
    do {
      let profiles = try OrderEstimator().profiles(of: orders, in: dataset)
      return Dictionary(
        uniqueKeysWithValues: zip(orders, profiles).map { ($0, $1.totalIncrease) })
    } catch {
      // Of what would help nothing is a setting of a comparison.
      let reason = (error as? EstimationError)?.finding ?? "\(error)"
      report("no entropy increase: \(reason)")
      return [:]
    }
  }

  /// The proxies of the half that is trained on, against the other one.
  func noiseFloor(_ reference: ComparisonReference) throws -> ComparisonMeasurement {
    if let known = JSONFile.read(ComparisonMeasurement.self, from: floorPath) { return known }
    let line = ProgressLine("real against real", total: extractors.count + 1, unit: "proxies")
    defer { line.finish() }
    // As many images as a model generates, so that both are biased alike.
    let count = min(settings.samples, training.imageCount)
    var stage = 0
    let floor = try reference.measure(
      training.selecting(
        images: GeneratedImages.randomImages(count, of: training.imageCount)), order: floorOrder
    ) {
      line.update(stage, $0)
      stage += 1
    }
    try JSONFile.write(floor, to: floorPath)
    return floor
  }

  private static func order(
    _ configuration: ComparisonConfiguration,
    _ runs: [(
      run: ComparisonRun, trained: ComparisonStages.Trained, measurement: ComparisonMeasurement
    )],
    increase: Estimate?
  ) -> ComparisonReport.Order {
    let measurements = runs.map(\.measurement)
    let losses = runs.compactMap(\.trained.validationLoss)
    return ComparisonReport.Order(
      name: configuration.name, steps: configuration.order.steps.count,
      tokensPerStep: configuration.tokensPerStep, attention: configuration.attention.rawValue,
      totalIncrease: JSONNumber(increase?.value),
      totalIncreaseStandardError: JSONNumber(increase?.standardError),
      negativeLogLikelihood: JSONNumber(
        losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)),
      proxies: jsonNumbers(ComparisonReport.means(measurements)),
      standardDeviations: jsonNumbers(ComparisonReport.deviations(measurements)),
      paperFID: JSONNumber(configuration.paper?.fid), paperModel: configuration.paper?.model,
      seeds: runs.map {
        ComparisonReport.Seed(
          seed: $0.run.seed, negativeLogLikelihood: JSONNumber($0.trained.validationLoss),
          proxies: jsonNumbers($0.measurement.values),
          standardErrors: jsonNumbers($0.measurement.errors), notes: $0.measurement.notes,
          folder: $0.run.folder)
      })
  }

  /// Sixteen samples of every configuration, and of the real images, each on one sheet; none without a decoder.
  private func writeContactSheets() throws {
    guard dataset.decoder != nil else { return }
    let count = min(16, settings.samples, held.imageCount)
    func write(_ images: TokenDataset, _ name: String) throws {
      let decoder = try TokenImages(of: images)
      try RGBImage(contactSheetOf: (0..<count).map { try decoder.image($0) })
        .writePNG(to: "\(folder)/samples-\(name).png")
    }
    try write(held, "real")
    for run in runs.compactMap(\.first) {
      // Samples are there: only shown again.
      let images = try run.sample(
        like: held, stages: stages, shouldStop: { false }, progress: { _ in })
      try write(images, run.name)
    }
  }

  /// A figure for every proxy of the tables.
  package func figures(of result: ComparisonReport) -> [any Figure] {
    ComparisonReport.headlines(extractors.map(\.name), in: result.orders).compactMap { key, title in
      let configurations = result.orders.compactMap { order -> (String, CurveFigure.Point)? in
        guard let x = order.totalIncrease.value, let y = order.proxies[key]?.value else {
          return nil
        }
        let paper = order.paperFID.value.map { " (paper: \($0.fixed(2)))" } ?? ""
        return (order.name + paper, CurveFigure.Point(x, y, error: order.spread(key)))
      }
      guard !configurations.isEmpty else { return nil }
      return CurveFigure.proxy(
        name: "proxy-\(key.replacing("_", with: "-"))", proxy: title,
        configurations: configurations,
        noiseFloor: result.noiseFloor[key]?.value, unit: "nats",
        caption:
          "Models of \(settings.training.layers) layers of width \(settings.training.width), \(settings.samples.grouped)"
          + " samples of each; points: means over seeds, bars: their standard deviation, of one seed the standard error; in brackets the paper's FID."
          + " Data: \(dataset.name), \(dataset.imageCount.grouped) images, half of them to train on."
      )
    }
  }
}
