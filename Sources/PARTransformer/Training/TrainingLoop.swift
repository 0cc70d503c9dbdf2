import FileFormats
import NeuralKernels
import TokenData

/// The steps of a run, with its records and checkpoints.
final class TrainingLoop<Plan: TrainingPlan> {
  typealias Checkpoint = TrainingCheckpoint<Plan>

  let trainer: Trainer<Plan.Model>
  /// The images held out.
  let validation: [Plan.Model.Image]
  private var state: Checkpoint.State
  private let named: String?
  private let data: TrainingData
  private let folder: TrainingFolder
  private let random: TrainingRandomness
  private let start: ContinuousClock.Instant
  private var lastCheckpoint: Int?
  private var firstStep = 0

  /// Starts a run, or takes one up from the folder's checkpoint.
  ///
  /// - Parameters:
  ///   - named: how the user named the dataset, for who resumes.
  ///   - directory: the run's folder, made if need be.
  ///   - resume: go on from the folder's checkpoint; where there is none, start.
  ///   - clock: when the call that is told of in the end began.
  /// - Throws: ``TrainingError``, ``PARError``, or why a file cannot be read or written. Whatever can be refused is refused
  ///   before anything is written.
  init(
    _ run: TrainingRun<Plan>, _ model: Plan.Model, tokens: TokenDataset, named: String?,
    directory: String, resume: Bool, team: WorkerTeam, clock: ContinuousClock.Instant
  ) throws {
    var run = run
    let configuration = model.configuration
    try configuration.validate()
    // Weights, AdamW's two moments, and a gradient for each shard.
    try configuration.requireMemory(
      bytesPerParameter: 4 * Double(3 + run.shards), for: "training")
    data = try TrainingData(
      tokens: tokens, settings: run.settings, nullClass: configuration.nullClass)
    folder = try TrainingFolder(directory)
    let checkpoint = try folder.checkpoint(of: Plan.self)
    if let checkpoint {
      guard resume else {
        throw TrainingError.alreadyStarted(
          checkpoint: checkpoint.path, step: checkpoint.state.step)
      }
      try checkpoint.state.run.check(isSameAs: run, checkpoint: checkpoint.path)
      run.shards = checkpoint.state.run.shards
    }
    trainer = try Trainer(model, shards: run.shards, team: team)
    (self.named, start) = (named, clock)
    random = TrainingRandomness(seed: run.settings.seed)
    validation = run.plan.images(data.validation, step: nil, random)
    guard let checkpoint else {
      state = Checkpoint.State(run: run)
      random.initialize(trainer.parameters)
      return
    }
    state = checkpoint.state
    // Names, and how often to write, may have changed.
    state.run = run
    (lastCheckpoint, firstStep) = (state.step, state.step)
    try checkpoint.restore(trainer)
  }

  private var settings: TrainingSettings { state.run.settings }

  /// Makes the remaining steps.
  ///
  /// - Parameters:
  ///   - shouldStop: asked before every step; true writes a checkpoint and returns.
  ///   - progress: called after every step.
  func run(
    shouldStop: () -> Bool, progress: (TrainingProgress) throws -> Void
  ) throws -> TrainingOutcome {
    let begin = ContinuousClock.now
    var lastWrite = begin
    while state.step < settings.steps {
      if shouldStop() {
        try writeCheckpoint()
        return outcome(finished: false, since: begin)
      }
      let norm = try step()
      if (ContinuousClock.now - lastWrite).seconds >= settings.checkpointSeconds,
        state.step < settings.steps
      {
        try writeCheckpoint()
        lastWrite = .now
      }
      try progress(report(norm: norm, since: begin))
    }
    try writeCheckpoint()
    try SafetensorsWriter.write(
      trainer.parameters.tensors(), metadata: metadata(), to: folder.model)
    return outcome(finished: true, since: begin)
  }

  /// Makes one step and returns the norm of its gradient.
  private func step() throws -> Double {
    let (step, settings, random) = (state.step, settings, random)
    let images = state.run.plan.images(data.batch(step: step), step: step, random)
    let result = trainer.computeGradient(images) { place, first in
      guard settings.dropout > 0 else { return .none }
      return TrainingKernels.Dropout(
        probability: settings.dropout, key: random.dropoutKey(step: step, place: place),
        first: first)
    }
    guard result.loss.isFinite, result.gradientNorm.isFinite else {
      throw TrainingError.notFinite(
        step: step + 1, loss: result.loss, checkpointStep: lastCheckpoint,
        directory: folder.path)
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

  /// What the model's file says of its run.
  private func metadata() throws -> [String: String] {
    try state.run.metadata(
      of: trainer.model, step: state.step, validationLoss: validationLoss)
  }

  private func writeCheckpoint() throws {
    var metadata = try self.metadata()
    metadata["tokens"] = named
    try Checkpoint.write(trainer, state: state, metadata: metadata, to: folder.checkpointPath)
    try folder.writeLosses(state.history, batchSize: settings.batchSize)
    lastCheckpoint = state.step
  }

  private var validationLoss: Double? {
    state.history.last { $0.validationLoss != nil }?.validationLoss
  }

  private func tokensPerSecond(since begin: ContinuousClock.Instant) -> Double {
    let tokens = (state.step - firstStep) * settings.batchSize * trainer.model.tokenCount
    return Double(tokens) / max((ContinuousClock.now - begin).seconds, 1e-9)
  }

  private func report(norm: Double, since begin: ContinuousClock.Instant) -> TrainingProgress {
    let loss =
      state.lossCount > 0
      ? state.lossSum / Double(state.lossCount) : state.history.last?.loss ?? .nan
    let done = Double(state.step - firstStep)
    return TrainingProgress(
      step: state.step, steps: settings.steps, loss: loss, validationLoss: validationLoss,
      gradientNorm: norm, tokensPerSecond: tokensPerSecond(since: begin),
      secondsLeft: (ContinuousClock.now - begin).seconds / done
        * Double(settings.steps - state.step))
  }

  private func outcome(finished: Bool, since begin: ContinuousClock.Instant) -> TrainingOutcome {
    TrainingOutcome(
      model: folder.model, finished: finished, step: state.step, validationLoss: validationLoss,
      history: state.history, parameterCount: trainer.parameters.configuration.parameterCount,
      seconds: (ContinuousClock.now - start).seconds, tokensPerSecond: tokensPerSecond(since: begin)
    )
  }
}

extension Duration {
  /// The duration in seconds.
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
