import FileFormats
import Foundation
import LinearAlgebra
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

@testable import Commands

/// The smallest network with every kind of layer: 32 channels, one level, no halving.
func writeVQCheckpoint(to path: String, codes: Int = 16) throws {
  var tensors: [SafetensorsTensor] = []
  var state: UInt64 = 7
  func add(_ name: String, _ shape: [Int]) {
    let scale = shape.count == 4 ? 1 / Float(shape[1] * shape[2] * shape[3]).squareRoot() : 1
    let elements = (0..<shape.reduce(1, *)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Float(state >> 40) / Float(1 << 23) - 1) * scale
    }
    tensors.append(SafetensorsTensor(name: name, shape: shape, elements: elements))
  }
  func layer(_ name: String, _ shape: [Int]) {
    add(name + ".weight", shape)
    add(name + ".bias", [shape[0]])
  }
  func residual(_ name: String) {
    for part in ["norm1", "norm2"] { layer("\(name).\(part)", [32]) }
    for part in ["conv1", "conv2"] { layer("\(name).\(part)", [32, 32, 3, 3]) }
  }
  for half in ["encoder", "decoder"] {
    layer(half + ".conv_in", [32, half == "encoder" ? 3 : 32, 3, 3])
    residual(half + ".conv_blocks.0.res.0")
    for block in [0, 2] { residual("\(half).mid.\(block)") }
    layer(half + ".mid.1.norm", [32])
    for part in ["q", "k", "v", "proj_out"] { layer("\(half).mid.1.\(part)", [32, 32, 1, 1]) }
    layer(half + ".norm_out", [32])
    layer(half + ".conv_out", [half == "encoder" ? 32 : 3, 32, 3, 3])
  }
  layer("quant_conv", [4, 32, 1, 1])
  layer("post_quant_conv", [32, 4, 1, 1])
  add(CodebookFile.tensorName, [codes, 4])
  try SafetensorsWriter.write(tensors, to: path)
}

struct TokenizeVQTests {
  @Test func imagesAreEncodedAndDecoded() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func place(_ name: String) -> String { folder.appendingPathComponent(name).path }
    try writeVQCheckpoint(to: place("vq.safetensors"))
    try FileManager.default.createDirectory(
      atPath: place("images"), withIntermediateDirectories: true)
    let image = RGBImage(
      width: 8, height: 8, pixels: (0..<192).map { UInt8(truncatingIfNeeded: $0 * 37) })
    try image.writePNG(to: place("images/a.png"))
    let result = try Program(name: "tokenize").run([
      "--images", place("images"), "--vq", place("vq.safetensors"), "--size", "8", "--output",
      place("out.h5"),
    ])
    #expect(result.status == 0, "\(result.errors)")
    let checkpoint = try TensorFile.open(place("vq.safetensors"))
    let codes = try VQEncoder(checkpoint).encode(image)
    #expect(try TokenDataset(contentsOf: place("out.h5")).codes == codes)

    let decoded = try Program(name: "tokenize").run([
      "decode", place("out.h5"), "--images", "0", "--vq", place("vq.safetensors"), "--output",
      place("sheet.png"),
    ])
    #expect(decoded.status == 0, "\(decoded.errors)")
    #expect(FileManager.default.fileExists(atPath: place("sheet.png")))
    let file = try TokenDatasetFile(path: place("out.h5"))
    #expect(
      try VQDecoder(checkpoint).decode(image: 0, of: file)
        == VQDecoder(checkpoint).decode(codes, rows: 8, columns: 8))
  }

  /// A codebook is recognised by its entries, whatever their lengths, not by its size alone.
  @Test func tokensOfAnotherCodebookAreNotDecoded() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func place(_ name: String) -> String { folder.appendingPathComponent(name).path }
    try writeVQCheckpoint(to: place("vq.safetensors"))
    let decoder = try VQDecoder(TensorFile.open(place("vq.safetensors")))
    let channels = decoder.codebook.columns
    func write(_ name: String, _ change: (inout [Float]) -> Void) throws -> TokenDatasetFile {
      var codebook = decoder.codebook
      change(&codebook.elements)
      try TokenDataset(
        name: "t", grid: TokenGrid(rows: 2, columns: 2),
        tokens: .codes([3, 1, 2, 0], codebook: codebook)
      ).write(to: place(name))
      return try TokenDatasetFile(path: place(name))
    }
    let longer = try write("longer.h5") { for i in $0.indices { $0[i] *= 3 } }
    #expect(
      try decoder.decode(image: 0, of: longer) == decoder.decode([3, 1, 2, 0], rows: 2, columns: 2))
    let other = try write("other.h5") { $0[2 * channels + 1] *= -1 }
    #expect(throws: VQError.otherEntries(file: place("other.h5"), entry: 2)) {
      try decoder.decode(image: 0, of: other)
    }
  }

  @Test(arguments: [
    ["--vq", "x.pt", "--grid", "8x8"], ["--vq", "x.pt", "--seed", "1"],
    ["--vq", "x.pt", "--like", "y.h5"], ["--size", "384"], ["--vq", "x.pt", "--size", "0"],
  ])
  func optionsThatWouldBeIgnoredAreRefused(options: [String]) {
    #expect(throws: (any Error).self) {
      try TokenizeImages.parse(["--images", "x", "--output", "y.h5"] + options)
    }
  }
}
