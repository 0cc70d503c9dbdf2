import LinearAlgebra
import NeuralKernels
import SystemResources

/// A model that learns: parameters, their gradients and moments, and the passes that compute them.
///
/// A batch is divided into shards that are computed each on one thread with gradients of its own; these are then added up
/// in order. The number of shards is part of a run, the number of threads is not: results depend on the first alone.
final class Trainer<Model: LearningModel> {
  typealias Parameters = ModelParameters<Model.Configuration>

  let model: Model
  let parameters: Parameters
  let optimizer: BufferedAdamW
  let shards: Int
  private let gradients: [Parameters]
  private let passes: [Model.Pass]
  private let team: WorkerTeam

  /// Rows that one pass takes together: enough for products at full speed, few enough for the caches.
  static var rowsPerPass: Int { 512 }

  /// Makes a trainer with parameters of zero.
  ///
  /// - Throws: ``PARError`` for an impossible configuration or a sequence that does not fit it.
  init(_ model: Model, shards: Int, team: WorkerTeam) throws(PARError) {
    let configuration = model.configuration
    try configuration.validate()
    (self.model, self.shards, self.team) = (model, shards, team)
    let capacity = max(1, Self.rowsPerPass / model.mostRows)
    do throws(InsufficientMemory) {
      let rows = Double(capacity * model.mostRows)
      try InsufficientMemory.check(
        4 * Double(shards) * rows * Double(model.numbersKeptPerRow),
        for: "what \(shards) passes over \(Int(rows)) positions keep of all layers")
    } catch {
      throw .tooLittleMemory(error, remedy: "use a smaller grid, fewer layers or a smaller width")
    }
    parameters = Parameters(configuration)
    optimizer = BufferedAdamW(
      parameterCount: configuration.parameterCount, beta1: 0.9, beta2: 0.95)
    gradients = (0..<shards).map { _ in Parameters(configuration) }
    var passes: [Model.Pass] = []
    for _ in 0..<shards { passes.append(try model.pass(capacity: capacity)) }
    self.passes = passes
  }

  /// Computes the gradient of the mean loss of a batch and leaves it in ``gradient``.
  ///
  /// - Parameter dropout: the dropout of a place of the network for elements from number `first` on.
  func computeGradient(
    _ images: [Model.Image],
    dropout: @Sendable (_ place: Int, _ first: Int) -> TrainingKernels.Dropout
  ) -> BatchResult {
    let weight = Float(1 / Double(images.count * model.tokenCount))
    let width = parameters.configuration.width
    // The row of the batch with which each image begins.
    var starts = [0]
    for image in images { starts.append(starts[starts.count - 1] + model.rowCount(of: image)) }
    let losses = eachShard(of: images.count) { [starts] shard, range in
      self.inPasses(shard, range) { pass, part in
        pass.losses(
          self.parameters, images[part],
          dropouts: { dropout($0, starts[part.lowerBound] * width) }, weight: weight,
          addingTo: self.gradients[shard])
      }
    }
    let total = losses.joined().reduce(0.0) { $0 + Double($1) }
    return BatchResult(
      loss: total * Double(weight),
      gradientNorm: optimizer.collect(gradients.map(\.buffer), team: team))
  }

  /// The gradient that ``computeGradient(_:dropout:)`` left.
  var gradient: Parameters { gradients[0] }

  /// Moves the parameters against the gradient, clipped to a norm of `clip`, and clears it.
  func applyGradient(norm: Double, clip: Float, rate: Float, weightDecay: Float) {
    let scale = norm > Double(clip) ? Float(Double(clip) / norm) : 1
    optimizer.step(
      parameters.buffer, gradient: gradient.buffer, gradientScale: scale, rate: rate,
      decays: parameters.decays(weightDecay), team: team)
  }

  /// The negative log-probability of every token, in nats and in the order of each image's sequence, `images × N`, without
  /// dropout.
  func losses(_ images: [Model.Image]) -> [Float] {
    eachShard(of: images.count) { shard, range in
      self.inPasses(shard, range) { pass, part in pass.losses(self.parameters, images[part]) }
    }.flatMap(\.self)
  }

  private func inPasses(
    _ shard: Int, _ range: Range<Int>, _ body: (Model.Pass, Range<Int>) -> [Float]
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

/// What a batch's forward and backward pass found.
struct BatchResult {
  /// The mean negative log-probability of a token, in nats.
  let loss: Double
  /// The Euclidean norm of the gradient of that mean.
  let gradientNorm: Double
}

typealias PARTrainer = Trainer<LearningPAR>
typealias AnyOrderTrainer = Trainer<LearningAnyOrder>

extension Trainer where Model == LearningPAR {
  /// Makes a trainer with parameters of zero.
  ///
  /// - Throws: ``PARError`` for an impossible configuration or a sequence that does not fit it.
  convenience init(
    configuration: PARConfiguration, sequence: PARSequence, attention: AttentionPattern,
    shards: Int, team: WorkerTeam
  ) throws(PARError) {
    try self.init(
      LearningPAR(configuration: configuration, sequence: sequence, attention: attention),
      shards: shards, team: team)
  }
}

extension Trainer where Model == LearningAnyOrder {
  /// Makes a trainer with parameters of zero.
  ///
  /// - Throws: ``PARError`` for an impossible configuration.
  convenience init(
    configuration: AnyOrderConfiguration, shards: Int, team: WorkerTeam
  ) throws(PARError) {
    try self.init(LearningAnyOrder(configuration: configuration), shards: shards, team: team)
  }
}
