import ArgumentParser
import FileFormats
import Files
import Foundation
import Reporting
import TokenData
import TokenGrids

extension TokenImport.Crops: ExpressibleByArgument {}

/// What is said of tokens that another program saved as arrays: `.npy`, `.npz`, or a folder of LlamaGen codes.
struct ArrayTokens: Hashable {
  /// The path of what the codes index.
  var codebook: String?
  /// The path of the labels.
  var labels: String?
  /// The grid, where the array's extents do not say it.
  var grid: TokenGrid?
  /// Which crops of a photograph are taken; nil for the first.
  var crops: TokenImport.Crops?

  /// How many problems are named before the rest is only counted.
  static let namedProblems = 20

  /// Whether a path leads to arrays: by what is there, not by its name.
  static func areAt(_ path: String) -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return false }
    if isFolder(path) { return true }
    return switch FileContent(ofFileAt: path) {
    case .npy: true
    case .zip: path.lowercased().hasSuffix(".npz")
    default: false
    }
  }

  /// Refuses what was said where the tokens are no arrays.
  func refuse(beside text: String) throws {
    for (name, isGiven) in [
      ("--codebook", codebook != nil), ("--labels", labels != nil), ("--grid", grid != nil),
      ("--crops", crops != nil),
    ] where isGiven {
      throw ValidationError(
        "\(name) is for arrays (.npy, .npz) and folders of codes: \(text) says it itself")
    }
  }

  /// Reads the tokens into memory.
  ///
  /// Of a folder only the photographs that are drawn are read. Of an array the same images are drawn as of a file of tokens.
  /// - Throws: What is wrong with a file, in one sentence.
  func load(
    _ path: String, sampling limit: Int?, seed: UInt64, centred: Bool, channels: ChannelPlacement?
  ) throws -> TokenDataset {
    let isFolder = Self.isFolder(path)
    let source = try source(path, channels: channels) { options in
      options.seed = seed
      options.centred = centred
      // Every crop of an array is an image of its own, of which some are drawn when all are there.
      if isFolder || crops != .all { options.sample = limit }
      options.keepsOrder = !isFolder
    }
    var problems = 0
    let progress = ProgressLine("reading", total: source.photographCount, unit: "photographs")
    let dataset = try source.dataset(
      named: URL(fileURLWithPath: path).lastPathComponent,
      progress: { progress.update($0.done) },
      leftOut: { problem in
        problems += 1
        guard problems <= Self.namedProblems else { return }
        progress.finish()
        report("left out: \(problem)")
      })
    progress.finish()
    if problems > Self.namedProblems { report("left out: \(problems - Self.namedProblems) more") }
    guard let limit, !isFolder else { return dataset }
    return try dataset.sampled(limit, seed: seed)
  }

  /// Opens an array, to be read where it is looked at; nil for a folder of them.
  ///
  /// - Throws: What is wrong with a file, in one sentence.
  func described(_ path: String, channels: ChannelPlacement?) throws -> TokenArrayDataset? {
    Self.isFolder(path) ? nil : try TokenArrayDataset(source(path, channels: channels) { _ in })
  }

  private func source(
    _ path: String, channels: ChannelPlacement?, _ set: (inout TokenImport.Options) -> Void
  ) throws -> TokenImport {
    for other in [codebook, labels].compactMap({ $0 }) { InputFiles.shared.insert(other) }
    var options = TokenImport.Options()
    options.grid = grid
    options.channels = channels
    options.crops = crops ?? .first
    set(&options)
    return try TokenImport(
      path: path, labels: labels, codebook: codebook.map { try CodebookFile.read($0) },
      options: options)
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }
}

/// The options of ``ArrayTokens``.
struct ArrayTokenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What codes in an array mean: .npy (entries, channels), or a VQ-16 checkpoint (.safetensors, .pt).",
      valueName: "file"))
  var codebook: String?

  @Option(
    help: ArgumentHelp(
      "The classes of an array's images: a .npy file, of a folder of codes a folder too. (default: …_labels beside …_codes)",
      valueName: "path"))
  var labels: String?

  @Option(
    name: .customLong("grid"),
    help: ArgumentHelp(
      "The grid of an array's tokens, HxW or TxHxW. (default: that of the array, or a square)",
      valueName: "grid"))
  var gridText: String?

  @Option(
    help: ArgumentHelp(
      "Which crops in a folder of codes to take: all, first or random. (default: first)",
      valueName: "which"))
  var crops: TokenImport.Crops?

  func validate() throws {
    if let gridText, TokenGrid(gridText) == nil {
      throw ValidationError("--grid \(gridText): expected \(TokenGrid.expectedText)")
    }
  }

  /// What was given.
  var values: ArrayTokens {
    ArrayTokens(
      codebook: codebook, labels: labels, grid: gridText.flatMap { TokenGrid($0) }, crops: crops)
  }
}
