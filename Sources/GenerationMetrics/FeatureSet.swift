import LinearAlgebra
import TokenData
import TokenGrids

/// The features of a dataset by one extractor, in the forms that the metrics need.
///
/// Images are dealt at random into ``groupCount`` groups of whole photographs. Sums over a group give means and covariances
/// of any union of groups, which is what extrapolation, jackknife errors and halves are made of.
public struct FeatureSet: Sendable {
  /// How many groups there are.
  public static let groupCount = 10
  /// The fewest images that can be compared: two in each group.
  public static let leastImages = 2 * groupCount

  /// What the features come from.
  public let source: String
  /// The extractor's name.
  public let extractor: String
  /// d.
  public let dimensions: Int
  /// The number of images.
  public let imageCount: Int
  /// How many samples an image has for the Fréchet distance.
  public let samplesPerImage: Int
  /// One sample of each image, `images × d`, group after group: what kernels and neighbours compare.
  let rows: SingleMatrix
  /// The rows of each group.
  let groupRows: [Range<Int>]
  /// The sums of all samples of each group.
  let groups: [FeatureMoments]

  /// Extracts the features of all images.
  ///
  /// - Parameters:
  ///   - seed: Of the groups, and of the window that stands for each image where it has several samples.
  ///   - shift: A point near the mean, the same for sets that are to be compared; nil for the mean of some images.
  ///   - progress: Told how many images are done.
  /// - Throws: ``MetricError/tooFewImages(source:extractor:images:needed:)``, and what the extractor throws.
  /// - Complexity: O(samples·d²) and the extractor's own cost.
  public init(
    of dataset: TokenDataset, by extractor: any FeatureExtractor, seed: UInt64,
    shift: [Double]? = nil, progress: (Int) -> Void = { _ in }
  ) throws {
    let (d, perImage) = (extractor.dimensions, extractor.samplesPerImage)
    guard dataset.imageCount >= Self.leastImages else {
      throw MetricError.tooFewImages(
        source: dataset.name, extractor: extractor.name, images: dataset.imageCount,
        needed: Self.leastImages)
    }
    var generator = SeededGenerator(seed: seed, stream: 2)
    let groupsOfUnits = try Self.dealt(
      Self.units(of: dataset), source: dataset.name, extractor: extractor.name, using: &generator)
    let shift =
      try shift
      ?? Self.mean(
        of: extractor.features(of: dataset, images: 0..<min(dataset.imageCount, 64)))
    var rows: [Float] = []
    rows.reserveCapacity(dataset.imageCount * d)
    var groupRows: [Range<Int>] = []
    var groups: [FeatureMoments] = []
    var done = 0
    for units in groupsOfUnits {
      var moments = FeatureMoments(shift: shift)
      let first = rows.count / d
      // Runs of single images are extracted together, wherever they stand.
      for block in Self.blocks(of: units) {
        let images = block.flatMap(\.self)
        let part = try dataset.selecting(images: images)
        let features = try extractor.features(of: part, images: 0..<images.count)
        for (i, image) in images.enumerated() {
          let row = i * perImage + (perImage > 1 ? generator.nextIndex(below: perImage) : 0)
          let sample = features.elements[row * d..<(row + 1) * d]
          guard sample.allSatisfy(\.isFinite) else {
            throw MetricError.notFinite(
              source: dataset.name, extractor: extractor.name, image: image)
          }
          rows += sample
        }
        moments.add(features, samplesPerUnit: (block.first?.count ?? 1) * perImage)
        done += images.count
        progress(done)
      }
      groupRows.append(first..<rows.count / d)
      groups.append(moments)
    }
    source = dataset.name
    self.extractor = extractor.name
    dimensions = d
    imageCount = dataset.imageCount
    samplesPerImage = perImage
    self.rows = SingleMatrix(rows: rows.count / d, columns: d, elements: rows)
    self.groupRows = groupRows
    self.groups = groups
  }

