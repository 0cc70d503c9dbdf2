import ArgumentParser
import Files
import Foundation
import Reporting
import TokenData
import TokenGrids
import VisualTokenizers

extension TokenGrid: ExpressibleByArgument {}

/// `tokenize --images DIR …`: a folder of images becomes a file of tokens.
struct TokenizeImages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "Turn a folder of JPEG and PNG images into a file of tokens (the default).",
    usage: "tokenize [images] --images <dir> [options] --output <file.h5>",
    discussion: """
      EXAMPLES
        tokenize --images photos --output photos.h5
        tokenize --images photos --like scenes --output photos.h5
        tokenize --images photos --vq vq_ds16_c2i.pt --size 384 -o photos.h5

      Sub-folders are classes; a folder without sub-folders has no labels. Every
      image is cropped around its centre to the aspect of the grid and reduced to
      rows·patch x columns·patch pixels; smaller images are left out unless
      --enlarge is given, because enlarging makes neighbouring tokens depend on
      each other. Each patch becomes one token: its pixels are projected on their
      leading principal components and the nearest entry of a codebook is taken,
      which k-means has learned from the same images.

      Images that cannot be read are named and left out.
      """)

  @Option(help: ArgumentHelp("The folder of images.", valueName: "dir"))
  var images: String

  @Option(help: ArgumentHelp("The grid of tokens, as in 24x24, the default.", valueName: "HxW"))
  var grid: TokenGrid?

  @Option(help: "The number of pixels along the side of a token's patch. (default: 6)")
  var patch: Int?

  @Option(help: "The number of entries of the codebook. (default: 16384)")
  var codes: Int?

  @Option(
    help: ArgumentHelp(
      "The number of principal components that make a token's feature. (default: 8)",
      valueName: "d"))
  var featureDimensions: Int?

  @Option(
    help: ArgumentHelp(
      "The number of patches that the codebook is learned from. (default: 1000000)",
      valueName: "patches"))
  var trainingPatches: Int?

  @Option(help: "The largest number of iterations of k-means. (default: 50)")
  var iterations: Int?

  @OptionGroup var seedOption: SeedOption

  @Flag(help: "Also use images smaller than the grid needs, enlarged.")
  var enlarge = false

  @Option(
    help: ArgumentHelp(
      "Encode with the codebook of this dataset instead of a new one: a file, or scenes or scenes-12x12.",
      valueName: "file"))
  var like: DatasetArgument?

  @Option(
    help: ArgumentHelp(
      "Encode with a VQ-16 tokenizer instead: a checkpoint (.safetensors, .pt).",
      valueName: "file"))
  var vq: String?

  @Option(
    help: ArgumentHelp(
      "The width and height of the images that --vq encodes. (default: 384)", valueName: "pixels"))
  var size: Int?

  @OptionGroup(title: "Results") var record: DatasetRecord
  @OptionGroup(title: "Results") var json: JSONOption

  var output: String { record.output }

  func validate() throws {
    func isGiven(_ names: Set<String>) -> String? {
      let given: [(String, Bool)] = [
        ("--grid", grid != nil), ("--patch", patch != nil), ("--codes", codes != nil),
        ("--feature-dimensions", featureDimensions != nil),
        ("--training-patches", trainingPatches != nil), ("--iterations", iterations != nil),
        ("--seed", seedOption.given != nil), ("--like", like != nil),
      ]
      return given.first { names.contains($0.0) && $0.1 }?.0
    }
    let learning: Set = [
      "--codes", "--feature-dimensions", "--training-patches", "--iterations", "--seed",
    ]
    if like != nil, let option = isGiven(learning) {
      throw ValidationError("\(option) is for learning a codebook; --like takes that of a file")
    }
    if vq != nil {
      if let option = isGiven(learning.union(["--grid", "--patch", "--like"])) {
        throw ValidationError("\(option) has no meaning with --vq, which decides it")
      }
    } else if size != nil {
      throw ValidationError("--size belongs to --vq; patches have --grid and --patch")
    }
    if let size, size < 1 { throw ValidationError("--size \(size): at least 1 is needed") }
    if let grid, grid.isVideo {
      throw ValidationError("--grid \(grid) is a grid of video; images need HxW, as in 24x24")
    }
  }

  func run() throws {
    if let vq { return try runVQ(checkpoint: vq) }
    let seed = seedOption.value
    let tokenizer = try like.map { try PatchTokenizer(of: $0.open()) }
    var options = FolderTokenization.Options(
      grid: grid ?? TokenGrid(rows: 24, columns: 24), patchSize: patch ?? 6)
    options.codes = codes ?? tokenizer?.codebook.rows ?? options.codes
    options.featureDimensions =
      featureDimensions ?? tokenizer?.featureDimensions ?? options.featureDimensions
    options.trainingPatches = trainingPatches ?? 1_000_000
    options.maximumIterations = iterations ?? 50
    options.seed = seed
    options.enlarges = enlarge
    let folder = try ImageFolder(path: images)
    reportEmptyFolders(of: folder)
    let tokenization = try FolderTokenization(folder: folder, options: options)
    let provenance = Provenance(
      input: like?.displayName,
      inputHash: try like.map { try ContentHash(ofFileAt: $0.path).description },
      seed: like == nil ? seed : nil)
    let progress = TokenizationProgress(
      images: folder.entries.count, iterations: options.maximumIterations)
    try checkOutput(output, inputs: folder.entries.map(\.path))
    let clock = Stopwatch()
    let summary = try tokenization.run(
      writingTo: output,
      attributes: TokenAttributes(
        tokenizer: PatchTokenizer.tokenizerName, source: record.source, license: record.license,
        createdBy: "token-entropy \(provenance.version): \(provenance.commandLine)"),
      tokenizer: tokenizer,
      progress: { progress.update($0) },
      leftOut: { error in
        progress.finish()
        report("left out: \(error)")
      })
    progress.finish()
    let result = TokenizeReport(
      output: output, folder: folder, options: options, summary: summary,
      provenance: provenance.finished(after: clock))
    if json.isWanted { try printJSON(result) } else { try printText(result.text) }
  }
}

