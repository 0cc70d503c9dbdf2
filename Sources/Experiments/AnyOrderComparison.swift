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

/// A comparison of orders by one model for all of them: what differs between two of its rows is the order alone.
package struct AnyOrderComparison {
  let dataset: TokenDataset
  private let training: TokenDataset
  let held: TokenDataset
  let orders: [GenerationOrder]
  let settings: AnyOrderSettings
  let extractors: [any FeatureExtractor]
  let folder: String
  /// Held as long as this: of two programs each would make what the other makes.
  private let lock: FolderLock
  let stages: AnyOrderStages
  private let shouldStop: () -> Bool
  let runs: [AnyOrderModelRun]
  let floorPath, increasesPath: String
  let seed: UInt64
  /// The orders one by one that others are held against, beside the compared ones.
  private let bases: [GenerationOrder]

  /// Plans the work.
  ///
  /// - Parameters:
  ///   - training: The half of the images that models, and group sizes, are fitted to.
  ///   - held: The other half, which everything is measured on.
  ///   - orders: At least one, of the dataset's grid, all with names of their own.
  ///   - seeds: The number of models.
  ///   - sharesFolder: Whether other processes do tasks of the same comparison meanwhile.
  /// - Throws: What is wrong with the folder.
  package init(
    dataset: TokenDataset, training: TokenDataset, held: TokenDataset, orders: [GenerationOrder],
    settings: AnyOrderSettings, seeds: Int, firstSeed: UInt64,
    extractors: [any FeatureExtractor], folder: String, sharesFolder: Bool = false,
    stages: AnyOrderStages, shouldStop: @escaping () -> Bool
  ) throws {
    (self.dataset, self.training, self.held) = (dataset, training, held)
    (self.orders, self.settings, self.extractors) = (orders, settings, extractors)
    (self.folder, self.stages, self.shouldStop, seed) = (folder, stages, shouldStop, firstSeed)
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
    let mixture = OrderMixture(comparing: orders)
    let definitions = extractors.map { $0.definitionHash.description }
    runs = try (0..<seeds).map { index in
      let seed = firstSeed + UInt64(index)
      return AnyOrderModelRun(
        seed: seed, settings: settings,
        keys: try AnyOrderKeys(
          dataset: hash, splitSeed: firstSeed, heldImages: held.imageCount, orders: mixture,
          settings: settings, seed: seed, extractors: definitions),
        mixture: mixture, cache: cache, shouldStop: shouldStop)
    }
    var known = Set(orders.map(\.steps))
    bases = orders.map { $0.sequentialized() }.filter { known.insert($0.steps).inserted }
    struct Real: Codable {
      var revision = 1
      let dataset: String
      let splitSeed: UInt64
      let extractors: [String]
      let neighbors, images: [Int]
      let steps: [[[Int]]]
    }
    func key(_ extractors: [String], _ neighbors: [Int], _ images: Int, _ steps: [[[Int]]])
      throws -> String
    {
      try ComparisonKeys.hash(
        Real(
          dataset: hash, splitSeed: firstSeed, extractors: extractors, neighbors: neighbors,
          images: [images, held.imageCount], steps: steps))
    }
    floorPath =
      "\(cache)/real-against-real-\(try key(definitions, settings.neighbors, settings.samples, [])).json"
    increasesPath = "\(cache)/increases-\(try key([], [], 0, orders.map(\.steps))).json"
  }

  /// Does what is not done yet.
  ///
  /// - Throws: ``ComparisonStopped`` when the user asked to stop; what was begun is kept.
  package func run(provenance: Provenance, clock: Stopwatch) throws -> AnyOrderReport {
    let reference = makeReference()
    let (increases, missing) = try totalIncreases()
    let floor = try noiseFloor(reference)
    var models: [AnyOrderReport.Model] = []
    for run in runs {
      models.append(try carryOut(run, reference: reference))
    }
    var result = AnyOrderReport(
      dataset: dataset, trainingImages: training.imageCount, referenceImages: held.imageCount,
      isGivenClass: isGivenClass, settings: settings, extractors: extractors, orders: orders,
      increases: increases, floor: floor, models: models,
      notes: [missing].compactMap(\.self), provenance: provenance.finished(after: clock))
    result.sheetColumns = sheetColumns(result)
    try writeContactSheets(columns: result.sheetColumns)
    return result
  }

  /// The half that everything is measured against.
  func makeReference() -> ComparisonReference {
    ComparisonReference(
      dataset: held, extractors: extractors, neighbors: settings.neighbors, seed: seed)
  }

  /// All orders that images are drawn in, and whether they are compared or only held against.
  var everything: [(order: GenerationOrder, isCompared: Bool)] {
    orders.map { ($0, true) } + bases.map { ($0, false) }
  }

  /// The compared orders by their sequences, which share a likelihood.
  var sequences: [[GenerationOrder]] {
    orders.map(\.sequence).removingRepeats.map { sequence in
      orders.filter { $0.sequence == sequence }
    }
  }

  /// The real images whose steps are drawn; nil where there are to be none, or are too few.
  func forcedImages() throws -> TokenDataset? {
    let count = min(settings.forcedImages, held.imageCount)
    guard count >= FeatureSet.leastImages else { return nil }
    return try held.selecting(images: GeneratedImages.randomImages(count, of: held.imageCount))
  }

  /// At most nine orders, from the one that loses least to the one that loses most.
  private func sheetColumns(_ result: AnyOrderReport) -> [String] {
    guard dataset.decoder != nil else { return [] }
    let rising = result.orders.enumerated().sorted {
      let losses = (
        $0.element.value("total_increase") ?? 0, $1.element.value("total_increase") ?? 0
      )
      return losses.0 == losses.1 ? $0.offset < $1.offset : losses.0 < losses.1
    }.map(\.element.name)
    let count = min(9, rising.count)
    return (0..<count).map { rising[$0 * (rising.count - 1) / max(count - 1, 1)] }
  }

  /// Everything of one model.
  private func carryOut(
    _ run: AnyOrderModelRun, reference: ComparisonReference
  ) throws -> AnyOrderReport.Model {
    let trained = try train(run)
    let real = try forcedImages()
    func missing() throws -> Int {
      try everything.reduce(0) {
        try $0 + run.missingPieces($1.order, isCompared: $1.isCompared, isForced: real != nil)
      }
    }
    let total = try missing()
    let line = ProgressLine("\(label(run)): orders", total: total, unit: "pieces")
    defer { line.finish() }
    func piece<Result>(_ facts: String, _ body: () throws -> Result) throws -> Result {
      line.update(total - (try missing()), facts)
      return try body()
    }
    var measurements: [[[Int]]: ComparisonMeasurement] = [:]
    for (order, _) in everything {
      measurements[order.steps] = try piece("\(order.name): samples") {
        try run.measurement(order, like: held, reference: reference, stages: stages)
      }
    }
    var likelihoods: [[[Int]]: OrderLikelihood] = [:]
    for same in sequences {
      let found = try piece("\(same[0].name): likelihood") {
        try run.likelihoods(same, on: held, seed: seed, stages: stages)
      }
      for (order, one) in zip(same, found) { likelihoods[order.steps] = one }
    }
    var forced: [[[Int]]: ComparisonMeasurement] = [:]
    if let real {
      for order in orders {
        forced[order.steps] = try piece("\(order.name): teacher-forced steps") {
          try run.forced(order, real: real, stages: stages)
        }
      }
    }
    return AnyOrderReport.Model(
      seed: run.seed, folder: run.folder, trained: trained, measurements: measurements,
      likelihoods: likelihoods, forced: forced)
  }

  private func label(_ run: AnyOrderModelRun) -> String {
    "model \(run.seed - seed + 1) of \(runs.count)"
  }

  /// Trains a model where that is not done.
  func train(_ run: AnyOrderModelRun) throws -> ComparisonStages.Trained {
    if let trained = run.trained { return trained }
    if shouldStop() { throw ComparisonStopped() }
    let line = ProgressLine(
      "\(label(run)): training", total: settings.training.steps, unit: "steps")
    defer { line.finish() }
    return try run.train(on: training, stages: stages) {
      line.update($0.step, "loss \($0.loss.fixed(3))", secondsLeft: $0.secondsLeft)
    }
  }

  private var isGivenClass: Bool { (held.labels.map { Set($0.values).count } ?? 1) > 1 }

  /// The total entropy increases, of the held-out half and within its classes; all in one pass over the images' sums.
  /// Where there are too few images none, and the reason.
  func totalIncreases() throws -> ([AnyOrderReport.Increase], missing: String?) {
    if let known = JSONFile.read([AnyOrderReport.Increase].self, from: increasesPath) {
      return (known, nil)
    }
    if shouldStop() { throw ComparisonStopped() }
    do {
      var settings = EstimationSettings()
      settings.isGivenClass = isGivenClass
      let profiles = try OrderEstimator(settings).profiles(of: orders, in: held)
      let found = profiles.map {
        AnyOrderReport.Increase(
          value: $0.totalIncrease.value, error: $0.totalIncrease.standardError)
      }
      try JSONFile.write(found, to: increasesPath)
      return (found, nil)
    } catch let error as EstimationError {
      // Of what would help nothing is a setting of a comparison.
      return ([], "no entropy increase: \(error.finding)")
    }
  }

  /// The proxies of as many images of the training half as are generated in an order.
  func noiseFloor(_ reference: ComparisonReference) throws -> ComparisonMeasurement {
    if let known = JSONFile.read(ComparisonMeasurement.self, from: floorPath) { return known }
    if shouldStop() { throw ComparisonStopped() }
    let count = min(settings.samples, training.imageCount)
    var floor = try reference.measure(
      training.selecting(
        images: GeneratedImages.randomImages(count, of: training.imageCount)), order: nil
    ) { _ in }
    if count < settings.samples {
      // What depends on the number of images compares with nothing then.
      floor.values = floor.values.filter {
        $0.key.hasPrefix("fd_infinity_") || $0.key.hasPrefix("kid_")
      }
      floor.notes.append(
        "no noise floor but of FD∞ and KID: \(settings.samples.grouped) images are drawn in an order, and there are \(training.imageCount.grouped) real ones that they are not compared with"
      )
    }
    try JSONFile.write(floor, to: floorPath)
    return floor
  }

  /// Samples of the first model: a sheet for each order, and one on which the same images stand side by side, a column for each of
  /// some orders, real ones at the right; none without a decoder.
  private func writeContactSheets(columns: [String]) throws {
    guard dataset.decoder != nil, let run = runs.first else { return }
    let count = min(16, settings.samples, held.imageCount)
    func pictures(_ images: TokenDataset) throws -> [RGBImage] {
      let decoder = try TokenImages(of: images)
      return try (0..<count).map { try decoder.image($0) }
    }
    func write(_ images: [RGBImage], columns: Int? = nil, _ name: String) throws {
      try RGBImage(contactSheetOf: images, columns: columns).writePNG(
        to: "\(folder)/samples-\(name).png")
    }
    var byOrder: [String: [RGBImage]] = [:]
    for order in orders {
      let images = try pictures(run.samples(order, like: held, stages: stages))
      try write(images, String(order.name.map { $0.isLetter || $0.isNumber ? $0 : "-" }))
      byOrder[order.name] = images
    }
    let real = try pictures(held)
    try write(real, "real")
    let beside = columns.compactMap { byOrder[$0] } + [real]
    try write(
      (0..<min(6, count)).flatMap { row in beside.map { $0[row] } }, columns: beside.count,
      "side-by-side")
  }
}
