import LinearAlgebra

/// What feature statistics were computed of, so that those of other images can be added to them.
public struct StatisticsOrigin: Hashable, Sendable {
  /// Some of the images of one file, arranged photograph by photograph.
  public struct Part: Hashable, Sendable {
    /// The XXH64 of the file's bytes.
    public var source: UInt64
    /// The places of the images in the arrangement; without numbered photographs their numbers in the file.
    public var images: Range<Int>
    /// How many images the file has.
    public var imagesInAll: Int

    /// Collects the numbers.
    public init(source: UInt64, images: Range<Int>, imagesInAll: Int) {
      self.source = source
      self.images = images
      self.imagesInAll = imagesInAll
    }
  }

  /// N, what means were divided by.
  public var samples: Int
  /// How many images the samples are of.
  public var images: Int
  /// The extractor's name.
  public var extractor: String
  /// The hash of the extractor's definition.
  public var definition: UInt64
  /// The hash of the codebook; 0 of continuous tokens.
  public var codebook: UInt64
  /// Which images; none where that cannot be said, as of images drawn at random.
  public var parts: [Part]

  /// Collects the facts.
  public init(
    samples: Int, images: Int, extractor: String, definition: UInt64, codebook: UInt64,
    parts: [Part]
  ) {
    (self.samples, self.images, self.extractor) = (samples, images, extractor)
    (self.definition, self.codebook, self.parts) = (definition, codebook, parts)
  }
}

/// Feature statistics that know how many samples they are of and where those come from: the arrays `mu` and `sigma` as other
/// programs read them, and beside them `version`, `samples`, `images`, `extractor` (its letters' numbers), `definition_hash`,
/// `codebook_hash` and `parts` (files, 4).
public struct CountedStatistics: Hashable, Sendable {
  /// The mean and the covariance, divided by N − 1; of one sample a covariance of zeros.
  public var statistics: FeatureStatistics
  /// What they are of.
  public var origin: StatisticsOrigin

  private static let version = 1
  private static let mostParts = 1 << 20
  private static let mostLetters = 256
  /// Of which thousands add up without overflow.
  private static let mostSamples = 1 << 50

  /// Pairs statistics with their origin.
  public init(_ statistics: FeatureStatistics, origin: StatisticsOrigin) {
    self.statistics = statistics
    self.origin = origin
  }

  /// What an archive says of the origin of its statistics; nil where it says nothing, as those of other programs.
  ///
  /// - Throws: ``FeatureStatisticsError`` where what it says is of another version or contradicts itself; ``ZipError`` or
  ///   ``NpyError`` for damage.
  public static func origin(in archive: NpzArchive) throws -> StatisticsOrigin? {
    guard archive.arrayNames.contains("samples") else { return nil }
    func numbers(_ name: String, count: Int? = nil, atMost largest: Int = 1) throws -> [Int64] {
      guard archive.arrayNames.contains(name) else {
        throw FeatureStatisticsError.missing(
          file: archive.name, wanted: ["samples", name], found: archive.arrayNames)
      }
      let array = try archive.array(name, largest: max(count ?? 0, largest))
      guard count == nil || array.elementCount == count else {
        throw NpyError.wrongShape(file: array.name, found: array.shape, expected: "()")
      }
      return try array.integers()
    }
    let version = try numbers("version", count: 1)[0]
    guard version == Int64(Self.version) else {
      throw FeatureStatisticsError.otherVersion(file: archive.name, found: Int(version))
    }
    let samples = Int(try numbers("samples", count: 1)[0])
    let images = Int(try numbers("images", count: 1)[0])
    let text = try numbers("extractor", atMost: mostLetters).map { UInt16(truncatingIfNeeded: $0) }
    let table = try numbers("parts", atMost: 4 * mostParts).map { Int($0) }
    guard (1...mostSamples).contains(samples), images >= 1, samples.isMultiple(of: images),
      table.count.isMultiple(of: 4)
    else {
      throw FeatureStatisticsError.badOrigin(
        file: archive.name, reason: "\(samples) samples of \(images) images")
    }
    let parts = try stride(from: 0, to: table.count, by: 4).map { row in
      let (first, end, all) = (table[row + 1], table[row + 2], table[row + 3])
      guard 0 <= first, first < end, end <= all else {
        throw FeatureStatisticsError.badOrigin(
          file: archive.name, reason: "a part from image \(first) to before \(end) of \(all)")
      }
      return StatisticsOrigin.Part(
        source: UInt64(bitPattern: Int64(table[row])), images: first..<end, imagesInAll: all)
    }
    guard parts.isEmpty || parts.reduce(0.0, { $0 + Double($1.images.count) }) == Double(images)
    else {
      throw FeatureStatisticsError.badOrigin(
        file: archive.name, reason: "parts that do not make up \(images) images")
    }
    return StatisticsOrigin(
      samples: samples, images: images, extractor: String(decoding: text, as: UTF16.self),
      definition: UInt64(bitPattern: try numbers("definition_hash", count: 1)[0]),
      codebook: UInt64(bitPattern: try numbers("codebook_hash", count: 1)[0]), parts: parts)
  }

  /// Reads an archive that ``write(npz:)`` wrote.
  ///
  /// - Throws: ``FeatureStatisticsError/uncounted(file:)`` for statistics of another program; as
  ///   ``FeatureStatistics/init(npz:features:)`` and ``origin(in:)``.
  /// - Complexity: O(d²).
  public init(npz path: String) throws {
    let archive = try NpzArchive(path: path)
    let statistics = try FeatureStatistics(archive)
    guard let origin = try Self.origin(in: archive) else {
      throw FeatureStatisticsError.uncounted(file: path)
    }
    self.init(statistics, origin: origin)
  }

  /// Writes all arrays, in place of a file that may be there. Hashes are their 64 bits as a signed number.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  public func write(npz path: String) throws {
    func bits(_ hash: UInt64) -> Int64 { Int64(bitPattern: hash) }
    let parts = origin.parts.flatMap { part in
      [
        bits(part.source), Int64(part.images.lowerBound), Int64(part.images.upperBound),
        Int64(part.imagesInAll),
      ]
    }
    let text = origin.extractor.utf16.map { $0 }
    try NpzArchive.write(
      statistics.arrays + [
        ("version", NpyWriter.bytes([Int64(Self.version)], shape: [])),
        ("samples", NpyWriter.bytes([Int64(origin.samples)], shape: [])),
        ("images", NpyWriter.bytes([Int64(origin.images)], shape: [])),
        ("extractor", NpyWriter.bytes(text, shape: [text.count])),
        ("definition_hash", NpyWriter.bytes([bits(origin.definition)], shape: [])),
        ("codebook_hash", NpyWriter.bytes([bits(origin.codebook)], shape: [])),
        ("parts", NpyWriter.bytes(parts, shape: [origin.parts.count, 4])),
      ], to: path)
  }
}
