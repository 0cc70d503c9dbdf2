import ArgumentParser
import Reporting
import TokenData

/// `tokenize concat PART.h5 … --output ALL.h5`: files of tokens one behind the other.
struct TokenizeConcat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "concat",
    abstract: "Put files of tokens together, such as the parts of par-sample --shard.",
    usage: "tokenize concat <files> ... --output <file.h5>",
    discussion: """
      EXAMPLES
        tokenize concat part-*.h5 --output samples.h5

      Parts of a run of par-sample may be named in any order: each file says which
      images it holds, and a part that is missing or there twice is refused. Other
      files are put together in the order of the command line. Grid, codebook,
      decoder and names of classes must be the same in all.
      """)

  @Argument(help: ArgumentHelp("Files of tokens, at least two.", valueName: "files"))
  var files: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The dataset to write.", valueName: "file.h5"))
  var output: String

  @OptionGroup(title: "Results") var json: JSONOption

  private struct Result: Encodable {
    let command = "tokenize concat"
    let output: String
    let files: [String]
    let images: Int
    let grid: [Int]
    let provenance: Provenance
  }

  func run() throws {
    try checkOutput(output, inputs: files)
    let whole = try TokenConcatenation(paths: files)
    let clock = Stopwatch()
    let provenance = Provenance()
    let progress = ProgressLine("copying", total: whole.imageCount, unit: "images")
    try whole.write(
      to: output,
      createdBy: "token-entropy \(provenance.version): \(provenance.commandLine)"
    ) { progress.update($0) }
    progress.finish()
    if json.isWanted {
      return try printJSON(
        Result(
          output: output, files: whole.paths, images: whole.imageCount,
          grid: whole.grid.jsonExtents, provenance: provenance.finished(after: clock)))
    }
    try printText(
      "\(output): \(whole.imageCount.grouped) images of \(whole.grid) tokens, of \(whole.paths.count) files"
    )
  }
}
