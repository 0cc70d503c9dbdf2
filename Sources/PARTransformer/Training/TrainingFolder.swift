import Files
import Foundation

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

  /// The folder's checkpoint; nil where there is none.
  func checkpoint<Plan>(of plan: Plan.Type) throws -> TrainingCheckpoint<Plan>? {
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
