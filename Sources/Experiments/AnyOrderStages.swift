import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids

/// What a comparison of orders by one model asks of the model: done in earnest, or by what tests put in its place.
package struct AnyOrderStages {
  /// Trains into a folder, or goes on there, until a model is in it or `shouldStop` says so.
  package typealias Training = (
    _ tokens: TokenDataset, _ orders: OrderMixture, _ settings: TrainingSettings,
    _ folder: String, _ shouldStop: () -> Bool, _ progress: (TrainingProgress) -> Void
  ) throws -> ComparisonStages.Trained

  /// Draws an image for each label in an order, codes in raster order.
  package typealias Sampling = (
    _ order: GenerationOrder, _ options: SamplingOptions, _ labels: [Int], _ folder: String
  ) throws -> [[Int]]

  /// What orders of one sequence lose by the model's own account.
  package typealias Likelihood = (
    _ orders: [GenerationOrder], _ tokens: TokenDataset, _ images: Int?, _ seed: UInt64,
    _ folder: String
  ) throws -> [OrderLikelihood]

  /// Draws steps of real images given the real ones before.
  package typealias Forcing = (
    _ order: GenerationOrder, _ options: SamplingOptions, _ codes: [[Int]], _ labels: [Int],
    _ steps: Set<Int>, _ folder: String
  ) throws -> [TeacherForcedSampler.Step]

  let train: Training
  let sample: Sampling
  let likelihood: Likelihood
  let force: Forcing

  package init(
    train: @escaping Training, sample: @escaping Sampling, likelihood: @escaping Likelihood,
    force: @escaping Forcing
  ) {
    (self.train, self.sample, self.likelihood, self.force) = (train, sample, likelihood, force)
  }

  /// The real ones.
  package static func real() -> AnyOrderStages {
    let team = WorkerTeam()
    var loaded: (path: String, weights: AnyOrderWeights)?
    func weights(in folder: String) throws -> AnyOrderWeights {
      let path = folder + "/" + PARTraining.modelName
      if let loaded, loaded.path == path { return loaded.weights }
      let weights = try AnyOrderWeights(AnyOrderTensors(TrainedModel.tensors(of: path)))
      loaded = (path, weights)
      return weights
    }
    return AnyOrderStages(
      train: { tokens, orders, settings, folder, shouldStop, progress in
        let outcome = try AnyOrderTraining.run(
          tokens: tokens, orders: orders, settings: settings, directory: folder, resume: true,
          shouldStop: shouldStop, progress: progress
        ).training
        return ComparisonStages.Trained(
          finished: outcome.finished, validationLoss: outcome.validationLoss,
          seconds: outcome.seconds)
      },
      sample: { order, options, labels, folder in
        try AnyOrderSampler(
          weights: weights(in: folder), orders: [order], options: options, team: team
        ).generate(labels: labels)
      },
      likelihood: { orders, tokens, images, seed, folder in
        try AnyOrderLikelihood(
          model: folder + "/" + PARTraining.modelName, tokens: tokens, orders: orders,
          imageLimit: images, seed: seed
        ).orders.map(OrderLikelihood.init)
      },
      force: { order, options, codes, labels, steps, folder in
        try TeacherForcedSampler(
          weights: weights(in: folder), order: order, options: options, team: team
        ).draw(codes: codes, labels: labels, steps: steps)
      })
  }
}

/// What a model says of held-out images in one order, nats an image.
package struct OrderLikelihood: Codable, Hashable, Sendable {
  /// What drawing the tokens of a step independently loses, and its standard error over images.
  let lost, lostError: Double
  /// −log q of an image drawn in the order's steps, and its standard error.
  let parallel, parallelError: Double
  /// −log q of an image drawn one by one.
  let sequential: Double

  package init(
    lost: Double, lostError: Double, parallel: Double, parallelError: Double, sequential: Double
  ) {
    (self.lost, self.lostError) = (lost, lostError)
    (self.parallel, self.parallelError) = (parallel, parallelError)
    self.sequential = sequential
  }

  init(_ order: AnyOrderLikelihood.Order) {
    // An order that is one by one loses nothing, whatever rounding says.
    let isSequential = order.order.steps.allSatisfy { $0.count == 1 }
    self.init(
      lost: isSequential ? 0 : order.total.mean,
      lostError: isSequential ? 0 : order.total.standardError,
      parallel: order.parallelTotal.mean, parallelError: order.parallelTotal.standardError,
      sequential: order.sequentialTotal.mean)
  }
}
