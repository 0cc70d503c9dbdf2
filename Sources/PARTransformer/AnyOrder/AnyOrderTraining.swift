import Files
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData
import TokenGrids

/// Training of an any-order transformer from its first step to a model file, with checkpoints on the way. (LPD, section 3.2;
/// the schedule and regularization are those of PAR, section 4.1.)
public enum AnyOrderTraining {
  /// The mean loss of the tokens that are predicted when a certain number is known.
  public struct KnownTokensLoss: Sendable {
    /// The fewest tokens known.
    public let fewest: Int
    /// The most tokens known.
    public let most: Int
    /// The tokens of held-out images that were predicted so.
    public let tokens: Int
    /// The mean of −log q, in nats.
    public let loss: Double
    /// Its standard error over images, whose tokens are not taken for independent; NaN for a single one.
    public let standardError: Double

    /// Makes the mean of images' sums over some of their tokens.
    init(fewest: Int, most: Int, sums: [(sum: Double, tokens: Int)]) {
      (self.fewest, self.most) = (fewest, most)
      let tokens = sums.reduce(0) { $0 + $1.tokens }
      let loss = sums.reduce(0) { $0 + $1.sum } / Double(tokens)
      let squares = sums.reduce(0) {
        let rest = $1.sum - loss * Double($1.tokens)
        return $0 + rest * rest
      }
      let count = Double(sums.count)
      (self.tokens, self.loss) = (tokens, loss)
      standardError =
        count > 1 ? (squares * count / (count - 1)).squareRoot() / Double(tokens) : .nan
    }
  }

  /// What a run left.
  public struct Outcome: Sendable {
    /// What runs of every kind leave.
    public let training: TrainingOutcome
    /// The loss of held-out images by the number of known tokens; empty before the end, and where none were held out.
    public let lossByKnownTokens: [KnownTokensLoss]
  }

  /// What a checkpoint says of its run, so that nobody needs to repeat it.
  public struct Resumed: Sendable {
    /// How the run is made.
    public let settings: TrainingSettings
    /// The orders it is trained on.
    public let orders: OrderMixture
    /// How the user named the dataset.
    public let tokens: String?
  }

  /// What the checkpoint of a folder says; nil where there is none, or where it is one of a PAR transformer.
  ///
  /// - Throws: ``TrainingError/damagedCheckpoint(file:reason:)``, or why the file cannot be read.
  public static func resumed(in directory: String) throws -> Resumed? {
    let path = directory + "/" + PARTraining.checkpointName
    guard FileManager.default.fileExists(atPath: path),
      AnyOrderTensors.areIn(try TrainedModel.tensors(of: path))
    else { return nil }
    let checkpoint = try AnyOrderCheckpoint(path: path)
    return Resumed(
      settings: checkpoint.state.run.settings, orders: checkpoint.state.run.orders,
      tokens: checkpoint.tokens)
  }

  /// Trains a model on all images of a dataset but those held out, or goes on with a run that was stopped.
  ///
  /// Every image of every step is shown in an order of its own, drawn from `orders`. The folder gets the same files as with
  /// ``PARTraining``, and a run that was stopped, or killed and resumed from its last checkpoint, ends with the same bits as
  /// one that never was, whatever the number of threads.
  ///
  /// - Parameters:
  ///   - tokens: codes with their codebook; without labels all images are of one class.
  ///   - named: how the user named the dataset, for who resumes.
  ///   - directory: the run's folder, made if need be.
  ///   - resume: go on from the folder's checkpoint; where there is none, start.
  ///   - threads: how many threads; nil for one a processor.
  ///   - shouldStop: asked before every step; true writes a checkpoint and returns.
  ///   - progress: called after every step.
  ///   - preview: called after so many steps with the weights as they are.
  /// - Throws: ``TrainingError``, ``PARError``, or why a file cannot be read or written.
  /// - Complexity: O(steps · batch · 2N · parameters) time; parameters ten to twelve times over in memory.
  public static func run(
    tokens: TokenDataset, named: String? = nil, orders: OrderMixture, settings: TrainingSettings,
    directory: String, resume: Bool, threads: Int? = nil, shouldStop: () -> Bool,
    progress: (TrainingProgress) -> Void,
    preview: (every: Int, show: (_ step: Int, AnyOrderWeights) throws -> Void)? = nil
  ) throws -> Outcome {
    let clock = ContinuousClock.now
    try settings.validate()
    try orders.validate(on: tokens.grid)
    let team = WorkerTeam(workers: threads)
    var run = try AnyOrderRun(
      tokens: tokens, orders: orders, settings: settings,
      shards: min(team.workers, settings.batchSize))
    let configuration = run.configuration(on: tokens.grid)
    try configuration.validate()
    try configuration.requireMemory(bytesPerParameter: 16, for: "training")
    let data = try TrainingData(
      tokens: tokens, settings: settings, nullClass: configuration.nullClass)
    let folder = try TrainingFolder(directory)
    var checkpoint: AnyOrderCheckpoint?
    if FileManager.default.fileExists(atPath: folder.checkpointPath) {
      let found = try AnyOrderCheckpoint(path: folder.checkpointPath)
      guard resume else {
        throw TrainingError.alreadyStarted(checkpoint: found.path, step: found.state.step)
      }
      try found.state.run.check(isSameAs: run, checkpoint: found.path)
      run.shards = found.state.run.shards
      checkpoint = found
    }
    let trainer = try AnyOrderTrainer(
      configuration: configuration, shards: run.shards, team: team)
    let loop = AnyOrderTrainingLoop(
      run: run, named: named, trainer: trainer, data: data, folder: folder, clock: clock)
    try loop.start(from: checkpoint)
    return try loop.run(shouldStop: shouldStop, progress: progress, preview: preview)
  }
}

