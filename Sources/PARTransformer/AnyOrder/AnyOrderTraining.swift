import Foundation
import NeuralKernels
import TokenData
import TokenGrids

/// Training of an any-order transformer from its first step to a model file, with checkpoints on the way. (LPD, section 3.2;
/// the schedule and regularization are those of PAR, section 4.1.)
public enum AnyOrderTraining {
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
    let checkpoint = try TrainingCheckpoint<AnyOrderPlan>(path: path)
    return Resumed(
      settings: checkpoint.state.run.settings, orders: checkpoint.state.run.plan.orders,
      tokens: checkpoint.metadata["tokens"])
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
    let run = try TrainingRun(
      tokens: tokens, orders: orders, settings: settings,
      shards: min(team.workers, settings.batchSize))
    let loop = try TrainingLoop(
      run, LearningAnyOrder(configuration: run.configuration(on: tokens.grid)), tokens: tokens,
      named: named, directory: directory, resume: resume, team: team, clock: clock)
    let outcome = try loop.run(shouldStop: shouldStop) { done in
      progress(done)
      if let preview, done.step % preview.every == 0 {
        try preview.show(done.step, loop.trainer.parameters.weights())
      }
    }
    return Outcome(
      training: outcome, lossByKnownTokens: outcome.finished ? loop.lossByKnownTokens() : [])
  }
}
