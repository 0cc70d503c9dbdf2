import Files
import Foundation
import LinearAlgebra

/// The tensors of a checkpoint, in one safetensors file or in several with an index.
public struct SafetensorsCheckpoint: Sendable {
  /// The path the checkpoint was opened by.
  public let path: String
  /// The free-form strings of all files' headers.
  public let metadata: [String: String]
  /// Which file holds each tensor.
  private let files: [String: SafetensorsFile]

  /// Opens a `.safetensors` file, an index (`….safetensors.index.json`), or a directory that holds one of them.
  ///
  /// - Throws: ``FileError`` or ``SafetensorsError`` for the first file that cannot be read.
  public init(path: String) throws {
    self.path = path
    let source = try Self.resolve(path)
    guard source.hasSuffix(".json") else {
      let file = try SafetensorsFile(path: source)
      metadata = file.metadata
      files = file.entries.mapValues { _ in file }
      return
    }
    let shards = try Self.shardNames(index: source)
    let directory = URL(fileURLWithPath: source).deletingLastPathComponent()
    var opened: [String: SafetensorsFile] = [:]
    for shard in Set(shards.values).sorted() {
      opened[shard] = try SafetensorsFile(path: directory.appendingPathComponent(shard).path)
    }
    var files: [String: SafetensorsFile] = [:]
    for (tensor, shard) in shards {
      guard let file = opened[shard], file.entries[tensor] != nil else {
        throw SafetensorsError.missingFromShard(index: source, tensor: tensor, shard: shard)
      }
      files[tensor] = file
    }
    self.files = files
    metadata = opened.sorted { $0.key < $1.key }
      .reduce(into: [:]) { $0.merge($1.value.metadata) { first, _ in first } }
  }

  /// The names of all tensors, sorted.
  public var tensorNames: [String] { files.keys.sorted() }

  /// The file that holds the tensor called `name`.
  ///
  /// - Throws: ``SafetensorsError`` when there is no such tensor.
  public func file(of name: String) throws(SafetensorsError) -> SafetensorsFile {
    guard let file = files[name] else { throw .missingTensor(file: path, tensor: name) }
    return file
  }

  private static func resolve(_ path: String) throws -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    else { return path }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let indices = names.filter { $0.hasSuffix(".safetensors.index.json") }
    let candidates = indices.isEmpty ? names.filter { $0.hasSuffix(".safetensors") } : indices
    guard let only = candidates.first, candidates.count == 1 else {
      throw SafetensorsError.malformedIndex(
        file: path,
        reason: "the directory holds \(candidates.count) candidates; expected one .safetensors file"
          + " or one .safetensors.index.json")
    }
    return path + "/" + only
  }

  private struct Index: Decodable {
    let weight_map: [String: String]
  }

  private static func shardNames(index path: String) throws -> [String: String] {
    let file = try MappedFile(path: path)
    let shards: [String: String]
    do {
      shards = try JSONDecoder().decode(Index.self, from: Data(file.bytes)).weight_map
    } catch {
      throw SafetensorsError.malformedIndex(
        file: path, reason: "expected an object \"weight_map\" of tensor names to file names")
    }
    // An index names files beside it; nothing else is opened on its word.
    for (tensor, shard) in shards where shard.contains("/") || shard == ".." {
      throw SafetensorsError.malformedIndex(
        file: path,
        reason: "tensor \(tensor) is said to be in \"\(shard)\"; expected a file beside the index")
    }
    return shards
  }
}
