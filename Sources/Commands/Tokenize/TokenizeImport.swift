import ArgumentParser
import Foundation
import LinearAlgebra
import Reporting
import TokenData
import TokenGrids

/// `tokenize import --codes … --output FILE.h5`: tokens of other programs become a token dataset.
struct TokenizeImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn codes or features of another program into a file of tokens.",
    usage: """
      tokenize import --codes <path> [--codebook <file>] [options]
                      --output <file.h5>
      """,
    discussion: """
      EXAMPLES
        tokenize import --codes imagenet384_codes --codebook vq_ds16_c2i.pt \\
          --count 10000 --crops random --output imagenet.h5
        tokenize import --codes video.npy --codebook codebook.npy -o video.h5

      --codes names a folder as LlamaGen and PAR write it, {i}.npy of (1, crops,
      tokens), or one .npy file of (images, tokens), (images, rows, columns) or
      (images, frames, rows, columns); with floating-point numbers and a last
      extent of channels it holds continuous features, which need no codebook. Any
      type of number, byte order and memory order is read. An .npz archive has codes
      or features, and perhaps codebook and labels. Every command reads these too.

      Files that are missing, short or damaged are named, counted and left out.
      The file of tokens records which photograph every row is a crop of
      (/image_ids).
      """)

  @Option(
    help: ArgumentHelp("The codes: a folder of {i}.npy, or one .npy file.", valueName: "path"))
  var codes: String

  @Option(
    help: ArgumentHelp(
      "What the codes mean: a .npy file (entries, channels), or a VQ-16 checkpoint (.safetensors, .pt).",
      valueName: "file"))
  var codebook: String?

  @Option(
    help: ArgumentHelp(
      "The labels: a folder of {i}.npy or one .npy file. (default: …_labels beside …_codes)",
      valueName: "path"))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "The grid of tokens, HxW or TxHxW. (default: that of the array, or a square)",
      valueName: "grid"))
  var grid: String?

  @OptionGroup var channels: ChannelsOption

  @Option(help: "Which crops of a photograph to take: all, first or random.")
  var crops = TokenImport.Crops.first

  @Option(
    help: ArgumentHelp("How many photographs to draw. (default: all)", valueName: "photographs"))
  var count: Int?

  @Option(name: .customLong("sample"), help: .hidden) var formerCount: Int?

  @OptionGroup var seed: SeedOption
  @OptionGroup(title: "Results") var record: DatasetRecord
  @OptionGroup(title: "Results") var json: JSONOption

  private var output: String { record.output }

  func validate() throws {
    try renamed(count, "--count", formerly: formerCount, "--sample")
    if let count = count ?? formerCount, count < 1 {
      throw ValidationError("--count \(count): at least 1 photograph is needed")
    }
    if let grid, TokenGrid(grid) == nil {
      throw ValidationError("--grid \(grid): expected \(TokenGrid.expectedText)")
    }
  }

  func run() throws {
    var options = TokenImport.Options()
    options.grid = grid.flatMap { TokenGrid($0) }
    options.crops = crops
    options.channels = channels.channels
    options.sample = count ?? formerCount
    options.seed = seed.value
    let source = try TokenImport(
      path: codes, labels: labels, codebook: codebook.map { try CodebookFile.read($0) },
      options: options)
    let files = source.inputFolders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map {
        folder + "/" + $0
      }
    }
    try checkOutput(output, inputs: [codes, labels, codebook] + files)
    let provenance = Provenance(input: codes, seed: seed.value)
    var problems = 0
    let progress = ProgressLine("importing", total: source.photographCount, unit: "photographs")
    let summary = try source.run(
      writingTo: output,
      attributes: TokenAttributes(
        tokenizer: codebook.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "",
        source: record.source, license: record.license,
        createdBy: "token-entropy \(provenance.version): \(provenance.commandLine)"),
      progress: { progress.update($0.done) },
      leftOut: { problem in
        problems += 1
        guard problems <= ArrayTokens.namedProblems else { return }
        progress.finish()
        report("left out: \(problem)")
      })
    progress.finish()
    if problems > ArrayTokens.namedProblems {
      report("left out: \(problems - ArrayTokens.namedProblems) more")
    }
    if let first = summary.otherFiles.first {
      report(
        "\(codes): passed over \(summary.otherFiles.count) "
          + (summary.otherFiles.count == 1 ? "file" : "files, the first")
          + " \(first): codes are in files named by whole numbers, as 17.npy")
    }
    let result = TokenizeImportResult(output: output, summary: summary, provenance: provenance)
    if json.isWanted {
      try printJSON(result)
    } else {
      try printText(result.text(wanted: options.sample))
    }
  }
}

/// What `tokenize import` prints.
struct TokenizeImportResult: Encodable {
  let command = "tokenize import"
  let output: String
  let images: Int
  let photographs: Int
  let photographsAvailable: Int
  let cropsPerPhotograph: Int
  let leftOut: Int
  let missingNumbers: Int
  let labels: Bool
  let grid: String
  let codes: Int?
  let featureDimensions: Int
  let provenance: Provenance

  init(output: String, summary: TokenImport.Summary, provenance: Provenance) {
    self.output = output
    images = summary.rows
    photographs = summary.photographs
    photographsAvailable = summary.available
    cropsPerPhotograph = summary.cropsPerPhotograph
    leftOut = summary.leftOut
    missingNumbers = summary.missing
    labels = summary.hasLabels
    grid = summary.grid.description
    codes = summary.codebookSize
    featureDimensions = summary.featureDimensions
    self.provenance = provenance
  }

  func text(wanted: Int?) -> String {
    let what = codes.map { "codes of \($0) entries" } ?? "features"
    var lines = [
      "\(output): \(images) images of \(grid) tokens, \(what) with \(featureDimensions) channels, "
        + (labels ? "labelled" : "without labels"),
      "photographs: \(photographs) of \(photographsAvailable), \(cropsPerPhotograph) "
        + (cropsPerPhotograph == 1 ? "crop" : "crops") + " of each available",
    ]
    if let wanted, wanted > photographs {
      lines.append("fewer than the \(wanted) photographs that were asked for")
    }
    if leftOut > 0 { lines.append("left out: \(leftOut) photographs, named above") }
    if missingNumbers > 0 {
      lines.append("missing: \(missingNumbers) numbers between the first and the last have no file")
    }
    if images > photographs {
      lines.append(
        "crops of one photograph are not independent; /image_ids says which belong together")
    }
    return lines.joined(separator: "\n")
  }
}