/// The steps of a run, with its records and checkpoints.
final class AnyOrderTrainingLoop {
  private var state: AnyOrderCheckpoint.State
  private let named: String?
  private let trainer: AnyOrderTrainer
  private let data: TrainingData
  private let folder: TrainingFolder
  private let random: TrainingRandomness
  private let start: ContinuousClock.Instant
  private let validation: [AnyOrderImage]
  private var lastCheckpoint: Int?
  private var firstStep = 0

  init(
    run: AnyOrderRun, named: String?, trainer: AnyOrderTrainer, data: TrainingData,
    folder: TrainingFolder, clock: ContinuousClock.Instant
  ) {
    state = AnyOrderCheckpoint.State(run: run)
    (self.named, self.trainer, self.data, self.folder) = (named, trainer, data, folder)
    random = TrainingRandomness(seed: run.settings.seed)
    start = clock
    validation = Self.ordered(data.validation, step: nil, random, run.orders)
  }

  private var settings: TrainingSettings { state.run.settings }

  /// Images with the orders of a step; those held out always have the same.
  private static func ordered(
    _ images: [TrainingImage], step: Int?, _ random: TrainingRandomness, _ orders: OrderMixture
  ) -> [AnyOrderImage] {
    images.enumerated().map { place, image in
      var generator = random.orderGenerator(step: step, place: place)
      let drawn = orders.draw(cells: image.codes.count, using: &generator)
      return AnyOrderImage(
        codes: image.codes, label: image.label, cells: drawn.cells, groupSizes: drawn.groupSizes)
    }
  }

  /// Takes up a checkpoint, or draws initial weights.
  func start(from checkpoint: AnyOrderCheckpoint?) throws {
    guard let checkpoint else {
      random.initialize(trainer.parameters)
      return
    }
    try checkpoint.restore(trainer)
    let run = state.run
    state = checkpoint.state
    // Names, and how often to write, may have changed.
    state.run = run
    lastCheckpoint = state.step
    firstStep = state.step
  }

  /// Makes the remaining steps.
  func run(
    shouldStop: () -> Bool, progress: (TrainingProgress) -> Void,
    preview: (every: Int, show: (Int, AnyOrderWeights) throws -> Void)?
  ) throws -> AnyOrderTraining.Outcome {
    let begin = ContinuousClock.now
    var lastWrite = begin
    while state.step < settings.steps {
      if shouldStop() {
        try writeCheckpoint()
        return AnyOrderTraining.Outcome(
          training: outcome(finished: false, since: begin), lossByKnownTokens: [])
      }
      let norm = try step()
      if (ContinuousClock.now - lastWrite).seconds >= settings.checkpointSeconds,
        state.step < settings.steps
      {
        try writeCheckpoint()
        lastWrite = .now
      }
      progress(report(norm: norm, since: begin))
      if let preview, state.step % preview.every == 0 {
        try preview.show(state.step, trainer.parameters.weights())
      }
    }
    try writeCheckpoint()
    try AnyOrderCheckpoint.writeModel(
      trainer, metadata: state.run.metadata(step: state.step, validationLoss: validationLoss),
      to: folder.model)
    return AnyOrderTraining.Outcome(
      training: outcome(finished: true, since: begin), lossByKnownTokens: lossByKnownTokens())
  }

