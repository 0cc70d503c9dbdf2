import Foundation
import NeuralKernels
import TokenData
import TokenGrids

/// Training of a PAR transformer from its first step to a model file, with checkpoints on the way. (PAR, section 4.1.)
public enum PARTraining {
  /// The final model's name in a run's folder.
  public static let modelName = "model.safetensors"
  /// The checkpoint's name in a run's folder.
  public static let checkpointName = "checkpoint.safetensors"
  /// The name of the table of losses in a run's folder.
  public static let lossName = "loss.csv"

  /// What a checkpoint says of its run, so that nobody needs to repeat it.
  public struct Resumed: Sendable {
    /// How the run is made.
    public let settings: TrainingSettings
    /// The order that is trained; nil in checkpoints of versions that did not keep it.
    public let order: GenerationOrder?
    /// n.
    public let tokensPerStep: Int
    /// What tokens of one step see of each other.
    public let attention: AttentionPattern?
    /// How the user named the dataset; nil in checkpoints of versions that did not keep it.
    public let tokens: String?
  }

  /// What the checkpoint of a folder says; nil where there is none.
  ///
  /// - Throws: ``TrainingError/damagedCheckpoint(file:reason:)``, or why the file cannot be read.
  public static func resumed(in directory: String) throws -> Resumed? {
    let path = directory + "/" + checkpointName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let checkpoint = try TrainingCheckpoint<PARPlan>(path: path)
    let run = checkpoint.state.run
    return Resumed(
      settings: run.settings,
      order: TrainedModel(metadata: checkpoint.metadata, path: path).order,
      tokensPerStep: run.plan.tokensPerStep,
      attention: AttentionPattern(rawValue: run.plan.attention),
      tokens: checkpoint.metadata["tokens"])
  }

  /// Trains a model on all images of a dataset but those held out, or goes on with a run that was stopped.
  ///
  /// The folder gets `model.safetensors` at the end; `checkpoint.safetensors` every `settings.checkpointSeconds`, when
  /// the run is stopped, and at the end; and `loss.csv` with them. A run that was stopped, or killed and resumed from its
  /// last checkpoint, ends with the same bits as one that never was, whatever the number of threads.
  ///
  /// - Parameters:
  ///   - tokens: codes with their codebook; without labels all images are of one class.
  ///   - named: how the user named the dataset, for who resumes.
  ///   - order: n single steps (or none), then groups of n.
  ///   - tokensPerStep: n.
  ///   - directory: the run's folder, made if need be.
  ///   - resume: go on from the folder's checkpoint; where there is none, start.
  ///   - threads: how many threads; nil for one a processor.
  ///   - shouldStop: asked before every step; true writes a checkpoint and returns.
  ///   - progress: called after every step.
  /// - Returns: The model's path and all losses.
  /// - Throws: ``TrainingError``, ``PARError``, or why a file cannot be read or written.
  /// - Complexity: O(steps · batch · N · parameters) time; parameters ten to twelve times over in memory.
  public static func run(
    tokens: TokenDataset, named: String? = nil, order: GenerationOrder, tokensPerStep: Int,
    attention: AttentionPattern = .groupwise, settings: TrainingSettings, directory: String,
    resume: Bool, threads: Int? = nil, shouldStop: () -> Bool,
    progress: (TrainingProgress) -> Void
  ) throws -> TrainingOutcome {
    let clock = ContinuousClock.now
    try settings.validate()
    let team = WorkerTeam(workers: threads)
    let run = try TrainingRun(
      tokens: tokens, order: order, tokensPerStep: tokensPerStep, attention: attention,
      settings: settings, shards: min(team.workers, settings.batchSize))
    let model = try LearningPAR(
      configuration: run.configuration,
      sequence: PARSequence(order: order, tokensPerStep: tokensPerStep), attention: attention)
    let loop = try TrainingLoop(
      run, model, tokens: tokens, named: named, directory: directory, resume: resume, team: team,
      clock: clock)
    return try loop.run(shouldStop: shouldStop, progress: progress)
  }
}
