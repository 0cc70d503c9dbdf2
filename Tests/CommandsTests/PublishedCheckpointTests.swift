import FileFormats
import Foundation
import NeuralKernels
import PARTransformer
import Statistics
import TestSupport
import Testing
import TokenGrids

private let grid = TokenGrid(rows: 3, columns: 3)
private let configuration = AnyOrderConfiguration(
  layers: 1, heads: 2, width: 8, codes: 64, classes: 2, grid: grid)

/// Some numbers for every tensor.
private func elements() -> [(AnyOrderParameter, [Float])] {
  var generator = SeededGenerator(seed: 8)
  return configuration.parameters.map { parameter in
    let count = parameter.shape(in: configuration).reduce(1, *)
    return (parameter, (0..<count).map { _ in Float(generator.nextUniform() - 0.5) })
  }
}

/// A checkpoint as a training script leaves it: the weights under `model`, and beside them the script's own options as an
/// `argparse.Namespace`, an optimizer's state, a gradient scaler of some class and an epoch.
private func publishedCheckpoint() throws -> [UInt8] {
  var pickle = PickleBuilder()
  var storages: [String: [UInt8]] = [:]
  func add(_ name: String, _ shape: [Int], _ values: [Float]) {
    let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    pickle.text(name)
    pickle.tensor(key: "\(storages.count)", count: values.count, shape: shape, strides: strides)
    storages["\(storages.count)"] = littleEndian(values)
  }
  /// An object made without its initializer, and then given its fields, as Python pickles instances.
  func object(_ module: String, _ name: String, _ fields: () -> Void) {
    pickle.global(module, name)
    pickle.code(")")
    pickle.code(0x81)
    pickle.code("}(")
    fields()
    pickle.code("ub")
  }
  pickle.code("}(")
  pickle.text("args")
  object("argparse", "Namespace") {
    pickle.text("model")
    pickle.text("lpd_l")
    pickle.text("output_dir")
    object("pathlib", "PosixPath") {}
    pickle.text("betas")
    pickle.integers([9, 95])
    pickle.text("resume")
    pickle.code("N")
  }
  pickle.text("model")
  pickle.code("}(")
  for (parameter, values) in elements() {
    add(parameter.name, parameter.shape(in: configuration), values)
  }
  pickle.code("u")
  pickle.text("optimizer")
  pickle.code("}(")
  pickle.text("state")
  pickle.code("}(")
  pickle.integer(0)
  pickle.code("}(")
  add("exp_avg", [2], [1, 2])
  pickle.code("uu")
  pickle.text("param_groups")
  pickle.code("](}(")
  pickle.text("lr")
  pickle.integer(1)
  pickle.code("ueu")
  pickle.text("scaler")
  object("torch.cuda.amp.grad_scaler", "GradScaler") {
    pickle.text("_scale")
    pickle.integer(65_536)
  }
  pickle.text("epoch")
  pickle.integer(449)
  pickle.code("u.")
  return try torchArchive(pickle, storages)
}

/// A checkpoint of PyTorch with objects that are no tensors samples and measures as the same weights in safetensors do.
@Test func aPublishedCheckpointIsSampledAndMeasured() throws {
  let folder = try TemporaryFolder()
  let (torch, plain) = (folder.file("lpd.pth"), folder.file("lpd.safetensors"))
  try folder.write(Data(try publishedCheckpoint()), "lpd.pth")
  try SafetensorsWriter.write(
    elements().map {
      SafetensorsTensor(name: $0.name, shape: $0.shape(in: configuration), elements: $1)
    }, metadata: ["heads": "2"], to: plain)
  try withFile(smallDataset(grid: grid, images: 40)) { data in
    func result(_ program: String, _ arguments: [String], _ field: String) throws -> NSObject {
      let result = try Program(name: program).run(arguments + ["--json", "--threads", "1"])
      #expect(result.status == 0, "\(arguments): \(result.errors)")
      let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
      return try #require((json as? [String: Any])?[field] as? NSObject)
    }
    func samples(_ path: String, _ more: String...) throws -> NSObject {
      try result(
        "par-sample",
        ["--model", path, "--order", "halton:schedule=cosine,steps=4", "--count", "3"] + more,
        "samples")
    }
    #expect(try samples(torch, "--heads", "2") == samples(plain))
    func losses(_ path: String, _ more: String...) throws -> NSObject {
      try result(
        "par-train", ["likelihood", path, data, "--order", "raster:n=3"] + more, "orders")
    }
    #expect(try losses(torch, "--heads", "2") == losses(plain))
    // No shape tells the heads of a size that was not published.
    for (arguments, sentence) in [
      ([torch], "give it with --heads"),
      ([plain, "--heads", "4"], "4 heads were asked for, but the model says that it has 2"),
    ] {
      let refused = try Program(name: "par-train").run(
        ["likelihood"] + arguments + [data, "--order", "raster", "--json"])
      #expect(
        refused.status == 1 && refused.errors.contains(sentence), "\(refused.errors)")
    }
  }
}
