import PARTransformer
import Reporting
import TokenGrids

/// How one model for every order is trained, sampled in the orders, and measured.
package struct AnyOrderSettings: Codable, Hashable, Sendable {
  /// The seed is that of the first of several models.
  package var training: TrainingSettings
  /// How many images are generated in each order.
  package var samples: Int
  package var guidance: Float
  package var temperature: Float
  /// Every k of the neighbour metrics.
  package var neighbors: [Int]
  /// Held-out images whose likelihood is measured; nil for all.
  package var likelihoodImages: Int?
  /// Held-out images whose steps are drawn given the real ones before; 0 for none.
  package var forcedImages: Int
  /// The most steps of an order that are drawn so.
  package var forcedSteps: Int
  /// How often orders are drawn anew for the intervals of correlations.
  package var resamples: Int

  package init(
    training: TrainingSettings, samples: Int, guidance: Float = 1, temperature: Float = 1,
    neighbors: [Int] = [3, 5], likelihoodImages: Int? = nil, forcedImages: Int,
    forcedSteps: Int = 6, resamples: Int = 2000
  ) {
    self.training = training
    self.samples = samples
    self.guidance = guidance
    self.temperature = temperature
    self.neighbors = neighbors
    self.likelihoodImages = likelihoodImages
    self.forcedImages = forcedImages
    self.forcedSteps = forcedSteps
    self.resamples = resamples
  }

  /// The settings of one model's training.
  func training(seed: UInt64) -> TrainingSettings {
    var settings = training
    settings.seed = seed
    return settings
  }

  /// Images that are drawn together: enough for a step of single tokens to be a product of matrices.
  static let batchSize = 250
}

extension OrderMixture {
  /// The contexts of all orders that are compared: their sequences, equal ones once, share seven tenths of the images, the
  /// others are shown in random permutations; in any number of steps.
  ///
  /// - Precondition: there is an order.
  package init(comparing orders: [GenerationOrder]) {
    var names: [[Int]: String] = [:]
    var sequences: [[Int]] = []
    for order in orders where names[order.sequence] == nil {
      names[order.sequence] = order.name
      sequences.append(order.sequence)
    }
    let fixed = 0.7
    self.init(
      entries: [Entry(name: "random", share: 1 - fixed, sequences: [])]
        + sequences.map {
          Entry(
            name: names[$0] ?? "", share: fixed / Double(sequences.count), sequences: [$0])
        },
      steps: 1...orders[0].grid.cellCount)
  }
}

/// The names of folders and files of one model, by everything that their contents depend on.
struct AnyOrderKeys {
  /// Raised when the same settings would give other results.
  private static let revision = 1

  private struct Training: Codable {
    let program: String
    let dataset: String
    let splitSeed: UInt64
    let orders: OrderMixture
    let settings: TrainingSettings
  }

  private struct Samples: Codable {
    let training: String
    let steps: [[Int]]
    let samples: Int
    let guidance, temperature: Float
    let heldImages: Int
  }

  private struct Metrics: Codable {
    let samples: String
    let extractors: [String]
    let neighbors: [Int]
  }

  private struct Held: Codable {
    let training: String
    let steps: [[Int]]
    let images: Int?
    let chosen: Int?
    let guidance, temperature: Float?
  }

  /// Of the training.
  let training: String
  private let settings: AnyOrderSettings
  private let extractors: [String]
  private let heldImages: Int

  init(
    dataset: String, splitSeed: UInt64, heldImages: Int, orders: OrderMixture,
    settings: AnyOrderSettings, seed: UInt64, extractors: [String]
  ) throws {
    var trainingSettings = settings.training(seed: seed)
    trainingSettings.checkpointSeconds = 0
    training = try ComparisonKeys.hash(
      Training(
        program: "\(packageVersion)-\(Self.revision)", dataset: dataset, splitSeed: splitSeed,
        orders: orders, settings: trainingSettings))
    (self.settings, self.extractors, self.heldImages) = (settings, extractors, heldImages)
  }

  func samples(_ order: GenerationOrder) throws -> String {
    try ComparisonKeys.hash(
      Samples(
        training: training, steps: order.steps, samples: settings.samples,
        guidance: settings.guidance, temperature: settings.temperature, heldImages: heldImages))
  }

  func metrics(_ order: GenerationOrder) throws -> String {
    try ComparisonKeys.hash(
      Metrics(
        samples: samples(order), extractors: extractors, neighbors: settings.neighbors))
  }

  func likelihood(_ order: GenerationOrder) throws -> String {
    try ComparisonKeys.hash(
      Held(
        training: training, steps: order.steps, images: settings.likelihoodImages, chosen: nil,
        guidance: nil, temperature: nil))
  }

  func forced(_ order: GenerationOrder) throws -> String {
    try ComparisonKeys.hash(
      Held(
        training: training, steps: order.steps, images: settings.forcedImages,
        chosen: settings.forcedSteps, guidance: settings.guidance,
        temperature: settings.temperature))
  }
}
