import FileFormats
import Foundation
import Statistics
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

@testable import Commands

private let program = Program(name: "tokenize")

/// The summary that `tokenize --images … --json` prints.
private struct Summary: Decodable {
  struct Provenance: Decodable {
    let command_line: String
    let seed: UInt64
  }
  let images, images_left_out, other_files, codes, codes_used, feature_dimensions: Int
  let perplexity, mean_squared_error: Double
  let classes: [String]
  let grid: [Int]
  let provenance: Provenance
}

/// Makes class folders `day` and `night` of noisy gradients and runs `body` with their folder.
private func withImages<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  var generator = SeededGenerator(seed: 1)
  for name in ["day", "night"] {
    let inner = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    for i in 0..<4 {
      var image = RGBImage(width: 12, height: 12)
      for pixel in image.pixels.indices {
        let slope = name == "day" ? 100 + pixel / 5 : pixel / 9
        image.pixels[pixel] = UInt8(slope + 12 * i + generator.nextIndex(below: 20))
      }
      try image.writePNG(to: inner.appendingPathComponent("\(i).png").path)
    }
  }
  return try body(folder)
}

/// The options of a small run.
private func arguments(_ folder: URL, _ more: String...) -> [String] {
  ["--images", folder.path, "--grid", "3x3", "--patch", "4", "--codes", "12"]
    + ["--feature-dimensions", "3", "--training-patches", "60", "--output", "out.h5"] + more
}

@Test func imagesBecomeAFileThatInfoAndDecodeRead() throws {
  try withImages { folder in
    let files = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: files) }
    let path = files.appendingPathComponent("out.h5").path
    let made = try program.run(
      arguments(folder, "--json", "--source", "a test", "--license", "CC0-1.0"),
      inspecting: { working in
        try FileManager.default.copyItem(
          atPath: working.appendingPathComponent("out.h5").path, toPath: path)
      })
    #expect(made.status == 0 && made.errors.isEmpty && made.files == ["out.h5"])
    let summary = try JSONDecoder().decode(Summary.self, from: Data(made.output.utf8))
    #expect(summary.images == 8 && summary.images_left_out == 0 && summary.other_files == 0)
    #expect(summary.codes == 12 && summary.feature_dimensions == 3 && summary.grid == [3, 3])
    #expect(summary.classes == ["day", "night"] && summary.mean_squared_error > 0)
    #expect(summary.provenance.command_line.hasPrefix("tokenize --images "))

    let dataset = try TokenDataset(contentsOf: path)
    #expect(dataset.imageCount == 8 && dataset.grid == TokenGrid(rows: 3, columns: 3))
    #expect(dataset.attributes.license == "CC0-1.0" && dataset.attributes.source == "a test")
    #expect(dataset.attributes.createdBy.contains("--license CC0-1.0"))

    let info = try program.run(["info", path])
    #expect(info.status == 0 && info.errors.isEmpty)
    for line in [
      "  images      8", "  grid        3x3, 9 tokens an image",
      "  codebook    12 entries of 3 channels",
      "  labels      2 classes: day 4, night 4", "  license     CC0-1.0",
    ] {
      #expect(info.output.contains(line))
    }

    let decoded = try program.run(
      ["decode", path, "--images", "0..2,7", "--columns", "2", "--output", "sheet.png"],
      inspecting: { working in
        let sheet = try RGBImage(
          contentsOf: working.appendingPathComponent("sheet.png").path)
        let images = try TokenImages(of: dataset)
        let expected = RGBImage(
          contactSheetOf: try [0, 1, 2, 7].map { try images.image($0) }, columns: 2)
        #expect(sheet == expected)
      })
    #expect(decoded.status == 0 && decoded.files == ["sheet.png"])

    let array = try program.run(
      ["decode", path, "--npz", "all.npz", "--output", "sheet.png", "--select", "6,1"],
      inspecting: { working in
        let place = working.appendingPathComponent("all.npz").path
        var found: [RGBImage] = []
        try ImageSet(archive: place).forEachRun { found += $1 }
        let images = try TokenImages(of: dataset)
        #expect(found == (try [6, 1].map { try images.image($0) }))
        let labels = try #require(dataset.labels?.values)
        #expect(
          try NpzArchive(path: place).array("arr_1").integers()
            == [Int64(labels[6]), Int64(labels[1])])
      })
    #expect(array.status == 0 && array.files == ["all.npz", "sheet.png"], "\(array.errors)")
    // Without a choice the array has all images.
    let all = try program.run(["decode", path, "--npz", "all.npz"])
    #expect(all.status == 0 && all.output == "all.npz: 8 images, 12x12 pixels\n")

    let other = try program.run(
      ["--images", folder.path, "--grid", "3x3", "--patch", "4", "--like", path]
        + ["--output", "other.h5"],
      inspecting: { working in
        let same = try TokenDataset(contentsOf: working.appendingPathComponent("other.h5").path)
        #expect(same.tokens == dataset.tokens)
      })
    #expect(other.status == 0)
  }
}

