import ArgumentParser
import Foundation
import PARTransformer
import Statistics

/// What is drawn, and how.
struct ParSampleDrawing: ParsableArguments {
  @Option(
    help:
      "Classes, separated by commas: numbers from 0, ranges such as 0-9, or names of --codebook or the model."
  )
  var classes = "0"

  @Option(help: "How many images in all; the classes take turns. (default: one of each class)")
  var count: Int?

  @Option(
    name: .customLong("shard"),
    help: ArgumentHelp(
      "Make only the i-th of N consecutive parts of the images. (default: all of them)",
      valueName: "i/N"))
  var shardText: String?

  @Option(help: "The scale of classifier-free guidance; 1 for none.")
  var guidance: Float = 1

  @Option(
    help:
      "How the scale depends on how many tokens are known: constant, or linear, from 1 up. (default: constant; linear for an any-order model)"
  )
  var guidanceSchedule: GuidanceSchedule?

  @Option(
    help: ArgumentHelp("The steps, from 1, with guidance. (default: all)", valueName: "first:last"))
  var guidanceInterval: String?

  @Flag(help: "Take the most probable code each time.")
  var greedy = false

  @Option(help: "What logits are divided by. (default: 1)")
  var temperature: Float?

  @Option(help: "Draw from the k most probable codes; 0 for all. (default: 0)")
  var topK: Int?

  @Option(help: "Draw from the most probable codes with this much probability. (default: 1)")
  var topP: Float?

  @Option(help: "How many images are generated together.")
  var batch = 8

  /// More images than anybody will wait for.
  private static let mostImages = 10_000_000

  func validate() throws {
    if let count, !(1...Self.mostImages).contains(count) {
      throw ValidationError("--count \(count): expected 1 to \(Self.mostImages)")
    }
    if let shardText { _ = try numberedPart(shardText, option: "--shard") }
    if greedy, temperature != nil || topK != nil || topP != nil {
      throw ValidationError("--greedy leaves nothing for --temperature, --top-k and --top-p")
    }
    if guidanceInterval != nil, guidance <= 1 {
      throw ValidationError("--guidance-interval needs --guidance above 1")
    }
    // What is no number may be a name, which only the files know.
    if classWords.contains(where: { $0.isEmpty || $0.hasPrefix("-") }) {
      throw wrongClasses(", or names of classes")
    }
    if guidanceSchedule != nil, guidance <= 1 {
      throw ValidationError("--guidance-schedule needs --guidance above 1")
    }
    do { try options(attention: .groupwise, seed: 0).validate() } catch {
      throw ValidationError("\(error)")
    }
  }

  /// Which part of the images is made; nil for all.
  var shard: NumberedPart? { shardText.flatMap { NumberedPart($0) } }

  /// The numbers of the images that are made, of so many.
  ///
  /// - Throws: `ValidationError` where there are more parts than images.
  func images(of total: Int) throws -> Range<Int> {
    guard let shard else { return 0..<total }
    guard shard.count <= total else {
      throw ValidationError(
        "--shard \(shard): \(total) image\(total == 1 ? "" : "s") cannot be divided into \(shard.count) parts; at most \(total) are possible"
      )
    }
    return shard.range(of: total)
  }

  private var classWords: [String] {
    classes.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private func wrongClasses(_ otherwise: String) -> ValidationError {
    ValidationError(
      "--classes \(classes): expected numbers from 0, as in 207,360, ranges, as in 0-9\(otherwise)")
  }

  /// The class of every image.
  ///
  /// - Parameter names: the names of the classes, where they have any.
  /// - Throws: `ValidationError` for a word that is neither a number, a range nor one of the names.
  func labels(names: [String]) throws -> [Int] {
    let numbers = try classWords.flatMap { word -> [Int] in
      if let number = Int(word), number >= 0 { return [number] }
      if let match = word.wholeMatch(of: /([0-9]+)-([0-9]+)/), let first = Int(match.1),
        let last = Int(match.2), first <= last, last - first < Self.mostImages
      {
        return Array(first...last)
      }
      if let place = names.firstIndex(where: { $0.lowercased() == word.lowercased() }) {
        return [place]
      }
      throw wrongClasses(
        names.isEmpty ? "" : ", or names such as \(names.prefix(3).joined(separator: ", "))")
    }
    return (0..<(count ?? numbers.count)).map { numbers[$0 % numbers.count] }
  }

  /// The same for the sampler.
  ///
  /// - Parameter schedule: the schedule of guidance where none is asked for.
  func options(
    attention: AttentionPattern, seed: UInt64, schedule: GuidanceSchedule = .constant
  ) throws -> SamplingOptions {
    var interval: ClosedRange<Int>?
    if let guidanceInterval {
      let bounds = guidanceInterval.split(separator: ":", omittingEmptySubsequences: false)
        .compactMap { Int($0) }
      guard bounds.count == 2, bounds[0] >= 1, bounds[0] <= bounds[1] else {
        throw ValidationError(
          "--guidance-interval \(guidanceInterval): expected first:last, as in 20:140")
      }
      interval = bounds[0]...bounds[1]
    }
    return SamplingOptions(
      guidance: guidance, guidanceSchedule: guidanceSchedule ?? schedule,
      guidanceInterval: interval, isGreedy: greedy,
      filter: TokenFilter(temperature: temperature ?? 1, topK: topK ?? 0, topP: topP ?? 1),
      attention: attention, seed: seed, batchSize: batch)
  }
}
