import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData
import TokenGrids

/// What a training run of an any-order transformer is made of: everything that its result depends on.
struct AnyOrderRun: Codable, Hashable, Sendable {
  var settings: TrainingSettings
  /// Parts of a batch whose gradients are computed apart and added up in order.
  var shards: Int
  var dataset: String
  var datasetHash: String
  var codebookHash: String
  var grid: String
  var codes: Int
  var classes: Int
  var classNames: [String]
  var orders: OrderMixture

  init(
    tokens: TokenDataset, orders: OrderMixture, settings: TrainingSettings, shards: Int
  ) throws(TrainingError) {
    guard let codes = tokens.codes, let codebook = tokens.codebook else {
      throw .noCodes(dataset: tokens.name)
    }
    self.settings = settings
    self.shards = shards
    self.orders = orders
    dataset = tokens.name
    datasetHash = TrainingRun.hash(codes + (tokens.labels?.values ?? []))
    codebookHash = TrainingRun.hash(codebook.elements)
    grid = "\(tokens.grid)"
    self.codes = codebook.rows
    classes = tokens.labels.map { max(1, $0.classCount) } ?? 1
    classNames = tokens.labels?.names ?? []
  }

  func configuration(on grid: TokenGrid) -> AnyOrderConfiguration {
    AnyOrderConfiguration(
      layers: settings.layers, heads: settings.heads, width: settings.width, codes: codes,
      classes: classes, grid: grid)
  }

  /// Makes sure that this run, of a checkpoint, is the one that is asked for. How often checkpoints are written and into
  /// how many shards a batch falls may differ: the run goes on with its own.
  func check(isSameAs other: AnyOrderRun, checkpoint: String) throws(TrainingError) {
    func steps(_ run: AnyOrderRun) -> String {
      "\(run.orders.fewestSteps):\(run.orders.mostSteps)"
    }
    let facts =
      [
        ("grid", grid, other.grid), ("codebook", codebookHash, other.codebookHash),
        ("dataset", datasetHash, other.datasetHash), ("codes", "\(codes)", "\(other.codes)"),
        ("classes", "\(classes)", "\(other.classes)"),
        ("orders", orders.description, other.orders.description),
        ("steps of an order", steps(self), steps(other)),
      ] + TrainingRun.differences(settings, other.settings)
    for (what, found, asked) in facts where found != asked {
      throw .differentRun(checkpoint: checkpoint, what: what, found: found, asked: asked)
    }
    guard orders == other.orders else {
      throw .differentRun(
        checkpoint: checkpoint, what: "orders", found: orders.description,
        asked: "the same names with other sequences")
    }
  }

  /// What a model's file says of the run.
  func metadata(step: Int, validationLoss: Double?) throws -> [String: String] {
    var metadata = [
      "format": "pt", "architecture": "any-order", "heads": "\(settings.heads)", "grid": grid,
      "orders": orders.description,
      "order_steps_range": "\(orders.fewestSteps):\(orders.mostSteps)",
      "codebook_hash": codebookHash, "dataset": dataset, "dataset_hash": datasetHash,
      "settings": try TrainingCheckpoint.json(settings), "step": "\(step)",
      "classes": "\(classes)",
    ]
    if !classNames.isEmpty {
      metadata["class_names"] = try TrainingCheckpoint.json(classNames)
    }
    metadata["validation_loss"] = validationLoss.map { "\($0)" }
    return metadata
  }
}

/// What a run needs to go on, as a file: parameters, both moments, the step and the losses so far.
struct AnyOrderCheckpoint: Sendable {
  static let format = "any-order-training-checkpoint"

  /// What is kept besides tensors.
  struct State: Codable, Sendable {
    var run: AnyOrderRun
    var step = 0
    var history: [TrainingRecord] = []
    /// The losses since the last record: their sum and number.
    var lossSum = 0.0
    var lossCount = 0
  }

  let path: String
  let state: State
  /// How the user named the dataset.
  let tokens: String?
  private let file: SafetensorsFile

  private static func momentName(_ moment: String, _ parameter: AnyOrderParameter) -> String {
    "\(TrainingCheckpoint.momentPrefix)\(moment).\(parameter.name)"
  }

  /// The tensors of a model, of which `buffer` has the numbers.
  private static func tensors(
    _ parameters: AnyOrderParameters, _ buffer: FloatBuffer, _ name: (AnyOrderParameter) -> String
  ) -> [SafetensorsTensor] {
    parameters.configuration.parameters.map {
      SafetensorsTensor(
        name: name($0), shape: $0.shape(in: parameters.configuration),
        elements: buffer[parameters.range($0)])
    }
  }

  /// Writes a model that `par-sample` and PyTorch can read.
  static func writeModel(
    _ trainer: AnyOrderTrainer, metadata: [String: String], to path: String
  ) throws {
    try SafetensorsWriter.write(
      tensors(trainer.parameters, trainer.parameters.buffer) { $0.name }, metadata: metadata,
      to: path)
  }

  /// Writes a checkpoint beside its final name and renames it: a run that is killed keeps the one before.
  static func write(
    _ trainer: AnyOrderTrainer, state: State, tokens: String?, metadata: [String: String],
    to path: String
  ) throws {
    let parameters = trainer.parameters
    var all = ["format": format, "state": try TrainingCheckpoint.json(state)]
    all["tokens"] = tokens
    try SafetensorsWriter.write(
      tensors(parameters, parameters.buffer) { $0.name }
        + tensors(parameters, trainer.optimizer.first) { momentName("first", $0) }
        + tensors(parameters, trainer.optimizer.second) { momentName("second", $0) },
      metadata: metadata.merging(all) { $1 }, to: path)
  }

  /// Opens a checkpoint.
  ///
  /// - Throws: ``TrainingError/damagedCheckpoint(file:reason:)``, or why the file cannot be read.
  init(path: String) throws {
    self.path = path
    file = try SafetensorsFile(path: path)
    tokens = file.metadata["tokens"]
    func damaged(_ reason: String) -> TrainingError {
      .damagedCheckpoint(file: path, reason: reason)
    }
    guard file.metadata["format"] == Self.format, let text = file.metadata["state"] else {
      throw damaged("its metadata does not call it \"\(Self.format)\"")
    }
    guard let state = try? JSONDecoder().decode(State.self, from: Data(text.utf8)) else {
      throw damaged("its state is not what this version writes")
    }
    self.state = state
    let (shards, settings) = (state.run.shards, state.run.settings)
    guard (try? settings.validate()) != nil else {
      throw damaged("its settings are not what this version writes")
    }
    guard shards >= 1, shards <= max(1, min(settings.batchSize, 4096)) else {
      throw damaged(
        "its shards are \(shards); 1 to the batch size \(settings.batchSize) are expected")
    }
    guard state.step >= 0, state.step <= settings.steps, state.lossCount >= 0,
      state.lossCount <= state.step
    else {
      throw damaged("its step is \(state.step); 0 to \(settings.steps) is expected")
    }
  }

  /// Puts the trainer where the run was.
  func restore(_ trainer: AnyOrderTrainer) throws {
    let parameters = trainer.parameters
    for parameter in parameters.configuration.parameters {
      let shape = parameter.shape(in: parameters.configuration)
      for (name, buffer) in [
        (parameter.name, parameters.buffer),
        (Self.momentName("first", parameter), trainer.optimizer.first),
        (Self.momentName("second", parameter), trainer.optimizer.second),
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
