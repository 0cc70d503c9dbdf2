import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData

/// What a training run needs to go on, as a file: parameters, both moments, the step and the losses so far.
struct TrainingCheckpoint<Plan: TrainingPlan>: Sendable {
  /// What is kept besides tensors.
  struct State: Codable, Sendable {
    var run: TrainingRun<Plan>
    var step = 0
    var history: [TrainingRecord] = []
    /// The losses since the last record: their sum and number.
    var lossSum = 0.0
    var lossCount = 0
  }

  let path: String
  let state: State
  private let file: SafetensorsFile
  var metadata: [String: String] { file.metadata }

  private static func momentName(
    _ moment: String
  ) -> (Plan.Model.Configuration.Parameter) -> String {
    { "\(TrainedModel.momentPrefix)\(moment).\($0.name)" }
  }

  /// Writes a checkpoint beside its final name and renames it: a run that is killed keeps the one before.
  static func write(
    _ trainer: Trainer<Plan.Model>, state: State, metadata: [String: String], to path: String
  ) throws {
    let parameters = trainer.parameters
    let own = ["format": Plan.checkpointFormat, "state": try TrainedModel.json(state)]
    try SafetensorsWriter.write(
      parameters.tensors()
        + parameters.tensors(of: trainer.optimizer.first, named: momentName("first"))
        + parameters.tensors(of: trainer.optimizer.second, named: momentName("second")),
      metadata: metadata.merging(own) { $1 }, to: path)
  }

  /// Opens a checkpoint.
  ///
  /// - Throws: ``TrainingError/damagedCheckpoint(file:reason:)``, or why the file cannot be read.
  init(path: String) throws {
    self.path = path
    file = try SafetensorsFile(path: path)
    guard file.metadata["format"] == Plan.checkpointFormat, let text = file.metadata["state"] else {
      throw TrainingError.damagedCheckpoint(
        file: path, reason: "its metadata does not call it \"\(Plan.checkpointFormat)\"")
    }
    do {
      state = try JSONDecoder().decode(State.self, from: Data(text.utf8))
    } catch {
      throw TrainingError.damagedCheckpoint(
        file: path, reason: "its state is not what this version writes")
    }
    // The program writes no others; shards decide how much memory is taken.
    let (shards, settings) = (state.run.shards, state.run.settings)
    guard shards >= 1, shards <= max(1, min(settings.batchSize, 4096)) else {
      throw TrainingError.damagedCheckpoint(
        file: path,
        reason: "its shards are \(shards); 1 to the batch size \(settings.batchSize) are expected")
    }
    guard (try? settings.validate()) != nil else {
      throw TrainingError.damagedCheckpoint(
        file: path, reason: "its settings are not what this version writes")
    }
    guard state.step >= 0, state.step <= settings.steps else {
      throw TrainingError.damagedCheckpoint(
        file: path, reason: "its step is \(state.step); 0 to \(settings.steps) is expected")
    }
    guard state.lossCount >= 0, state.lossCount <= state.step,
      state.history.allSatisfy({ (0...state.step).contains($0.step) })
    else {
      throw TrainingError.damagedCheckpoint(
        file: path, reason: "its losses are of other steps than the \(state.step) that it has made")
    }
  }

  /// Puts the trainer where the run was.
  func restore(_ trainer: Trainer<Plan.Model>) throws {
    let parameters = trainer.parameters
    for parameter in parameters.configuration.parameters {
      let shape = parameter.shape(in: parameters.configuration)
      for (name, buffer) in [
        (parameter.name, parameters.buffer),
        (Self.momentName("first")(parameter), trainer.optimizer.first),
        (Self.momentName("second")(parameter), trainer.optimizer.second),
      ] {
        let entry = try file.entry(name)
        guard entry.shape == shape, entry.type == .float32 else {
          throw SafetensorsError.wrongShape(
            file: path, tensor: name, found: entry.shape, expected: shape)
        }
        buffer.write(try file.floats(name), at: parameters.range(parameter).lowerBound)
      }
    }
    trainer.optimizer.steps = state.step
  }
}
