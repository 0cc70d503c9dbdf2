import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids

/// The two stages that take a model: what a comparison does in earnest, and what tests put in their place.
package struct ComparisonStages {
  /// What training left: nil for the loss where nothing was held out.
  package struct Trained: Codable {
    package let finished: Bool
    package let validationLoss: Double?
    package let seconds: Double

    package init(finished: Bool, validationLoss: Double?, seconds: Double) {
      self.finished = finished
      self.validationLoss = validationLoss
      self.seconds = seconds
    }
  }

  /// Trains into a folder, or goes on there, until `model.safetensors` is in it or `shouldStop` says so.
  package typealias Training = (
    _ tokens: TokenDataset, _ configuration: ComparisonConfiguration,
    _ settings: TrainingSettings, _ folder: String, _ shouldStop: () -> Bool,
    _ progress: (TrainingProgress) -> Void
  ) throws -> Trained

  /// Draws an image for each label from the model in a folder, codes in raster order.
  package typealias Sampling = (
    _ configuration: ComparisonConfiguration, _ options: SamplingOptions, _ labels: [Int],
    _ folder: String, _ progress: @escaping (Int) -> Void
  ) throws -> [[Int]]

  let train: Training
  let sample: Sampling

  package init(train: @escaping Training, sample: @escaping Sampling) {
    self.train = train
    self.sample = sample
  }

  /// The real ones.
  package static func real() -> ComparisonStages {
    let team = WorkerTeam()
    var loaded: (path: String, weights: PARWeights)?
    return ComparisonStages(
      train: { tokens, configuration, settings, folder, shouldStop, progress in
        let outcome = try PARTraining.run(
          tokens: tokens, order: configuration.order,
          tokensPerStep: configuration.tokensPerStep, attention: configuration.attention,
          settings: settings, directory: folder, resume: true, shouldStop: shouldStop,
          progress: progress)
        return Trained(
          finished: outcome.finished, validationLoss: outcome.validationLoss,
          seconds: outcome.seconds)
      },
      sample: { configuration, options, labels, folder, progress in
        let path = folder + "/" + PARTraining.modelName
        if loaded?.path != path {
          loaded = (path, try PARWeights(checkpoint: SafetensorsCheckpoint(path: path)))
        }
        guard let weights = loaded?.weights else { return [] }
        let sampler = try PARSampler(
          weights: weights,
          sequence: PARSequence(
            order: configuration.order, tokensPerStep: configuration.tokensPerStep),
          options: options, team: team)
        return try sampler.generate(labels: labels) { state in
          progress(
            state.finishedImages + state.batchImages * state.tokens
              / configuration.order.grid.cellCount)
        }
      })
  }
}

/// The user asked to stop; everything up to here is kept.
package struct ComparisonStopped: Error {
  package init() {}
}
