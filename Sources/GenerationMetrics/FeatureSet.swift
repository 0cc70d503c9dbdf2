import LinearAlgebra
import Statistics
import SystemResources
import TokenData
import TokenGrids

/// The features of a dataset by one extractor, in the forms that the metrics need.
///
/// Images are dealt at random into ``groupCount`` groups of whole photographs. Sums over a group give means and covariances
/// of any union of groups, which is what extrapolation, jackknife errors and sets of equal size are made of.
public struct FeatureSet: Sendable {
  /// How many groups there are.
  public static let groupCount = ImageDealing.groupCount
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
  let rows: FloatMatrix
  /// The rows of each group.
  let groupRows: [Range<Int>]
  /// The sums of all samples of each group.
  let groups: [FeatureMoments]
  /// The rows of each group's core, and the sums of its samples.
  private let coreRows: [Range<Int>]
  private let cores: [FeatureMoments]

  /// Extracts the features of all images.
  ///
  /// - Parameters:
  ///   - seed: Of the groups, and of the window that stands for each image where it has several samples.
  ///   - shift: A point near the mean, the same for sets that are to be compared; nil for the mean of some images.
  ///   - dealing: The groups, where they have been dealt already.
  ///   - progress: Told how many images are done.
  /// - Throws: ``MetricError/tooFewImages(source:extractor:images:needed:)``,
  ///   ``MetricError/tooLittleMemory(source:_:fittingImages:)``, and what the extractor throws.
  /// - Complexity: O(samples·d²) and the extractor's own cost.
  public init(
    of dataset: TokenDataset, by extractor: any FeatureExtractor, seed: UInt64,
    shift: [Double]? = nil, dealing: ImageDealing? = nil, progress: (Int) -> Void = { _ in }
  ) throws {
    let (d, perImage) = (extractor.dimensions, extractor.samplesPerImage)
    try Self.requireMemory(images: dataset.imageCount, dimensions: d, source: dataset.name)
    let dealing =
      try dealing ?? ImageDealing(of: dataset, purpose: extractor.name, seed: seed)
    var generator = dealing.generator
    let shift =
      try shift
      ?? Self.mean(
        of: extractor.features(of: dataset, images: 0..<min(dataset.imageCount, 64)))
    var rows: [Float] = []
    rows.reserveCapacity(dataset.imageCount * d)
    var done = 0
    func moments(of units: [[Int]]) throws -> FeatureMoments {
      var moments = FeatureMoments(shift: shift)
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
      return moments
    }
    var (groupRows, coreRows): ([Range<Int>], [Range<Int>]) = ([], [])
    var (groups, cores): ([FeatureMoments], [FeatureMoments]) = ([], [])
    for (core, rest) in zip(dealing.cores, dealing.rests) {
      let first = rows.count / d
      var sum = try moments(of: core)
      cores.append(sum)
      coreRows.append(first..<rows.count / d)
      if !rest.isEmpty { sum.merge(try moments(of: rest)) }
      groups.append(sum)
      groupRows.append(first..<rows.count / d)
    }
    source = dataset.name
    self.extractor = extractor.name
    dimensions = d
    imageCount = dataset.imageCount
    samplesPerImage = perImage
    self.rows = FloatMatrix(rows: rows.count / d, columns: d, elements: rows)
    self.groupRows = groupRows
    self.groups = groups
    self.coreRows = coreRows
    self.cores = cores
  }