@Test func brokenImagesAreNamedAndCounted() throws {
  try withImages { folder in
    try Data("not an image".utf8).write(to: folder.appendingPathComponent("day/9.jpg"))
    try Data("notes".utf8).write(to: folder.appendingPathComponent("day/notes.txt"))
    let result = try program.run(arguments(folder))
    #expect(result.status == 0)
    #expect(
      result.errors == "left out: \(folder.path)/day/9.jpg: is neither a JPEG nor a PNG file\n")
    #expect(result.output.contains("left out: 1 image, named above"))
    #expect(result.output.contains("passed over: 1 file that is no image"))
  }
}

/// Every mistake ends with one clear sentence and leaves nothing behind.
@Test(arguments: [
  (["--images", "nowhere", "--output", "x.h5"], "nowhere: there is no such file or folder"),
  (["--images", "IMAGES", "--output", "missing/x.h5"], "missing/x.h5: cannot be written: No such"),
  (["--images", "IMAGES", "--grid", "3", "--output", "x.h5"], "'3' is invalid"),
  (["--images", "IMAGES", "--grid", "2x3x3", "--output", "x.h5"], "2x3x3 is a grid of video"),
  (["--images", "IMAGES", "--patch", "0", "--output", "x.h5"], "the patch size is 0"),
  (["--images", "IMAGES", "--output", "x.h5"], "none of the 8 images can be used"),
  (
    ["--images", "IMAGES", "--grid", "2x2", "--patch", "2", "--output", "x.h5"],
    "16384 codes were asked for"
  ),
  (
    ["--images", "IMAGES", "--like", "x.h5", "--codes", "3", "--output", "y.h5"],
    "--codes is for learning a codebook"
  ),
  (["info", "nowhere.h5"], "nowhere.h5: there is no such file"),
  (["decode", "TOKENS", "--output", "x.png"], "there is no image 15; the file has images 0..4"),
  (["decode", "TOKENS", "--images", "4..2", "--output", "x.png"], "'4..2' is invalid"),
  (["decode", "TOKENS", "--images", "0", "--output", "x.png"], "has no /decoder"),
  (["decode", "TOKENS"], "--output, for a sheet of images, or --npz, for an array, is needed"),
  (["decode", "TOKENS", "--npz", "x.npz", "--columns", "2"], "--columns is for the sheet"),
  (["decode", "TOKENS", "--npz", "x.npz"], "has no /decoder"),
  (["decode", "TOKENS", "--npz", "missing/x.npz"], "missing/x.npz: cannot be written"),
  (["decode", "TOKENS", "--columns", "0", "--output", "x.png"], "--columns is 0"),
])
func mistakesAreExplained(arguments: [String], explanation: String) throws {
  try withImages { images in
    try withFile(smallDataset(images: 5)) { tokens in
      let result = try program.run(
        arguments.map {
          $0 == "IMAGES" ? images.path : $0 == "TOKENS" ? tokens : $0
        })
      #expect(result.status > 0 && result.output.isEmpty && result.files.isEmpty)
      #expect(result.errors.contains(explanation), "\(result.errors)")
    }
  }
}

