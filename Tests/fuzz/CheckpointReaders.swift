import FileFormats
import Foundation
import LinearAlgebra
import PARTransformer
import TokenData
import TokenGrids

extension FuzzedReader {
  static func npy(_ name: String, _ folder: String) throws -> FuzzedReader {
    FuzzedReader(
      name, fileName: "f.npy",
      originals: [
        NpyBytes.file(type: "<i4", width: 4, shape: "(2, 3, 2)", values: Array(0..<12)),
        NpyBytes.file(
          type: ">i2", width: 2, shape: "(4, 3)", values: Array(0..<12), isFortranOrder: true),
        [UInt8](NpyWriter.bytes((0..<6).map { Float($0) }, shape: [3, 2])),
      ]
    ) { path in
      let array = try NpyArray(path: path)
      _ = array.floats()
      _ = try CodebookFile.read(path)
    }
  }

  static func npz(_ name: String, _ folder: String) throws -> FuzzedReader {
    let original = try bytes(folder) {
      try NpzArchive.write(
        [
          ("mean", NpyWriter.bytes([1, 2] as [Float], shape: [2])),
          ("covariance", NpyWriter.bytes([1, 0, 0, 1] as [Double], shape: [2, 2])),
        ], to: $0)
    }
    return FuzzedReader(name, fileName: "f.npz", originals: [original]) { path in
      let archive = try NpzArchive(path: path)
      for array in archive.arrayNames { _ = try archive.array(array, largest: 1 << 20).doubles() }
    }
  }

  /// A pickle of two tensors and something that is none, as `torch.save` writes it.
  private static func pickle() -> [UInt8] {
    var bytes: [UInt8] = [0x80, 2]
    func text(_ text: String) -> [UInt8] {
      [0x58, UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8)
    }
    func tensor(_ key: String, count: UInt8, shape: [UInt8], strides: [UInt8]) -> [UInt8] {
      let storage: [UInt8] =
        Array("((".utf8) + text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text(key)
        + text("cpu") + [0x4B, count] + Array("tQ".utf8)
      let extents = Array("(".utf8) + shape.flatMap { [0x4B, $0] } + Array("t".utf8)
      let steps = Array("(".utf8) + strides.flatMap { [0x4B, $0] } + Array("t".utf8)
      return Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + storage + [0x4B, 0] + extents
        + steps + [0x89] + Array("ccollections\nOrderedDict\n)RtR".utf8)
    }
    bytes += Array("}q\0(".utf8) + text("model") + Array("}(".utf8)
    bytes += text("quantize.embedding.weight")
    bytes += tensor("0", count: 8, shape: [4, 2], strides: [2, 1])
    bytes += text("turned") + tensor("0", count: 8, shape: [2, 4], strides: [1, 2])
    bytes += Array("u".utf8) + text("steps") + [0x4A, 7, 0, 0, 0] + text("list")
    bytes += Array("](".utf8) + [0x4B, 1] + Array("eu.".utf8)
    return bytes
  }

  private static func archive(_ pickle: [UInt8], _ folder: String) throws -> [UInt8] {
    let numbers = (0..<8).flatMap { value in
      (0..<4).map { UInt8(Float(value).bitPattern >> (8 * UInt32($0)) & 0xFF) }
    }
    // Members of any name, as a .npz has them with a suffix.
    return try bytes(folder) {
      try ZipBytes.write(
        [("a/data.pkl", pickle), ("a/version", Array("3\n".utf8)), ("a/data/0", numbers)], to: $0)
    }
  }

  private static func readTensors(_ path: String) throws {
    let tensors = try TensorFile.open(path)
    for name in tensors.tensorNames { _ = try? tensors.floats(name) }
    _ = try CodebookFile.read(path)
  }

  static func torch(_ name: String, _ folder: String) throws -> FuzzedReader {
    FuzzedReader(
      name, fileName: "f.pt", originals: [try archive(pickle(), folder)], read: readTensors)
  }

  /// The pickle alone is damaged: the checksums of the archive hide it otherwise.
  static func torchPickle(_ name: String, _ folder: String) throws -> FuzzedReader {
    FuzzedReader(
      name, fileName: "f.pt", originals: [pickle()], wrap: { try archive($0, folder) },
      read: readTensors)
  }

  static func safetensors(_ name: String, _ folder: String) throws -> FuzzedReader {
    let original = try bytes(folder) {
      try SafetensorsWriter.write(
        [
          SafetensorsTensor(
            name: "quantize.embedding.weight", shape: [4, 2], elements: [1, 2, 3, 4, 5, 6, 7, 8]),
          SafetensorsTensor(name: "other", shape: [1, 1, 3], elements: [0, 0, 0]),
        ], metadata: ["format": "pt"], to: $0)
    }
    return FuzzedReader(
      name, fileName: "f.safetensors", originals: [original], repair: .safetensorsLength,
      read: readTensors)
  }

  // MARK: Models and training

  private static let grid = TokenGrid(rows: 2, columns: 4)
  private static let settings = TrainingSettings(
    layers: 1, heads: 1, width: 4, steps: 8, batchSize: 4, seed: 3, validationImages: 2,
    validationInterval: 8)

