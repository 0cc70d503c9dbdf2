import ArgumentParser
import EntropyEstimation
import Reporting
import Shards

/// `moments [accumulate] --tokens SHARD --output FILE`: count, mean and scatter of a shard.
struct MomentsAccumulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accumulate",
    abstract: "Write the count, mean and scatter of a shard. (default)",
    usage: """
      moments [accumulate] --tokens <file> [--images <i/N>] --output <file.h5>
                           [options]
      """,
    discussion: """
      EXAMPLES
        moments --tokens shard-1.h5 --output part-1.h5
        moments --tokens codes.h5 --images 3/32 --output part-3.h5
        moments --tokens codes.npy --codebook codebook.npy --output part.h5

      Time grows with the images, memory does not: it is that of the products of
      all numbers of an image. Sums by class, for --given class, are made where
      images have labels.
      """)

  @OptionGroup(title: "Tokens") var shard: ShardOptions

  @Option(
    help: ArgumentHelp(
      "How products are summed and images whitened later: double, which does not depend on how images are divided; or mixed,"
        + " faster, whose rounding moves totals by some 10^-6 nats.",
      valueName: "precision"))
  var precision: TokenMoments.Precision = .double

  @Flag(help: "Leave out the sums by class.")
  var noClasses = false

  @OptionGroup(title: "Results") var output: SumsOutput
  @OptionGroup(title: "Results") var threads: ThreadsOption

  func run() throws {
    threads.apply()
    try checkOutput(output.output, inputs: [shard.source.dataset.path])
    let images = try shard.load()
    if images.codebookHash == nil {
      try warnOfDominantNumbers(in: images) { "image \(images.placeInSource(of: $0))" }
    }
    let progress = ProgressLine("summing products", total: images.imageCount, unit: "images")
    let moments = try StoredMoments(
      of: images, precision: precision, withClasses: !noClasses, progress: { progress.update($0) })
    progress.finish()
    try moments.write(to: output.output, createdBy: createdByText)
    try printText("\(output.output): \(moments.summary)")
  }
}

extension StoredMoments {
  /// What there is, in a line.
  var summary: String {
    var facts = [
      "moments of \(imageCount.grouped) image\(imageCount == 1 ? "" : "s")", "\(grid) tokens",
      "d = \(featureDimensions)",
    ]
    if photographCount < imageCount { facts.append("\(photographCount.grouped) photographs") }
    if let classes { facts.append("\(classes.labels.count.grouped) classes") }
    facts.append("\(precision.name) precision")
    return facts.joined(separator: " · ")
  }
}
