import ArgumentParser
import Files
import Foundation
import Reporting
import Shards

/// `moments merge PART … --output FILE`: adds up sums of shards.
struct MomentsMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Add up moments, residual sums or influences of shards.",
    usage: "moments merge <files> ... --output <file.h5> [--partial]",
    discussion: """
      EXAMPLES
        moments merge part-*.h5 --output all.h5
        moments merge part-*.h5 --expect 32 --output all.h5

      Files of one kind, in any order. Other codebooks, grids, channels and orders
      are refused, and images that would be counted twice. Where files hold shares
      of a dataset, all of its images must be there, unless --partial says that
      more will be merged later.
      """)

  @Argument(help: ArgumentHelp("Files of sums.", valueName: "files"))
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "Refuse to merge more or fewer files than this.", valueName: "count"))
  var expect: Int?

  @Flag(help: "Merge some of the shares of a dataset.")
  var partial = false

  @OptionGroup(title: "Results") var output: SumsOutput

  func validate() throws {
    if let expect, expect != files.count {
      throw ValidationError(
        "--expect \(expect): there \(files.count == 1 ? "is 1 file" : "are \(files.count) files") to merge"
      )
    }
  }

  func run() throws {
    for file in files { InputFiles.shared.insert(file) }
    _ = try OutputFile(path: output.output)
    switch try SumKind(files[0]) {
    case .moments:
      let merged = try files.dropFirst().reduce(into: StoredMoments(contentsOf: files[0])) {
        try $0.merge(StoredMoments(contentsOf: $1))
      }
      if !partial { try merged.requireComplete() }
      try merged.write(to: output.output, createdBy: createdByText)
      try printText("\(output.output): \(merged.summary)")
    case .residuals:
      let merged = try files.dropFirst().reduce(into: StoredResiduals(contentsOf: files[0])) {
        try $0.merge(StoredResiduals(contentsOf: $1))
      }
      if !partial { try merged.requireComplete() }
      try merged.write(to: output.output, createdBy: createdByText)
      try printText("\(output.output): \(merged.summary)")
    }
  }
}

extension StoredResiduals {
  /// What there is, in a line.
  var summary: String {
    [
      "\(hasInfluences ? "influences" : "residual sums") of \(imageCount.grouped) images",
      "\(orders.count) order\(orders.count == 1 ? "" : "s"): \(orders.map(\.name).joined(separator: ", "))",
    ].joined(separator: " · ")
  }
}
