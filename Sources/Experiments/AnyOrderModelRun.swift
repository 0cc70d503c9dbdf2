import Foundation
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// One model of one seed, and what is made with it order by order; everything stays in its folder.
struct AnyOrderModelRun {
  let seed: UInt64
  /// The folder of its files.
  let folder: String
  private let settings: AnyOrderSettings
  private let keys: AnyOrderKeys
  private let mixture: OrderMixture
  private let shouldStop: () -> Bool

  /// - Parameter shouldStop: Asked before everything that is to be made; what is there costs no question.
  init(
    seed: UInt64, settings: AnyOrderSettings, keys: AnyOrderKeys, mixture: OrderMixture,
    cache: String, shouldStop: @escaping () -> Bool
  ) {
    (self.seed, self.settings, self.keys, self.mixture) = (seed, settings, keys, mixture)
    self.shouldStop = shouldStop
    folder = "\(cache)/any-order-seed-\(seed)-\(keys.training)"
  }

  private func path(_ kind: String, _ key: String, _ ending: String = "json") -> String {
    "\(folder)/\(kind)-\(key).\(ending)"
  }

  private var options: SamplingOptions {
    SamplingOptions(
      guidance: settings.guidance, filter: TokenFilter(temperature: settings.temperature),
      seed: seed, batchSize: AnyOrderSettings.batchSize)
  }

  private func heedStop() throws {
    if shouldStop() { throw ComparisonStopped() }
  }

  /// What is known of the training; nil before it is finished.
  var trained: ComparisonStages.Trained? {
    let record = JSONFile.read(ComparisonStages.Trained.self, from: folder + "/training.json")
    return record?.finished == true
      && FileManager.default.fileExists(atPath: folder + "/" + PARTraining.modelName)
      ? record : nil
  }

  /// Trains where that is not done.
  ///
  /// - Throws: ``ComparisonStopped`` when the user asks to stop, after a checkpoint.
  func train(
    on tokens: TokenDataset, stages: AnyOrderStages,
    progress: (TrainingProgress) -> Void
  ) throws -> ComparisonStages.Trained {
    if let trained { return trained }
    let result = try stages.train(
      tokens, mixture, settings.training(seed: seed), folder, shouldStop, progress)
    guard result.finished else { throw ComparisonStopped() }
    try JSONFile.write(result, to: folder + "/training.json")
    return result
  }

  /// The images of an order, drawn where that is not done; image i of every order has the same class and random numbers.
  func samples(
    _ order: GenerationOrder, like real: TokenDataset, stages: AnyOrderStages
  ) throws -> TokenDataset {
    let path = path("samples", try keys.samples(order), "h5")
    if let known = try? TokenDataset(contentsOf: path), known.imageCount == settings.samples {
      return known
    }
    try heedStop()
    let generated = try GeneratedImages(settings.samples, like: real)
    let codes = try stages.sample(order, options, generated.labels, folder)
    try generated.dataset(
      codes.flatMap { $0.map { UInt32($0) } }, images: generated.labels.indices,
      source: "fid-compare, \(order.name), seed \(seed)"
    ).write(to: path)
    return try TokenDataset(contentsOf: path)
  }

  /// The proxies of an order's images, where that is not done.
  func measurement(
    _ order: GenerationOrder, like real: TokenDataset, reference: ComparisonReference,
    stages: AnyOrderStages
  ) throws -> ComparisonMeasurement {
    let path = path("metrics", try keys.metrics(order))
    if let known = JSONFile.read(ComparisonMeasurement.self, from: path) { return known }
    let images = try samples(order, like: real, stages: stages)
    try heedStop()
    let result = try reference.measure(images, order: nil) { _ in }
    try JSONFile.write(result, to: path)
    return result
  }

  /// What orders of one sequence lose by the model, where that is not known.
  func likelihoods(
    _ orders: [GenerationOrder], on tokens: TokenDataset, seed: UInt64, stages: AnyOrderStages
  ) throws -> [OrderLikelihood] {
    let paths = try orders.map { path("likelihood", try keys.likelihood($0)) }
    let known = paths.map { JSONFile.read(OrderLikelihood.self, from: $0) }
    let missing = orders.indices.filter { known[$0] == nil }
    var result = known
    if !missing.isEmpty {
      try heedStop()
      let new = try stages.likelihood(
        missing.map { orders[$0] }, tokens, settings.likelihoodImages, seed, folder)
      for (index, one) in zip(missing, new) {
        try JSONFile.write(one, to: paths[index])
        result[index] = one
      }
    }
    return result.compactMap(\.self)
  }

  /// How far steps drawn given the real ones before are from the real ones; nothing of an order that is one by one.
  func forced(
    _ order: GenerationOrder, real: TokenDataset, stages: AnyOrderStages
  ) throws -> ComparisonMeasurement {
    let choice = TeacherForcedDistance.Choice(of: order, most: settings.forcedSteps)
    guard settings.forcedImages > 0 else { return ComparisonMeasurement() }
    guard !choice.steps.isEmpty else {
      var nothing = ComparisonMeasurement()
      for name in ["texture", "structure"] { nothing.set("forced_excess_\(name)", 0, error: 0) }
      return nothing
    }
    let path = path("forced", try keys.forced(order))
    if let known = JSONFile.read(ComparisonMeasurement.self, from: path) { return known }
    try heedStop()
    let n = real.grid.cellCount
    guard let codes = real.codes else { throw TrainingError.noCodes(dataset: real.name) }
    let images = (0..<real.imageCount).map { image in
      codes[image * n..<(image + 1) * n].map { Int($0) }
    }
    let labels = (0..<real.imageCount).map { image in
      real.labels.map { Int($0.values[image]) } ?? 0
    }
    let steps = try stages.force(order, options, images, labels, Set(choice.steps), folder)
    let result = try TeacherForcedDistance(order: order, real: real, seed: seed)
      .measure(steps, weight: choice.weight)
    try JSONFile.write(result, to: path)
    return result
  }

  /// Whether it is known what all of some orders lose by the model.
  func hasLikelihoods(_ orders: [GenerationOrder]) throws -> Bool {
    try orders.allSatisfy {
      try FileManager.default.fileExists(atPath: path("likelihood", keys.likelihood($0)))
    }
  }

  /// Whether steps of an order have been drawn given the real ones before.
  func hasForced(_ order: GenerationOrder) throws -> Bool {
    try FileManager.default.fileExists(atPath: path("forced", keys.forced(order)))
  }

  /// How many pieces of an order are not there.
  ///
  /// - Parameters:
  ///   - isCompared: Whether it is more than what others are held against.
  ///   - isForced: Whether its steps are drawn given the real ones before.
  func missingPieces(
    _ order: GenerationOrder, isCompared: Bool, isForced: Bool
  ) throws -> Int {
    var paths = [path("metrics", try keys.metrics(order))]
    if isCompared {
      paths.append(path("likelihood", try keys.likelihood(order)))
      if isForced, order.tokensPerStep > 1 {
        paths.append(path("forced", try keys.forced(order)))
      }
    }
    return paths.count { !FileManager.default.fileExists(atPath: $0) }
  }
}
