import Files
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Testing

@testable import FileFormats

private func temporaryDirectory() throws -> URL {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return url
}

@Test func whatIsWrittenIsRead() throws {
  let directory = try temporaryDirectory()
  defer { try? FileManager.default.removeItem(at: directory) }
  let path = directory.appendingPathComponent("x.safetensors").path
  let elements = (0..<6).map { Float($0) * 0.1 - 0.25 }
  try SafetensorsWriter.write(
    [
      SafetensorsTensor(name: "layers.0/w", shape: [2, 3], elements: elements),
      SafetensorsTensor(name: "b", shape: [1], elements: [7]),
    ], metadata: ["heads": "4"], to: path)
  let file = try SafetensorsFile(path: path)
  #expect(file.metadata == ["heads": "4"])
  #expect(try file.floats("layers.0/w") == elements)
  #expect(try file.floats("b") == [7])
  let weights = try file.weights("layers.0/w")
  #expect(weights.row(1) == Array(elements[3...]))
  #expect(try file.weights("layers.0/w", precision: .bfloat16).precision == .bfloat16)
  #expect(throws: SafetensorsError.missingTensor(file: path, tensor: "c")) { try file.floats("c") }
  #expect(throws: SafetensorsError.self) { try file.integers("b") }
  #expect(throws: SafetensorsError.self) { try file.weights("b") }
  let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
  #expect(left == ["x.safetensors"])
}

@Test func everyTypeOfNumberIsRead() throws {
  let directory = try temporaryDirectory()
  defer { try? FileManager.default.removeItem(at: directory) }
  let path = directory.appendingPathComponent("x.safetensors").path
  let header =
    #"{"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"#
    + #""b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"#
    + #""i":{"dtype":"I64","shape":[1],"data_offsets":[12,20]},"#
    + #""j":{"dtype":"I8","shape":[2],"data_offsets":[20,22]}}"#
  var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
  data += Data(header.utf8)
  // Halves: 1, −2, the smallest subnormal 2⁻²⁴, −infinity. Then bfloat16 1.5 and −0.
  for half: UInt16 in [0x3c00, 0xc000, 0x0001, 0xfc00, 0x3fc0, 0x8000] {
    data += withUnsafeBytes(of: half.littleEndian) { Data($0) }
  }
  data += withUnsafeBytes(of: Int64(-3).littleEndian) { Data($0) } + Data([0xff, 0x7f])
  try data.write(to: URL(fileURLWithPath: path))
  let file = try SafetensorsFile(path: path)
  #expect(try file.floats("h") == [1, -2, 0x1p-24, -.infinity])
  #expect(try file.floats("b") == [1.5, 0])
  #expect(try file.integers("i") == [-3])
  #expect(try file.integers("j") == [-1, 127])
}

@Test func filesThatCannotBeOpenedAreNamed() throws {
  #expect(throws: FileError.unreadable("/no/such", reason: "No such file or directory")) {
    try SafetensorsFile(path: "/no/such")
  }
  #expect(throws: FileError.unreadable("/", reason: "not a regular file")) {
    try SafetensorsFile(path: "/")
  }
}

@Test func shardsAreFoundThroughTheIndex() throws {
  let directory = try temporaryDirectory()
  defer { try? FileManager.default.removeItem(at: directory) }
  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
  for (shard, value) in [("a", Float(1)), ("b", 2)] {
    try SafetensorsWriter.write(
      [SafetensorsTensor(name: "t\(shard)", shape: [1], elements: [value])],
      to: path("\(shard).safetensors"))
  }
  func writeIndex(_ map: String) throws {
    try Data("{\"weight_map\":\(map)}".utf8).write(
      to: URL(fileURLWithPath: path("m.safetensors.index.json")))
  }
  try writeIndex(#"{"ta":"a.safetensors","tb":"b.safetensors"}"#)
  let checkpoint = try SafetensorsCheckpoint(path: directory.path)
  #expect(checkpoint.tensorNames == ["ta", "tb"])
  #expect(try checkpoint.file(of: "tb").floats("tb") == [2])

  try writeIndex(#"{"ta":"b.safetensors"}"#)
  #expect(
    throws: SafetensorsError.missingFromShard(
      index: path("m.safetensors.index.json"), tensor: "ta", shard: "b.safetensors")
  ) { try SafetensorsCheckpoint(path: path("m.safetensors.index.json")) }

  try writeIndex(#"{"ta":"../b.safetensors"}"#)
  #expect(throws: SafetensorsError.self) { try SafetensorsCheckpoint(path: directory.path) }
  try writeIndex("3")
  #expect(throws: SafetensorsError.self) { try SafetensorsCheckpoint(path: directory.path) }
}