/// Where a dataset is written, and what it says of itself.
struct DatasetRecord: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(help: "Where the images come from, for the file's record.")
  var source = ""

  @Option(help: "The licence of the images, for the file's record.")
  var license = ""
}

/// Names the sub-folders without images on standard error: their labels are kept, and nothing has them.
func reportEmptyFolders(of folder: ImageFolder) {
  for name in folder.emptyFolders {
    let path = folder.path.hasSuffix("/") ? folder.path + name : folder.path + "/" + name
    report(
      "\(path): holds no JPEG or PNG images"
        + (folder.classNames.isEmpty ? "" : "; the class is kept, without images"))
  }
}

/// The progress lines of the three stages.
private struct TokenizationProgress {
  private let sampling: ProgressLine
  private let clustering: ProgressLine
  private let encoding: ProgressLine

  init(images: Int, iterations: Int) {
    sampling = ProgressLine("reading", total: images, unit: "images")
    clustering = ProgressLine("k-means", total: iterations, unit: "iterations at most")
    encoding = ProgressLine("encoding", total: images, unit: "images")
  }

  func update(_ progress: FolderTokenization.Progress) {
    switch progress {
    case .sampling(let done, _): sampling.update(done)
    case .clustering(let iteration, let distortion):
      sampling.finish()
      clustering.update(
        iteration, "mean squared error \(String(format: "%.4g", distortion))")
    case .encoding(let done, _):
      clustering.finish()
      encoding.update(done)
    }
  }

  func finish() {
    for progress in [sampling, clustering, encoding] { progress.finish() }
  }
}

/// What `tokenize --images` prints.
struct TokenizeReport: Encodable {
  let command = "tokenize"
  let output: String
  let images: Int
  let imagesLeftOut: Int
  let otherFiles: Int
  let emptyFolders: [String]
  let classes: [String]
  let grid: [Int]
  let patchSize: Int
  let codes: Int
  let codesUsed: Int
  let perplexity: Double
  let featureDimensions: Int
  /// In squared grey levels, over pixels and colours.
  let meanSquaredError: Double
  let iterations: Int
  let provenance: Provenance

  init(
    output: String, folder: ImageFolder, options: FolderTokenization.Options,
    summary: FolderTokenization.Summary, provenance: Provenance
  ) {
    let use = CodeUse(counts: summary.codeCounts)
    self.output = output
    images = summary.imageCount
    imagesLeftOut = summary.leftOut.count
    otherFiles = folder.otherFileCount
    emptyFolders = folder.emptyFolders
    classes = folder.classNames
    grid = [options.grid.rows, options.grid.columns]
    patchSize = options.patchSize
    codes = summary.codeCounts.count
    codesUsed = use.usedCount
    perplexity = use.perplexity
    featureDimensions = options.featureDimensions
    meanSquaredError = summary.meanSquaredError
    iterations = summary.iterations
    self.provenance = provenance
  }

  var text: String {
    var lines = [
      "\(output): \(images.grouped) images of \(grid[0])x\(grid[1]) tokens",
      "codebook: \(codes.grouped) entries of \(featureDimensions) channels, \(codesUsed.grouped) used, "
        + "perplexity \(perplexity.fixed(0))",
      "decoded images: mean squared error \(meanSquaredError.fixed(1)) of 255², "
        + "\((10 * log10(255 * 255 / meanSquaredError)).fixed(1)) dB",
    ]
    lines += folderLines(classes: classes, imagesLeftOut: imagesLeftOut)
    if otherFiles > 0 {
      lines.append(
        "passed over: \(otherFiles.grouped) file\(otherFiles == 1 ? " that is no image" : "s that are no images")"
      )
    }
    return lines.joined(separator: "\n")
  }
}

/// What a summary says of a folder: its classes, and how many of its images are not in the dataset.
func folderLines(classes: [String], imagesLeftOut: Int) -> [String] {
  var lines: [String] = []
  if !classes.isEmpty { lines.append("classes: " + classes.joined(separator: ", ")) }
  if imagesLeftOut > 0 {
    lines.append(
      "left out: \(imagesLeftOut.grouped) image\(imagesLeftOut == 1 ? "" : "s"), named above")
  }
  return lines
}