  private static func tokens() throws -> TokenDataset {
    try TokenDataset(
      name: "tiny.h5", grid: grid,
      tokens: .codes(
        (0..<12 * 8).map { UInt32($0 % 5) },
        codebook: FloatMatrix(rows: 5, columns: 1, elements: [0, 1, 2, 3, 4])))
  }

  /// Trains a tiny model for some steps, or goes on with it for none.
  private static func train(_ folder: String, steps: Int, resume: Bool) throws {
    var done = 0
    _ = try PARTraining.run(
      tokens: try tokens(), order: OrderSpecification("raster:n=2").order(on: grid),
      tokensPerStep: 2,
      settings: settings, directory: folder, resume: resume, threads: 1,
      shouldStop: { done >= steps }, progress: { _ in done += 1 })
  }

  static func checkpoint(_ name: String, _ folder: String) throws -> FuzzedReader {
    let run = folder + "/run"
    try train(run, steps: 3, resume: false)
    let original = try Data(
      contentsOf: URL(fileURLWithPath: run + "/" + PARTraining.checkpointName))
    return FuzzedReader(
      name, fileName: PARTraining.checkpointName, originals: [[UInt8](original)],
      repair: .safetensorsLength
    ) { try train(($0 as NSString).deletingLastPathComponent, steps: 0, resume: true) }
  }

  private static func readModel(_ path: String) throws {
    let checkpoint = try SafetensorsCheckpoint(path: path)
    let trained = TrainedModel(metadata: checkpoint.metadata, path: path)
    try trained.settings?.validate()
    _ = try PARWeights(checkpoint: checkpoint)
  }

  static func model(_ name: String, _ folder: String) throws -> FuzzedReader {
    let run = folder + "/run"
    try train(run, steps: 8, resume: false)
    let original = try Data(contentsOf: URL(fileURLWithPath: run + "/" + PARTraining.modelName))
    return FuzzedReader(
      name, fileName: "f.safetensors", originals: [[UInt8](original)], repair: .safetensorsLength,
      read: readModel)
  }

  /// Trains a tiny any-order model for some steps, or goes on with it, as its checkpoint says, for none.
  private static func trainAnyOrder(_ folder: String, steps: Int, resume: Bool) throws {
    var done = 0
    let resumed = resume ? try AnyOrderTraining.resumed(in: folder) : nil
    _ = try AnyOrderTraining.run(
      tokens: try tokens(),
      orders: resumed?.orders ?? OrderMixture("random:0.5,raster", on: grid, steps: 1...4),
      settings: resumed?.settings ?? settings, directory: folder, resume: resume, threads: 1,
      shouldStop: { done >= steps }, progress: { _ in done += 1 })
  }

  static func anyOrderCheckpoint(_ name: String, _ folder: String) throws -> FuzzedReader {
    let run = folder + "/run"
    try trainAnyOrder(run, steps: 3, resume: false)
    let original = try Data(
      contentsOf: URL(fileURLWithPath: run + "/" + PARTraining.checkpointName))
    return FuzzedReader(
      name, fileName: PARTraining.checkpointName, originals: [[UInt8](original)],
      repair: .safetensorsLength
    ) { try trainAnyOrder(($0 as NSString).deletingLastPathComponent, steps: 0, resume: true) }
  }

  static func anyOrderModel(_ name: String, _ folder: String) throws -> FuzzedReader {
    let run = folder + "/run"
    try trainAnyOrder(run, steps: 8, resume: false)
    let original = try Data(contentsOf: URL(fileURLWithPath: run + "/" + PARTraining.modelName))
    return FuzzedReader(
      name, fileName: "f.safetensors", originals: [[UInt8](original)], repair: .safetensorsLength
    ) { path in
      let tensors = try AnyOrderTensors(TrainedModel.tensors(of: path))
      try TrainedModel(metadata: tensors.metadata, path: path).settings?.validate()
      _ = try AnyOrderWeights(tensors)
    }
  }

  /// The index of a model in two files, which are as they should be.
  static func modelIndex(_ name: String, _ folder: String) throws -> FuzzedReader {
    let run = folder + "/run"
    try train(run, steps: 8, resume: false)
    let whole = try SafetensorsFile(path: run + "/" + PARTraining.modelName)
    var map: [String: String] = [:]
    try FileManager.default.createDirectory(
      atPath: folder + "/" + FuzzWorker.inputName, withIntermediateDirectories: true)
    for (place, half) in ["a.safetensors", "b.safetensors"].enumerated() {
      let entries = whole.entries.values.sorted { $0.name < $1.name }
        .enumerated().filter { $0.offset % 2 == place }.map(\.element)
      try SafetensorsWriter.write(
        try entries.map {
          SafetensorsTensor(name: $0.name, shape: $0.shape, elements: try whole.floats($0.name))
        }, metadata: whole.metadata, to: "\(folder)/\(FuzzWorker.inputName)/\(half)")
      for entry in entries { map[entry.name] = half }
    }
    let index = try JSONSerialization.data(
      withJSONObject: ["metadata": ["total_size": 1000], "weight_map": map],
      options: [.prettyPrinted, .sortedKeys])
    return FuzzedReader(
      name, fileName: "f.safetensors.index.json", originals: [[UInt8](index)], read: readModel)
  }
}
