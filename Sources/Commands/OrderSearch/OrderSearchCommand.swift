import ArgumentParser
import EntropyEstimation
import Figures
import FileFormats
import Files
import Foundation
import OrderSearch
import Reporting
import Shards
import Statistics
import TokenData
import TokenGrids

/// `order-search`: the order that loses least in the steps that one can afford.
public struct OrderSearchCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "order-search",
    abstract: "The order of generation that loses least in a number of steps.",
    discussion: """
      EXAMPLES
        order-search --steps 24 --output best.json
            The best order in 24 steps for the embedded photographs, a table of
            what it and others lose on images that took no part, and figures.
        order-search --steps 8,12,16 --tokens codes.h5 --output best.json
            On your tokens, in several numbers of steps: best-8.json and so on.
        order-search --steps 24 --keep-initial 4 --groups-multiple-of 8
            Four single tokens, then steps of 8, 16, 24 … tokens.
        order-search --steps 24 --seconds 600 --checkpoint search.json
            A longer search, which can be stopped and goes on when called again.

      The images are divided in three. To the first part sequences and sizes of
      steps are fitted: every start is cut at the best places there are (exact,
      by dynamic programming) and then improved by exchanges of tokens between
      neighbouring steps. The second part chooses the best of what was found.
      What it loses is estimated from the third, which has taken no part.

      STARTS
        greedy                 tokens that tell most about those that are left
        greedy:saturation=0    the same, whatever else has told about them
        any order of order-compare, as halton, distant:n=16 or order.json: its
        sequence

      \(exitStatusHelp)
      """,
    version: versionText)

  @Option(
    help: ArgumentHelp(
      "Numbers of steps, as in 24, 8,12,16 or 16..147; may be repeated. A range is for the curve, and a few of it are"
        + " searched where no other is named.", valueName: "numbers"))
  var steps: [StepNumbers]

  @Option(
    help: ArgumentHelp(
      "Sequences to begin with, separated by commas. (default: greedy,greedy:saturation=0,halton)",
      valueName: "starts"))
  var from: [StartNames] = []

  @OptionGroup(title: "Steps") var constraintOptions: ConstraintOptions

  @Option(
    help: ArgumentHelp(
      "Stop searching after this long; estimates come on top. (default: 60)", valueName: "seconds"))
  var seconds: Double?

  @Option(
    help: ArgumentHelp(
      "Keep what has been found in this file, and go on from it.", valueName: "file"))
  var checkpoint: String?

  @OptionGroup(title: "Tokens") var source: DatasetOption<MeasuredTokens>
  @OptionGroup(title: "Tokens") var tokens: TokenOptions

  @Option(
    help: ArgumentHelp(
      "Fit to merged moments of shards: see moments --help. All images of --tokens, which must be others, are left to choose and"
        + " for the report.", valueName: "file.h5"))
  var moments: String?

  @Option(
    help: ArgumentHelp(
      "The shares of the images that are fitted to and that choose, as in 0.4,0.2; the rest is for the report. (default: the"
        + " report has 1.75 images for each number of an image, a third to four fifths of them; the others are divided 2:1)",
      valueName: "fit,choose"))
  var parts: PartShares?

  @Option(
    help: ArgumentHelp(
      "How much of the covariance that is fitted to is its average over translations, 0 to 1. (default: the most that other"
        + " images do not speak against)", valueName: "share"))
  var translationShare: Double?

  @OptionGroup(title: "Estimation") var bounds: BoundOptions<InSampleBound>
  // Read, so that they are refused in a sentence.
  @OptionGroup(visibility: .hidden) var regression: RegressionOptions

  @Option(
    help: ArgumentHelp(
      "Write the order found: .json, .txt or .csv; beside it its step table (.txt), permutation and group sizes (.npy) and"
        + " the curve of losses (.csv).", valueName: "file"))
  var output: String?

  @Flag(help: "Leave out the curve of losses against steps, which takes an estimate a point.")
  var noCurve = false

  @OptionGroup(title: "Results") var jsonOption: JSONOption
  @OptionGroup(title: "Results") var figures: FigureOptions<FigureFolder>

  /// Makes the command for the parser.
  public init() {}

  private static let standardStarts = ["greedy", "greedy:saturation=0", "halton"]
  private var startNames: [String] {
    from.isEmpty ? Self.standardStarts : from.flatMap(\.names).removingRepeats
  }

  /// Refuses options that exclude each other or are out of range.
  public func validate() throws {
    let estimation = EstimationOptions(bounds, regression)
    try estimation.validate()
    guard estimation.bound != .heldOut, estimation.regressor == .linear,
      estimation.marginals == .data
    else {
      throw ValidationError(
        "order-search reports in-sample bounds of the linear regressor; order-compare knows others, for the order found"
      )
    }
    if moments != nil, source.given == nil {
      throw ValidationError(
        "--moments needs --tokens, images that were not summed, to choose by and for the report")
    }
    if let translationShare, !(0...1).contains(translationShare) {
      throw ValidationError("--translation-share \(translationShare): expected 0 to 1")
    }
    if let seconds, !(seconds > 0 && seconds.isFinite) {
      throw ValidationError("--seconds \(seconds): expected a positive number")
    }
    for count in steps.flatMap(\.single) + steps.flatMap(\.ranges).map(\.lowerBound)
    where count < 1 {
      throw ValidationError("--steps \(count): at least 1 is needed")
    }
    for name in startNames { _ = try StartSource(name) }
    if let output, OutputNames(output) == nil {
      throw ValidationError(
        "--output \(output): the name of an order file ends in .json, .txt or .csv")
    }
    try figures.requireFigures(besides: jsonOption.isWanted)
  }

  /// Searches, and tells what was found.
  public func run() throws {
    let clock = Stopwatch()
    try figures.check(default: jsonOption.isWanted ? nil : ".")
    let dataset = try tokens.load(source.dataset)
    let grid = dataset.grid
    let (wanted, curve) = try stepCounts(on: grid)
    let names = output.flatMap(OutputNames.init)
    try names?.check(steps: wanted)
    let data = try searchData(dataset)
    let covariance = try data.covariance(translationShare: translationShare)
    let starts = try starts(on: grid, covariance: covariance)
    let search = SequenceSearch(
      covariance: covariance.covariance, featureDimensions: dataset.featureDimensions,
      constraints: constraintOptions.constraints)
    let candidates = try find(
      wanted, SearchRun(search, starts: starts, seed: tokens.seed),
      checkpoint: SearchCheckpoint.Search(
        format: 1, inputHash: try dataset.contentHash()?.description,
        images: dataset.imageCount, featureDimensions: dataset.featureDimensions,
        parts: "\(data.parts.fitCount),\(data.parts.selection.count)"
          + (try moments.map { ",\(try ContentHash(ofFileAt: $0))" } ?? ""), seed: tokens.seed,
        limit: tokens.limit, given: bounds.given?.rawValue,
        initialSteps: constraintOptions.keepInitial ?? 0,
        multiple: constraintOptions.groupsMultipleOf ?? 1,
        largestGroup: constraintOptions.maxGroup, starts: startNames))
    var estimation = EstimationOptions(bounds, regression)
    estimation.clusterErrors(of: dataset)
    let report = try SearchReport(
      data, covariance, search, candidates, starts: starts, curve: noCurve ? [] : curve,
      settings: estimation.settings(tokens))
    let provenance = try Provenance(of: dataset, seed: tokens.seed).finished(after: clock)
    try names?.write(report, estimation, on: grid)
    if jsonOption.isWanted {
      try printJSON(
        OrderSearchResult(report, dataset: dataset, estimation, provenance: provenance))
    } else {
      try printText(report.text(dataset, estimation))
    }
    if let directory = figures.directory(default: jsonOption.isWanted ? nil : ".") {
      try figures.write(
        report.figures(dataset, estimation), to: directory, provenance: provenance)
    }
  }

  /// The images in their parts.
  private func searchData(_ dataset: TokenDataset) throws -> SearchData<TokenDataset> {
    let isGivenClass = bounds.given != nil
    guard let moments else {
      return try SearchData(
        dataset, shares: parts?.shares, seed: tokens.seed, isGivenClass: isGivenClass)
    }
    InputFiles.shared.insert(moments)
    let stored = try StoredMoments(contentsOf: moments)
    try stored.requireComplete()
    try stored.requireOthers(
      than: source.dataset.described(channels: tokens.channels))
    return try SearchData(
      dataset, fittedTo: stored.moments(givenClass: isGivenClass), shares: parts?.shares,
      seed: tokens.seed, isGivenClass: isGivenClass)
  }

  /// The numbers of steps that are searched, and those of the curve.
  private func stepCounts(on grid: TokenGrid) throws -> (wanted: [Int], curve: [Int]) {
    let n = grid.cellCount
    let single = steps.flatMap(\.single)
    let ranges = steps.flatMap(\.ranges)
    try constraintOptions.check(
      single + ranges.flatMap { [$0.lowerBound, $0.upperBound] }, on: grid)
    let wanted =
      single.isEmpty ? ranges.flatMap { StepNumbers.spread($0, count: 4) } : single
    let possible = constraintOptions.constraints.stepCounts(of: n)
    let usual = [8, 12, 16, 24, 36, 51, 100, 147].filter {
      possible.contains($0) && $0 <= n / 2
    }
    let curve =
      ranges.isEmpty ? usual : ranges.flatMap { StepNumbers.spread($0, count: 7) }
    return (
      Set(wanted).sorted(), Set(curve + wanted).sorted()
    )
  }

  /// The sequences to begin with.
  private func starts(
    on grid: TokenGrid, covariance: StructuredCovariance
  ) throws -> [SearchStart] {
    try startNames.map { name in
      switch try StartSource(name) {
      case .order(let specification):
        return SearchStart(
          name: specification.name, sequence: try specification.sequence(on: grid))
      case .greedy(let saturation):
        return SearchStart(
          name: name,
          sequence: GreedySequence(saturation: saturation, seed: tokens.seed).sequence(
            covariance: covariance.covariance, featureDimensions: covariance.featureDimensions))
      }
    }
  }

  /// Searches for each number of steps, within the time, from what the checkpoint has.
  private func find(
    _ wanted: [Int], _ run: SearchRun, checkpoint search: SearchCheckpoint.Search
  ) throws -> [SearchCandidate] {
    var known = SearchCheckpoint(
      search: search,
      candidates: try checkpoint.map { try SearchCheckpoint.candidates(of: search, from: $0) } ?? []
    )
    let start = ContinuousClock.now
    let budget = Duration.seconds(seconds ?? 60)
    var failure: (any Error)?
    var all: [SearchCandidate] = []
    for (index, steps) in wanted.enumerated() {
      // What one number of steps leaves of its share the others have.
      let end = start + budget * (index + 1) / wanted.count
      let progress = ProgressLine("searching", total: wanted.count, unit: "numbers of steps")
      all += run.candidates(
        steps: steps, known: known.candidates, shouldStop: { ContinuousClock.now >= end }
      ) { candidate, best in
        progress.update(index, "\(steps) steps lose \(best.significant(3)) nats so far")
        guard let candidate, let checkpoint else { return }
        known.candidates.append(candidate)
        do { try JSONFile.write(known, to: checkpoint) } catch { failure = error }
      }
      progress.finish()
      if let failure { throw failure }
    }
    return all
  }
}
