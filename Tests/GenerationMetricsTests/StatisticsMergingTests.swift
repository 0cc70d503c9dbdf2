import FileFormats
import Files
import Foundation
import LinearAlgebra
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import GenerationMetrics

/// Samples some deviations from zero, as features are. (The mean's own rounding, 10⁻¹⁶ of it, is in every product of
/// deviations: further away nobody has twelve digits of a covariance.)
private func samples(_ count: Int, dimensions: Int = 5, seed: UInt64 = 1) -> [[Double]] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in
    (0..<dimensions).map { Double($0 + 1) + generator.nextUniform() }
  }
}

/// The two-pass formulas.
private func statistics(of samples: ArraySlice<[Double]>) -> FeatureStatistics {
  let (n, d) = (Double(samples.count), samples[samples.startIndex].count)
  let mean = (0..<d).map { j in samples.reduce(0) { $0 + $1[j] } / n }
  var covariance = Matrix(rows: d, columns: d)
  if samples.count > 1 {
    for i in 0..<d {
      for j in 0..<d {
        covariance[i, j] =
          samples.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / (n - 1)
      }
    }
  }
  return FeatureStatistics(mean: mean, covariance: covariance)
}

private func counted(
  _ samples: [[Double]], _ images: Range<Int>, source: UInt64 = 1 << 63, definition: UInt64 = 3,
  codebook: UInt64 = 4, extractor: String = "structure"
) -> CountedStatistics {
  CountedStatistics(
    statistics(of: samples[images]),
    origin: StatisticsOrigin(
      samples: images.count, images: images.count, extractor: extractor, definition: definition,
      codebook: codebook,
      parts: [.init(source: source, images: images, imagesInAll: samples.count)]))
}

/// Elements in units of the two deviations: rounding of sums of a few hundred terms is some 10⁻¹⁴ of them.
private func difference(_ a: FeatureStatistics, _ b: FeatureStatistics) -> Double {
  var worst = 0.0
  for i in a.mean.indices {
    worst = max(worst, abs(a.mean[i] - b.mean[i]) / abs(b.mean[i]))
    for j in a.mean.indices {
      let scale = (b.covariance[i, i] * b.covariance[j, j]).squareRoot()
      worst = max(worst, abs(a.covariance[i, j] - b.covariance[i, j]) / scale)
    }
  }
  return worst
}

@Suite struct StatisticsMergingTests {
  @Test(arguments: [1, 2, 7, 32, 200]) func partsAddUpInAnyOrder(count: Int) throws {
    let all = samples(200)
    let whole = counted(all, 0..<200)
    var parts = (1...count).map { number -> (name: String, statistics: CountedStatistics) in
      ("\(number)", counted(all, NumberedPart(number, of: count).range(of: 200)))
    }
    let merged = try CountedStatistics.merged(parts)
    #expect(difference(merged.statistics, whole.statistics) < 1e-12)
    #expect(merged.origin == whole.origin && merged.origin.missing.isEmpty)
    var generator = SeededGenerator(seed: UInt64(count))
    for _ in 0..<3 {
      generator.shuffle(&parts)
      #expect(try CountedStatistics.merged(parts) == merged)
    }
    // As a tree: what was added is added again.
    if count > 2 {
      let halves = try [parts[..<(count / 2)], parts[(count / 2)...]].map {
        ("half", try CountedStatistics.merged(Array($0)))
      }
      let tree = try CountedStatistics.merged(halves)
      #expect(difference(tree.statistics, whole.statistics) < 1e-12)
      #expect(tree.origin == whole.origin)
    }
  }