  /// Refuses features that do not fit into memory: one sample of each image, and the sums of products of each group and of its
  /// core.
  ///
  /// - Parameter copies: How many times the samples are there.
  /// - Throws: ``MetricError/tooLittleMemory(source:_:fittingImages:)``.
  public static func requireMemory(
    images: Int, dimensions d: Int, copies: Int = 1, source: String,
    available: AvailableMemory? = .now
  ) throws(MetricError) {
    let sums = Double(2 * groupCount) * 8 * Double(d) * Double(d)
    let perImage = 4 * Double(copies) * Double(d)
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        Double(images) * perImage + sums, for: "\(d) features of \(images) images",
        available: available)
    } catch {
      throw .tooLittleMemory(
        source: source, error,
        fittingImages: max(Int(0.8 * (error.available.bytes - sums) / perImage), 0)
          .roundedDownToTwoDigits)
    }
  }

  /// Takes features that another program extracted: independent samples, one an image, N × d.
  ///
  /// - Parameters:
  ///   - source: What to call them in messages.
  ///   - seed: Of the groups, to which the samples are dealt at random.
  /// - Throws: ``MetricError/tooFewImages(source:extractor:images:needed:)`` for fewer than ``leastImages``, or
  ///   ``MetricError/notFinite(source:extractor:image:)``.
  /// - Complexity: O(N·d²).
  public init(samples: FloatMatrix, source: String, seed: UInt64) throws {
    let (count, d) = (samples.rows, samples.columns)
    guard count >= Self.leastImages else {
      throw MetricError.tooFewImages(
        source: source, extractor: "a comparison of features", images: count,
        needed: Self.leastImages)
    }
    for i in 0..<count where !samples.elements[i * d..<(i + 1) * d].allSatisfy(\.isFinite) {
      throw MetricError.notFinite(source: source, extractor: "the network", image: i)
    }
    var generator = SeededGenerator(seed: seed, stream: 2)
    var order = Array(0..<count)
    generator.shuffle(&order)
    var rows: [Float] = []
    rows.reserveCapacity(samples.elements.count)
    for i in order { rows += samples.elements[i * d..<(i + 1) * d] }
    self.init(rows: FloatMatrix(rows: count, columns: d, elements: rows), source: source)
  }

  /// Independent samples, one an image, dealt to the groups in runs.
  init(
    rows: FloatMatrix, groups count: Int = FeatureSet.groupCount, source: String = "samples"
  ) {
    let runs = (0..<count).map { $0 * rows.rows / count..<($0 + 1) * rows.rows / count }
    let shift = Self.mean(of: rows)
    self.source = source
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
    coreRows = groupRows
    cores = groups
  }

  /// The cores of some groups of a set, all ten in pairs.
  private init(_ whole: FeatureSet, coresOfGroups chosen: [Int]) {
    let d = whole.dimensions
    let together = max(2 * chosen.count / Self.groupCount, 1)
    var rows: [Float] = []
    var ranges: [Range<Int>] = []
    var sums: [FeatureMoments] = []
    for start in stride(from: 0, to: chosen.count, by: together) {
      let first = rows.count / d
      var sum = FeatureMoments(shift: whole.shift)
      for group in chosen[start..<min(start + together, chosen.count)] {
        let range = whole.coreRows[group]
        rows += whole.rows.elements[range.lowerBound * d..<range.upperBound * d]
        sum.merge(whole.cores[group])
      }
      ranges.append(first..<rows.count / d)
      sums.append(sum)
    }
    source = whole.source
    extractor = whole.extractor
    dimensions = d
    samplesPerImage = whole.samplesPerImage
    imageCount = rows.count / d
    self.rows = FloatMatrix(rows: rows.count / d, columns: d, elements: rows)
    groupRows = ranges
    groups = sums
    coreRows = ranges
    cores = sums
  }

  /// The samples without those of one group.
  func rows(withoutGroup group: Int) -> FloatMatrix {
    let range = groupRows[group]
    var elements = rows.elements
    elements.removeSubrange(range.lowerBound * dimensions..<range.upperBound * dimensions)
    return FloatMatrix(
      rows: rows.rows - range.count, columns: dimensions, elements: elements)
  }

  /// The cores of five groups, or of all ten in pairs: five groups in either case, as the halves have that they are compared
  /// with.
  func cores(ofGroups chosen: [Int]) -> FeatureSet { FeatureSet(self, coresOfGroups: chosen) }

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

  private static func mean(of rows: FloatMatrix) -> [Double] {
    var sums = [Double](repeating: 0, count: rows.columns)
    for i in 0..<rows.rows {
      for j in 0..<rows.columns { sums[j] += Double(rows[i, j]) }
    }
    return sums.map { $0 / Double(rows.rows) }
  }
}
