import ArgumentParser
import FileFormats
import Files
import GenerationMetrics
import Reporting

/// `fid-compare merge-statistics PART.npz … --output ALL.npz`: the statistics of all images of several files.
struct FidCompareMergeStatistics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge-statistics",
    abstract: "Add statistics of features: those of parts, or of several files of tokens.",
    usage: "fid-compare merge-statistics <files> ... --output <file.npz>",
    discussion: """
      EXAMPLES
        fid-compare merge-statistics part-*.npz --output real.npz

      The result has the mean and the covariance of all images together, but for
      rounding those that one computation of all of them gives, and the same bits
      in whatever order the files are named. It can be added to again. Images that
      are in two files, other extractors, codebooks and widths, and statistics of
      other programs, which do not say of how many samples they are, are refused.
      """)

  @Argument(
    help: ArgumentHelp(
      "Statistics as fid-compare statistics writes them, at least two.", valueName: "files"))
  var files: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file.npz"))
  var output: String

  func validate() throws {
    if files.count < 2 { throw ValidationError("there is one file; at least two are added") }
  }

  func run() throws {
    try checkOutput(output, inputs: files)
    for file in files { InputFiles.shared.insert(file) }
    let merged = try CountedStatistics.merged(
      files.map { ($0, try CountedStatistics(npz: $0)) })
    try merged.write(npz: output)
    let origin = merged.origin
    try printText(
      ([
        "\(output): \(merged.statistics.mean.count) features of \(origin.images.grouped) images by \(origin.extractor), of \(files.count) files"
      ]
        + origin.missing).joined(separator: "\n"))
  }
}
