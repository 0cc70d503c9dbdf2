import Foundation
import LinearAlgebra
import NeuralKernels
import TokenGrids

/// The steps of a run, with its records and checkpoints.
final class TrainingLoop {
  private var state: TrainingCheckpoint.State
  private let named: String?
  private let order: GenerationOrder
  private let sequence: PARSequence
  private let trainer: PARTrainer
  private let data: TrainingData
  private let folder: TrainingFolder
  private let random: TrainingRandomness
  private let start: ContinuousClock.Instant
  private let validation: [TrainingImage]
  private var lastCheckpoint: (step: Int, time: ContinuousClock.Instant)?
  private var firstStep = 0

  init(
    run: TrainingRun, named: String?, order: GenerationOrder, sequence: PARSequence,
    trainer: PARTrainer,
    data: TrainingData, folder: TrainingFolder, clock: ContinuousClock.Instant
  ) {
    state = TrainingCheckpoint.State(run: run)
    self.named = named
    self.order = order
    self.sequence = sequence
    self.trainer = trainer
    self.data = data
    self.folder = folder
    random = TrainingRandomness(seed: run.settings.seed)
    start = clock
    validation = data.validation
  }

  private var settings: TrainingSettings { state.run.settings }

  /// Takes up a checkpoint, or draws initial weights.
  func start(from checkpoint: TrainingCheckpoint?) throws {
    guard let checkpoint else {
      random.initialize(trainer.parameters)
      return
    }
    try checkpoint.restore(trainer)
    let run = state.run
    state = checkpoint.state
    // Names, and how often to write, may have changed.
    state.run = run
    lastCheckpoint = (state.step, .now)
    firstStep = state.step
  }

  /// Makes the remaining steps.
  func run(
    shouldStop: () -> Bool, progress: (TrainingProgress) -> Void
  ) throws -> TrainingOutcome {
    let begin = ContinuousClock.now
    var lastWrite = begin
    while state.step < settings.steps {
      if shouldStop() {
        try writeCheckpoint()
        return outcome(finished: false, since: begin)
      }
      let norm = try step()
      if seconds(since: lastWrite) >= settings.checkpointSeconds, state.step < settings.steps {
        try writeCheckpoint()
        lastWrite = .now
      }
      progress(report(norm: norm, since: begin))
    }
    try writeCheckpoint()
    try TrainedModel.write(
      trainer, run: state.run, order: order, validationLoss: validationLoss, step: state.step,
      to: folder.model)
    return outcome(finished: true, since: begin)
  }

  /// Makes one step and returns the norm of its gradient.
  private func step() throws -> Double {
    let step = state.step
    let settings = settings
    let random = random
    let result = trainer.computeGradient(data.batch(step: step)) { place, first in
      guard settings.dropout > 0 else { return .none }
      return TrainingKernels.Dropout(
        probability: settings.dropout, key: random.dropoutKey(step: step, place: place),
        first: first)
    }
    guard result.loss.isFinite, result.gradientNorm.isFinite else {
      throw TrainingError.notFinite(
        step: step + 1, loss: result.loss, checkpointStep: lastCheckpoint?.step,
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

  private func writeCheckpoint() throws {
    var metadata = try TrainedModel.metadata(
      run: state.run, order: order, validationLoss: validationLoss, step: state.step)
    metadata["tokens"] = named
    try TrainingCheckpoint.write(
      trainer, state: state, metadata: metadata, to: folder.checkpointPath)
    try folder.writeLosses(state.history, batchSize: settings.batchSize)
    lastCheckpoint = (state.step, .now)
  }

  private var validationLoss: Double? {
    state.history.last { $0.validationLoss != nil }?.validationLoss
  }

  private func seconds(since begin: ContinuousClock.Instant) -> Double {
    let elapsed = (ContinuousClock.now - begin).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }

  private func tokensPerSecond(since begin: ContinuousClock.Instant) -> Double {
    let tokens = (state.step - firstStep) * settings.batchSize * sequence.tokenCount
    return Double(tokens) / max(seconds(since: begin), 1e-9)
  }

  private func report(norm: Double, since begin: ContinuousClock.Instant) -> TrainingProgress {
    let loss =
      state.lossCount > 0
      ? state.lossSum / Double(state.lossCount) : state.history.last?.loss ?? .nan
    let done = Double(state.step - firstStep)
    return TrainingProgress(
      step: state.step, steps: settings.steps, loss: loss, validationLoss: validationLoss,
      gradientNorm: norm, tokensPerSecond: tokensPerSecond(since: begin),
      secondsLeft: seconds(since: begin) / done * Double(settings.steps - state.step))
  }

  private func outcome(finished: Bool, since begin: ContinuousClock.Instant) -> TrainingOutcome {
    TrainingOutcome(
      model: folder.model, finished: finished, step: state.step, validationLoss: validationLoss,
      history: state.history, parameterCount: trainer.parameters.configuration.parameterCount,
      seconds: seconds(since: start), tokensPerSecond: tokensPerSecond(since: begin))
  }
}
