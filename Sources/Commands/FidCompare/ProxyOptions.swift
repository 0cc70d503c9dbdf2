import ArgumentParser
import GenerationMetrics
import Reporting
import TokenData

extension ExtractorName: ExpressibleByArgument {}

/// How many nearest neighbours, as in `3,5`.
struct NeighborCounts: ExpressibleByArgument, Hashable {
  let values: [Int]

  init(values: [Int]) { self.values = values }

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = words.compactMap { Int($0) }
    guard values.count == words.count, values.allSatisfy({ $0 > 0 }),
      Set(values).count == values.count
    else { return nil }
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}

/// Which proxies are computed and how.
struct ProxyOptions: ParsableArguments {
  @Option(
    name: .customLong("extractor"),
    help: ArgumentHelp(
      "structure, texture or pixels; may be repeated. (default: all; pixels if the file has a decoder)",
      valueName: "name"))
  var extractors: [ExtractorName] = []

  @Option(
    name: .customLong("neighbors"),
    help: ArgumentHelp(
      "The numbers of nearest neighbours for precision, recall, density and coverage. (default: 3,5)",
      valueName: "k,…"))
  var givenNeighbors: NeighborCounts?

  /// The numbers of neighbours, with their default.
  var neighbors: NeighborCounts { givenNeighbors ?? NeighborCounts(values: [3, 5]) }

  /// The extractors for a dataset.
  ///
  /// - Throws: What makes an extractor that was asked for impossible.
  func extractors(for dataset: TokenDataset, seed: UInt64) throws -> [any FeatureExtractor] {
    let names =
      extractors.isEmpty
      ? ExtractorName.allCases.filter { $0 != .pixels || dataset.decoder != nil }
      : extractors.removingRepeats
    return try names.map { try $0.extractor(for: dataset, seed: seed) }
  }
}
