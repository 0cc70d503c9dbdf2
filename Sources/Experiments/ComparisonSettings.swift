import Files
import Foundation
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// How models are trained, sampled and measured.
package struct ComparisonSettings: Codable, Hashable, Sendable {
  /// The seed is that of the first of several runs.
  package var training: TrainingSettings
  /// How many images each model generates.
  package var samples: Int
  package var guidance: Float
  package var temperature: Float
  /// Every k of the neighbour metrics.
  package var neighbors: [Int]

  package init(
    training: TrainingSettings, samples: Int, guidance: Float, temperature: Float, neighbors: [Int]
  ) {
    self.training = training
    self.samples = samples
    self.guidance = guidance
    self.temperature = temperature
    self.neighbors = neighbors
  }

  /// Images that are generated and kept together: what an interruption may cost.
  static let imagesPerPart = 250

  /// The settings of one seed's run.
  func training(seed: UInt64) -> TrainingSettings {
    var settings = training
    settings.seed = seed
    return settings
  }
}

/// The names of folders and files by everything that their contents depend on, so that nothing is computed twice and nothing
/// stale is used.
struct ComparisonKeys {
  /// Raised when the same settings would give other results.
  private static let revision = 1

  private struct Training: Codable {
    let program: String
    let dataset: String
    let splitSeed: UInt64
    let steps: [[Int]]
    let tokensPerStep: Int
    let attention: String
    let settings: TrainingSettings
  }

  private struct Samples: Codable {
    let training: Training
    let samples: Int
    let part: Int
    let guidance, temperature: Float
    /// How many real images the classes are those of, where they are drawn at random.
    let classesOf: Int?
  }

  private struct Metrics: Codable {
    /// Raised when the same images would get other numbers.
    var revision = 2
    let samples: Samples?
    let images: Int
    let dataset: String
    let splitSeed: UInt64
    let extractors: [String]
    let neighbors: [Int]
    let profile: [[Int]]
  }

  let training, samples, metrics: String

  /// - Parameters:
  ///   - dataset: The hash of the dataset's file.
  ///   - splitSeed: Of the two halves.
  ///   - heldImages: How many real images generated ones are compared with.
  ///   - configuration: nil for the comparison of the two halves themselves.
  ///   - extractors: The hashes of their definitions.
  init(
    dataset: String, splitSeed: UInt64, heldImages: Int, configuration: ComparisonConfiguration?,
    orders: [GenerationOrder], settings: ComparisonSettings, seed: UInt64, extractors: [String]
  ) throws {
    var samples: Samples?
    if let configuration {
      var trainingSettings = settings.training(seed: seed)
      trainingSettings.checkpointSeconds = 0
      samples = Samples(
        training: Training(
          program: "\(packageVersion)-\(Self.revision)", dataset: dataset, splitSeed: splitSeed,
          steps: configuration.order.steps, tokensPerStep: configuration.tokensPerStep,
          attention: configuration.attention.rawValue, settings: trainingSettings),
        samples: settings.samples, part: ComparisonSettings.imagesPerPart,
        guidance: settings.guidance, temperature: settings.temperature,
        classesOf: settings.samples < heldImages ? heldImages : nil)
    }
    training = try Self.hash(samples?.training)
    self.samples = try Self.hash(samples)
    metrics = try Self.hash(
      Metrics(
        samples: samples, images: settings.samples, dataset: dataset, splitSeed: splitSeed,
        extractors: extractors,
        neighbors: settings.neighbors, profile: orders.flatMap(\.steps)))
  }

  /// Not ``makeJSONEncoder(_:)``: with other names the folders of earlier runs would not be found.
  static func hash(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let digits = ContentHash(of: try encoder.encode(value)).description
    return String(digits.dropFirst("xxh64:".count))
  }
}
