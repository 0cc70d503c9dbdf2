import FileFormats
import Foundation
import Testing
import TokenData
import TokenGrids

@testable import Commands

struct TokenizeImportTests {
  /// Writes the tokens of a dataset as LlamaGen does, `crops` images of it to a file.
  private func writeFolder(_ dataset: TokenDataset, crops: Int, in folder: URL) throws {
    let n = dataset.grid.cellCount
    let (codes, labels) = (
      folder.appendingPathComponent("x_codes"), folder.appendingPathComponent("x_labels")
    )
    for url in [codes, labels] {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    for photograph in 0..<dataset.imageCount / crops {
      let images = photograph * crops..<(photograph + 1) * crops
      try NpyWriter.write(
        try #require(dataset.codes(ofImages: images)).map { Int64($0) }, shape: [1, crops, n],
        to: codes.appendingPathComponent("\(photograph).npy").path)
      try NpyWriter.write(
        [Int64(photograph % 3)], shape: [1],
        to: labels.appendingPathComponent("\(photograph).npy").path)
    }
    let codebook = try #require(dataset.codebook)
    try NpyWriter.write(
      codebook.elements, shape: [codebook.rows, codebook.columns],
      to: folder.appendingPathComponent("codebook.npy").path)
  }

  @Test(arguments: [10, 2])
  func aLlamaGenFolderGoesThroughOrderCompare(crops: Int) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let dataset = try smallDataset()
    try writeFolder(dataset, crops: crops, in: folder)
    let output = folder.appendingPathComponent("out.h5").path
    try TokenizeImport.parse([
      "--codes", folder.appendingPathComponent("x_codes").path, "--codebook",
      folder.appendingPathComponent("codebook.npy").path, "--crops", "all", "--output", output,
    ]).run()
    let imported = try TokenDataset(contentsOf: output)
    #expect(imported.codes == dataset.codes && imported.codebook == dataset.codebook)
    #expect(imported.grid == dataset.grid)
    #expect(imported.labels?.values == (0..<300).map { UInt32($0 / crops % 3) })
    #expect(imported.imageIDs == (0..<300).map { UInt32($0 / crops) })
    let result = try Program(name: "order-compare").run(
      ["raster", "distant", "--tokens", output, "--json"])
    #expect(result.status == 0 && result.output.contains("\"total_increase\""))
  }

  @Test func aVideoGoesThroughMapsAndOrders() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let dataset = try smallDataset(
      grid: TokenGrid(frames: 3, rows: 4, columns: 4), images: 300, channels: 2)
    try writeFolder(dataset, crops: 1, in: folder)
    let array = folder.appendingPathComponent("video.npy").path
    let codes = try #require(dataset.codes)
    try NpyWriter.write(codes.map { UInt16($0) }, shape: [300, 3, 4, 4], to: array)
    let output = folder.appendingPathComponent("out.h5").path
    try TokenizeImport.parse([
      "--codes", array, "--codebook", folder.appendingPathComponent("codebook.npy").path,
      "--output", output,
    ]).run()
    #expect(try TokenDataset(contentsOf: output).grid == dataset.grid)
    let map = try Program(name: "entropy-map").run(
      ["--tokens", output, "--ref", "1,2,3", "--json"])
    #expect(map.status == 0 && map.output.contains("\"reference\""), "\(map.errors)")
    for n in ["4", "16"] {
      let orders = try Program(name: "order-compare").run(
        ["raster", "distant", "--tokens-per-step", n, "--tokens", output, "--json"])
      #expect(
        orders.status == 0 && orders.output.contains("\"total_increase\""), "\(orders.errors)")
    }
  }

  /// Codes have no channels, in a folder as in one array.
  @Test(arguments: ["x_codes", "x_codes/0.npy"])
  func channelsOfCodesAreRefused(codes: String) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try writeFolder(smallDataset(), crops: 2, in: folder)
    let result = try Program(name: "tokenize").run(
      ["import", "--codes", codes, "--codebook", "codebook.npy", "--channels", "first"]
        + ["--output", "out.h5"], in: folder)
    #expect(result.status == 1 && !result.files.contains("out.h5"))
    #expect(result.errors.contains("--channels"), "\(result.errors)")
  }

  @Test(arguments: [["--sample", "0"], ["--grid", "24"], ["--crops", "some"]])
  func wrongOptionsAreRefused(options: [String]) {
    #expect(throws: (any Error).self) {
      try TokenizeImport.parse(["--codes", "x", "--output", "y.h5"] + options)
    }
  }
}