  @Test func whatDoesNotGoTogetherIsRefused() throws {
    let all = samples(60)
    let first = (name: "a.npz", statistics: counted(all, 0..<30))
    func refusal(_ other: CountedStatistics) -> StatisticsMergeError? {
      do {
        _ = try CountedStatistics.merged([first, ("b.npz", other)])
        return nil
      } catch { return error }
    }
    #expect(refusal(counted(all, 30..<60)) == nil)
    #expect(
      refusal(counted(all, 29..<60))
        == .twice(
          file: "b.npz", other: "a.npz", images: 29..<30, source: ContentHash(value: 1 << 63)))
    // The same numbers of another file are other images.
    #expect(refusal(counted(all, 0..<30, source: 9)) == nil)
    #expect(
      refusal(counted(samples(60, dimensions: 4), 30..<60))
        == .otherDimensions(file: "b.npz", found: 4, first: "a.npz", expected: 5))
    #expect(
      refusal(counted(all, 30..<60, extractor: "texture"))
        == .otherExtractor(
          file: "b.npz", found: "texture", first: "a.npz", expected: "structure"))
    #expect(
      refusal(counted(all, 30..<60, definition: 5))?.description.contains("another definition")
        == true)
    #expect(
      refusal(counted(all, 30..<60, codebook: 5))
        == .otherCodebook(file: "b.npz", first: "a.npz"))
    var random = counted(all, 30..<60)
    random.origin.parts = []
    #expect(refusal(random) == .unknownImages(file: "b.npz"))
    let gap = try CountedStatistics.merged([first, ("c.npz", counted(all, 40..<50))])
    #expect(gap.origin.missing.count == 2)
    for (sentence, images) in zip(gap.origin.missing, ["images 30 to 39", "images 50 to 59"]) {
      #expect(sentence.hasPrefix("\(images) of the 60 of xxh64:8000000000000000"))
    }
  }

  @Test func filesKeepEverything() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("statistics-\(UUID().uuidString).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let written = counted(samples(20), 3..<11)
    try written.write(npz: path)
    #expect(try CountedStatistics(npz: path) == written)
    #expect(try FeatureStatistics(npz: path) == written.statistics)
    // Of another program.
    try written.statistics.write(npz: path)
    #expect(throws: FeatureStatisticsError.uncounted(file: path)) {
      try CountedStatistics(npz: path)
    }
    #expect(try FeatureStatistics(npz: path) == written.statistics)
    // What cannot be: more images than samples, a part beyond its file, and more samples than can be counted.
    for (samples, part) in [(7, 3..<11), (8, 15..<23), (1 << 60, 3..<11)] {
      var wrong = written
      wrong.origin.samples = samples
      wrong.origin.parts[0].images = part
      try wrong.write(npz: path)
      #expect(throws: FeatureStatisticsError.self) { try CountedStatistics(npz: path) }
    }
    // Cut off anywhere, the archive is none.
    try written.write(npz: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in [0, 10, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self) { try CountedStatistics(npz: path) }
    }
  }

  /// Read block by block, the features of images far apart are those of all at once.
  @Test func statisticsOfImagesAreThoseOfTheirFeatures() throws {
    let grid = TokenGrid(rows: 4, columns: 4)
    var generator = SeededGenerator(seed: 2)
    let values = (0..<600 * 16 * 2).map { _ in Float(10 + generator.nextUniform()) }
    let dataset = try TokenDataset(
      name: "t", grid: grid, tokens: .features(values, dimensions: 2))
    let images = (0..<600).filter { $0 % 5 != 3 }
    for name in [ExtractorName.structure, .texture] {
      let extractor = try name.extractor(for: dataset, seed: 0)
      let chosen = try dataset.selecting(images: images)
      let features = try extractor.features(of: chosen, images: 0..<images.count)
      let rows = (0..<features.rows).map { row in
        (0..<features.columns).map { Double(features[row, $0]) }
      }
      let (found, count, made) = try FeatureStatistics.of(dataset, images: images) {
        try name.extractor(for: $0, seed: 0)
      }
      #expect(count == rows.count && made.definitionHash == extractor.definitionHash)
      #expect(difference(found, statistics(of: rows[...])) < 1e-12)
    }
    let (one, count, _) = try FeatureStatistics.of(dataset, images: [7]) {
      try ExtractorName.structure.extractor(for: $0, seed: 0)
    }
    #expect(count == 1 && one.covariance.elements.allSatisfy { $0 == 0 })
  }
}
