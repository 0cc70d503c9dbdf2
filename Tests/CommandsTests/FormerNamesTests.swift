import FileFormats
import Foundation
import Testing
import TokenData

@testable import Commands

/// Scripts that were written for earlier names go on to work.
struct FormerNamesTests {
  @Test(arguments: ["--batch", "--batch-size"])
  func imagesOfAStep(name: String) throws {
    let training = try TrainModel.parse(["--output-dir", "x", name, "5"]).training
    #expect(training.settings(seed: 0, checkpointSeconds: 1).batchSize == 5)
    #expect(try FidCompareRun.parse([name, "5"]).settings.training.batchSize == 5)
  }

  @Test(arguments: ["--count", "--samples"])
  func samplesOfAComparison(name: String) throws {
    #expect(try FidCompareRun.parse([name, "55"]).settings.samples == 55)
  }

  @Test func ordersOfAComparison() throws {
    #expect(try FidCompareRun.parse(["--orders", "raster", "distant"]).orders.count == 2)
  }

  @Test(arguments: ["--count", "--sample"])
  func photographsOfAnImport(name: String) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func place(_ name: String) -> String { folder.appendingPathComponent(name).path }
    try NpyWriter.write([Int64](repeating: 1, count: 36), shape: [4, 9], to: place("codes.npy"))
    try NpyWriter.write([Float](repeating: 1, count: 8), shape: [4, 2], to: place("book.npy"))
    let result = try Program(name: "tokenize").run(
      ["import", "--codes", "codes.npy", "--codebook", "book.npy", "-o", "c.h5", name, "3"],
      in: folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("photographs: 3 of 4"), "\(result.output)")
  }

  /// Found out by what is refused: the dataset has five images.
  @Test(arguments: ["--select", "--images"])
  func imagesThatAreDecoded(name: String) throws {
    try withFile(smallDataset(images: 5)) { path in
      let result = try Program(name: "tokenize").run(["decode", path, name, "2,7", "-o", "x.png"])
      #expect(result.status != 0 && result.errors.contains("there is no image 7"))
    }
  }

  /// Without a name or as `--tokens`: the same dataset, and not both.
  @Test func theDatasetHasANameOrNone() throws {
    let file = DatasetArgument(argument: "t.h5")
    for arguments in [["t.h5"], ["--tokens", "t.h5"]] {
      #expect(try TrainModel.parse(["--output-dir", "x"] + arguments).tokens.dataset == file)
      #expect(try TrainLikelihood.parse(["m.safetensors"] + arguments).tokens.dataset == file)
      #expect(try TokenizeInfo.parse(arguments).tokens.dataset == file)
      #expect(try EntropyMapCommand.parse(["--ref", "1,1"] + arguments).source.dataset == file)
      #expect(try EntropyMapCommand.parse(arguments + ["--all"]).source.dataset == file)
      #expect(try AppendixFiguresCommand.parse(arguments).source.dataset == file)
      #expect(try TokenizeDecode.parse(arguments + ["-o", "x.png"]).tokens.dataset == file)
      #expect(
        try FidCompareStatistics.parse(arguments + ["--extractor", "texture", "-o", "x.npz"])
          .tokens.dataset == file)
    }
    #expect(try TrainModel.parse(["--output-dir", "x"]).tokens.dataset.text == "scenes-12x12")
    #expect(throws: (any Error).self) { try TokenizeInfo.parse(["a.h5", "--tokens", "b.h5"]) }
    #expect(throws: (any Error).self) { try TokenizeInfo.parse([]) }
    #expect(throws: (any Error).self) {
      try EntropyMapCommand.parse(["a.h5", "--all", "--tokens", "b.h5"])
    }
    #expect(try EntropyMapCommand.parse(["--all"]).source.dataset.text == "scenes")
  }

  @Test func bothNamesAtOnceAreRefused() {
    for arguments in [
      ["--batch", "3", "--batch-size", "3"], ["--count", "30", "--samples", "30"],
    ] {
      #expect(throws: (any Error).self) { try FidCompareRun.parse(arguments) }
    }
    #expect(throws: (any Error).self) {
      try TokenizeDecode.parse(["t.h5", "--select", "1", "--images", "1", "-o", "x.png"])
    }
  }
}