@Test(arguments: [
  ("0..15", [0...15]), ("3", [3...3]), ("3,8,20..21", [3...3, 8...8, 20...21]), ("7..7", [7...7]),
])
func selectionsOfImages(text: String, ranges: [ClosedRange<Int>]) throws {
  #expect(ImageSelection(argument: text)?.ranges == ranges)
}

@Test(arguments: ["", "a", "1..", "..3", "5..2", "-1", "1,,2", "1...3", "1-3"])
func selectionsThatMakeNoSense(text: String) {
  #expect(ImageSelection(argument: text) == nil)
}

/// An interrupt in the middle of the work leaves neither the file nor its beginnings.
@Test func anInterruptLeavesNothingBehind() throws {
  try withImages { images in
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = try program.run(
      arguments(images),
      inspecting: {
        try FileManager.default.copyItem(
          at: $0.appendingPathComponent("out.h5"), to: folder.appendingPathComponent("like.h5"))
      })
    #expect(made.status == 0)
    // Enough images that the program is still writing when it is interrupted.
    let original = images.appendingPathComponent("day/0.png")
    for i in 0..<3000 {
      try FileManager.default.linkItem(
        at: original, to: images.appendingPathComponent("day/copy-\(i).png"))
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("tokenize")
    process.currentDirectoryURL = folder
    process.arguments = [
      "--images", images.path, "--grid", "3x3", "--patch", "4", "--like", "like.h5",
      "--output", "out.h5",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    func contents() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
    // The output is tried before the images are listed, and created again when they are read.
    while process.isRunning, try contents() == ["like.h5"] { usleep(1000) }
    #expect(try contents().first?.hasSuffix(".partial") == true)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGINT)
    #expect(try contents() == ["like.h5"])
  }
}

/// Codes of other programs need not be imported to be looked at.
@Test func arraysAreLookedAtAsTheyAre() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  func place(_ name: String) -> String { folder.appendingPathComponent(name).path }
  try writeVQCheckpoint(to: place("vq.safetensors"))
  let decoder = try VQDecoder(TensorFile.open(place("vq.safetensors")))
  let codes = (0..<12).map { Int64($0 % decoder.codebook.rows) }
  try NpyWriter.write(codes, shape: [3, 2, 2], to: place("codes.npy"))
  let info = try program.run(["info", "codes.npy", "--codebook", "vq.safetensors"], in: folder)
  #expect(info.status == 0, "\(info.errors)")
  #expect(
    info.output.contains("  images      3\n") && info.output.contains("2x2, 4 tokens an image"))
  #expect(info.output.contains("  content     xxh64:"))
  // The codebook is that of the tokenizer that shows the codes.
  let decoded = try program.run(
    ["decode", "codes.npy", "--vq", "vq.safetensors", "--npz", "images.npz"], in: folder)
  #expect(decoded.status == 0, "\(decoded.errors)")
  var found: [RGBImage] = []
  try ImageSet(archive: place("images.npz")).forEachRun { found += $1 }
  let expected = try (0..<3).map { image in
    try decoder.decode(codes[4 * image..<4 * image + 4].map { UInt32($0) }, rows: 2, columns: 2)
  }
  #expect(found == expected)
  try NpyWriter.write(codes, shape: [1, 3, 2, 2], to: place("video.npy"))
  for (arguments, sentence) in [
    (["info", "codes.npy"], "--codebook"),
    (["decode", "codes.npy", "--codebook", "vq.safetensors", "--npz", "x.npz"], "has no /decoder"),
    (["decode", "video.npy", "--vq", "vq.safetensors", "--npz", "x.npz"], "are those of videos"),
    (["info", "none.npy"], "none.npy: there is no such file"),
  ] {
    let result = try program.run(arguments, in: folder)
    #expect(result.status != 0 && result.errors.contains(sentence), "\(result.errors)")
    #expect(!result.files.contains("x.npz"))
  }
}
