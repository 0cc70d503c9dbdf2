import FileFormats
import Files
import LinearAlgebra

extension CountedStatistics {
  /// The statistics of all images of several files.
  ///
  /// With N, δ = μ_b − μ_a and M = (N − 1)·Σ: μ = μ_a + δ·N_b/N, M = M_a + M_b + δδᵀ·N_a·N_b/N (Chan, Golub and LeVeque,
  /// 1983). Nothing is lost but rounding, and files are added in the order of their images, so that the result has the same
  /// bits in whatever order they are named.
  ///
  /// - Parameter files: Statistics with what to call them in messages; at least one.
  /// - Throws: ``StatisticsMergeError`` that names the files that do not go together.
  /// - Complexity: O(files · d²).
  public static func merged(
    _ files: [(name: String, statistics: CountedStatistics)]
  ) throws(StatisticsMergeError) -> CountedStatistics {
    try check(files)
    let sorted = files.sorted { a, b in
      a.statistics.origin.parts.lexicographicallyPrecedes(b.statistics.origin.parts) {
        ($0.source, $0.images.lowerBound) < ($1.source, $1.images.lowerBound)
      }
    }
    var result = sorted[0].statistics
    for file in sorted.dropFirst() { result.add(file.statistics) }
    return result
  }

  /// Makes sure that all are of the same features and no image is in two of them.
  private static func check(
    _ files: [(name: String, statistics: CountedStatistics)]
  ) throws(StatisticsMergeError) {
    let first = files[0]
    var known: [(file: String, part: StatisticsOrigin.Part)] = []
    for file in files {
      let (origin, expected) = (file.statistics.origin, first.statistics.origin)
      let found = (file.statistics.statistics.mean.count, first.statistics.statistics.mean.count)
      guard found.0 == found.1 else {
        throw .otherDimensions(
          file: file.name, found: found.0, first: first.name, expected: found.1)
      }
      guard origin.extractor == expected.extractor, origin.definition == expected.definition else {
        throw .otherExtractor(
          file: file.name, found: origin.extractor, first: first.name,
          expected: expected.extractor)
      }
      guard origin.codebook == expected.codebook else {
        throw .otherCodebook(file: file.name, first: first.name)
      }
      guard !origin.parts.isEmpty else { throw .unknownImages(file: file.name) }
      for part in origin.parts {
        for other in known where other.part.source == part.source {
          let common = other.part.images.clamped(to: part.images)
          guard common.isEmpty else {
            throw .twice(
              file: file.name, other: other.file, images: common,
              source: ContentHash(value: part.source))
          }
        }
        known.append((file.name, part))
      }
    }
  }

  private mutating func add(_ other: CountedStatistics) {
    let (a, b) = (Double(origin.samples), Double(other.origin.samples))
    let n = a + b
    let d = statistics.mean.count
    let delta = (0..<d).map { other.statistics.mean[$0] - statistics.mean[$0] }
    for i in 0..<d {
      statistics.mean[i] += delta[i] * (b / n)
      for j in 0..<d {
        let scatter =
          (a - 1) * statistics.covariance[i, j] + (b - 1) * other.statistics.covariance[i, j]
          + delta[i] * delta[j] * (a * b / n)
        statistics.covariance[i, j] = scatter / (n - 1)
      }
    }
    origin.samples += other.origin.samples
    origin.images += other.origin.images
    var parts: [StatisticsOrigin.Part] = []
    for part in (origin.parts + other.origin.parts).sorted(by: {
      ($0.source, $0.images.lowerBound) < ($1.source, $1.images.lowerBound)
    }) {
      if let last = parts.last, last.source == part.source,
        last.images.upperBound == part.images.lowerBound
      {
        parts[parts.count - 1].images = last.images.lowerBound..<part.images.upperBound
      } else {
        parts.append(part)
      }
    }
    origin.parts = parts
  }
}

extension StatisticsOrigin {
  /// The images of its files that are not in it, in sentences.
  public var missing: [String] {
    var sentences: [String] = []
    for (source, parts) in Dictionary(grouping: parts, by: \.source).sorted(by: { $0.key < $1.key }
    ) {
      var gaps: [Range<Int>] = []
      var end = 0
      for part in parts.sorted(by: { $0.images.lowerBound < $1.images.lowerBound }) {
        if part.images.lowerBound > end { gaps.append(end..<part.images.lowerBound) }
        end = part.images.upperBound
      }
      let all = parts[0].imagesInAll
      if end < all { gaps.append(end..<all) }
      sentences += gaps.map {
        "images \($0.lowerBound) to \($0.upperBound - 1) of the \(all) of \(ContentHash(value: source)) are in none of the files"
      }
    }
    return sentences
  }
}

/// Why statistics cannot be added.
public enum StatisticsMergeError: Error, Equatable, CustomStringConvertible {
  /// Features of other widths.
  case otherDimensions(file: String, found: Int, first: String, expected: Int)
  /// Features of other extractors.
  case otherExtractor(file: String, found: String, first: String, expected: String)
  /// Features of codes that mean something else.
  case otherCodebook(file: String, first: String)
  /// It cannot be said which images they are of.
  case unknownImages(file: String)
  /// Images that are in two files.
  case twice(file: String, other: String, images: Range<Int>, source: ContentHash)

  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .otherDimensions(let file, let found, let first, let expected):
      "\(file): has \(found) features and \(first) has \(expected); only statistics of one extractor are added"
    case .otherExtractor(let file, let found, let first, let expected):
      found == expected
        ? "\(file): its features are by another definition of \(found) than those of \(first)"
        : "\(file): has features by \(found) and \(first) by \(expected); only statistics of one extractor are added"
    case .otherCodebook(let file, let first):
      "\(file): its tokens have another codebook than those of \(first), and their features mean something else"
    case .unknownImages(let file):
      "\(file): does not say which images it is of, as they were drawn at random or come from a folder; only statistics of a file or of its parts are added"
    case .twice(let file, let other, let images, let source):
      "\(file): images \(images.lowerBound) to \(images.upperBound - 1) of \(source) are in \(other) too"
    }
  }
}
