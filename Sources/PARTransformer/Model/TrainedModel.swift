import FileFormats
import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// What the metadata of a trained model's file say.
public struct TrainedModel: Sendable {
  /// The model's file.
  public let path: String
  /// The order it was trained in, with its steps; nil where the file does not tell.
  public let order: GenerationOrder?
  /// The hash of the order's steps.
  public let orderHash: String?
  /// What tokens of one step saw of each other.
  public let attention: AttentionPattern?
  /// The grid of tokens.
  public let grid: TokenGrid?
  /// The hash of the codebook's numbers.
  public let codebookHash: String?
  /// How the model was trained.
  public let settings: TrainingSettings?
  /// The hash of the codes and labels it was trained on.
  public let datasetHash: String?
  /// The names of the classes it was trained on; empty where the file does not tell.
  public let classNames: [String]

  /// Reads the metadata of a model; what is not there is nil.
  public init(metadata: [String: String], path: String) {
    self.path = path
    let grid = metadata["grid"].flatMap { TokenGrid($0) }
    self.grid = grid
    if let grid, let text = metadata["order_steps"] {
      order = try? GenerationOrder(
        jsonText: text, grid: grid, name: metadata["order"] ?? "the trained order")
    } else {
      order = nil
    }
    orderHash = metadata["order_hash"]
    attention = metadata["attention"].flatMap(AttentionPattern.init)
    codebookHash = metadata["codebook_hash"]
    settings = metadata["settings"].flatMap { text in
      let settings = try? JSONDecoder().decode(TrainingSettings.self, from: Data(text.utf8))
      return (try? settings?.validate()) == nil ? nil : settings
    }
    datasetHash = metadata["dataset_hash"]
    classNames =
      metadata["class_names"].flatMap {
        try? JSONDecoder().decode([String].self, from: Data($0.utf8))
      } ?? []
  }

  /// What the names of an optimizer's moments begin with in a checkpoint.
  static let momentPrefix = "adamw."

  /// A value as metadata have it.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// The model of a run's folder: its `model`, or while there is none its `checkpoint`; any other path is itself.
  public static func file(of path: String) -> String {
    [PARTraining.modelName, PARTraining.checkpointName].map { path + "/" + $0 }
      .first { FileManager.default.fileExists(atPath: $0) } ?? path
  }

  /// Opens the tensors of a model: a file, an index of several, a folder with one of them, or the folder of a run.
  ///
  /// - Throws: why the file cannot be read.
  public static func tensors(of path: String) throws -> any TensorSource {
    let path = file(of: path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return try SafetensorsCheckpoint(path: path)
    }
    return try TensorFile.open(path)
  }

  /// The hash of a codebook's numbers, as the metadata have it.
  public static func hash(ofCodebook codebook: FloatMatrix) -> String {
    NumberHash.text(of: codebook.elements)
  }

  /// Whether an order has the steps the model was trained with; true where the file does not tell.
  public func wasTrained(in order: GenerationOrder) -> Bool {
    orderHash.map { $0 == NumberHash.text(of: order) } ?? true
  }
}
