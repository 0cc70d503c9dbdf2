import Files
import Foundation
import LinearAlgebra
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
    let checkpoint = try TrainingCheckpoint(path: path)
    let run = checkpoint.state.run
    return Resumed(
      settings: run.settings,
      order: TrainedModel(metadata: checkpoint.metadata, path: path).order,
      tokensPerStep: run.tokensPerStep, attention: AttentionPattern(rawValue: run.attention),
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
    var run = try TrainingRun(
      tokens: tokens, order: order, tokensPerStep: tokensPerStep, attention: attention,
      settings: settings, shards: min(team.workers, settings.batchSize))
    // Whatever can be refused is refused before anything is written.
    let sequence = try PARSequence(order: order, tokensPerStep: tokensPerStep)
    try run.configuration.validate()
    // Weights, their gradient and AdamW's two moments.
    try run.configuration.requireMemory(bytesPerParameter: 16, for: "training")
    let data = try TrainingData(
      tokens: tokens, settings: settings, nullClass: run.configuration.nullClass)
    let folder = try TrainingFolder(directory)
    let checkpoint = try folder.checkpoint()
    if let checkpoint {
      guard resume else {
        throw TrainingError.alreadyStarted(
          checkpoint: checkpoint.path, step: checkpoint.state.step)
      }
      try checkpoint.state.run.check(isSameAs: run, checkpoint: checkpoint.path)
      run.shards = checkpoint.state.run.shards
    }
    let trainer = try PARTrainer(
      configuration: run.configuration, sequence: sequence, attention: attention,
      shards: run.shards, team: team)
    let loop = TrainingLoop(
      run: run, named: named, order: order, sequence: sequence, trainer: trainer, data: data,
      folder: folder, clock: clock)
    try loop.start(from: checkpoint)
    return try loop.run(shouldStop: shouldStop, progress: progress)
  }
}

/// The files of a run.
struct TrainingFolder: Sendable {
  let path: String
  var model: String { path + "/" + PARTraining.modelName }
  var checkpointPath: String { path + "/" + PARTraining.checkpointName }
  var losses: String { path + "/" + PARTraining.lossName }

  /// Held as long as the folder is in use: of two runs each would take the other's checkpoints for its own.
  private let lock: FolderLock

  /// Makes the folder if need be, takes it, and then removes what a killed run left half-written.
  ///
  /// - Throws: ``TrainingError/alreadyRunning(directory:)`` before anything is touched; `FileError`.
  init(_ path: String) throws {
    self.path = path
    try OutputFolder.make(path)
    guard let lock = try FolderLock(folder: path, name: ".par-train.lock") else {
      throw TrainingError.alreadyRunning(directory: path)
    }
    self.lock = lock
    // Found out now, not after the training.
    for file in [model, checkpointPath, losses] { _ = try OutputFile(path: file) }
    TemporaryFiles.removeDead(in: path)
  }

  func checkpoint() throws -> TrainingCheckpoint? {
    guard FileManager.default.fileExists(atPath: checkpointPath) else { return nil }
    return try TrainingCheckpoint(path: checkpointPath)
  }

  func writeLosses(_ history: [TrainingRecord], batchSize: Int) throws {
    var text = "step,images,loss,validation_loss,learning_rate\n"
    for one in history {
      text += "\(one.step),\(one.step * batchSize),\(one.loss),"
      text += "\(one.validationLoss.map { "\($0)" } ?? ""),\(one.rate)\n"
    }
    try OutputFile.write(Data(text.utf8), to: losses)
  }
}

/// The images of a run.
struct TrainingData: Sendable {
  private let codes: [UInt32]
  private let labels: [UInt32]?
  private let cellCount: Int
  private let settings: TrainingSettings
  private let nullClass: Int
  private let random: TrainingRandomness
  let training: [Int]
  let heldOut: [Int]

  init(
    tokens: TokenDataset, settings: TrainingSettings, nullClass: Int
  ) throws(TrainingError) {
    guard let codes = tokens.codes else { throw .noCodes(dataset: tokens.name) }
    self.codes = codes
    labels = tokens.labels?.values
    cellCount = tokens.grid.cellCount
    (self.settings, self.nullClass) = (settings, nullClass)
    random = TrainingRandomness(seed: settings.seed)
    (training, heldOut) = Self.split(tokens: tokens, settings: settings)
    guard !training.isEmpty else {
      throw .badSetting(
        name: "validation images", value: "\(heldOut.count)",
        expected: "fewer than the \(tokens.imageCount) images of \(tokens.name)")
    }
  }

  /// Which images are trained on and which are held out.
  static func split(
    tokens: TokenDataset, settings: TrainingSettings
  ) -> (training: [Int], heldOut: [Int]) {
    TrainingRandomness(seed: settings.seed).split(
      imageCount: tokens.imageCount, heldOut: settings.heldOutCount(of: tokens.imageCount),
      groups: tokens.imageIDs)
  }

  private func image(_ index: Int) -> TrainingImage {
    TrainingImage(
      codes: codes[index * cellCount..<(index + 1) * cellCount],
      label: labels.map { Int($0[index]) } ?? 0)
  }

  /// The images held out, with their labels.
  var validation: [TrainingImage] { heldOut.map(image) }

  /// The images of a step's batch, some without their label. Epochs follow one another, each in an order of its own.
  func batch(step: Int) -> [TrainingImage] {
    let size = settings.batchSize
    let count = training.count
    let dropped = random.droppedLabels(
      step: step, count: size, probability: settings.labelDropout)
    var epoch = -1
    var order: [Int] = []
    return (0..<size).map { place in
      let number = step * size + place
      if number / count != epoch {
        epoch = number / count
        order = random.permutation(epoch: epoch, count: count)
      }
      let image = image(training[order[number % count]])
      return dropped[place]
        ? TrainingImage(codes: image.codes, label: nullClass) : image
    }
  }
}
