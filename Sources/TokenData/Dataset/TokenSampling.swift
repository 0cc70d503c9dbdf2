import Statistics
import TokenGrids

extension TokenDataset {
  /// Reads a random sample of a file's images into memory, in the order they stand in the file.
  ///
  /// Files are sorted by class as often as not, so the first images are no fair sample.
  ///
  /// - Parameters:
  ///   - path: An HDF5 file.
  ///   - count: How many images; all where there are not more.
  ///   - centred: Whether the place of the origin may be changed; see ``TokenDatasetFile``.
  ///   - channels: Where the channels of features stand; see there, too.
  ///   - seed: Every set of `count` images is equally likely; the same seed gives the same set.
  /// - Throws: ``TokenDataError`` that names the file and what is wrong with it.
  /// - Complexity: reads the file once; O(count·n) memory for codes, O(count·n·d) for features.
  public init(
    contentsOf path: String, sampling count: Int, seed: UInt64, centred: Bool = false,
    channels: ChannelPlacement? = nil
  ) throws {
    guard count > 0 else { throw TokenDataError.invalidLimit(count) }
    let file = try TokenDatasetFile(path: path, centred: centred, channels: channels)
    guard count < file.imageCount else {
      try self.init(contentsOf: path, centred: centred, channels: channels)
      return
    }
    try file.requireMemory(images: count)
    let sample = Self.sample(count, of: file.imageCount, seed: seed)
    var codes: [UInt32] = []
    var features: [Float] = []
    // Grown piece by piece they would take up to twice as much.
    if file.codebook != nil {
      codes.reserveCapacity(count * file.grid.cellCount)
    } else {
      features.reserveCapacity(count * file.grid.cellCount * file.featureDimensions)
    }
    var rest = sample[...]
    for block in file.blocks {
      let chosen = rest.prefix { $0 < block.upperBound }
      rest = rest.dropFirst(chosen.count)
      guard !chosen.isEmpty else { continue }
      if file.codebook != nil {
        let values = try file.codes(ofImages: block)
        let width = file.grid.cellCount
        for image in chosen {
          let start = (image - block.lowerBound) * width
          codes += values[start..<start + width]
        }
      } else {
        let values = try file.features(ofImages: block)
        let width = file.grid.cellCount * file.featureDimensions
        for image in chosen {
          let start = (image - block.lowerBound) * width
          features += values[start..<start + width]
        }
      }
    }
    self.init(
      validated: file.name, grid: file.grid, imageCount: count,
      tokens: file.codebook.map { .codes(codes, codebook: $0) }
        ?? .features(features, dimensions: file.featureDimensions),
      labels: file.labels.map { labels in
        TokenLabels(values: sample.map { labels.values[$0] }, names: labels.names)
      },
      imageIDs: file.imageIDs.map { imageIDs in sample.map { imageIDs[$0] } },
      attributes: file.attributes.ofSelection, decoder: file.decoder, path: path)
  }

  /// A random sample of the images, the one that ``init(contentsOf:sampling:seed:centred:channels:)`` reads of a file with
  /// as many.
  ///
  /// - Parameter count: How many images; all where there are not more.
  /// - Throws: ``TokenDataError/invalidLimit(_:)``.
  /// - Complexity: O(m + count·n) for codes, O(m + count·n·d) for features.
  public func sampled(_ count: Int, seed: UInt64) throws -> TokenDataset {
    guard count > 0 else { throw TokenDataError.invalidLimit(count) }
    guard count < imageCount else { return self }
    let part = try selecting(images: Self.sample(count, of: imageCount, seed: seed))
    return TokenDataset(
      validated: name, grid: grid, imageCount: count, tokens: part.tokens, labels: part.labels,
      imageIDs: part.imageIDs, attributes: attributes.ofSelection, decoder: decoder, path: path)
  }

  private static func sample(_ count: Int, of images: Int, seed: UInt64) -> [Int] {
    var generator = SeededGenerator(seed: seed)
    var numbers = Array(0..<images)
    generator.shuffle(&numbers)
    return numbers.prefix(count).sorted()
  }
}