  /// Independent samples, one an image, dealt to the groups in runs.
  init(rows: SingleMatrix, groups count: Int = FeatureSet.groupCount) {
    let runs = (0..<count).map { $0 * rows.rows / count..<($0 + 1) * rows.rows / count }
    let shift = Self.mean(of: rows)
    source = "samples"
    extractor = "samples"
    dimensions = rows.columns
    imageCount = rows.rows
    samplesPerImage = 1
    self.rows = rows
    groupRows = runs
    groups = runs.map { run in
      var moments = FeatureMoments(shift: shift)
      moments.add(rows.slice(run), samplesPerUnit: 1)
      return moments
    }
  }

  private init(_ whole: FeatureSet, groups chosen: [Int]) {
    let d = whole.dimensions
    var rows: [Float] = []
    var ranges: [Range<Int>] = []
    for group in chosen {
      let range = whole.groupRows[group]
      ranges.append(rows.count / d..<rows.count / d + range.count)
      rows += whole.rows.elements[range.lowerBound * d..<range.upperBound * d]
    }
    source = whole.source
    extractor = whole.extractor
    dimensions = d
    samplesPerImage = whole.samplesPerImage
    imageCount = rows.count / d
    self.rows = SingleMatrix(rows: rows.count / d, columns: d, elements: rows)
    groupRows = ranges
    groups = chosen.map { whole.groups[$0] }
  }

  /// Two random halves of the images: what the same distribution looks like to a metric.
  public var halves: (FeatureSet, FeatureSet) {
    let groups = Array(groups.indices)
    return (
      FeatureSet(self, groups: groups.filter { $0.isMultiple(of: 2) }),
      FeatureSet(self, groups: groups.filter { !$0.isMultiple(of: 2) })
    )
  }

  /// The point that sums are taken about, for sets that are to be compared with this one.
  public var shift: [Double] { groups[0].shift }

  /// The mean and covariance of all samples.
  public var gaussian: FeatureGaussian {
    if samplesPerImage == 1, imageCount <= dimensions,
      groups.allSatisfy({ $0.unitCount == $0.sampleCount })
    {
      return FeatureGaussian(
        samples: Matrix(
          rows: rows.rows, columns: dimensions, elements: rows.elements.map { Double($0) }))
    }
    return gaussian(ofGroups: Array(groups.indices))
  }

  /// The mean and covariance of the samples of some groups.
  func gaussian(ofGroups chosen: some Sequence<Int>) -> FeatureGaussian {
    var sum = FeatureMoments(shift: shift)
    for group in chosen { sum.merge(groups[group]) }
    return sum.gaussian
  }

  // MARK: Groups

  /// Images that belong together: of one photograph where that is known, else each by itself.
  private static func units(of dataset: TokenDataset) -> [[Int]] {
    guard let ids = dataset.imageIDs else { return (0..<dataset.imageCount).map { [$0] } }
    var places: [UInt32: Int] = [:]
    var units: [[Int]] = []
    for (image, id) in ids.enumerated() {
      if let place = places[id] {
        units[place].append(image)
      } else {
        places[id] = units.count
        units.append([image])
      }
    }
    return units
  }

  /// Units dealt at random to the groups.
  private static func dealt(
    _ units: [[Int]], source: String, extractor: String, using generator: inout SeededGenerator
  ) throws -> [[[Int]]] {
    guard units.count >= leastImages else {
      throw MetricError.tooFewImages(
        source: source + " (photographs)", extractor: extractor, images: units.count,
        needed: leastImages)
    }
    var units = units
    generator.shuffle(&units)
    return (0..<groupCount).map { group in
      Array(units[group * units.count / groupCount..<(group + 1) * units.count / groupCount])
    }
  }

  /// Units of equal size, a few hundred images at a time.
  private static func blocks(of units: [[Int]]) -> [[[Int]]] {
    var blocks: [[[Int]]] = []
    for (_, equal) in Dictionary(grouping: units, by: \.count).sorted(by: { $0.key < $1.key }) {
      let step = max(1, 256 / (equal.first?.count ?? 1))
      blocks += stride(from: 0, to: equal.count, by: step).map {
        Array(equal[$0..<min($0 + step, equal.count)])
      }
    }
    return blocks
  }

  private static func mean(of rows: SingleMatrix) -> [Double] {
    var sums = [Double](repeating: 0, count: rows.columns)
    for i in 0..<rows.rows {
      for j in 0..<rows.columns { sums[j] += Double(rows[i, j]) }
    }
    return sums.map { $0 / Double(rows.rows) }
  }
}
