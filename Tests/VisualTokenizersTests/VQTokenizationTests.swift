import FileFormats
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import VisualTokenizers

struct VQTokenizationTests {
  @Test func aFolderOfImagesBecomesTheCodesOfTheEncoder() throws {
    let folder = try TemporaryFolder()
    let images = (0..<3).map { syntheticImage(width: 16, height: 16, seed: UInt64($0)) }
    try folder.makeFolder("a")
    try folder.makeFolder("b")
    try images[0].writePNG(to: folder.file("a/0.png"))
    try images[1].writePNG(to: folder.file("b/1.png"))
    try syntheticImage(width: 8, height: 16, seed: 9).writePNG(to: folder.file("b/2.png"))
    let encoder = try VQEncoder(VQGolden().weights)
    let tokenization = try VQTokenization(
      folder: ImageFolder(path: folder.path), encoder: encoder, side: 16)
    #expect(tokenization.grid == TokenGrid(rows: 8, columns: 8))
    let output = folder.file("out.h5")
    let summary = try tokenization.run(writingTo: output, attributes: TokenAttributes())
    #expect(summary.imageCount == 2 && summary.leftOut.count == 1)
    let dataset = try TokenDataset(contentsOf: output)
    let used = tokenization.folder.entries.filter { !$0.path.hasSuffix("2.png") }
    #expect(
      dataset.labels == TokenLabels(values: used.compactMap(\.label), names: ["a", "b"]))
    #expect(dataset.codebook == encoder.codebook)
    let expected = try used.flatMap {
      try encoder.encode($0.path.hasSuffix("0.png") ? images[0] : images[1])
    }
    #expect(dataset.codes == expected)
    #expect(summary.codeCounts.reduce(0, +) == 128)
    // The codes decode to an image of the same size.
    let decoder = try VQDecoder(VQGolden().weights)
    let decoded = try decoder.decode(Array(expected.prefix(64)), rows: 8, columns: 8)
    #expect(decoded.width == 16 && decoded.height == 16)
  }

  @Test func whatCannotBeEncodedIsRefused() throws {
    let encoder = try VQEncoder(VQGolden().weights)
    #expect(throws: VQError.imageSize(height: 5, width: 4, factor: 2)) {
      try encoder.encode(RGBImage(width: 4, height: 5))
    }
    let decoder = try VQDecoder(VQGolden().weights)
    #expect(throws: VQError.codeOutsideCodebook(code: 64, codebookSize: 64)) {
      try decoder.decode([0, 64], rows: 1, columns: 2)
    }
  }
}

/// Tensors in memory, some of them changed.
struct ChangedTensors: TensorSource {
  let original: any TensorSource
  var removed: Set<String> = []
  var prefix = ""
  var shapes: [String: [Int]] = [:]
  var additions: Set<String> = []
  var poisoned: String?

  var path: String { "vq.safetensors" }
  var tensorNames: [String] {
    (original.tensorNames.filter { !removed.contains($0) } + additions).map { prefix + $0 }.sorted()
  }

  func shape(of name: String) -> [Int]? {
    guard name.hasPrefix(prefix) else { return nil }
    let name = String(name.dropFirst(prefix.count))
    if removed.contains(name) { return nil }
    return shapes[name] ?? (additions.contains(name) ? [1] : original.shape(of: name))
  }

  func floats(_ name: String) throws -> [Float] {
    let name = String(name.dropFirst(prefix.count))
    var values = try original.floats(name)
    if name == poisoned { values[0] = .nan }
    return values
  }
}

struct VQCheckpointTests {
  @Test(arguments: [
    "", "model.", "ema.", "state_dict.", "_orig_mod.", "model_state_dict.",
    "model_state_dict._orig_mod.", "model_state_dict.module.", "ema.module._orig_mod.",
  ])
  func weightsAreFoundUnderTheUsualNames(prefix: String) throws {
    var tensors = ChangedTensors(original: try VQGolden().weights)
    tensors.prefix = prefix
    #expect(try VQEncoder(tensors).downsampling == 2)
    #expect(try VQDecoder(tensors).upsampling == 2)
  }

  @Test func otherArchitecturesAreRefused() throws {
    let original = try VQGolden().weights
    func refusal(_ change: (inout ChangedTensors) -> Void) -> VQError? {
      var tensors = ChangedTensors(original: original)
      change(&tensors)
      do {
        _ = try VQEncoder(tensors)
        return nil
      } catch {
        return error as? VQError
      }
    }
    let file = "vq.safetensors"
    #expect(
      refusal { $0.removed = ["encoder.conv_in.weight"] }
        == .missingTensor(file: file, tensor: "encoder.conv_in.weight"))
    #expect(
      refusal { $0.removed = ["encoder.mid.1.q.bias"] }
        == .missingTensor(file: file, tensor: "encoder.mid.1.q.bias"))
    #expect(
      refusal { $0.shapes["encoder.mid.0.conv1.weight"] = [64, 32, 3, 3] }
        == .wrongShape(
          file: file, tensor: "encoder.mid.0.conv1.weight", found: [64, 32, 3, 3],
          expected: [0, 64, 3, 3]))
    #expect(
      refusal { $0.additions = ["encoder.extra.weight"] }
        == .unknownTensor(file: file, tensor: "encoder.extra.weight"))
    #expect(
      refusal { $0.poisoned = "encoder.norm_out.bias" }
        == .notFinite(file: file, tensor: "encoder.norm_out.bias"))
    #expect(refusal { $0.additions = ["discriminator.weight"] } == nil)
  }
}