  /// Makes one step and returns the norm of its gradient.
  private func step() throws -> Double {
    let (step, settings, random) = (state.step, settings, random)
    let images = Self.ordered(data.batch(step: step), step: step, random, state.run.orders)
    let result = trainer.computeGradient(images) { place, first in
      guard settings.dropout > 0 else { return .none }
      return TrainingKernels.Dropout(
        probability: settings.dropout, key: random.dropoutKey(step: step, place: place),
        first: first)
    }
    guard result.loss.isFinite, result.gradientNorm.isFinite else {
      throw TrainingError.notFinite(
        step: step + 1, loss: result.loss, checkpointStep: lastCheckpoint, directory: folder.path)
    }
    let rate = settings.rate(step: step)
    trainer.applyGradient(
      norm: result.gradientNorm, clip: settings.clip, rate: rate,
      weightDecay: settings.weightDecay)
    state.step += 1
    state.lossSum += result.loss
    state.lossCount += 1
    if settings.isRecorded(after: state.step) {
      let loss = settings.isValidated(after: state.step) ? validate() : nil
      state.history.append(
        TrainingRecord(
          step: state.step, loss: state.lossSum / Double(state.lossCount), validationLoss: loss,
          rate: rate))
      (state.lossSum, state.lossCount) = (0, 0)
    }
    return result.gradientNorm
  }

  /// The mean loss of the images held out; nil where there are none.
  private func validate() -> Double? {
    guard !validation.isEmpty else { return nil }
    let losses = trainer.losses(validation)
    return losses.reduce(0.0) { $0 + Double($1) } / Double(losses.count)
  }

  /// The loss of held-out images in sixteen classes of how many tokens are known, or fewer on a small grid.
  private func lossByKnownTokens() -> [AnyOrderTraining.KnownTokensLoss] {
    guard !validation.isEmpty else { return [] }
    let losses = trainer.losses(validation)
    let count = validation[0].cells.count
    let classes = min(16, count)
    // Of every class the sums and numbers of tokens of each image that has some.
    var sums = [[(sum: Double, tokens: Int)]](repeating: [], count: classes)
    for (index, image) in validation.enumerated() {
      var own = [(sum: Double, tokens: Int)](repeating: (0, 0), count: classes)
      var first = 0
      for size in image.groupSizes {
        let place = first * classes / count
        for k in first..<first + size { own[place].sum += Double(losses[index * count + k]) }
        own[place].tokens += size
        first += size
      }
      for (place, part) in own.enumerated() where part.tokens > 0 { sums[place].append(part) }
    }
    // The numbers k with ⌊k·classes/N⌋ = place begin here.
    func least(_ place: Int) -> Int { (place * count + classes - 1) / classes }
    return sums.enumerated().compactMap { place, sums in
      sums.isEmpty
        ? nil
        : AnyOrderTraining.KnownTokensLoss(
          fewest: least(place), most: least(place + 1) - 1, sums: sums)
    }
  }

  private func writeCheckpoint() throws {
    try AnyOrderCheckpoint.write(
      trainer, state: state, tokens: named,
      metadata: state.run.metadata(step: state.step, validationLoss: validationLoss),
      to: folder.checkpointPath)
    try folder.writeLosses(state.history, batchSize: settings.batchSize)
    lastCheckpoint = state.step
  }

  private var validationLoss: Double? {
    state.history.last { $0.validationLoss != nil }?.validationLoss
  }

  private func tokensPerSecond(since begin: ContinuousClock.Instant) -> Double {
    let cells = trainer.parameters.configuration.grid.cellCount
    return Double((state.step - firstStep) * settings.batchSize * cells)
      / max((ContinuousClock.now - begin).seconds, 1e-9)
  }

  private func report(norm: Double, since begin: ContinuousClock.Instant) -> TrainingProgress {
    let loss =
      state.lossCount > 0
      ? state.lossSum / Double(state.lossCount) : state.history.last?.loss ?? .nan
    let seconds = (ContinuousClock.now - begin).seconds
    return TrainingProgress(
      step: state.step, steps: settings.steps, loss: loss, validationLoss: validationLoss,
      gradientNorm: norm, tokensPerSecond: tokensPerSecond(since: begin),
      secondsLeft: seconds / Double(state.step - firstStep) * Double(settings.steps - state.step))
  }

  private func outcome(finished: Bool, since begin: ContinuousClock.Instant) -> TrainingOutcome {
    TrainingOutcome(
      model: folder.model, finished: finished, step: state.step, validationLoss: validationLoss,
      history: state.history, parameterCount: trainer.parameters.configuration.parameterCount,
      seconds: (ContinuousClock.now - start).seconds,
      tokensPerSecond: tokensPerSecond(since: begin))
  }
}

extension Duration {
  /// The duration in seconds.
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
