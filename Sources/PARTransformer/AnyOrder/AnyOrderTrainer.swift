import LinearAlgebra
import NeuralKernels

/// An any-order model that learns: parameters, their gradients and moments, and the passes that compute them.
///
/// A batch is divided into shards that are computed each on one thread with gradients of its own; these are then added up
/// in order. The number of shards is part of a run, the number of threads is not: results depend on the first alone.
final class AnyOrderTrainer {
  let parameters: AnyOrderParameters
  let optimizer: BufferedAdamW
  let shards: Int
  private let gradients: [AnyOrderParameters]
  private let passes: [AnyOrderTrainingPass]
  private let team: WorkerTeam

  /// Makes a trainer with parameters of zero.
  ///
  /// - Throws: ``PARError`` for an impossible configuration.
  init(configuration: AnyOrderConfiguration, shards: Int, team: WorkerTeam) throws(PARError) {
    try configuration.validate()
    (self.shards, self.team) = (shards, team)
    parameters = AnyOrderParameters(configuration)
    optimizer = BufferedAdamW(
      parameterCount: configuration.parameterCount, beta1: 0.9, beta2: 0.95)
    gradients = (0..<shards).map { _ in AnyOrderParameters(configuration) }
    let capacity = max(1, PARTrainer.rowsPerPass / (2 * configuration.grid.cellCount))
    passes = (0..<shards).map { _ in
      AnyOrderTrainingPass(configuration: configuration, capacity: capacity)
    }
  }

  /// Computes the gradient of the mean loss of a batch and leaves it in ``gradient``.
  ///
  /// - Parameter dropout: the dropout of a place of the network for elements from number `first` on.
  func computeGradient(
    _ images: [AnyOrderImage],
    dropout: @Sendable (_ place: Int, _ first: Int) -> TrainingKernels.Dropout
  ) -> PARTrainer.BatchResult {
    let configuration = parameters.configuration
    let weight = Float(1 / Double(images.count * configuration.grid.cellCount))
    var starts = [0]
    for image in images { starts.append(starts[starts.count - 1] + image.rowCount) }
    let losses = eachShard(of: images.count) { [starts] shard, range in
      self.inPasses(shard, range) { pass, part in
        pass.losses(
          self.parameters, images[part],
          dropouts: { dropout($0, starts[part.lowerBound] * configuration.width) },
          weight: weight, addingTo: self.gradients[shard])
      }
    }
    let total = losses.joined().reduce(0.0) { $0 + Double($1) }
    return PARTrainer.BatchResult(
      loss: total * Double(weight),
      gradientNorm: optimizer.collect(gradients.map(\.buffer), team: team))
  }

  /// The gradient that ``computeGradient(_:dropout:)`` left.
  var gradient: AnyOrderParameters { gradients[0] }

  /// Moves the parameters against the gradient, clipped to a norm of `clip`, and clears it.
  func applyGradient(norm: Double, clip: Float, rate: Float, weightDecay: Float) {
    let scale = norm > Double(clip) ? Float(Double(clip) / norm) : 1
    optimizer.step(
      parameters.buffer, gradient: gradient.buffer, gradientScale: scale, rate: rate,
      decays: parameters.decays(weightDecay), team: team)
  }

  /// The negative log-probability of every token, in nats and in the order of each image's sequence, `images × N`, without
  /// dropout.
  func losses(_ images: [AnyOrderImage]) -> [Float] {
    eachShard(of: images.count) { shard, range in
      self.inPasses(shard, range) { pass, part in pass.losses(self.parameters, images[part]) }
    }.flatMap(\.self)
  }

  private func inPasses(
    _ shard: Int, _ range: Range<Int>, _ body: (AnyOrderTrainingPass, Range<Int>) -> [Float]
  ) -> [Float] {
    let pass = passes[shard]
    return stride(from: range.lowerBound, to: range.upperBound, by: pass.capacity).flatMap {
      body(pass, $0..<min($0 + pass.capacity, range.upperBound))
    }
  }

  /// Runs `body` for the images of every shard, and returns its results in order.
  private func eachShard(
    of count: Int, _ body: (_ shard: Int, _ range: Range<Int>) -> [Float]
  ) -> [[Float]] {
    // Every shard has memory of its own, and results go to places of their own.
    nonisolated(unsafe) let body = body
    let shards = shards
    return BLAS.onCallingThread {
      team.map(shards) { shard in
        body(shard, count * shard / shards..<count * (shard + 1) / shards)
      }
    }
  }
}
